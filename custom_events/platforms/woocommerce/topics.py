"""Every topic of WooCommerce, WooCommerce Subscriptions and our plugin, and what is done with it (docs/reference/platforms.md 2.1)."""

import msgspec

from custom_events.errors import NotUnderstood
from custom_events.platforms.parking import Handler
from custom_events.platforms.parse import required_id
from custom_events.platforms.woocommerce import bodies, moments
from custom_events.platforms.woocommerce.bodies import ONLY_ID
from custom_events.platforms.woocommerce.carts import understand_checkout, understand_item_added
from custom_events.platforms.woocommerce.customers import understand_customer
from custom_events.platforms.woocommerce.orders import understand_order
from custom_events.platforms.woocommerce.refunds import understand_refund
from custom_events.platforms.woocommerce.subscriptions import understand_subscription
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood


def _order_deleted(delivery: RawDelivery, _site: SiteContext) -> Understood:
    body = ONLY_ID.decode(delivery.body)
    if body.total is not None or body.line_items is not None:
        # A native webhook signs the body and not the topic: whoever has one signed order could have it deleted by another header.
        raise NotUnderstood("topic_mismatch", "The topic says that the order was deleted, the body is a whole order")
    return Understood(deleted_order_id=required_id(body.id, "$.id"), shown_at=moments.built_at(body.custom_events))


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("order.created", "order.updated", "order.restored"), understand_order),
    # our plugin's own topics carry the same resources (docs/reference/woocommerce-plugin.md)
    **dict.fromkeys(("order.paid", "order.cancelled", "order.completed", "order.refunded"), understand_order),
    **dict.fromkeys(("order.status_changed", "order.refund_deleted", "order.consent_changed"), understand_order),
    **dict.fromkeys(("subscription.started", "subscription.cancelled"), understand_subscription),
    "cart.item_added": understand_item_added,
    "checkout.started": understand_checkout,
    "order.deleted": _order_deleted,
    "order_refund": understand_refund,
    **dict.fromkeys(("customer.created", "customer.updated", "customer.restored"), understand_customer),
    **dict.fromkeys(("subscription.created", "subscription.updated", "subscription.restored"), understand_subscription),
}

# What each handler's body is, for reading one that has an odd leaf.
BODIES: dict[Handler, type[msgspec.Struct]] = {
    understand_order: bodies.Order,
    _order_deleted: bodies.OnlyId,
    understand_refund: bodies.Refund,
    understand_customer: bodies.Customer,
    understand_subscription: bodies.Subscription,
    understand_item_added: bodies.CartEvent,
    understand_checkout: bodies.CartEvent,
}

# Topic -> why it is of no use to us.
IGNORED: dict[str, str] = {
    **{
        f"{resource}.{event}": f"{resource}_topic"
        for resource in ("product", "coupon")
        for event in ("created", "updated", "deleted", "restored")
    },
    "product.published": "product_topic",
    "customer.deleted": "no_conversion",
    "subscription.deleted": "no_conversion",
    "subscription.switched": "no_conversion",
    "custom_events.test": "test_event",  # what the plugin's settings page sends to see whether it arrives
}

# Custom topics are hooks with their first argument only: `{"action": ..., "arg": ...}`. For add_to_cart that is the key
# of a cart item without product, price or customer: nothing an event could be made of.
ACTION_PREFIXES = ("action.woocommerce_", "action.wc_")
