"""Natural keys of commerce events: what decides, within a site, that two bodies tell of the same thing."""

from custom_events.values.events import EventType

_OF_ORDER = "order:"


def of_order(type: EventType, order_id: str) -> str:  # noqa: A002  (the field's name)
    """`order.paid:<order id>`; likewise created, fulfilled, cancelled."""
    return type + ":" + order_id  # half of what formatting an enum takes


def of_refund(order_id: str, refund_id: str) -> str:
    """`order.refunded:<order id>:<refund id>`."""
    return f"{EventType.ORDER_REFUNDED}:{order_id}:{refund_id}"


def of_cart_item(token: str, line: str) -> str:
    """`cart.item_added:<cart token>:<line key, variant or product>`."""
    return f"{EventType.CART_ITEM_ADDED}:{token}:{line}"


def of_one(type: EventType, id: str) -> str:  # noqa: A002  (the fields' names)
    """`checkout.started:<token>`, `customer.created:<id>`, `subscription.started:<id>`, `subscription.cancelled:<id>`."""
    return f"{type}:{id}"


def of_period(type: EventType, subscription_id: str, period: str) -> str:  # noqa: A002  (the field's name)
    """`subscription.renewed:<subscription id>:<order id>`; payment_failed likewise, by order or attempt."""
    return f"{type}:{subscription_id}:{period}"


def subscription_of_order(order_id: str) -> str:
    """What stands for the subscription's id where only the order of the period is known (Shopify orders do not name it)."""
    return f"{_OF_ORDER}{order_id}"


def is_subscription_of_order(subscription_id: str) -> bool:
    """Whether this only stands for the id of a subscription that is not known."""
    return subscription_id.startswith(_OF_ORDER)
