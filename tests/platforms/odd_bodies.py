"""Small bodies of each platform in which a test makes something odd, and how they are understood."""

import json
from collections.abc import Callable
from typing import Any

from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Platform, RawDelivery, SiteContext, Understood

SHOPIFY, WOO, CUSTOM, STRIPE = Platform.SHOPIFY, Platform.WOOCOMMERCE, Platform.CUSTOM, Platform.STRIPE
BIGCOMMERCE = Platform.BIGCOMMERCE
HALF = "\ud83d"  # of an emoji, as a cut text leaves it


def shopify_order(**fields: Any) -> dict[str, Any]:
    return {
        "id": 71,
        "created_at": "2026-11-20T11:00:00+01:00",
        "updated_at": "2026-11-20T11:00:00+01:00",
        "processed_at": "2026-11-20T11:00:00+01:00",
        "total_price": "64.00",
        "currency": "EUR",
        "financial_status": "paid",
        "customer": {"id": 8, "email": "lena@example.org"},
        "line_items": [{"id": 1, "sku": "MUG", "quantity": 2, "price": "32.00"}],
        "note_attributes": [{"name": "gclid", "value": "Cj0KCQ-odd-1"}],
    } | fields


def woo_order(**fields: Any) -> dict[str, Any]:
    return {
        "id": 72,
        "status": "processing",
        "total": "64.00",
        "currency": "EUR",
        "date_created_gmt": "2026-11-20T10:00:00",
        "date_modified_gmt": "2026-11-20T10:00:00",
        "date_paid_gmt": "2026-11-20T10:00:00",
        "billing": {"email": "lena@example.org", "country": "DE"},
        "line_items": [{"id": 1, "product_id": 4, "quantity": 2, "subtotal": "64.00", "total": "64.00", "price": 32}],
        "meta_data": [{"id": 1, "key": "_gclid", "value": "Cj0KCQ-odd-1"}],
    } | fields


def custom_order(**fields: Any) -> dict[str, Any]:
    order = {"id": "73", "total": "64.00", "currency": "EUR", "items": [{"sku": "MUG", "quantity": 2, "price": "32"}]}
    body = {"type": "order.paid", "occurred_at": "2026-11-20T10:00:00Z", "order": order | fields.pop("order", {})}
    return body | {"clicks": {"gclid": "Cj0KCQ-odd-1"}, "customer": {"id": 8}} | fields


BUILDERS: dict[Platform, tuple[str, Callable[..., dict[str, Any]]]] = {
    SHOPIFY: ("orders/paid", shopify_order),
    WOO: ("order.updated", woo_order),
    CUSTOM: ("order.paid", custom_order),
}


def understood(platform: Platform, topic: str | None, body: Any) -> Understood:
    site = SiteContext(site_id=1, platform=platform, currency="EUR", default_country="DE")
    headers = {"x-shopify-triggered-at": "2026-11-22T10:00:00Z"}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return PLATFORMS[platform].understand(RawDelivery(topic=topic, body=text, headers=headers), site)
