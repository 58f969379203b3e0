"""Signing secrets of sites: what proves that a delivery is from the store. Encrypted at rest, never shown again.

`key` is the installation's key (`secrets.key(settings)`). During a rotation the old and the new secret are both good.
"""

import secrets as tokens
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import audit, key_ring, sites
from custom_events.errors import Fault, InvalidConfiguration, NeedsAction, NotFound
from custom_events.queries import sites as queries
from custom_events.values.numbers import MAX_ID

SECRET_BYTES = 32  # 256 bits, the block that HMAC-SHA256 makes best use of
LEAST_CHARACTERS = 8  # WooCommerce lets people choose; shorter ones are guessed offline from one delivery
STRONG_CHARACTERS = 20  # of letters and digits: 119 bits where they are chosen at random
DIFFERENT_CHARACTERS = 10
OVERLAP = timedelta(hours=24)  # Shopify: old secrets sign for up to an hour after a rotation; a day suits people too
_PAGE = 500  # secrets read at once


class SiteSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret without what it holds. `valid_until` None: until removed."""

    id: int
    key_id: str | None
    valid_until: datetime | None
    created_at: datetime


def make() -> str:
    """A fresh random secret, for stores that take ours."""
    return tokens.token_urlsafe(SECRET_BYTES)


def check(value: str) -> None:
    """Raise InvalidConfiguration for a secret that is too short, or has space around it."""
    if value != value.strip() or len(value) < LEAST_CHARACTERS:
        wrong = f"it has fewer than {LEAST_CHARACTERS} characters, or space around it"
        right = f"at least {LEAST_CHARACTERS} characters, without space around them (pasted in full?)"
        raise InvalidConfiguration(f"{wrong}; {right}", path="secret", faults=(Fault("secret", wrong, right),))


def add(
    connection: sa.Connection,
    site_id: int,
    value: str,
    *,
    key: bytes,
    actor: str,
    key_id: str | None = None,
    valid_until: datetime | None = None,
) -> SiteSecret:
    """One more secret beside those the site has. `key_id` is what senders of the timestamped scheme name it by.

    Raises NotFound for the site, and as `check` does.
    """
    sites.get(connection, site_id)
    check(value)
    key_ring.check(connection, key)
    token = secrets.encrypt(value.encode(), key, secrets.row_of_site(site_id))
    made = queries.add_secret(connection, site_id, token=token, key_id=key_id, valid_until=valid_until)
    stored = next(secret for secret in of(connection, site_id) if secret.id == made)
    _record(connection, actor, "add", site_id, after=stored, secret_id=made, key_id=key_id)
    return stored


def rotate(
    connection: sa.Connection,
    site_id: int,
    value: str,
    *,
    key: bytes,
    actor: str,
    key_id: str | None = None,
    overlap: timedelta = OVERLAP,
) -> SiteSecret:
    """A new secret; the ones before it stay good for `overlap`."""
    end = queries.database_now(connection) + overlap
    ended = queries.end_secrets(connection, site_id, at=end)
    made = add(connection, site_id, value, key=key, actor=actor, key_id=key_id)
    _record(connection, actor, "rotate", site_id, after=made, secret_id=made.id, ended=ended, at=end.isoformat())
    return made


def remove(connection: sa.Connection, site_id: int, secret_id: int, *, actor: str) -> None:
    """A secret is good no longer, at once. Raises NotFound when the site has no such secret."""
    before = next((secret for secret in of(connection, site_id) if secret.id == secret_id), None)
    if not 0 < secret_id <= MAX_ID or not queries.remove_secret(connection, site_id, secret_id):
        raise NotFound(
            f"Site {site_id} has no secret {secret_id}: `custom-events site secret list {site_id}` shows those it has.",
            what="secret",
        )
    _record(connection, actor, "remove", site_id, before=before, secret_id=secret_id)


def of(connection: sa.Connection, site_id: int) -> list[SiteSecret]:
    """The secrets of a site, oldest first, ended ones too."""
    return [msgspec.convert(row, SiteSecret, from_attributes=True) for row in queries.secrets_of(connection, site_id)]


def holds(connection: sa.Connection, site_id: int, value: str, *, key: bytes) -> bool:
    """Whether this is one of the site's secrets in use. Raises NeedsAction when one of them cannot be decrypted."""
    stored, row = queries.tokens_of(connection, site_id), secrets.row_of_site(site_id)
    return any(tokens.compare_digest(secrets.decrypt(token, key, row), value.encode()) for token in stored)


def undecryptable(connection: sa.Connection, key: bytes) -> tuple[int, list[int]]:
    """How many secrets are in use, and the ids of the sites with one that `key` does not decrypt."""
    total = 0
    sites_with: set[int] = set()
    for row in _tokens(connection):
        total += 1
        try:
            secrets.decrypt(bytes(row.secret_encrypted), key, secrets.row_of_site(row.site_id))
        except NeedsAction:
            sites_with.add(row.site_id)
    return total, sorted(sites_with)


def weak(connection: sa.Connection, key: bytes) -> list[int]:
    """Ids of the sites with a secret in use that can be guessed offline from one delivery: short, or of few different characters."""
    sites_with: set[int] = set()
    for row in _tokens(connection):
        try:
            value = secrets.decrypt(bytes(row.secret_encrypted), key, secrets.row_of_site(row.site_id))
        except NeedsAction:
            continue
        if is_weak(value.decode("utf-8", "replace")):
            sites_with.add(row.site_id)
    return sorted(sites_with)


def is_weak(value: str) -> bool:
    """Whether a secret was rather thought up than made."""
    return len(value) < STRONG_CHARACTERS or len(set(value)) < DIFFERENT_CHARACTERS


def _tokens(connection: sa.Connection) -> Any:
    after = 0
    while rows := queries.tokens_after(connection, after_id=after, limit=_PAGE):
        yield from rows
        after = rows[-1].id


def _record(
    connection: sa.Connection,
    actor: str,
    verb: str,
    site_id: int,
    *,
    before: SiteSecret | None = None,
    after: SiteSecret | None = None,
    **detail: Any,
) -> None:
    known = {name: value for name, value in detail.items() if value is not None}
    audit.record(
        connection,
        actor=actor,
        action=f"secret.{verb}",
        subject=f"site:{site_id}",
        detail=known,
        site_id=site_id,
        before=None if before is None else msgspec.to_builtins(before),
        after=None if after is None else msgspec.to_builtins(after),
    )
