"""What comes under an order's topic and is no order: subscriptions, refunds, and the REST API's errors."""

import json
from typing import Any

import pytest

from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.woocommerce.others import REST_ERROR, REST_FORBIDDEN
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext, Understood

ORDER_TOPICS = ("order.created", "order.updated", "order.restored", "order.paid")


def understood(topic: str, body: Any) -> Understood:
    site = SiteContext(site_id=1, platform=Platform.WOOCOMMERCE, currency="EUR", default_country="DE")
    delivery = RawDelivery(topic=topic, body=json.dumps(body).encode())
    return PLATFORMS[Platform.WOOCOMMERCE].understand(delivery, site)


def subscription(**fields: Any) -> dict[str, Any]:
    return {
        "id": 602,
        "parent_id": 601,
        "status": "active",
        "total": "25.00",
        "currency": "EUR",
        "date_created_gmt": "2026-11-20T10:00:00",
        "date_modified_gmt": "2026-11-20T10:00:05",
        "date_paid_gmt": "2026-11-20T10:00:01",
        "billing_period": "month",
        "billing_interval": "1",
        "start_date_gmt": "2026-11-20T10:00:00",
        "meta_data": [{"key": "_gclid", "value": "Cj0KCQ-subscribed"}],
    } | fields


@pytest.mark.parametrize("topic", ORDER_TOPICS)
@pytest.mark.parametrize(
    "odd", [{}, {"billing_interval": 1.5}, {"meta_data": {}}], ids=["plain", "odd interval", "odd meta"]
)
def test_a_subscription_under_an_orders_topic_is_read_as_one(topic: str, odd: dict[str, Any]) -> None:
    found = understood(topic, subscription(**odd))
    assert [event.key for event in found.events] == ["subscription.started:602"]
    assert found.order is None
    assert found.subscription is not None
    assert found.subscription.origin_order_id == "601"
    assert understood("subscription.updated", subscription(**odd)).events == found.events


def test_an_order_with_an_empty_billing_period_is_an_order() -> None:
    order = subscription(status="processing", billing_period="", parent_id=0)
    assert "order.paid:602" in [event.key for event in understood("order.updated", order).events]


@pytest.mark.parametrize(("mode", "is_test"), [("test", True), ("prod", False)])
def test_a_subscription_paid_in_test_mode_is_a_test(mode: str, is_test: bool) -> None:
    body = subscription(meta_data=[{"id": 1, "key": "_wcpay_mode", "value": mode}])
    for topic in ("subscription.updated", "order.updated"):
        assert {event.is_test for event in understood(topic, body).events} == {is_test}


@pytest.mark.parametrize("status", ["active", "pending-cancel", "expired", "switched"])
def test_a_subscription_without_a_period_shows_by_its_status(status: str) -> None:
    body = subscription(status=status, billing_period="")
    assert not [event for event in understood("order.updated", body).events if event.type.value.startswith("order.")]


def test_a_subscription_of_an_unknown_status_is_no_paid_order() -> None:
    for status in ("pending", "switched", "expired"):
        found = understood("order.updated", subscription(status=status, date_paid_gmt=None))
        assert not [event for event in found.events if event.type.value.startswith("order.")]


def refund(**fields: Any) -> dict[str, Any]:
    return {"id": 603, "amount": "5.00", "date_created_gmt": "2026-11-20T10:00:00", "reason": ""} | fields


@pytest.mark.parametrize(
    "named",
    [
        {"parent_id": 601},
        {"_links": {"up": [{"href": "https://shop.example/wp-json/wc/v3/orders/601"}]}},
        {"_links": {"up": [{"href": "https://shop.example/wp-json/wc/v3/orders/601?context=edit"}]}},
        {"_links": {"up": [{"href": "https://shop.example/index.php?rest_route=%2Fwc%2Fv3%2Forders%2F601"}]}},
        {"_links": {"self": [{"href": "https://shop.example/wp-json/wc/v3/orders/601/refunds/603"}]}},
        {"_links": {"up": [{}], "self": [{"href": "https://shop.example/wp-json/wc/v3/orders/601/refunds/603"}]}},
    ],
    ids=str,
)
def test_a_refund_under_an_orders_topic_is_read_as_one(named: dict[str, Any]) -> None:
    found = understood("order.updated", refund(**named))
    assert [event.key for event in found.events] == ["order.refunded:601:603"]


def test_a_refund_that_names_no_order_is_parked_by_its_own_reason() -> None:
    assert understood("order.updated", refund()).reason == "refund_without_order"


ERRORS = [
    ({"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}}, REST_FORBIDDEN),
    ({"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 403}}, REST_FORBIDDEN),
    ({"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": None}, REST_FORBIDDEN),
    ({"code": "rest_forbidden", "message": "x", "data": {"status": 401}}, REST_FORBIDDEN),
    ({"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}, REST_ERROR),
    ({"code": "rest_no_route", "message": "x", "data": {"status": 404}}, REST_ERROR),
    ({"code": "internal_server_error", "message": "<p>critical</p>", "data": {"status": 500}, "additional_errors": []}, REST_ERROR),
    ({"errors": [{"code": "woocommerce_api_user_cannot_read_order", "message": "no"}]}, REST_FORBIDDEN),
    ({"code": "rest_forbidden", "message": "x", "data": {"status": "401"}}, REST_FORBIDDEN),
    ({"code": "rest_forbidden_context", "message": "x"}, REST_FORBIDDEN),
    ({"code": "rest_not_logged_in", "message": "x", "data": []}, REST_FORBIDDEN),
    ({"id": None, "code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}}, REST_FORBIDDEN),
    ({"code": "some_plugin_says_no", "message": "x", "data": {"status": "403"}}, REST_FORBIDDEN),
    ({"errors": {"woocommerce_rest_cannot_view": ["Sorry"]}, "error_data": {"woocommerce_rest_cannot_view": {"status": 401}}}, REST_FORBIDDEN),
    ({"errors": {"rest_no_route": ["Sorry"]}, "error_data": []}, REST_ERROR),
    ({"code": "Möbius <b>", "message": "x", "data": []}, REST_ERROR),
]  # fmt: skip


@pytest.mark.parametrize(
    "topic", [*ORDER_TOPICS, "order.deleted", "customer.updated", "subscription.updated", "order_refund"]
)
@pytest.mark.parametrize(("body", "reason"), ERRORS)
def test_an_error_of_the_rest_api_has_its_own_reason_and_its_code(
    topic: str, body: dict[str, Any], reason: str
) -> None:
    found = understood(topic, body)
    assert (found.outcome, found.reason) == (Outcome.PARKED, reason)
    detail = found.detail or ""
    errors = body.get("errors", ())
    code = body.get("code") or (next(iter(errors)) if isinstance(errors, dict) else errors[0]["code"])
    assert (code in detail) == (code.isascii() and code.islower())
    assert "Sorry" not in detail
    if reason == REST_FORBIDDEN:
        assert "administrator or a shop manager" in detail


def test_an_order_with_a_field_of_that_name_is_an_order() -> None:
    order = subscription(
        status="processing", parent_id=0, billing_period=None, code="woocommerce_rest_cannot_view", message="x"
    )
    assert understood("order.updated", order).order is not None
