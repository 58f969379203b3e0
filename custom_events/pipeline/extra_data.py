"""What Google is told of an order beside its value: where it came from, and what was bought. Pure."""

from typing import Final

import msgspec

from custom_events.values.conversions import Cart, CartItem
from custom_events.values.definitions import CartRule, ConversionExtras
from custom_events.values.events import CommerceEvent, LineItem

APP: Final = "app"
_ENCODER = msgspec.json.Encoder(decimal_format="string")


def environment(extras: ConversionExtras, event: CommerceEvent) -> str | None:
    """`app` for an order of one of the sources that are apps; None, which means web, for every other."""
    source = event.order.source_name if event.order is not None else None
    return APP if source is not None and source in extras.app_sources else None


def cart(rule: CartRule, event: CommerceEvent) -> str | None:
    """The order's items under the merchant centre's ids, as JSON; None when none has such an id.

    An item whose id lacks a part (no SKU, say) is left out: half an id names another product, or none.
    """
    order = event.order
    if order is None:
        return None
    items = [
        CartItem(id=item_id, quantity=line.quantity, unit_price=line.price)
        for line in order.items
        if line.quantity > 0 and (item_id := item_id_of(rule, line)) is not None
    ]
    if not items:
        return None
    contents = Cart(
        merchant_id=rule.merchant_id,
        country=rule.country,
        language=rule.language,
        discount=order.discount or None,
        items=tuple(items),
    )
    return _ENCODER.encode(contents).decode()


def item_id_of(rule: CartRule, line: LineItem) -> str | None:
    """A line's id in the merchant centre; None when the line lacks a part of it."""
    parts = {"sku": line.sku, "product_id": line.product_id, "variant_id": line.variant_id}
    if any(f"{{{name}}}" in rule.item_id and not value for name, value in parts.items()):
        return None
    return rule.item_id.format(**parts)
