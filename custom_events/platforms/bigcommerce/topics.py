"""Every scope of BigCommerce's hooks, and what is done with it; the topic under which an order lands that we read."""

from typing import Final

import msgspec

from custom_events.platforms.bigcommerce import bodies
from custom_events.platforms.bigcommerce.orders import understand_order
from custom_events.platforms.parking import Handler

ORDER_READ: Final = "order.read"

HANDLERS: Final[dict[str, Handler]] = {ORDER_READ: understand_order}
BODIES: Final[dict[Handler, type[msgspec.Struct]]] = {understand_order: bodies.Read}

# Scopes that say that an order is to be read, and for which hooks are made.
HINTS: Final = (
    "store/order/created",
    "store/order/updated",
    "store/order/statusUpdated",
    "store/order/refund/created",
    "store/order/transaction/created",
    "store/order/transaction/updated",
    "store/order/metafield/created",
    "store/order/metafield/updated",
)
# Those to make: every change of an order fires `updated`, but for what is added beside it.
SUBSCRIBED: Final = (
    "store/order/created",
    "store/order/updated",
    "store/order/refund/created",
    "store/order/transaction/created",
    "store/order/metafield/created",
    "store/order/metafield/updated",
)

IGNORED: Final = {
    # Shops archive what is done, so it says nothing of the sale.
    **dict.fromkeys(("store/order/archived", "store/order/message/created", "store/order/metafield/deleted"), "no_conversion"),
}  # fmt: skip
# The second word of a scope -> why the rest of its kind is of no use to us.
IGNORED_FAMILIES: Final = {
    **dict.fromkeys(("product", "category", "sku", "brand", "modifier", "inventory", "priceList"), "product_topic"),
    **dict.fromkeys(("order", "cart", "customer", "subscriber", "shipment", "information", "app"), "no_conversion"),
    **dict.fromkeys(("channel", "script", "theme", "metafield", "storefront", "settings", "page"), "no_conversion"),
}
