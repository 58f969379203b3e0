"""What Shopify's headers say (docs/reference/platforms.md 1.3).

X-Shopify-Webhook-Id is unique for a delivery and stays the same over its retries; X-Shopify-Event-Id is shared by all
topics of one merchant action, so it never decides what is a duplicate.
"""

from collections.abc import Mapping
from datetime import datetime

from custom_events.errors import NotUnderstood
from custom_events.platforms.base import Delivery
from custom_events.platforms.headers import OF_EVERY_SENDER, bounded, rfc3339
from custom_events.platforms.shopify.signature import SIGNATURE, sign
from custom_events.platforms.shopify.sources import (
    EVENT_DELIVERY,
    EVENT_SHOP,
    EVENT_TRIGGERED_AT,
    EVENT_VERSION,
    KEPT_OF_EVENTS,
    Mechanism,
    event_topic,
    mechanism_of,
)
from custom_events.platforms.shopify.sources import EVENT_ID as EVENT_OF_EVENT

TOPIC = "x-shopify-topic"
WEBHOOK_ID = "x-shopify-webhook-id"
EVENT_ID = "x-shopify-event-id"
TRIGGERED_AT = "x-shopify-triggered-at"
API_VERSION = "x-shopify-api-version"
SHOP_DOMAIN = "x-shopify-shop-domain"
TEST = "x-shopify-test"  # "true" on notifications sent from the admin
KEPT = (
    *OF_EVERY_SENDER, TOPIC, WEBHOOK_ID, EVENT_ID, TRIGGERED_AT, API_VERSION, SHOP_DOMAIN, TEST, *KEPT_OF_EVENTS,
)  # fmt: skip


def triggered_at(headers: Mapping[str, str]) -> datetime:
    """When Shopify triggered the delivery: the store's clock for bodies that hold no time. Raises NotUnderstood without it."""
    moment = rfc3339(headers.get(TRIGGERED_AT))
    if moment is None:
        raise NotUnderstood(
            "no_store_time", f"The body holds no time, and the header {TRIGGERED_AT} is missing or no time"
        )
    return moment


def describe(headers: Mapping[str, str], body: bytes = b"") -> Delivery:
    """Topic, ids, shop and times; of an event the topic stands in the body."""
    if mechanism_of(headers) is Mechanism.EVENT:
        return _event(headers, body)
    shop_domain = bounded(headers.get(SHOP_DOMAIN))
    return Delivery(
        topic=bounded(headers.get(TOPIC)),
        delivery_id=bounded(headers.get(WEBHOOK_ID)),
        event_id=bounded(headers.get(EVENT_ID)),
        triggered_at=rfc3339(headers.get(TRIGGERED_AT)),
        api_version=bounded(headers.get(API_VERSION)),
        shop_domain=shop_domain.lower() if shop_domain else None,
    )


def _event(headers: Mapping[str, str], body: bytes) -> Delivery:
    shop_domain = bounded(headers.get(EVENT_SHOP))
    return Delivery(
        topic=event_topic(body),
        delivery_id=bounded(headers.get(EVENT_DELIVERY)),
        event_id=bounded(headers.get(EVENT_OF_EVENT)),
        triggered_at=rfc3339(headers.get(EVENT_TRIGGERED_AT)),
        api_version=bounded(headers.get(EVENT_VERSION)),
        shop_domain=shop_domain.lower() if shop_domain else None,
    )


def signed_headers(
    body: bytes,
    secret: bytes,
    *,
    topic: str,
    shop_domain: str,
    webhook_id: str,
    triggered_at: datetime,
    event_id: str | None = None,
    api_version: str = "2026-10",
) -> dict[str, str]:
    """The headers Shopify sends with a body; names lower-case. `triggered_at` must be aware. For the sandbox and the tests."""
    return {
        "content-type": "application/json",
        "user-agent": "Shopify-Captain-Hook",
        TOPIC: topic,
        SIGNATURE: sign(body, secret),
        SHOP_DOMAIN: shop_domain,
        API_VERSION: api_version,
        WEBHOOK_ID: webhook_id,
        EVENT_ID: event_id or webhook_id,
        # Shopify writes nine fraction digits and Z
        TRIGGERED_AT: f"{triggered_at.strftime('%Y-%m-%dT%H:%M:%S.%f')}000Z"
        if not triggered_at.utcoffset()
        else triggered_at.isoformat(),
    }
