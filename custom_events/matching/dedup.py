"""Deduplication keys. One custom event exists for each (assignment, key); the database holds the key unique.

    order                o:<order id>
    customer             c:<customer key>
    customer_window      w:<customer key>:<key of the event that opened the window>
    subscription_period  s:<subscription id>:<order id of the period>
    event                the event's own key

What an event lacks (an order, a customer, a subscription) makes its own key the dedup key: it is an occurrence of its own.

Windows are exact, not calendar buckets: the first occurrence opens a window of `window_days`, those inside it share its key
and are duplicates, the next one after it opens another. So the key follows from the occurrences before it, in the order of
the store's time. A caller without them gets the event itself as the opening one.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from custom_events.matching.threshold import Occurrence, in_order
from custom_events.values.definitions import Dedup, DedupPer
from custom_events.values.events import CommerceEvent

KeyFunction = Callable[[CommerceEvent, Iterable[Occurrence]], str]


def dedup_key(dedup: Dedup, event: CommerceEvent, earlier: Iterable[Occurrence] = ()) -> str:
    """The key of this event's occurrence. `earlier`: occurrences of the same assignment (windows only)."""
    return key_function(dedup)(event, earlier)


def key_function(dedup: Dedup) -> KeyFunction:
    """`(event, earlier occurrences) -> key` for one kind of deduplication."""
    match dedup.per:
        case DedupPer.ORDER:
            return _order_key
        case DedupPer.CUSTOMER:
            return _customer_key
        case DedupPer.CUSTOMER_WINDOW:
            return partial(_window_key, dedup.window_days) if dedup.window_days else _event_key
        case DedupPer.SUBSCRIPTION_PERIOD:
            return _period_key
        case DedupPer.EVENT:
            return _event_key


def _event_key(event: CommerceEvent, _earlier: Iterable[Occurrence]) -> str:
    return event.key


def _order_key(event: CommerceEvent, _earlier: Iterable[Occurrence]) -> str:
    return order_key(event.order_id, event.key)


def order_key(order_id: str | None, event_key: str) -> str:
    """The key of an order's occurrence."""
    return event_key if order_id is None else f"o:{order_id}"


def _customer_key(event: CommerceEvent, _earlier: Iterable[Occurrence]) -> str:
    return event.key if event.customer_key is None else f"c:{event.customer_key}"


def _period_key(event: CommerceEvent, _earlier: Iterable[Occurrence]) -> str:
    if event.subscription is None or event.order_id is None:
        return event.key
    return f"s:{event.subscription.id}:{event.order_id}"


def _window_key(window_days: int, event: CommerceEvent, earlier: Iterable[Occurrence]) -> str:
    if event.customer_key is None:
        return event.key
    this = Occurrence(occurred_at=event.occurred_at, key=event.key, customer=event.customer_key)
    return f"w:{event.customer_key}:{opening(earlier, this, window_days).key}"


def opening(earlier: Iterable[Occurrence], this: Occurrence, window_days: int) -> Occurrence:
    """The occurrence that opened the window `this` falls into; `this` itself when it opens one."""
    window = timedelta(days=window_days)
    opener = this
    chain = sorted(
        [
            *(
                occurrence
                for occurrence in earlier
                if occurrence.customer == this.customer and in_order(occurrence) < in_order(this)
            ),
            this,
        ],
        key=in_order,
    )
    for index, occurrence in enumerate(chain):
        if index == 0 or occurrence.occurred_at - opener.occurred_at >= window:
            opener = occurrence
    return opener
