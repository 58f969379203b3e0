"""The demo's posts: enough webhooks, every kind of trouble, and the same posts for the same seed."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from custom_events.platforms import timestamped
from custom_events.platforms.base import Secret
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext
from sandbox.stores.posts import Post, Store
from sandbox.stores.script import Waves, script
from tests.plugins.woocommerce.posts import golden

PLUGIN = "CustomEvents/"
_ORIGIN = "$.meta_data[].value"
OPTIONAL = {f"{_ORIGIN}.{name}" for name in ("gclid", "gbraid", "wbraid", "clicked_at", "landing_page", "utm_source")}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHOPIFY = Store(
    platform="shopify",
    site_key="s",
    secret=b"shopify-secret",
    ads_customer_id="1234567890",
    shop_domain="northlight-demo.myshopify.com",
)
WOOCOMMERCE = Store(platform="woocommerce", site_key="w", secret=b"woo-secret", ads_customer_id="1234567890")
CUSTOM = Store(platform="custom", site_key="c", secret=b"custom-secret", ads_customer_id="1234567890")


@pytest.fixture(scope="module")
def waves() -> Waves:
    return script(SHOPIFY, WOOCOMMERCE, CUSTOM, NOW)


def understood(post: Post) -> tuple[Outcome, str | None, list[str]]:
    platform = Platform(post.path.split("/")[2])
    described = PLATFORMS[platform].describe(post.headers, post.body)
    site = SiteContext(site_id=1, platform=platform, shop_domain=SHOPIFY.shop_domain, currency="EUR")
    found = PLATFORMS[platform].understand(
        RawDelivery(topic=described.topic, body=post.body, headers=post.headers), site
    )
    return found.outcome, found.reason, [event.type for event in found.events]


def test_there_are_enough_webhooks_and_topics(waves: Waves) -> None:
    assert len(waves.first) + len(waves.second) >= 600
    assert len(waves.topics) >= 15


def test_the_same_seed_posts_the_same_bytes_and_another_seed_other_orders(waves: Waves) -> None:
    again = script(SHOPIFY, WOOCOMMERCE, CUSTOM, NOW)
    assert [post.body for post in again.first] == [post.body for post in waves.first]
    other = script(SHOPIFY, WOOCOMMERCE, CUSTOM, NOW, seed=8)
    orders = {post.body for post in waves.first if post.kind == "order"}
    assert orders.isdisjoint(post.body for post in other.first if post.kind == "order")


def test_every_trouble_is_there(waves: Waves) -> None:
    kinds = Counter(post.kind for post in waves.first)
    for kind in ("wrong signature", "no signature", "malformed signature", "too old", "no such site", "oversized"):
        assert kinds[kind] == 1
    assert kinds["unknown topic"] == kinds["unreadable body"] == kinds["ping"] == 1
    assert kinds["duplicate"] > 10


def test_what_the_stores_post_is_understood(waves: Waves) -> None:
    troubles = {"unknown topic", "unreadable body", "ping", "oversized", "too old", "no such site"}
    honest = [p for p in (*waves.first, *waves.second) if p.kind not in troubles and "signature" not in p.kind]
    outcomes = [(post, *understood(post)) for post in honest]
    parked = [(post.topic, reason) for post, outcome, reason, _ in outcomes if outcome is Outcome.PARKED]
    assert parked == []
    types = {event for _, _, _, events in outcomes for event in events}
    assert types >= {
        "order.created",
        "order.paid",
        "order.cancelled",
        "order.refunded",
        "checkout.started",
        "cart.item_added",
        "customer.created",
        "subscription.started",
        "subscription.renewed",
        "subscription.cancelled",
    }


def test_both_bodies_of_a_renewal_come_in_either_order_and_either_is_the_older(waves: Waves) -> None:
    topics = ("orders/paid", "subscription_billing_attempts/success")
    places: dict[str, dict[str, tuple[int, str]]] = {}
    for place, post in enumerate(waves.first):
        if post.kind == "subscription" and post.topic in topics:
            document = json.loads(post.body)
            number = str(document.get("order_id") or document["id"])
            places.setdefault(number, {})[post.topic] = place, post.headers["x-shopify-triggered-at"]
    pairs = [tuple(found[topic] for topic in topics) for found in places.values() if len(found) == len(topics)]
    assert len(pairs) >= 5
    assert {sold[0] < billed[0] for sold, billed in pairs} == {True, False}
    assert {sold[1] < billed[1] for sold, billed in pairs} == {True, False}


def test_stores_take_back_what_they_said(waves: Waves) -> None:
    kinds = Counter(post.kind for post in (*waves.first, *waves.second))
    for kind in ("paid after all", "deleted refund", "exchange", "failed refund"):
        assert kinds[kind] >= 2, kind
    status = [json.loads(post.body).get("status") for post in waves.second if post.kind == "subscription"]
    assert {"pending-cancel", "cancelled", "active"} <= set(status)


def test_signatures_are_right_but_for_the_troubles(waves: Waves) -> None:
    secrets = {"shopify": SHOPIFY.secret, "woocommerce": WOOCOMMERCE.secret, "custom": CUSTOM.secret}
    for post in (*waves.first, *waves.second):
        if post.kind in {"ping", "no such site", "too old"} or "signature" in post.kind:
            continue
        platform = post.path.split("/")[2]
        secret = Secret(value=secrets[platform])
        assert PLATFORMS[Platform(platform)].check(post.headers, post.body, [secret], NOW, 300) is None


def test_the_plugins_posts_have_the_shapes_that_the_plugin_makes(waves: Waves) -> None:
    shapes: dict[str, Any] = {}
    for post in golden():
        shapes.setdefault(post.topic, []).append(post.document)
    posted = [post for post in (*waves.first, *waves.second) if post.headers.get("user-agent", "").startswith(PLUGIN)]
    assert {post.topic for post in posted} == {
        "cart.item_added",
        "checkout.started",
        "order.created",
        "order.paid",
        "order.cancelled",
        "order.refunded",
    }
    for post in posted:
        assert timestamped.check(post.headers, post.body, [Secret(value=WOOCOMMERCE.secret)], NOW, 300) is None
        assert post.headers[timestamped.SIGNATURE].startswith("v2=")
        named = fields(json.loads(post.body))
        assert any(named <= fields(document) | OPTIONAL for document in shapes[post.topic]), post.topic


def fields(value: Any, path: str = "$") -> set[str]:
    """The paths of all fields of a document."""
    if isinstance(value, dict):
        return {f"{path}.{name}" for name in value} | {
            field for name, inner in value.items() for field in fields(inner, f"{path}.{name}")
        }
    return {field for inner in value for field in fields(inner, f"{path}[]")} if isinstance(value, list) else set()
