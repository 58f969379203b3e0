"""What later bodies took back: events whose fact no longer holds, and those that hold again.

An order that is not cancelled any more, that was never paid by its newest body, a refund that failed or was deleted, a subscription
that is active again: the event stays stored, is marked (`commerce_events.is_undone`), and from then on matches nothing and counts
nowhere. Whether it holds follows from the merged state alone, so the order of arrival cannot matter. `rematch` brings custom events
and ledger to it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.merging import Merger
from custom_events.pipeline.state import OrderState, RefundState, SubscriptionState, counts
from custom_events.pipeline.understanding import CandidateEvent, Key
from custom_events.platforms import natural_keys
from custom_events.queries import rematch as sql
from custom_events.values import events
from custom_events.values.events import CommerceEvent, EventType

_CREATED, _PAID, _RENEWED = EventType.ORDER_CREATED, EventType.ORDER_PAID, EventType.SUBSCRIPTION_RENEWED
_CANCELLED, _REFUNDED = EventType.ORDER_CANCELLED, EventType.ORDER_REFUNDED
_ENDED = EventType.SUBSCRIPTION_CANCELLED
UNDOABLE: Final = (_PAID, _RENEWED, _CANCELLED, _REFUNDED)


class Flip(NamedTuple):
    """A stored event that counts no longer, or counts again, as it is now. `by`: what its batch is newest evidence of."""

    site_id: int
    event: CommerceEvent
    by: str


def is_undone(event: CommerceEvent, order: OrderState, refund: RefundState | None) -> bool:
    """Whether the state of its order, or of its refund, says that the event's fact does not hold. Pure. A renewal that only a
    billing attempt tells of is no matter of its order."""
    kind = event.type
    if kind is _PAID or (kind is _RENEWED and event.order is not None):
        return order.payment_state_at is not None and not order.was_paid
    if kind is _CANCELLED:
        return order.cancellation_state_at is not None and order.cancelled_at is None
    if kind is _REFUNDED:
        return refund is not None and not counts(refund, order.refunds_listed_at)
    return False


def is_ended_no_more(subscription: SubscriptionState) -> bool:
    """Whether the state of a subscription says that its cancellation does not hold. Pure."""
    return subscription.cancelled_at is None and subscription.says_whether_it_runs


def mark(candidates: Iterable[CandidateEvent], merger: Merger) -> None:
    """Mark events that are about to be written and that the merged state has undone already; a revised one stays as it was where the
    batch says nothing of its order."""
    orders = merger.orders
    for candidate in candidates:
        event, site_id = candidate.event, candidate.site_id
        if event.type is _CREATED:
            continue
        if event.type is _ENDED:
            subscription = merger.subscriptions.get((site_id, event.subscription.id)) if event.subscription else None
            undone = subscription is not None and is_ended_no_more(subscription)
        elif (order_id := event.order_id) is None or (order := orders.get((site_id, order_id))) is None:
            continue
        elif event.type is _PAID and order.paid_at is not None:  # nearly all of them
            undone = False
        else:
            undone = is_undone(event, order, _refund(site_id, event, merger.refunds))
        if undone != event.is_undone:
            candidate.event = msgspec.structs.replace(event, is_undone=undone)


def stored_payments(candidates: Mapping[Key, CandidateEvent]) -> set[Key]:
    """Orders whose payment is an event that is stored already."""
    return {
        (candidate.site_id, candidate.event.order.id)
        for candidate in candidates.values()
        if candidate.stored_at is not None and candidate.event.type is _PAID and candidate.event.order is not None
    }


async def take_back(
    connection: Connection, merger: Merger, new: Sequence[CandidateEvent], revised: Sequence[CandidateEvent]
) -> list[Flip]:
    """Mark stored events of which the batch's state changes whether they hold; `new` and `revised` are written already. Nothing is
    asked of the database unless an order was uncancelled, unpaid, or lost a refund, or has events that were undone, or a subscription
    ended or runs again."""
    orders = _in_question(merger)
    has_undone = merger.orders.keys() & {*_orders_undone(new), *_orders_undone(revised)}
    flips: list[Flip] = []
    if orders:
        flips, undone = await _judge(connection, merger, sorted(orders), _newest_events(new, orders))
        has_undone |= undone
    noted = [
        (*key, key in has_undone) for key in orders | has_undone if merger.orders[key].has_undone != (key in has_undone)
    ]
    if noted:
        await connection.executemany(sql.HAS_UNDONE, noted)
    if subscriptions := _ended_or_begun(merger):
        flips += await _of_subscriptions(connection, merger, subscriptions)
    return flips


async def _of_subscriptions(connection: Connection, merger: Merger, subscriptions: Collection[Key]) -> list[Flip]:
    """The stored cancellations of these subscriptions that hold no longer, or again, marked as such."""
    keys = sorted(subscriptions)
    rows = [(place, site_id, natural_keys.of_one(_ENDED, number)) for place, (site_id, number) in enumerate(keys)]
    flips: list[Flip] = []
    for place, event_id, site_id, _, facts, was_undone in await connection.fetch(sql.EVENTS_BY_KEY, *columns_of(rows)):
        now_undone = is_ended_no_more(merger.subscriptions[keys[place]])
        if now_undone != was_undone:
            event = events.from_json(facts, is_undone=now_undone)
            await connection.execute(sql.UNDO_EVENT, event.occurred_at, event_id, now_undone)
            flips.append(Flip(site_id, event, f"subscription:{keys[place][1]}"))
    return flips


def _ended_or_begun(merger: Merger) -> list[Key]:
    """Subscriptions that were known, and ended or began to run again."""
    after = merger.subscriptions
    return [
        key
        for key, before in merger.subscriptions_before.items()
        if (before.cancelled_at is None) != (after[key].cancelled_at is None)
    ]


async def _judge(
    connection: Connection, merger: Merger, keys: Sequence[Key], newest: Mapping[Key, str]
) -> tuple[list[Flip], set[Key]]:
    """The stored events of these orders that hold no longer, or again, marked as such; and the orders that have any that do not."""
    rows = [(place, *key, ",".join(UNDOABLE), None, None) for place, key in enumerate(keys)]
    flips: list[Flip] = []
    marks: list[tuple[Any, ...]] = []
    undone: set[Key] = set()
    for place, event_id, site_id, _, facts, was_undone in await connection.fetch(
        sql.EVENTS_OF_ORDERS, *columns_of(rows)
    ):
        key, event = keys[place], events.from_json(facts)
        refund = _refund(site_id, event, merger.refunds)
        # Of a refund that was not looked up the batch says nothing.
        is_unknown = event.type is _REFUNDED and refund is None
        now_undone = was_undone if is_unknown else is_undone(event, merger.orders[key], refund)
        if now_undone:
            undone.add(key)
        if now_undone != was_undone:
            event = msgspec.structs.replace(event, is_undone=now_undone)
            marks.append((event.occurred_at, event_id, now_undone))
            flips.append(Flip(site_id, event, newest.get(key, f"order:{key[1]}")))
    if marks:
        await connection.executemany(sql.UNDO_EVENT, marks)
    return flips, undone


def _in_question(merger: Merger) -> set[Key]:
    """Orders of which stored events may hold no longer, or hold again."""
    keys = set(merger.recounted)
    for key, before in merger.before.items():
        after = merger.orders[key]
        is_unpaid = before.was_paid and not after.was_paid
        is_uncancelled = before.cancelled_at is not None and after.cancelled_at is None
        if before.has_undone or is_unpaid or is_uncancelled:
            keys.add(key)
    return keys


def _orders_undone(candidates: Iterable[CandidateEvent]) -> Iterator[Key]:
    return (
        (candidate.site_id, candidate.event.order_id or "")
        for candidate in candidates
        if candidate.event.is_undone and candidate.event.type is not _ENDED
    )


def _newest_events(new: Iterable[CandidateEvent], orders: Collection[Key]) -> dict[Key, str]:
    """Of each order the new event with the newest evidence: it shows what took the others back."""
    newest: dict[Key, CommerceEvent] = {}
    for candidate in new:
        key = candidate.site_id, candidate.event.order_id or ""
        if key in orders and not candidate.event.is_undone and candidate.event.type is not _CREATED:
            known = newest.get(key)
            if known is None or (known.evidence_at, known.key) < (candidate.event.evidence_at, candidate.event.key):
                newest[key] = candidate.event
    return {key: event.key for key, event in newest.items()}


def _refund(
    site_id: int, event: CommerceEvent, refunds: Mapping[tuple[int, str, str], RefundState]
) -> RefundState | None:
    refund = event.refund
    return None if refund is None else refunds.get((site_id, refund.order_id, refund.id))
