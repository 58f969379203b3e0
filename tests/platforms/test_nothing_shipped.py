"""An order of which nothing is shipped."""

from typing import Any

import msgspec

from custom_events.values.deliveries import Platform


def test_an_order_without_anything_shipped(sample: Any, understand: Any) -> None:
    body = msgspec.json.decode(sample(Platform.SHOPIFY, "orders__paid--web"))
    body |= {"total_shipping_price_set": None, "shipping_lines": []}
    order = understand(Platform.SHOPIFY, "orders/paid", msgspec.json.encode(body)).order
    assert (order.shipping, order.shipping_methods) == (None, ())
