"""What Shopify's bodies of `money_bodies.py` are understood as."""

from decimal import Decimal
from typing import Any

import msgspec

from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Platform, RawDelivery, Understood
from custom_events.values.events import Order, Refund
from tests.platforms.conftest import site
from tests.platforms.money_bodies import Body, line, shopify_order

SHOPIFY = Platform.SHOPIFY
D = Decimal


def read(topic: str, body: bytes) -> Understood:
    delivery = RawDelivery(topic=topic, body=body, headers={"x-shopify-triggered-at": "2026-10-02T08:00:01Z"})
    return PLATFORMS[SHOPIFY].understand(delivery, site(SHOPIFY))


def order_of(total: str, *lines: Body, **fields: Any) -> Order:
    understood = read("orders/updated", shopify_order(total, *lines, **fields))
    assert understood.order is not None, understood.detail
    return understood.order


def refund_of(body: Body) -> Refund:
    """Of a refunds/create."""
    understood = read("refunds/create", msgspec.json.encode(body))
    assert understood.refunds, understood.detail
    return understood.refunds[0]


def in_order(body: Body, total: str = "100.00", *lines: Body, **fields: Any) -> Refund:
    """Of an order's own list."""
    understood = read("orders/updated", shopify_order(total, *lines, refunds=[body], **fields))
    assert understood.refunds, understood.detail
    return understood.refunds[0]


MUG = line(1, "60.00")
CUP = line(2, "40.00")
