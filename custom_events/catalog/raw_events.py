"""One delivery as it was received: its headers and its exact bytes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import zstandard

from custom_events.catalog import audit
from custom_events.errors import NotFound
from custom_events.queries import deliveries as sql
from custom_events.values.numbers import MAX_ID

REQUEUED_AT_ONCE: Final = 5_000  # deliveries in one transaction, as many as a replay takes at once
PARKED_SINCE: Final = timedelta(days=30)  # what is parked for longer is looked for by its own moment
_HEADERS = msgspec.json.Decoder(dict[str, str])


class RawEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that landed. `body` is what the store sent, to the byte."""

    id: int
    landed_week: date
    received_at: datetime
    site_id: int
    topic: str | None
    delivery_id: str | None
    triggered_at: datetime | None
    api_version: str | None
    signature: str
    headers: dict[str, str]
    body: bytes


class RawFate(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery was, without its headers and its body, and what became of it. `outcome` is None while it waits (`is_waiting`)."""

    id: int
    landed_week: date
    received_at: datetime
    site_id: int
    topic: str | None
    delivery_id: str | None
    triggered_at: datetime | None
    api_version: str | None
    signature: str
    body_bytes: int
    is_waiting: bool
    outcome: str | None
    reason: str | None
    detail: str | None
    new_events: int | None
    processed_at: datetime | None


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries that nobody understands, of one reason."""

    reason: str
    rows: int
    first_at: datetime
    last_at: datetime


def fate(connection: sa.Connection, raw_id: int) -> RawFate:
    """What the raw event of this number was and what became of it. Raises NotFound when none is kept."""
    return msgspec.convert(_probed(connection, sql.RAW_FATE, raw_id), RawFate, from_attributes=True)


def site_of(connection: sa.Connection, raw_id: int) -> int | None:
    """The site of the raw event of this number; None: none is kept."""
    return connection.execute(sql.SITE_OF_RAW, _place(raw_id)).scalar_one_or_none() if 0 < raw_id <= MAX_ID else None


def parked(connection: sa.Connection, site_id: int, since: datetime | None = None) -> list[Parked]:
    """Why deliveries of a site are parked, the most frequent reason first: of those that came since `since`, `PARKED_SINCE` ago unless
    given."""
    since = since if since is not None else datetime.now(UTC) - PARKED_SINCE
    rows = connection.execute(sql.PARKED_OF_SITE, {"site": site_id, "since": since})
    return [msgspec.convert(row, Parked, from_attributes=True) for row in rows]


def requeue_parked(
    connection: sa.Connection,
    *,
    actor: str,
    site_id: int | None = None,
    reason: str | None = None,
    raw_id: int | None = None,
) -> int:
    """Parked deliveries are understood once more: one, or those of a site and of a reason where they are given, at most
    `REQUEUED_AT_ONCE`, the oldest first. Returns how many. Nothing is doubled by it: events that are known are dropped by their natural
    keys. Requests about personal data stay parked."""
    values = {"site": site_id, "reason": reason, "raw_id": raw_id}
    rows: int = connection.execute(sql.REQUEUE_PARKED, {**values, "rows": REQUEUED_AT_ONCE}).rowcount
    if rows:
        subject = (
            f"raw_event:{raw_id}" if raw_id is not None else f"site:{site_id}" if site_id is not None else "parked"
        )
        detail = {"rows": rows, "reason": reason}
        about = site_id if raw_id is None else site_of(connection, raw_id)
        audit.record(connection, actor=actor, action="raw_event.replay", subject=subject, detail=detail, site_id=about)
    return rows


def read(connection: sa.Connection, raw_id: int, *, actor: str, verb: str = "show") -> RawEvent:
    """The raw event with its headers and its body, which hold personal data: the audit trail has who read it. Raises NotFound."""
    raw_event = get(connection, raw_id)
    audit.record(
        connection,
        actor=actor,
        action=f"raw_event.{verb}",
        subject=f"raw_event:{raw_id}",
        detail={"site_id": raw_event.site_id},
        site_id=raw_event.site_id,
    )
    return raw_event


def get(connection: sa.Connection, raw_id: int) -> RawEvent:
    """The raw event of this number. Raises NotFound when none is kept."""
    row = _probed(connection, sql.RAW_EVENT, raw_id)
    body = zstandard.ZstdDecompressor().decompress(bytes(row.body), max_output_size=row.body_bytes)
    return RawEvent(
        id=row.id,
        landed_week=row.landed_week,
        received_at=row.received_at,
        site_id=row.site_id,
        topic=row.topic,
        delivery_id=row.delivery_id,
        triggered_at=row.triggered_at,
        api_version=row.api_version,
        signature=row.signature,
        headers=_HEADERS.decode(row.headers),
        body=body,
    )


def _probed(connection: sa.Connection, statement: sa.TextClause, raw_id: int) -> sa.Row[*tuple[Any, ...]]:
    row = connection.execute(statement, _place(raw_id)).one_or_none() if 0 < raw_id <= MAX_ID else None
    if row is None:
        raise NotFound(
            f"No raw event {raw_id} is kept: `custom-events explain ORDER` names those of an order, and bodies are dropped "
            "after CUSTOM_EVENTS_RAW_RETENTION_DAYS.",
            what="raw event",
        )
    return row


def _place(raw_id: int) -> dict[str, Any]:
    return {"id": raw_id, "weeks": sql.probed_weeks(datetime.now(UTC).date())}
