"""Which stored events a batch may have changed: by events that come late by the store's time, and by corrections.

In the ordinary case nothing is late, and all this costs is one statement a batch, with an index probe for each customer who was
known before, of a site whose rules look back. Everything found here is matched again by `rematch`, which decides; so this may find too much, and
never too little.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.horizon import changes_later
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.counters import Shift
from custom_events.pipeline.crowds import Crowds
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.rematch.run import Scope, shifted_scopes
from custom_events.pipeline.rematch.stored import Cause
from custom_events.pipeline.state import OrderState
from custom_events.pipeline.understanding import CandidateEvent, Key
from custom_events.pipeline.undone import Flip
from custom_events.queries import rematch as sql
from custom_events.values.events import EventType
from custom_events.values.reasons import Reason


class _Earliest(NamedTuple):
    """The earliest of a customer's new events, as far as they may change later ones: of which types."""

    at: datetime
    key: str
    types: frozenset[EventType]


async def late_events(
    connection: Connection,
    configuration: Configuration,
    new: Iterable[CandidateEvent],
    new_customers: AbstractSet[Key],
    crowds: Crowds,
) -> list[Scope]:
    """The customers of whom a later event is stored already than one of these, which are not stored yet. `new_customers` are those
    of whom nothing is stored. What `crowds` count moves otherwise (`shifted_events`)."""
    earliest: dict[Key, _Earliest] = {}
    for candidate in new:
        event = candidate.event
        customer = event.customer_key
        if customer is None or event.is_test:
            continue
        key = candidate.site_id, customer
        if key in new_customers:
            continue
        types = later_types(configuration, candidate.site_id, event.type)
        if types and not crowds.covers(candidate.site_id, event.type, customer, event.occurred_at):
            here = _Earliest(event.occurred_at, event.key, types)
            known = earliest.get(key)
            earliest[key] = here if known is None else _merged(known, here)
    if not earliest:
        return []
    rows = [
        (place, site_id, customer, ",".join(sorted(first_late.types)), first_late.at, first_late.key)
        for place, ((site_id, customer), first_late) in enumerate(earliest.items())
    ]
    keys = list(earliest)
    scopes: list[Scope] = []
    for (place,) in await connection.fetch(sql.LATER_EVENTS, *columns_of(rows)):
        site_id, customer = keys[place]
        first = earliest[site_id, customer]
        cause = Cause(Reason.INVALIDATED_BY_LATE_EVENT, first.key)
        scopes.append(Scope(site_id, cause, customer_key=customer, since=first.at))
    return scopes


def _merged(earliest: _Earliest, other: _Earliest) -> _Earliest:
    first = min(earliest, other, key=lambda late_event: (late_event.at, late_event.key))
    return first._replace(types=earliest.types | other.types)


def later_types(configuration: Configuration, site_id: int, kind: EventType) -> frozenset[EventType]:
    """`changes_later`, worked out once for each set of revisions."""
    memo = configuration.later
    if (site_id, kind) not in memo:
        memo[site_id, kind] = _later_types(configuration.compiled_rules, site_id, kind)
    return memo[site_id, kind]


def _later_types(compiled_rules: CompiledRules, site_id: int, kind: EventType) -> frozenset[EventType]:
    site = compiled_rules.site(site_id)
    return changes_later(site, kind) if site is not None else frozenset()


def corrected_events(configuration: Configuration, revised: Iterable[CandidateEvent], crowds: Crowds) -> list[Scope]:
    """Events that older evidence corrected: they, their order, and what their customers did from then on."""
    scopes: list[Scope] = []
    for candidate in revised:
        site_id, event = candidate.site_id, candidate.event
        before = candidate.before or event
        cause = Cause(Reason.INVALIDATED_BY_CORRECTION, event.key)
        scopes.append(Scope(site_id, cause, event_key=event.key))
        scopes += [
            Scope(site_id, cause, order_id=order) for order in {event.order_id, before.order_id} if order is not None
        ]
        since, same = min(event.occurred_at, before.occurred_at), event.customer_key == before.customer_key
        is_counted = same and crowds.covers(site_id, event.type, event.customer_key, since)
        if later_types(configuration, site_id, event.type) and not is_counted:
            scopes += _customers(site_id, cause, since, event.customer_key, before.customer_key)
    return scopes


def undone_events(configuration: Configuration, flips: Iterable[Flip], crowds: Crowds) -> list[Scope]:
    """Events that hold no longer, or hold again: they, their order, and what their customers did from then on."""
    scopes: list[Scope] = []
    for site_id, event, by in flips:
        scopes.append(Scope(site_id, Cause(Reason.TAKEN_BACK, by), event_key=event.key))
        cause = Cause(Reason.INVALIDATED_BY_CORRECTION, event.key)
        if event.order_id is not None:
            scopes.append(Scope(site_id, cause, order_id=event.order_id))
        is_counted = crowds.covers(site_id, event.type, event.customer_key, event.occurred_at)
        if later_types(configuration, site_id, event.type) and not is_counted:
            scopes += _customers(site_id, cause, event.occurred_at, event.customer_key)
    return scopes


def corrected_orders(
    configuration: Configuration, before: Mapping[Key, OrderState], after: Mapping[Key, OrderState]
) -> list[Scope]:
    """Orders that count otherwise now among what their customers had bought before later events."""
    scopes: list[Scope] = []
    for (site_id, order_id), order in before.items():
        if not later_types(configuration, site_id, EventType.ORDER_PAID):
            continue
        now = after[site_id, order_id]
        since = min(moment for moment in (order.paid_at, now.paid_at) if moment is not None)
        cause = Cause(Reason.INVALIDATED_BY_CORRECTION, f"order:{order_id}")
        scopes += _customers(site_id, cause, since, order.customer_key, now.customer_key)
    return scopes


def key_conflict_scopes(key_conflicts: Iterable[Matched]) -> list[Scope]:
    """New events whose key or transaction something has that happened no earlier: they, and what their order did."""
    scopes: list[Scope] = []
    for match, candidate in key_conflicts:
        cause = Cause(Reason.INVALIDATED_BY_LATE_EVENT, match.event_key)
        scopes.append(Scope(candidate.site_id, cause, event_key=match.event_key))
        if match.order_id is not None:
            scopes.append(Scope(candidate.site_id, cause, order_id=match.order_id))
    return scopes


async def shifted_events(connection: Connection, configuration: Configuration, shifts: Iterable[Shift]) -> list[Scope]:
    """Events that fire now by a threshold over their whole site, or no longer, since another one came late before them."""
    scopes: list[Scope] = []
    for shift in shifts:
        cause = Cause(Reason.INVALIDATED_BY_LATE_EVENT, shift.key)
        scopes += await shifted_scopes(connection, configuration.compiled_rules, shift, cause)
    return scopes


def _customers(site_id: int, cause: Cause, since: datetime, *customers: str | None) -> list[Scope]:
    return [Scope(site_id, cause, customer_key=key, since=since) for key in set(customers) if key is not None]
