"""Which of a batch's events are new, of which more is said than is stored, and which are known; and how they are written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from custom_events.pipeline.bulk_rows import Connection, columns_of, copy, reserve_ids
from custom_events.pipeline.evidence import MERGED, Evidence, merge, replace
from custom_events.pipeline.understanding import CandidateEvent, Key
from custom_events.queries import tallies
from custom_events.queries import understanding as sql
from custom_events.values import events, packed_facts

EVENT_COLUMNS = (
    "id",
    "occurred_at",
    "site_id",
    "type",
    "key",
    "evidence_at",
    "order_id",
    "customer_key",
    "amount",
    "currency",
    "is_test",
    "facts",
    "raw_id",
    "raw_landed_week",
    "is_undone",
    "packed",
)
OF_ORDERS = "order."  # begins the natural keys of order.created, paid, refunded ..., which all hold the order's id
KEY_COLUMNS = ("site_id", "key", "event_id", "occurred_at", "evidence_at", "parts")


class Known(NamedTuple):
    """What the key of a stored event says of it. `parts`: those that it has (`evidence.parts_of`); None: stored before that was kept."""

    occurred_at: datetime
    evidence_at: datetime
    parts: int | None


async def split_new(
    connection: Connection, candidates: dict[Key, CandidateEvent], new_orders: AbstractSet[Key] = frozenset()
) -> tuple[list[CandidateEvent], list[CandidateEvent]]:
    """New events with their ids, and revised ones: known, of which the batch says something else or more. Both oldest first, by the store's time and then the key, so that a batch decides like its events one by one. `fresh`: orders whose events are
    taken for new without asking."""
    known = await known_events(connection, candidates, new_orders)
    new = sorted((candidate_event for key, candidate_event in candidates.items() if key not in known), key=_moment)
    for candidate, event_id in zip(new, await reserve_ids(connection, "app.commerce_events", len(new)), strict=True):
        candidate.event_id = event_id
        candidate.from_raw.new_events += 1
    return new, sorted(await revised_events(connection, candidates, known), key=_moment)


def _moment(candidate: CandidateEvent) -> tuple[Any, ...]:
    event = candidate.event
    return event.occurred_at, candidate.site_id, event.key


async def known_events(
    connection: Connection, candidates: dict[Key, CandidateEvent], new_orders: AbstractSet[Key] = frozenset()
) -> dict[Key, Known]:
    """Keys that are known; their candidates learn where the event is stored."""
    asked = [key for key, candidate_event in candidates.items() if not _is_first_of_order(candidate_event, new_orders)]
    if not asked:
        return {}
    known: dict[Key, Known] = {}
    for site_id, key, event_id, *stored in await connection.fetch(sql.KNOWN_EVENTS, *columns_of(asked)):
        candidate = candidates[site_id, key]
        known[site_id, key] = Known(*stored)
        candidate.event_id, candidate.stored_at = event_id, stored[0]
    return known


def _is_first_of_order(candidate: CandidateEvent, new_orders: AbstractSet[Key]) -> bool:
    """Whether the event is one of a new order: its natural key begins so, and every body with such an event tells of the order."""
    order = candidate.event.order
    return (
        order is not None and (candidate.site_id, order.id) in new_orders and candidate.event.key.startswith(OF_ORDERS)
    )


async def revised_events(
    connection: Connection, candidates: dict[Key, CandidateEvent], known: Mapping[Key, Known]
) -> list[CandidateEvent]:
    """Those of known keys that say more than what is stored, or what the same raw events say as they are understood today; now with
    what all of it says together. A younger body that has no part which the stored event lacks is not compared."""
    may_add = [candidates[key] for key, stored in known.items() if _may_add(candidates[key], stored)]
    if not may_add:
        return []
    places = columns_of([(candidate.stored_at, candidate.event_id) for candidate in may_add])
    stored = {row[0]: row for row in await connection.fetch(sql.STORED_EVENTS, *places)}
    # Not among them: its partition was dropped; the key alone stays.
    return [
        candidate
        for candidate in may_add
        if candidate.event_id in stored and _revise(candidate, *stored[candidate.event_id][1:])
    ]


def is_revised(
    candidate: CandidateEvent,
    known: Known,
    facts: str,
    raw_id: int | None,
    landed_week: date | None,
    *,
    was_undone: bool,
) -> bool:
    """Whether a stored event is another one with what the candidate says; the candidate then has it. Pure: for whoever has read what is
    stored already."""
    return _may_add(candidate, known) and _revise(candidate, facts, raw_id, landed_week, was_undone)


def _may_add(candidate: CandidateEvent, known: Known) -> bool:
    event = candidate.event
    return (
        known.parts is None
        or event.evidence_at <= known.evidence_at
        or event.occurred_at < known.occurred_at
        or bool(known.parts & MERGED or candidate.parts & ~known.parts)
    )


def _revise(
    candidate: CandidateEvent, facts: str, raw_id: int | None, landed_week: date | None, was_undone: bool
) -> bool:
    """Whether the event is another one with what the candidate says; the candidate then has it."""
    if facts == packed_facts.as_read(*candidate.stored()):
        return False
    before = events.from_json(facts, is_undone=was_undone)
    stored = Evidence(before, raw_id or 0, landed_week or date.min)
    raw_ids = {candidate.from_raw.raw_id, *(raw.raw_id for raw in candidate.others)}
    again = raw_ids & {raw_id, *(source.raw_id for source in before.sources)}
    now = replace(stored, candidate.evidence, again) if again else merge(stored, candidate.evidence)
    if events.to_json(now.event) == events.to_json(before):
        return False
    candidate.event = msgspec.structs.replace(now.event, is_undone=True) if was_undone else now.event
    candidate.before, candidate.stored_raw = before, (now.raw_id, now.landed_week)
    candidate.stored_as, candidate.first, candidate.known_parts = None, None, -1
    return True


async def write(connection: Connection, new: list[CandidateEvent], revised: list[CandidateEvent]) -> None:
    """New events and their keys by COPY, revised ones in place."""
    if new:
        await copy(connection, "app.commerce_events", EVENT_COLUMNS, _event_rows(new))
        await copy(connection, "app.event_keys", KEY_COLUMNS, _key_rows(new))
        types = Counter(candidate.event.type.value for candidate in new)
        await connection.execute(tallies.ADD_COMMERCE_EVENTS, *columns_of(sorted(types.items())))
    if revised:
        await connection.executemany(sql.REVISE_EVENT, [_revision(candidate) for candidate in revised])
        await connection.execute(sql.REVISE_KEYS, *columns_of(list(_key_rows(revised))))


def _event_rows(candidates: Iterable[CandidateEvent]) -> Iterator[tuple[Any, ...]]:
    for candidate in candidates:
        event, raw, stored = candidate.event, candidate.from_raw, candidate.stored()
        yield (
            candidate.event_id,
            event.occurred_at,
            candidate.site_id,
            event.type,
            event.key,
            event.evidence_at,
            event.order_id,
            event.customer_key,
            event.amount,
            event.currency,
            event.is_test,
            stored.facts,
            raw.raw_id,
            raw.landed_week,
            event.is_undone,
            stored.packed,
        )


def _key_rows(candidates: Iterable[CandidateEvent]) -> Iterator[tuple[Any, ...]]:
    for candidate in candidates:
        event = candidate.event
        yield candidate.site_id, event.key, candidate.event_id, event.occurred_at, event.evidence_at, candidate.parts


def _revision(candidate: CandidateEvent) -> tuple[Any, ...]:
    event, raw_id, landed_week = candidate.evidence
    stored = candidate.stored()
    return (
        candidate.stored_at,
        candidate.event_id,
        event.occurred_at,
        event.evidence_at,
        event.order_id,
        event.customer_key,
        event.amount,
        event.currency,
        event.is_test,
        stored.facts.decode(),
        raw_id or None,
        landed_week if raw_id else None,
        event.is_undone,
        stored.packed,
    )
