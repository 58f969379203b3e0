"""Every topic that the platforms' documents name has an entry, and families of no use are ignored as a whole."""

import pytest

from custom_events.platforms.base import StorePlatform
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify import topics as shopify
from custom_events.platforms.stripe import topics as stripe
from custom_events.platforms.woocommerce import topics as woocommerce
from custom_events.values.deliveries import Outcome, Platform, PrivacyRequest, RawDelivery, SiteContext

# shopify.dev, topics of API version 2026-04 that concern orders, customers, carts, subscriptions and the app's life
SHOPIFY_TOPICS = [
    "orders/create",
    "orders/paid",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "orders/delete",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "refunds/create",
    "order_transactions/create",
    "checkouts/create",
    "checkouts/update",
    "checkouts/delete",
    "carts/create",
    "carts/update",
    "customers/create",
    "customers/update",
    "customers/delete",
    "customers/enable",
    "customers/disable",
    "customers/merge",
    "customer.tags_added",
    "customer.tags_removed",
    "customers/purchasing_summary",
    "customers_marketing_consent/update",
    "customers_email_marketing_consent/update",
    "customers_whats_app_marketing_consent/update",
    "subscription_contracts/create",
    "subscription_contracts/activate",
    "subscription_contracts/update",
    "subscription_contracts/pause",
    "subscription_contracts/fail",
    "subscription_contracts/cancel",
    "subscription_contracts/expire",
    "subscription_billing_attempts/success",
    "subscription_billing_attempts/failure",
    "subscription_billing_attempts/challenged",
    "products/create",
    "products/update",
    "products/delete",
    "app/uninstalled",
    "app/scopes_update",
    "shop/update",
    "customers/data_request",
    "customers/redact",
    "shop/redact",
    "fulfillments/create",
    "fulfillments/update",
    "inventory_levels/update",
    "draft_orders/create",
    "disputes/create",
    "tender_transactions/create",
    "selling_plan_groups/create",
    "subscription_billing_cycle_edits/create",
    "app_subscriptions/update",
]

WOOCOMMERCE_TOPICS = [
    f"{resource}.{event}"
    for resource in ("coupon", "customer", "order", "product")
    for event in ("created", "updated", "deleted", "restored")
] + [
    "product.published",
    "subscription.created",
    "subscription.updated",
    "subscription.deleted",
    "subscription.switched",
    "action.woocommerce_add_to_cart",
    "action.wc_anything",
]


@pytest.mark.parametrize(
    ("platform", "topic"),
    [
        *((PLATFORMS[Platform.SHOPIFY], topic) for topic in SHOPIFY_TOPICS),
        *((PLATFORMS[Platform.WOOCOMMERCE], topic) for topic in WOOCOMMERCE_TOPICS),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_every_documented_topic_is_known(platform: StorePlatform, topic: str) -> None:
    site = SiteContext(site_id=1, platform=platform.name)
    found = platform.understand(RawDelivery(topic=topic, body=b"{}"), site)
    assert found.reason != "unknown_topic"


def test_no_topic_is_both_handled_and_ignored() -> None:
    assert not shopify.HANDLERS.keys() & shopify.IGNORED.keys()
    assert not woocommerce.HANDLERS.keys() & woocommerce.IGNORED.keys()
    families = {topic.partition("/")[0] for topic in shopify.HANDLERS}
    assert families & shopify.IGNORED_FAMILIES.keys() == {
        "app",  # app/uninstalled is looked up first, and
        "shop",  # shop/redact
    }


def test_the_registry_has_every_platform_under_its_own_name() -> None:
    assert {name: platform.name for name, platform in PLATFORMS.items()} == {name: name for name in Platform}


def test_three_topics_ask_about_a_persons_data() -> None:
    site = SiteContext(site_id=1, platform=Platform.SHOPIFY)
    answers = {
        topic: PLATFORMS[Platform.SHOPIFY].understand(RawDelivery(topic=topic, body=b"{}"), site)
        for topic in SHOPIFY_TOPICS
    }
    assert {topic: found.reason for topic, found in answers.items() if found.reason in set(PrivacyRequest)} == {
        "customers/redact": "redact_customer",
        "shop/redact": "redact_shop",
        "customers/data_request": "data_request",
    }
    assert answers["shop/redact"].outcome is Outcome.PARKED


def test_every_wanted_event_of_stripe_is_handled_and_every_body_named() -> None:
    site = SiteContext(site_id=1, platform=Platform.STRIPE)
    for topic in stripe.SUBSCRIBED:
        assert stripe.HANDLERS[topic] in stripe.BODIES
    for topic in ("invoice.upcoming", "payment_intent.succeeded", "price.updated", "customer.deleted"):
        assert (
            PLATFORMS[Platform.STRIPE].understand(RawDelivery(topic=topic, body=b"{}"), site).outcome is Outcome.IGNORED
        )
    assert (
        PLATFORMS[Platform.STRIPE]
        .instructions("key", "https://here/webhooks/stripe/key")[-2]
        .startswith("  Endpoint URL https://here")
    )
