"""Explain: find the order, event or delivery that somebody asks about, and return its trace.

    async with reading(url) as connection:
        trace = await trace_of(connection, "#1001", site_id=3)

A subject is an order's number or id, a commerce event's key (`order.paid:1001`), or a raw event (`raw:77`).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any, Final

import msgspec

from custom_events.errors import NeedsAction, NotFound
from custom_events.explain.decisions import NOW, THEN, decisions
from custom_events.explain.trace import Delivery, EventTrace, OrderState, Refunded, Silent, Trace
from custom_events.history.drafts import assignment_revisions
from custom_events.history.readers import Readers, ask
from custom_events.history.reading import Stored
from custom_events.history.rules import site_called
from custom_events.pipeline.bulk_rows import Connection, texts_of
from custom_events.pipeline.configuration import site_of
from custom_events.pipeline.understanding import BatchState, Raw
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import history as sql
from custom_events.queries import traces
from custom_events.queries.deliveries import probed_weeks
from custom_events.values import events
from custom_events.values.deliveries import Platform
from custom_events.values.events import EventType
from custom_events.values.numbers import MAX_ID

RAW: Final = "raw:"
RULES: Final = (THEN, NOW)
_KINDS: Final = frozenset(kind.value for kind in EventType)
_WAITING_COUNTED: Final = 1_000  # deliveries; a backlog is not counted to its end for a sentence


async def trace_of(
    connection: Connection,
    subject: str,
    *,
    site_id: int | None = None,
    rules: str = THEN,
    assignment: int | None = None,
) -> Trace:
    """The trace of what `subject` names. `rules` chooses the revisions, `assignment` one of the site's.

    Raises NotFound when nothing is called so, NeedsAction when several sites have it and none was named.
    """
    subject = subject.strip()
    if subject.startswith(RAW):
        return await _of_raw(connection, subject, site_id, rules, assignment)
    if subject.partition(":")[0] in _KINDS:
        site_id = site_id if site_id is not None else await _only_site_with(connection, subject)
        rows = [await _event_called(connection, site_id, subject)]
        order_id = events.from_json(rows[0]["facts"]).order_id
    else:
        site_id, order_id = await _order_called(connection, subject, site_id)
        rows = await connection.fetch(traces.EVENTS_OF_ORDER, site_id, order_id)
    return await _trace(connection, site_id, order_id, rows, (), rules, assignment)


def explain_sync(
    asked: str | Readers, subject: str, *, site: str | None = None, site_id: int | None = None, **how: Any
) -> Trace:
    """`trace_of` for callers without an event loop: on a connection of its own to this URL, or on one that is kept. `site` is an id, a
    key or a domain; `site_id` an id."""

    async def read(connection: Connection) -> Trace:
        known = site_id if site is None else await site_called(connection, site)
        return await trace_of(connection, subject, site_id=known, **how)

    return ask(asked, read)


async def stored_event(connection: Connection, site_id: int, key: str) -> Stored:
    """A stored event by its key. Raises NotFound."""
    return _stored(site_id, await _event_called(connection, site_id, key))


async def _event_called(connection: Connection, site_id: int, key: str) -> Any:
    """The row of an event. In two steps, since one that joins is planned over every partition."""
    place = await connection.fetchrow(traces.PLACE_OF_KEY, site_id, key)
    row = None if place is None else await connection.fetchrow(traces.EVENT_AT, *place, site_id)
    if row is None:
        raise NotFound(f"Site {site_id} has no event {key}.", what="event")
    return row


async def _only_site_with(connection: Connection, key: str) -> int:
    return _only([row[0] for row in await connection.fetch(traces.SITES_WITH_KEY, key)], f"an event {key}")


async def _order_called(connection: Connection, name: str, site_id: int | None) -> tuple[int, str]:
    bare = name.removeprefix("#")
    rows = await connection.fetch(traces.ORDERS_BY_ID, site_id, name)
    if not rows:
        rows = await connection.fetch(traces.ORDERS_BY_NUMBER, site_id, [bare, f"#{bare}"])
    where = "" if site_id is None else f" on site {site_id}"
    if not rows:
        raise NotFound(
            f'No order is called "{name}"{where}. Ask by number or id of an order, by an event ({EventType.ORDER_PAID}:1001), '
            f"or by a raw event (raw:77).{await _waiting(connection)}",
            what="order",
        )
    site_id = _only(sorted({row[0] for row in rows}), f'an order "{name}"')
    return site_id, next(row[1] for row in rows if row[0] == site_id)


async def _waiting(connection: Connection) -> str:
    """A sentence for whoever asks for what came a moment ago; empty when nothing waits."""
    count = await connection.fetchval(traces.WAITING, _WAITING_COUNTED)
    if not count:
        return ""
    number = (
        "1 delivery waits"
        if count == 1
        else f"{count} deliveries wait"
        if count < _WAITING_COUNTED
        else "Many deliveries wait"
    )
    return f" {number} to be understood (custom-events up does it, within seconds): ask again then."


def _only(sites: Sequence[int], subject: str) -> int:
    if not sites:
        raise NotFound(f"No site has {subject}.", what="event")
    if len(sites) > 1:
        raise NeedsAction(f"Several sites have {subject}: {', '.join(map(str, sites))}. Name one of them (--site).")
    return sites[0]


async def _of_raw(
    connection: Connection, subject: str, asked_site: int | None, rules: str, assignment: int | None
) -> Trace:
    """What a raw event is understood as today, and what is stored of it. One of another site than is asked for is not there."""
    number = subject.removeprefix(RAW)
    weeks = probed_weeks(datetime.now(UTC).date())
    is_id = number.isdecimal() and 0 < int(number) <= MAX_ID
    day: date | None = await connection.fetchval(traces.WEEK_OF_RAW, int(number), texts_of(weeks)) if is_id else None
    body = None if day is None else await connection.fetchrow(traces.BODY, day, int(number))
    if day is None or body is None or asked_site not in (None, body["site_id"]):
        raise NotFound(
            f"No raw event {number} is kept: `custom-events explain ORDER` names those of an order, and bodies are dropped "
            "after CUSTOM_EVENTS_RAW_RETENTION_DAYS.",
            what="raw event",
        )
    site_id = body["site_id"]
    sites = {row[0]: site_of(*row) for row in await connection.fetch(sql.SITES, texts_of([site_id]))}
    batch_state = BatchState(sites, PLATFORMS)
    batch_state.take(Raw(*body))
    keys = [key for _, key in batch_state.events]
    rows = await connection.fetch(traces.EVENTS_OF_KEYS, site_id, keys)
    order_id = next((event.event.order_id for event in batch_state.events.values()), None)
    return await _trace(connection, site_id, order_id, rows, [(day, int(number))], rules, assignment)


async def _trace(
    connection: Connection,
    site_id: int,
    order_id: str | None,
    rows: Sequence[Any],
    raw: Sequence[tuple[date, int]],
    rules: str,
    assignment: int | None,
) -> Trace:
    site = await connection.fetchrow(traces.SITE, site_id)
    assert site is not None  # noqa: S101  it has events or orders
    if assignment is not None:
        await _check_assignment(connection, assignment, site_id)
    event_traces: list[EventTrace] = []
    for row in rows:
        stored = _stored(site_id, row)
        decided = await decisions(connection, stored, row["created_at"], rules=rules, only=assignment)
        event_traces.append(_event_story(stored, row, decided))
    first_shown = {(row["raw_landed_week"], row["raw_id"]) for row in rows if row["raw_id"] is not None} | set(raw)
    first_shown |= {
        (source.landed_week, source.raw_id)
        for row in rows
        for source in events.from_json(row["facts"]).sources
        if source.raw_id
    }
    return Trace(
        site_id=site_id,
        site_key=site["site_key"],
        site_name=site["name"],
        platform=Platform(site["platform"]),
        order=None if order_id is None else await _order(connection, site_id, order_id),
        deliveries=await _deliveries(connection, sorted(first_shown)),
        events=tuple(event_traces),
        silent=await _silent(connection, site_id, event_traces, assignment),
    )


async def _check_assignment(connection: Connection, assignment: int, site_id: int) -> None:
    """Raises NotFound for an assignment that the site does not have."""
    owner = (await assignment_revisions(connection, assignment))[0][1]
    if owner != site_id:
        raise NotFound(
            f"Assignment {assignment} is of site {owner}, and what is asked about is of site {site_id}: leave --assignment out "
            "to see every assignment of this site.",
            what="assignment",
        )


def _stored(site_id: int, row: Any) -> Stored:
    event = events.from_json(row["facts"], is_undone=row["is_undone"])
    return Stored(row["id"], site_id, row["key"], event)


def _event_story(stored: Stored, row: Any, decided: Any) -> EventTrace:
    event = stored.event
    return EventTrace(
        id=stored.event_id,
        key=stored.key,
        type=event.type,
        occurred_at=event.occurred_at,
        evidence_at=event.evidence_at,
        stored_at=row["created_at"],
        amount=event.amount,
        currency=event.currency,
        is_test=event.is_test,
        is_undone=event.is_undone,
        raw_id=row["raw_id"],
        decisions=decided,
    )


async def _order(connection: Connection, site_id: int, order_id: str) -> OrderState | None:
    row = await connection.fetchrow(traces.ORDER, site_id, order_id)
    if row is None:
        return None
    refunds = await connection.fetch(traces.REFUNDS, site_id, order_id)
    known = tuple(msgspec.convert(dict(refund), Refunded) for refund in refunds)
    return msgspec.convert({**row, "refunds": known}, OrderState)


async def _deliveries(connection: Connection, raw: Sequence[tuple[date, int]]) -> tuple[Delivery, ...]:
    weeks: dict[date, list[int]] = {}
    for week, number in raw:
        weeks.setdefault(week, []).append(number)
    rows: list[Any] = []
    for week, numbers in weeks.items():
        rows += await connection.fetch(traces.DELIVERIES, week, texts_of(numbers))
    rows.sort(key=itemgetter("received_at", "id"))
    return tuple(msgspec.convert({**row, "raw_id": row["id"]}, Delivery) for row in rows)


async def _silent(
    connection: Connection, site_id: int, event_traces: Sequence[EventTrace], assignment: int | None
) -> tuple[Silent, ...]:
    asked = {decision.assignment_id for event in event_traces for decision in event.decisions}
    if not event_traces or assignment is not None:
        return ()
    rows = await connection.fetch(traces.SILENT_ASSIGNMENTS, site_id, texts_of(asked))
    return tuple(
        Silent(
            assignment_id=row[0],
            definition=row[1],
            label=row[2],
            why="Nothing of it applied." if row[3] and row[4] else "It is paused." if row[4] else "Its site is paused.",
        )
        for row in rows
    )
