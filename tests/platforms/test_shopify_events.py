"""Shopify's Events are one more source: an order of our own GraphQL payload is understood as its webhook is."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.platforms.base import Secret
from custom_events.platforms.headers import base64_hmac
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify import admin_queries
from custom_events.platforms.shopify.admin_api import body_of
from custom_events.platforms.shopify.sources import Mechanism, mechanism_of, translation_of
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, Refusal, SiteContext, Understood
from ingest_api.app import _by_shop
from sandbox.stores import shopify
from tests.platforms.shopify_orders import LAMP, NOON, SHOP, order_body, read_again

SITE = SiteContext(site_id=1, platform=Platform.SHOPIFY, time_zone="Europe/Berlin", shop_domain=SHOP, currency="EUR")
HEADERS = {
    "shopify-webhook-id": "e1",
    "shopify-shop-domain": SHOP.upper(),
    "shopify-api-version": "2026-10",
    "shopify-triggered-at": "2026-11-01T12:00:00.000000000Z",
}
STORE = PLATFORMS[Platform.SHOPIFY]


def understood_event(body: bytes, **headers: str) -> Understood:
    sent = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return STORE.understand(RawDelivery(topic=STORE.describe(sent, body).topic, body=body, headers=sent), SITE)


def understood_webhook(body: dict[str, Any], topic: str = "orders/updated") -> Understood:
    return STORE.understand(RawDelivery(topic=topic, body=msgspec.json.encode(body)), SITE)


def of_event(body: dict[str, Any]) -> Understood:
    return understood_event(body_of(read_again(body, admin_queries.ORDER)))


def comparable(understood: Understood) -> list[dict[str, Any]]:
    """Events as JSON, without what a GraphQL payload knows more (what is outstanding) or less of (tokens); the sandbox lists no taxes of shipping."""
    events: list[dict[str, Any]] = msgspec.to_builtins(understood.events)
    for event in events:
        for name in ("paid_amount", "cart_token", "checkout_token", "tip", "shipping_tax"):
            event["order"].pop(name, None)
        event["customer"].pop("accepts_marketing", None)
        for item in (event.get("refund") or {}).get("items", ()):
            item.pop("vendor", None)
    return events


REFUND = shopify.refund(shopify.ID_BASE + 1, 77, Decimal("5.00"), NOON, line=(LAMP, 1))
PENDING = shopify.refund(shopify.ID_BASE + 1, 78, Decimal("5.00"), NOON, status="pending")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"place": "landing"},
        {"place": "item"},
        {"lines": 3},
        {"financial_status": "pending"},
        {"financial_status": "voided", "cancelled_at": NOON + timedelta(minutes=1)},
        {"financial_status": "partially_refunded", "refunds": [REFUND]},
        {"financial_status": "partially_refunded", "refunds": [PENDING]},
        {"swapped_for": LAMP},
        {"source_name": "subscription_contract_checkout_one"},
    ],
    ids=(
        "paid",
        "landing",
        "item",
        "lines",
        "pending",
        "cancelled",
        "refunded",
        "pending refund",
        "exchange",
        "renewal",
    ),
)
def test_an_order_is_understood_alike_whoever_tells_of_it(changes: dict[str, Any]) -> None:
    body = order_body(1, NOON + timedelta(minutes=2), **changes)
    event, webhook = of_event(body), understood_webhook(body)
    assert event.outcome is Outcome.UNDERSTOOD, event.detail
    assert not event.odd_leaves
    assert comparable(event) == comparable(webhook)
    assert [(each.id, each.amount, each.is_pending) for each in event.refunds] == [
        (each.id, each.amount, each.is_pending) for each in webhook.refunds
    ]


def test_headers_of_an_event_say_whose_it_is_and_its_body_which_topic() -> None:
    described = STORE.describe(HEADERS, b'{"topic":"Order","action":"update"}')
    assert (described.topic, described.delivery_id, described.shop_domain) == ("Order/update", "e1", SHOP)
    assert (described.api_version, described.triggered_at) == ("2026-10", NOON)
    assert STORE.describe(HEADERS, b"{").topic is None
    assert mechanism_of({"x-shopify-topic": "orders/paid", "shopify-webhook-id": "e1"}) is Mechanism.WEBHOOK


def test_the_receiver_finds_the_site_of_an_event_at_the_common_address() -> None:
    assert _by_shop(STORE, HEADERS) == f"@{SHOP}"
    assert _by_shop(STORE, {"x-shopify-shop-domain": "first.myshopify.com"} | HEADERS) == "@first.myshopify.com"
    assert _by_shop(PLATFORMS[Platform.CUSTOM], HEADERS) == "@"


def test_an_event_is_signed_as_a_webhook_is() -> None:
    secrets = [Secret(value=b"client secret")]
    signature = {"shopify-hmac-sha256": base64_hmac(b"{}", b"client secret")}
    assert STORE.check(signature, b"{}", secrets, NOON, 300) is None
    assert STORE.check(signature, b"{ }", secrets, NOON, 300) is Refusal.WRONG_SIGNATURE


def test_a_deleted_order_is_told_by_its_id() -> None:
    event = {"topic": "Order", "action": "delete", "data": {"order": {"id": "gid://shopify/Order/5"}}}
    assert understood_event(msgspec.json.encode(event)).deleted_order_id == "5"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"topic": "Product", "action": "update"}, "unknown_topic"),
        ({"topic": "Order", "action": "update"}, "no_order"),
        ({"topic": "Order", "action": "update", "data": {"order": {"id": "gid://shopify/Order/x"}}}, "wrong_shape"),
        ({"topic": "Order", "action": "update", "data": {"order": {"id": "gid://shopify/Order/1"}}}, "wrong_shape"),
        (
            {
                "topic": "Order",
                "action": "update",
                "data": {"order": {"lineItems": {"pageInfo": {"hasNextPage": True}}}},
            },
            "lines_missing",
        ),
        ({"topic": "Order", "action": "update", "data": {"order": {"refunds": [{}] * 10}}}, "lines_missing"),
    ],
    ids=("topic", "no order", "id", "empty", "lines", "refunds"),
)
def test_what_cannot_be_understood_is_parked_with_its_reason(event: dict[str, Any], reason: str) -> None:
    understood = understood_event(msgspec.json.encode(event))
    assert (understood.outcome, understood.reason) == (Outcome.PARKED, reason)


def test_a_parser_is_chosen_by_mechanism_topic_and_version() -> None:
    newest = translation_of(Mechanism.EVENT, "Order/update", "2027-01")
    assert newest is not None
    assert translation_of(Mechanism.EVENT, "Order/update", "unstable") is newest
    assert translation_of(Mechanism.EVENT, "Order/update", None) is newest
    assert translation_of(Mechanism.EVENT, "Order/update", "2026-07") is None
    assert translation_of(Mechanism.WEBHOOK, "Order/update", "2026-10") is None
    assert (
        understood_event(b'{"topic":"Order","action":"update"}', shopify_api_version="2026-07").reason
        == "unknown_topic"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("gid://shopify/Order/1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["nodes", "id", "shopMoney", "amount", "pageInfo"]), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(st.sampled_from(sorted(read_again(order_body(1, NOON), admin_queries.ORDER))), JSON)
def test_any_value_in_any_place_of_an_order_gives_a_verdict(name: str, value: Any) -> None:
    order = read_again(order_body(1, NOON), admin_queries.ORDER) | {name: value}
    assert understood_event(body_of(order)).outcome in Outcome


@given(st.binary(max_size=30) | st.just(b'{"topic":"Order","action":"update","data":{"order":{"id":"\xed\xa0\x80"}}}'))
def test_any_bytes_give_a_verdict(body: bytes) -> None:
    sent = RawDelivery(topic="Order/update", body=body, headers=HEADERS)
    assert STORE.understand(sent, SITE).outcome is Outcome.PARKED
