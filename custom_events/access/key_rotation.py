"""Changing the installation's key: what is encrypted at rest is encrypted again by the first key of the ring.

In transactions of `PAGE` rows: what is done stays when it is ended in between, and the next run does the rest.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import audit, key_ring
from custom_events.errors import NeedsAction
from custom_events.queries import stored_secrets as queries
from custom_events.queries.stored_secrets import Store

PAGE: Final = 500  # values in one transaction: 0.1 s, for which nobody changes these rows


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """How many values were encrypted again, how many the first key had encrypted already, and whose no key decrypts."""

    total: int = 0
    renewed: int = 0
    current: int = 0
    lost: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """How many were looked at."""
        return self.renewed + self.current + len(self.lost)


def rotate(
    engine: sa.Engine, key: bytes, *, actor: str, on_progress: Callable[[Rotation], None] = lambda _: None
) -> Rotation:
    """Encrypt by the first of the keys whatever another one has encrypted. What none of them decrypts stays as it is, and is named.

    `on_progress` is called after each transaction. Running it again changes nothing more.
    """
    with engine.connect() as connection:
        rotation = Rotation(total=sum(connection.execute(store.count).scalar_one() for store in queries.STORES))
    for store in queries.STORES:
        after: dict[str, Any] | None = store.beginning
        while after is not None:
            with engine.begin() as connection:
                after, rotation = _page(connection, store, after, rotation, key, actor)
            on_progress(rotation)
    with engine.begin() as connection:
        key_ring.renew(connection, key)
    return rotation


def outstanding(connection: sa.Connection, key: bytes) -> int:
    """How many signing secrets are encrypted by another key than the first, and decrypted by one of them."""
    return sum(
        1
        for row in _rows(connection, queries.SITE_SECRETS)
        if not secrets.is_current(bytes(row.token), key, row.bound) and _renewed(row, key) is not None
    )


def _page(
    connection: sa.Connection, store: Store, after: dict[str, Any], rotation: Rotation, key: bytes, actor: str
) -> tuple[dict[str, Any] | None, Rotation]:
    """One transaction's rows: the place of the last one (None: there are no more), and what has been done until now."""
    rows = queries.page(connection, store, after, PAGE)
    if not rows:
        return None, rotation
    stale = [row for row in rows if not secrets.is_current(bytes(row.token), key, row.bound)]
    tokens = [(row, _renewed(row, key)) for row in stale]
    renewed = [{**queries.place_of(store, row), "token": token} for row, token in tokens if token is not None]
    lost = [row.label for row, token in tokens if token is None]
    if renewed:
        connection.execute(store.replace, renewed)
        audit.record(connection, actor=actor, action="secret.renew", subject="secrets", detail={"count": len(renewed)})
    made = msgspec.structs.replace(
        rotation,
        renewed=rotation.renewed + len(renewed),
        current=rotation.current + len(rows) - len(stale),
        lost=(*rotation.lost, *lost),
    )
    return queries.place_of(store, rows[-1]), made


def _renewed(row: Any, key: bytes) -> bytes | None:
    try:
        return secrets.renew(bytes(row.token), key, row.bound)
    except NeedsAction:
        return None


def _rows(connection: sa.Connection, store: Store) -> Iterator[sa.Row[*tuple[Any, ...]]]:
    after = store.beginning
    while rows := queries.page(connection, store, after, PAGE):
        yield from rows
        after = queries.place_of(store, rows[-1])
