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

from collections.abc import Iterable
from datetime import timedelta

from custom_events.matching.threshold import Occurrence, in_order
from custom_events.values.definitions import Dedup, DedupPer
from custom_events.values.events import CommerceEvent


def dedup_key(dedup: Dedup, event: CommerceEvent, earlier: Iterable[Occurrence] = ()) -> str:
    """The key of this event's occurrence. `earlier`: occurrences of the same assignment (windows only)."""
    match dedup.per:
        case DedupPer.ORDER:
            return event.key if event.order_id is None else f"o:{event.order_id}"
        case DedupPer.CUSTOMER:
            return event.key if event.customer_key is None else f"c:{event.customer_key}"
        case DedupPer.CUSTOMER_WINDOW:
            if event.customer_key is None or not dedup.window_days:
                return event.key
            this = Occurrence(occurred_at=event.occurred_at, key=event.key, customer=event.customer_key)
            return f"w:{event.customer_key}:{opening(earlier, this, dedup.window_days).key}"
        case DedupPer.SUBSCRIPTION_PERIOD:
            if event.subscription is None or event.order_id is None:
                return event.key
            return f"s:{event.subscription.id}:{event.order_id}"
        case DedupPer.EVENT:
            return event.key


def opening(earlier: Iterable[Occurrence], this: Occurrence, window_days: int) -> Occurrence:
    """The occurrence that opened the window `this` falls into; `this` itself when it opens one."""
    window = timedelta(days=window_days)
    opener = this
    chain = sorted(
        [*(one for one in earlier if one.customer == this.customer and in_order(one) < in_order(this)), this],
        key=in_order,
    )
    for index, one in enumerate(chain):
        if index == 0 or one.occurred_at - opener.occurred_at >= window:
            opener = one
    return opener


def first_of_each(dedup: Dedup, occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Those occurrences of one assignment that keep a custom event, when customers or windows deduplicate them: the first of
    each key by the store's time. Other kinds of keys belong to one order or event each, so all are kept."""
    ordered = sorted(occurrences, key=in_order)
    if dedup.per not in (DedupPer.CUSTOMER, DedupPer.CUSTOMER_WINDOW):
        return ordered
    window = timedelta(days=dedup.window_days) if dedup.per is DedupPer.CUSTOMER_WINDOW and dedup.window_days else None
    kept: list[Occurrence] = []
    last: dict[str, Occurrence] = {}
    for one in ordered:
        if one.customer is None or (dedup.per is DedupPer.CUSTOMER_WINDOW and window is None):
            kept.append(one)
            continue
        opener = last.get(one.customer)
        if opener is None or (window is not None and one.occurred_at - opener.occurred_at >= window):
            last[one.customer] = one
            kept.append(one)
    return kept
