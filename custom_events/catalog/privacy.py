"""Requests of people about their own data: who asked, until when it must be done, who did it."""

from collections.abc import Collection
from datetime import datetime

import msgspec
import sqlalchemy as sa

from custom_events.catalog import audit
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.queries import privacy as sql
from custom_events.values.deliveries import PrivacyRequest
from custom_events.values.numbers import MAX_ID


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a person: passed on by a store in the delivery `raw_id`, or entered here. Open while `done_at` is None; `counts`: rows
    by table that were blanked or deleted so far; `waiting`: events of which something is at Google still."""

    raw_id: int
    site_id: int
    site_key: str
    kind: PrivacyRequest
    received_at: datetime
    due_at: datetime
    done_at: datetime | None = None
    done_by: str | None = None
    note: str | None = None
    started_at: datetime | None = None
    waiting: int | None = None
    counts: dict[str, int] = {}


def requests(connection: sa.Connection, *, every: bool = False, only: Collection[int] | None = None) -> list[Request]:
    """Open requests, the most urgent first; `every`: the others after them; `only`: of these sites (None: of all)."""
    values = {"every": every, "only": None if only is None else sorted(only)}
    return [msgspec.convert(row, Request, from_attributes=True) for row in connection.execute(sql.REQUESTS, values)]


def site_of(connection: sa.Connection, raw_id: int) -> int | None:
    """The site of the request that came with this delivery; None: none did."""
    return connection.execute(sql.SITE_OF, {"raw_id": raw_id}).scalar_one_or_none() if 0 < raw_id <= MAX_ID else None


def done(connection: sa.Connection, raw_id: int, *, actor: str, note: str) -> None:
    """Note that a request was carried out. Raises NotFound, NeedsAction when it was before, InvalidConfiguration without a note."""
    if not note.strip():
        raise InvalidConfiguration("say what was done", path="note")
    row = connection.execute(sql.REQUEST, {"raw_id": raw_id}).one_or_none() if 0 < raw_id <= MAX_ID else None
    if row is None:
        raise NotFound(
            f"No request came with delivery {raw_id}: `custom-events privacy list` shows them.", what="privacy request"
        )
    if row.done_at is not None:
        raise NeedsAction(
            f"Request {raw_id} was carried out on {row.done_at:%Y-%m-%d} by {row.done_by}: nothing is left to do."
        )
    connection.execute(sql.DONE, {"raw_id": raw_id, "actor": actor, "note": note})
    audit.record(
        connection,
        actor=actor,
        action="privacy_request.done",
        subject=f"raw_event:{raw_id}",
        detail={"note": note},
        site_id=row.site_id,
        before={"done_by": None},
        after={"done_by": actor},
    )
