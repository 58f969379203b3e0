"""Both ends agree byte by byte: what the plugin posts is what the golden file holds, and is understood as it was meant.

After a wanted change of the plugin: php plugins/woocommerce/tests/golden.php > plugins/woocommerce/tests/golden/posts.jsonl
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from custom_events.platforms.base import Secret
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.woocommerce.topics import HANDLERS, IGNORED
from custom_events.values.clicks import ConsentStatus
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, Refusal, SiteContext, Understood
from custom_events.values.events import CommerceEvent, EventType
from tests.plugins.woocommerce.posts import GOLDEN, KEY_ID, ROOT, SECRET, Post, golden, needs_php, read, run_php

WOOCOMMERCE = PLATFORMS[Platform.WOOCOMMERCE]
SITE = SiteContext(site_id=1, platform=Platform.WOOCOMMERCE, currency="EUR", time_zone="Europe/Lisbon")
OPENED = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
WINDOW_S = 300
WORDPRESS = "TEST_WORDPRESS"  # the path of another one than npm brings, 6.7 or newer, with a database, to write to
POSTS = golden()
IDS = [f"{place}-{post.topic}" for place, post in enumerate(POSTS)]


def understood(post: Post) -> Understood:
    topic = WOOCOMMERCE.describe(post.headers, post.body).topic
    return WOOCOMMERCE.understand(RawDelivery(topic=topic, body=post.body), SITE)


def said(topic: str, place: int = 0) -> Understood:
    return understood([post for post in POSTS if post.topic == topic][place])


def event(topic: str, kind: EventType, place: int = 0) -> CommerceEvent:
    return next(event for event in said(topic, place).events if event.type is kind)


@needs_php
def test_the_plugin_posts_what_the_golden_file_holds() -> None:
    assert run_php("golden.php") == GOLDEN.read_bytes()


@needs_php
@pytest.mark.long
def test_it_posts_the_same_in_a_real_wordpress(wordpress: Path) -> None:
    posts = read(run_php("wordpress.php", os.environ.get(WORDPRESS) or str(wordpress)))
    assert [without_ids(post) for post in posts] == [without_ids(post) for post in POSTS]


def without_ids(post: Post) -> Any:
    """A body without what is made by chance."""
    document = post.document
    del document["custom_events"]["id"]
    document.get("cart", {}).pop("token", None)
    return document


@pytest.mark.parametrize("post", POSTS, ids=IDS)
def test_a_post_is_signed_so_that_the_receiver_takes_it(post: Post) -> None:
    sent = datetime.fromtimestamp(int(post.headers["x-custom-events-timestamp"]), UTC)
    secrets = [Secret(value=SECRET, key_id=KEY_ID)]
    assert WOOCOMMERCE.check(post.headers, post.body, secrets, sent, WINDOW_S) is None
    changed = post.headers | {"x-custom-events-topic": "order.deleted", "x-custom-events-event-id": "another"}
    assert WOOCOMMERCE.check(changed, post.body, secrets, sent, WINDOW_S) is Refusal.WRONG_SIGNATURE


@pytest.mark.parametrize("post", POSTS, ids=IDS)
def test_a_post_is_understood_and_says_when_it_was_made(post: Post) -> None:
    verdict = understood(post)
    assert (verdict.outcome, verdict.odd_leaves) == (Outcome.UNDERSTOOD, ())
    assert post.topic in HANDLERS
    moment = post.document["custom_events"]
    assert (moment["event"], moment["id"]) == (post.topic, post.headers["x-custom-events-event-id"])
    at = datetime.fromisoformat(moment["at"])
    assert verdict.shown_at in (None, at)
    if verdict.order is not None:
        assert verdict.order.updated_at == at


def test_every_topic_of_the_plugin_is_in_the_scenario() -> None:
    counted = Counter(post.topic for post in POSTS)
    assert counted == {
        "customer.created": 1,
        "cart.item_added": 1,
        "checkout.started": 1,
        "order.created": 3,
        "order.paid": 2,
        "order.completed": 1,
        "order.refunded": 1,
        "order.refund_deleted": 1,
        "order.deleted": 1,
        "order.restored": 1,
        "order.consent_changed": 1,
        "order.status_changed": 2,
        "order.cancelled": 1,
        "subscription.started": 1,
        "subscription.updated": 2,
        "subscription.cancelled": 1,
    }


def test_a_body_names_nobody_but_by_what_is_hashed() -> None:
    for post in POSTS:
        assert b"left out" not in post.body, "meta that nobody asked for"
        for told in understood(post).events:
            assert b"Ferreira" not in repr(told).encode()


def test_an_order_that_is_made_is_not_paid_yet() -> None:
    verdict = said("order.created")
    assert [told.key for told in verdict.events] == ["order.created:1001"]
    created = verdict.events[0]
    assert (created.occurred_at, created.amount, created.currency) == (
        OPENED + timedelta(seconds=90),
        Decimal(119),
        "EUR",
    )
    assert [(click.id, click.clicked_at) for click in created.clicks] == [
        ("EAIaIQobChMI-golden-click_1", OPENED - timedelta(hours=1))
    ]
    assert created.consent is not None
    assert (created.consent.ad_user_data, created.consent.source) == (ConsentStatus.GRANTED, "wp_consent_api")
    assert created.utm == {"source": "google"}
    assert created.order is not None
    assert created.order.landing_site == "/hats?gclid=EAIaIQobChMI-golden-click_1"
    assert (created.order.shipping_tax, created.order.discount_tax) == (Decimal("1.9"), Decimal("0.95"))
    assert [(item.variant_id, item.quantity, item.total) for item in created.order.items] == [
        ("32", 2, Decimal(60)),
        (None, 2, Decimal(30)),
    ]


def test_a_refund_has_its_time_and_its_lines_and_goes_with_its_deletion() -> None:
    refunded = event("order.refunded", EventType.ORDER_REFUNDED)
    assert (refunded.key, refunded.occurred_at) == (
        "order.refunded:1001:2001",
        OPENED + timedelta(hours=2, seconds=92),
    )
    assert refunded.refund is not None
    assert (refunded.refund.amount, [item.total for item in refunded.refund.items]) == (Decimal("35.7"), [Decimal(30)])
    verdict = said("order.refund_deleted")
    assert verdict.refunds == ()
    assert verdict.order is not None
    assert verdict.order.lists_refunds


def test_what_is_deleted_and_restored_says_when_by_the_shops_clock() -> None:
    deleted, restored = said("order.deleted"), said("order.restored")
    assert (deleted.deleted_order_id, deleted.shown_at) == (
        "1001",
        OPENED + timedelta(hours=2, seconds=212, microseconds=123456),
    )
    assert restored.shown_at is not None
    assert deleted.shown_at is not None
    assert restored.is_snapshot
    assert restored.shown_at > deleted.shown_at


def test_cash_on_delivery_counts_from_the_order_and_no_more_when_it_is_on_hold() -> None:
    paid = event("order.created", EventType.ORDER_PAID, 1)
    created = event("order.created", EventType.ORDER_CREATED, 1)
    assert paid.occurred_at == created.occurred_at
    assert paid.customer_key is not None
    assert paid.customer_key.startswith("e:"), "a guest"
    held = said("order.status_changed").order
    assert held is not None
    assert (held.paid_at, held.payment_known) == (None, True)
    cancelled = event("order.cancelled", EventType.ORDER_CANCELLED)
    assert cancelled.occurred_at == datetime.fromisoformat("2026-11-25T12:08:32.123456Z")


def test_a_later_answer_about_consent_is_told() -> None:
    before, after = said("order.created", 1).events[0], said("order.consent_changed").events[0]
    assert before.consent is not None
    assert after.consent is not None
    assert (before.consent.ad_user_data, after.consent.ad_user_data) == (ConsentStatus.DENIED, ConsentStatus.GRANTED)


def test_a_renewal_is_told_by_its_order_without_the_click_of_the_first() -> None:
    failed = event("order.status_changed", EventType.SUBSCRIPTION_PAYMENT_FAILED, 1)
    renewed = event("order.paid", EventType.SUBSCRIPTION_RENEWED, 1)
    assert (failed.key, renewed.key) == ("subscription.payment_failed:3001:1003", "subscription.renewed:3001:1003")
    assert (renewed.clicks, renewed.is_test) == ((), True)
    assert b"stale-click" not in b"".join(post.body for post in POSTS)


def test_a_subscription_starts_and_ends_once() -> None:
    assert [told.key for told in said("subscription.started").events] == ["subscription.started:3001"]
    ended = said("subscription.cancelled")
    assert [told.key for told in ended.events] == ["subscription.started:3001", "subscription.cancelled:3001"]


def test_a_cart_and_its_checkout_share_a_token_and_have_the_click() -> None:
    added, opened = said("cart.item_added").events[0], said("checkout.started").events[0]
    assert added.cart is not None
    assert opened.cart is not None
    assert added.key == f"cart.item_added:{added.cart.token}:32"
    assert opened.key == f"checkout.started:{added.cart.token}"
    assert (added.amount, opened.amount) == (Decimal(65), Decimal("76.93"))
    assert [click.id for click in opened.clicks] == ["EAIaIQobChMI-golden-click_1"]


def test_the_test_event_is_ignored_by_name() -> None:
    body = b'{"custom_events": {"version": 1, "event": "custom_events.test"}}'
    verdict = WOOCOMMERCE.understand(RawDelivery(topic="custom_events.test", body=body), SITE)
    assert (verdict.outcome, verdict.reason) == (Outcome.IGNORED, "test_event")


def changed(topic: str, place: int, change: Callable[[Any], None]) -> Understood:
    """The verdict on a golden body with a change."""
    document = [post for post in POSTS if post.topic == topic][place].document
    change(document)
    return WOOCOMMERCE.understand(RawDelivery(topic=topic, body=json.dumps(document).encode()), SITE)


def test_cash_on_delivery_that_fails_after_it_counted_is_lost() -> None:
    verdict = changed("order.created", 1, lambda document: document.update(status="failed"))
    assert verdict.order is not None
    assert verdict.order.payment_lost_at == verdict.order.updated_at


@pytest.mark.parametrize(
    ("topic", "change", "path"),
    [
        ("cart.item_added", lambda document: document["cart"].update(line_items=[]), "$.cart.line_items"),
        ("cart.item_added", lambda document: document["cart"].update(token=0), "$.cart.token"),
        ("checkout.started", lambda document: document["custom_events"].update(at=None), "$.custom_events.at"),
        ("order.created", lambda document: document["custom_events"].update(paid_at="soon"), "$.custom_events.paid_at"),
    ],
)
def test_what_a_body_needs_is_named_when_it_is_parked(topic: str, change: Callable[[Any], None], path: str) -> None:
    verdict = changed(topic, 0, change)
    assert (verdict.outcome, verdict.reason) == (Outcome.PARKED, "wrong_shape")
    assert path in (verdict.detail or "")


def test_an_odd_leaf_of_the_plugin_parks_nothing() -> None:
    verdict = changed("order.created", 0, lambda document: document["custom_events"].update(is_test="yes"))
    assert (verdict.outcome, verdict.odd_leaves) == (Outcome.UNDERSTOOD, ("$.custom_events.is_test",))
    assert verdict.events[0].is_test


PAGE = (ROOT / "docs/reference/woocommerce-plugin.md").read_text()


def test_the_page_has_every_topic_and_every_field() -> None:
    topics = set(re.findall(r"^\| `([a-z_.]+)` \|", PAGE.partition("## Topics")[2].partition("##")[0], re.MULTILINE))
    assert topics == {post.topic for post in POSTS} | {"custom_events.test"}
    assert topics <= HANDLERS.keys() | IGNORED.keys()
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert names_in([post.document for post in POSTS]) <= named | {"custom_events"}


def names_in(document: Any) -> set[str]:
    """Every name of every object in it."""
    if isinstance(document, list):
        return set().union(*map(names_in, document))
    if isinstance(document, dict):
        return set(document).union(*map(names_in, document.values()))
    return set()
