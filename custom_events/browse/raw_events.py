"""Raw events, newest or oldest first: what each delivery was and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.browse import walk
from custom_events.browse.pages import ROWS, Page, Place, checked_limit, cursor_of, place_of
from custom_events.browse.walk import SCANNED, Span, Walked, Wanted
from custom_events.errors import InvalidConfiguration
from custom_events.queries import lists as sql
from custom_events.queries import tallies
from custom_events.values.deliveries import Outcome
from custom_events.values.numbers import MAX_ID
from custom_events.values.time_order import TimeOrder

WAITING: Final = "waiting"
OUTCOMES: Final = (WAITING, *(outcome.value for outcome in Outcome))
# Two groups that are committed side by side have numbers of each other's time: as many as land in a second or two.
_JITTER: Final = 5_000  # fewer than a page reads (SCANNED)


class RawEventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What of them. `outcome`: waiting, understood, parked or ignored; `reason`: of what is parked or ignored; `topic` as the store calls
    it; `since` inclusive and `until` exclusive, by when it was received."""

    site_id: int | None = None
    outcome: str | None = None
    reason: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class RawEventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One raw event. `is_kept`: its bytes are still there; they go first, and with them `topic`, `delivery_id`, `triggered_at` (the store's
    clock), `signature` and `body_bytes`. `new_events`: commerce events that it was the first to tell of."""

    id: int
    landed_week: date
    received_at: datetime
    site_id: int
    outcome: str
    reason: str | None = None
    detail: str | None = None
    new_events: int | None = None
    processed_at: datetime | None = None
    is_kept: bool = False
    topic: str | None = None
    delivery_id: str | None = None
    triggered_at: datetime | None = None
    signature: str | None = None
    body_bytes: int | None = None


def raw_events(
    connection: sa.Connection,
    wanted: RawEventFilter,
    *,
    now: datetime,
    cursor: str | None = None,
    limit: int = ROWS,
    order: TimeOrder = TimeOrder.NEWEST,
) -> Page[RawEventRow]:
    """A page of raw events. `total` where only `outcome` and `reason` are asked for. Raises InvalidConfiguration."""
    if wanted.outcome is not None and wanted.outcome not in OUTCOMES:
        raise InvalidConfiguration(f"{wanted.outcome!r} is none of {', '.join(OUTCOMES)}", path="outcome")
    limit = checked_limit(limit)
    span = walk.span_of(place_of(cursor, order), wanted.since, wanted.until, order)
    parts: list[Walked] = []
    if wanted.outcome != WAITING:
        parts.append(walk.walk(connection, _outcomes(wanted), span, limit=limit, now=now))
    if wanted.outcome in (None, WAITING) and wanted.reason is None:
        parts.append(_waiting(connection, wanted, span, limit))
    rows, following, searched = _merged(parts, limit, order)
    return Page(
        rows=_delivered(connection, rows),
        next_cursor=None if following is None else cursor_of(following),
        searched_until=searched,
        total=_total(connection, wanted) if cursor is None else None,
    )


def _outcomes(wanted: RawEventFilter) -> Wanted:
    lead: list[str] = []
    rest: list[str] = []
    values: dict[str, Any] = {}
    if wanted.site_id is not None:
        lead.append("t.site_id = :site")
        values["site"] = wanted.site_id
    if wanted.outcome is not None:
        is_indexed = wanted.outcome == Outcome.PARKED
        (lead if is_indexed else rest).append(f"t.outcome = '{Outcome(wanted.outcome).value}'")
    if wanted.reason is not None:
        rest.append("t.reason = :reason")
        values["reason"] = wanted.reason
    if wanted.topic is not None:
        rest.append(f"{sql.TOPIC} = :topic")
        values["topic"] = wanted.topic
    return Wanted(sql.RAW_OUTCOMES, lead, rest, values)


def _waiting(connection: sa.Connection, wanted: RawEventFilter, span: Span, limit: int) -> Walked:
    number = span.place.id
    from_id = min(number + _JITTER, MAX_ID) if span.is_newest_first else number - _JITTER
    queued = {"from_id": from_id, "scan": SCANNED}
    values: dict[str, Any] = {**queued, **span.bounds, "rows": limit + 1}
    rest: list[str] = []
    for name, column, value in (("site", "q.site_id", wanted.site_id), ("topic", "r.topic", wanted.topic)):
        if value is not None:
            rest.append(f"{column} = :{name}")
            values[name] = value
    statement = sql.waiting(rest, span.order)
    walked = walk.cut(connection.execute(statement, values).mappings().all(), sql.RAW_OUTCOMES, limit)
    end = sql.waiting_end(span.order)
    last = connection.execute(end, queued).one_or_none() if walked.following is None else None
    return walked if last is None else Walked(walked.rows, Place(last.at, last.id), is_short=True)


def _merged(
    parts: Sequence[Walked], limit: int, order: TimeOrder
) -> tuple[list[sa.RowMapping], Place | None, datetime | None]:
    """Rows of all parts in one order, as far as every part has been read."""
    reached = [part.following for part in parts if part.following is not None]
    rows = sorted((row for part in parts for row in part.rows), key=_place, reverse=order is TimeOrder.NEWEST)
    nearest = max if order is TimeOrder.NEWEST else min
    following = nearest(reached, key=lambda place: (place.at, place.id), default=None)
    if following is not None:
        end = following.at, following.id
        rows = [row for row in rows if nearest(_place(row), end) == _place(row)]
    if len(rows) > limit:
        return rows[:limit], Place(*_place(rows[limit - 1])), None
    is_short = following is not None and len(rows) < limit
    return rows, following, following.at if is_short and following is not None else None


def _place(row: sa.RowMapping) -> tuple[datetime, int]:
    return row["received_at"], row["raw_id"]


def _delivered(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> tuple[RawEventRow, ...]:
    weeks = [row["landed_week"] for row in rows]
    values = {"weeks": weeks, "ids": [row["raw_id"] for row in rows]}
    bodies: Mapping[int, sa.RowMapping] = {}
    if weeks:
        cursor_result = connection.execute(sql.DELIVERIES, {**values, "first": min(weeks), "last": max(weeks)})
        bodies = {row["raw_id"]: row for row in cursor_result.mappings()}
    return tuple(_row(row, bodies.get(row["raw_id"])) for row in rows)


_OF_BODY: Final = ("topic", "delivery_id", "triggered_at", "signature", "body_bytes")


def _row(row: sa.RowMapping, body: sa.RowMapping | None) -> RawEventRow:
    values = dict(row)
    kept = {} if body is None else {name: body[name] for name in _OF_BODY}
    return RawEventRow(
        id=values.pop("raw_id"), outcome=values.pop("outcome", WAITING), is_kept=body is not None, **values, **kept
    )


def _total(connection: sa.Connection, wanted: RawEventFilter) -> int | None:
    is_counted = wanted == RawEventFilter(outcome=wanted.outcome, reason=wanted.reason)
    if not is_counted or wanted.outcome in (None, WAITING):
        return None
    return sum(
        tally.rows
        for tally in tallies.read(connection, "raw_outcomes")
        if tally.state == wanted.outcome and wanted.reason in (None, tally.reason)
    )
