"""Every type of event that a custom sender may send: which part of the body its natural key comes from.

The topic of a delivery is the body's `type`; all of them are ours, so there is nothing to ignore.
"""

from custom_events.values.events import EventType

ORDER_TYPES = frozenset(
    (EventType.ORDER_CREATED, EventType.ORDER_PAID, EventType.ORDER_FULFILLED, EventType.ORDER_CANCELLED)
)
PERIOD_TYPES = frozenset((EventType.SUBSCRIPTION_RENEWED, EventType.SUBSCRIPTION_PAYMENT_FAILED))
TYPES: dict[str, EventType] = {kind.value: kind for kind in EventType}
