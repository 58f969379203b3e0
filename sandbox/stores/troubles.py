"""What goes wrong in real stores, once or twice each: refused, parked, or answered without being stored."""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import msgspec

from custom_events.platforms import timestamped
from sandbox.stores.posts import Post, Store, custom_post, shopify_post, woocommerce_post

OVERSIZED_BYTES = 2 * 1024 * 1024 + 1  # one above the receiver's limit
LONG_AGO = timedelta(hours=2)  # outside every replay window


def posts(shopify: Store, woocommerce: Store, custom: Store, now: datetime) -> list[Post]:
    """Wrong signatures, no signature, too old, no such site, unreadable, unknown topic, oversized, a ping."""
    body = {"id": 1, "note": "demo"}
    delivery = uuid5(NAMESPACE_URL, "troubles")
    honest = shopify_post(shopify, "trouble", "orders/create", body, delivery, now)
    unknown = shopify_post(shopify, "unknown topic", "orders/teleported", body, uuid5(delivery, "unknown"), now)
    wrong = msgspec.structs.replace(honest, kind="wrong signature", body=honest.body + b" ")
    unsigned = _without(honest, "x-shopify-hmac-sha256", "no signature")
    malformed = _with(honest, "x-shopify-hmac-sha256", "not base64!", "malformed signature")
    stale = custom_post(custom, "too old", "order.paid", body, "stale-1", now - LONG_AGO)
    stranger = msgspec.structs.replace(stale, kind="no such site", path="/webhooks/custom/no-such-site")
    oversized = custom_post(custom, "oversized", "order.paid", {"padding": "x" * OVERSIZED_BYTES}, "large-1", now)
    return [
        wrong,
        unsigned,
        malformed,
        stale,
        stranger,
        oversized,
        unknown,
        _unreadable(custom, now),
        _ping(woocommerce),
    ]


def _unreadable(store: Store, now: datetime) -> Post:
    """Signed, and not JSON: it lands and is parked."""
    body = b'{"type": "order.paid", "order": {"id": '
    headers = timestamped.signed_headers(body, store.secret, now=now, event_id="unreadable-1", topic="order.paid")
    path = f"/webhooks/custom/{store.site_key}"
    return Post(kind="unreadable body", path=path, topic="order.paid", headers=headers, body=body)


def _ping(store: Store) -> Post:
    """WooCommerce's hello: a form, unsigned, answered with exactly 200 and not stored."""
    post = woocommerce_post(store, "ping", "order.created", {}, 22)
    headers = {"content-type": "application/x-www-form-urlencoded", "user-agent": "WooCommerce/11.0.1 Hookshot"}
    return msgspec.structs.replace(post, headers=headers, body=b"webhook_id=22")


def _without(post: Post, header: str, kind: str) -> Post:
    return msgspec.structs.replace(post, kind=kind, headers={k: v for k, v in post.headers.items() if k != header})


def _with(post: Post, header: str, value: str, kind: str) -> Post:
    return msgspec.structs.replace(post, kind=kind, headers={**post.headers, header: value})
