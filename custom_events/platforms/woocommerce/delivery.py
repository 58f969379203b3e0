"""What WooCommerce's headers say, and its unsigned ping (docs/reference/platforms.md 2.1).

X-WC-Webhook-Delivery-ID repeats for two deliveries of one webhook in the same second (measured), so natively the body's
digest decides what is a duplicate. Our plugin's event id is unique and does decide.
"""

import re
from collections.abc import Mapping

from custom_events.platforms import timestamped
from custom_events.platforms.base import Delivery
from custom_events.platforms.headers import OF_EVERY_SENDER, bounded
from custom_events.platforms.woocommerce.signature import SIGNATURE, sign

TOPIC = "x-wc-webhook-topic"
DELIVERY_ID = "x-wc-webhook-delivery-id"
SOURCE = "x-wc-webhook-source"
WEBHOOK_ID = "x-wc-webhook-id"
KEPT = (*OF_EVERY_SENDER, TOPIC, DELIVERY_ID, SOURCE, WEBHOOK_ID, *timestamped.KEPT)

_PING = re.compile(rb"webhook_id=[0-9]{1,20}\Z")
_FORM = "application/x-www-form-urlencoded"


def is_ping(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether this is the form `webhook_id=12` that a webhook sends when it is saved: no signature, no X-WC headers."""
    return (
        _PING.match(body) is not None
        and headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
        and SIGNATURE not in headers
        and TOPIC not in headers
        and not timestamped.is_used(headers)
    )


def describe(headers: Mapping[str, str]) -> Delivery:
    """Topic, ids and source, of the plugin's headers when it signed, else of the native ones."""
    if timestamped.is_used(headers):
        return timestamped.describe(headers)
    return Delivery(
        topic=bounded(headers.get(TOPIC)),
        delivery_id=None,
        event_id=bounded(headers.get(DELIVERY_ID)),
        shop_domain=_host(headers.get(SOURCE)),
    )


def _host(source: str | None) -> str | None:
    """The host of X-WC-Webhook-Source, a home URL with a trailing slash."""
    text = bounded(source)
    if text is None:
        return None
    host = text.partition("://")[2] or text
    return host.partition("/")[0].lower() or None


def signed_headers(
    body: bytes, secret: bytes, *, topic: str, source: str, webhook_id: int, delivery_id: str
) -> dict[str, str]:
    """The headers a native webhook sends with a body; names lower-case. For the sandbox's stores and the tests."""
    resource, _, event = topic.partition(".")
    return {
        "content-type": "application/json",
        "user-agent": "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)",
        SOURCE: source,
        TOPIC: topic,
        "x-wc-webhook-resource": resource,
        "x-wc-webhook-event": event,
        SIGNATURE: sign(body, secret),
        WEBHOOK_ID: str(webhook_id),
        DELIVERY_ID: delivery_id,
    }
