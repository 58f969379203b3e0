"""Which of a batch's events are new, which get older and so truer evidence, and which are known; and how they are written."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from custom_events.pipeline.rows import Connection, columns_of, copy, reserve_ids
from custom_events.pipeline.understanding import Key, Proposal
from custom_events.queries import understanding as sql
from custom_events.values import events

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
)
OF_ORDERS = "order."  # begins the natural keys of order.created, paid, refunded ..., which all hold the order's id
KEY_COLUMNS = ("site_id", "key", "event_id", "occurred_at", "evidence_at")


async def settle(
    connection: Connection, proposed: dict[Key, Proposal], fresh: AbstractSet[Key] = frozenset()
) -> tuple[list[Proposal], list[Proposal]]:
    """New events with their ids, and revised ones: known, with content from evidence nearer to the truth. Both oldest first,
    by the store's time and then the key, so that a batch decides like its events one by one. `fresh`: orders whose events are
    taken for new without asking."""
    known = await known_events(connection, proposed, fresh)
    new = sorted((found for key, found in proposed.items() if key not in known), key=_moment)
    for proposal, event_id in zip(new, await reserve_ids(connection, "app.commerce_events", len(new)), strict=True):
        proposal.event_id = event_id
        proposal.from_raw.new_events += 1
    return new, sorted(await nearer_events(connection, proposed, known), key=_moment)


def _moment(proposal: Proposal) -> tuple[Any, ...]:
    event = proposal.event
    return event.occurred_at, proposal.site_id, event.key


async def known_events(
    connection: Connection, proposed: dict[Key, Proposal], fresh: AbstractSet[Key] = frozenset()
) -> dict[Key, datetime]:
    """Keys that are known, with the clock of their evidence; their proposals learn where the event is stored."""
    asked = [key for key, found in proposed.items() if not _is_first_of_order(found, fresh)]
    if not asked:
        return {}
    known: dict[Key, datetime] = {}
    for site_id, key, event_id, stored_at, evidence_at in await connection.fetch(sql.KNOWN_EVENTS, *columns_of(asked)):
        proposal = proposed[site_id, key]
        proposal.event_id, proposal.stored_at = event_id, stored_at
        known[site_id, key] = evidence_at
    return known


def _is_first_of_order(found: Proposal, fresh: AbstractSet[Key]) -> bool:
    """Whether the event is one of a fresh order: its natural key begins so, and every body with such an event tells of the order."""
    order = found.event.order
    return order is not None and (found.site_id, order.id) in fresh and found.event.key.startswith(OF_ORDERS)


async def nearer_events(
    connection: Connection, proposed: dict[Key, Proposal], known: Mapping[Key, datetime]
) -> list[Proposal]:
    """Those of known keys that are nearer to the truth than what is stored, or what the same raw event says as it is understood
    today, and say something else."""
    candidates = [proposed[key] for key, evidence_at in known.items() if proposed[key].event.evidence_at <= evidence_at]
    if not candidates:
        return []
    places = columns_of([(found.stored_at, found.event_id) for found in candidates])
    stored = {row[0]: (row[1].encode(), row[2]) for row in await connection.fetch(sql.STORED_EVENTS, *places)}
    nearer: list[Proposal] = []
    for candidate in candidates:
        if candidate.event_id not in stored:  # its partition was dropped; the key alone stays
            continue
        facts, raw_id = stored[candidate.event_id]
        if facts == candidate.json():
            continue
        before = Proposal(candidate.site_id, events.from_json(facts), candidate.from_raw)
        before.facts = facts
        if raw_id == candidate.from_raw.raw_id or candidate.is_nearer_than(before):
            candidate.before = before.event
            nearer.append(candidate)
    return nearer


async def write(connection: Connection, new: list[Proposal], revised: list[Proposal]) -> None:
    """New events and their keys by COPY, revised ones in place."""
    if new:
        await copy(connection, "app.commerce_events", EVENT_COLUMNS, _event_rows(new))
        await copy(connection, "app.event_keys", KEY_COLUMNS, _key_rows(new))
    if revised:
        await connection.executemany(sql.REVISE_EVENT, [_revision(found) for found in revised])
        await connection.execute(sql.REVISE_KEYS, *columns_of(list(_key_rows(revised))))


def _event_rows(proposals: Iterable[Proposal]) -> Iterator[tuple[Any, ...]]:
    for found in proposals:
        event, raw = found.event, found.from_raw
        yield (
            found.event_id,
            event.occurred_at,
            found.site_id,
            event.type,
            event.key,
            event.evidence_at,
            event.order_id,
            event.customer_key,
            event.amount,
            event.currency,
            event.is_test,
            found.json(),
            raw.raw_id,
            raw.landed_week,
        )


def _key_rows(proposals: Iterable[Proposal]) -> Iterator[tuple[Any, ...]]:
    for found in proposals:
        event = found.event
        yield found.site_id, event.key, found.event_id, event.occurred_at, event.evidence_at


def _revision(found: Proposal) -> tuple[Any, ...]:
    event, raw = found.event, found.from_raw
    return (
        found.stored_at,
        found.event_id,
        event.occurred_at,
        event.evidence_at,
        event.order_id,
        event.customer_key,
        event.amount,
        event.currency,
        event.is_test,
        found.json().decode(),
        raw.raw_id,
        raw.landed_week,
    )
