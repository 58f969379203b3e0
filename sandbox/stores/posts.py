"""A webhook as a store posts it, and the stores' ways of signing."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from custom_events.platforms import timestamped
from custom_events.platforms.shopify import signature as shopify_signature
from custom_events.platforms.woocommerce import signature as woocommerce_signature


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A site as its store sees it."""

    platform: str
    site_key: str
    secret: bytes
    ads_customer_id: str  # mints click ids that the sandbox's Google knows
    shop_domain: str | None = None
    currency: str = "EUR"


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `kind` says what it is for in the demo (order, duplicate, wrong signature ...)."""

    kind: str
    path: str
    topic: str
    headers: dict[str, str]
    body: bytes


def minified(document: Any) -> bytes:
    """JSON as the stores send it: no spaces, non-ASCII kept."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def shopify_post(store: Store, kind: str, topic: str, document: Any, delivery: UUID, triggered_at: datetime) -> Post:
    """Signed by the app's client secret; the site is found by its shop domain."""
    body = minified(document)
    headers = {
        "content-type": "application/json",
        "user-agent": "Shopify-Captain-Hook",
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": shopify_signature.sign(body, store.secret),
        "x-shopify-shop-domain": store.shop_domain or "",
        "x-shopify-api-version": "2026-10",
        "x-shopify-webhook-id": str(delivery),
        "x-shopify-triggered-at": triggered_at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
    }
    return Post(kind=kind, path="/webhooks/shopify", topic=topic, headers=headers, body=body)


def woocommerce_post(store: Store, kind: str, topic: str, document: Any, webhook: int) -> Post:
    """Signed natively; the delivery id is made as WooCommerce makes it and need not be unique."""
    body = minified(document)
    resource, _, event = topic.partition(".")
    headers = {
        "content-type": "application/json",
        "user-agent": "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)",
        "x-wc-webhook-source": f"https://{store.shop_domain or 'shop.example'}/",
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-resource": resource,
        "x-wc-webhook-event": event,
        "x-wc-webhook-signature": woocommerce_signature.sign(body, store.secret),
        "x-wc-webhook-id": str(webhook),
        "x-wc-webhook-delivery-id": f"{webhook:032x}",
    }
    return Post(kind=kind, path=f"/webhooks/woocommerce/{store.site_key}", topic=topic, headers=headers, body=body)


def woocommerce_plugin_post(store: Store, kind: str, topic: str, document: Any, event_id: str, now: datetime) -> Post:
    """Signed by our own scheme, as our plugin does: ASCII, without spaces."""
    body = json.dumps(document, separators=(",", ":")).encode()
    headers = {
        "content-type": "application/json",
        "user-agent": "CustomEvents/1.0.0 WooCommerce/11.0.1",
        **timestamped.signed_headers(body, store.secret, now=now, event_id=event_id, topic=topic),
    }
    return Post(kind=kind, path=f"/webhooks/woocommerce/{store.site_key}", topic=topic, headers=headers, body=body)


def custom_post(store: Store, kind: str, topic: str, document: Any, event_id: str, now: datetime) -> Post:
    """Signed by our own timestamped scheme."""
    body = minified(document)
    headers = {
        "content-type": "application/json",
        **timestamped.signed_headers(body, store.secret, now=now, event_id=event_id, topic=topic),
    }
    return Post(kind=kind, path=f"/webhooks/custom/{store.site_key}", topic=topic, headers=headers, body=body)
