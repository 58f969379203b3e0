"""Leaves of odd types: read by their evident meaning or as missing, and named; essential ones park the body with their path."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from custom_events.platforms.lines import understood_line
from custom_events.values.deliveries import Outcome, Platform, Understood
from custom_events.values.events import Order
from tests.platforms.odd_bodies import (
    BUILDERS,
    CUSTOM,
    HALF,
    SHOPIFY,
    WOO,
    custom_order,
    shopify_order,
    understood,
    woo_order,
)


def of_order(platform: Platform, **fields: Any) -> tuple[Order, Understood]:
    topic, build = BUILDERS[platform]
    found = understood(platform, topic, build(**fields))
    assert found.outcome is Outcome.UNDERSTOOD, found
    assert found.order is not None
    return found.order, found


def line(platform: Platform, **fields: Any) -> dict[str, Any]:
    (own,) = custom_order()["order"]["items"] if platform is CUSTOM else BUILDERS[platform][1]()["line_items"]
    return own | fields


# Platform, what is odd in the body, the path that is named, what the order says (or None: only that it is understood).
CASES: list[tuple[Platform, dict[str, Any], str, Callable[[Order], Any], Any]] = [
    (SHOPIFY, {"billing_address": {"zip": 10115, "country_code": "DE"}}, "$.billing_address.zip", lambda o: o.billing_postcode, "10115"),
    (SHOPIFY, {"phone": 491701234567}, "$.phone", lambda o: o.id, "71"),
    (SHOPIFY, {"line_items": [line(SHOPIFY, sku=4711)]}, "$.line_items[].sku", lambda o: o.items[0].sku, "4711"),
    (SHOPIFY, {"line_items": [line(SHOPIFY, quantity="2")]}, "$.line_items[].quantity", lambda o: o.items[0].quantity, 2),
    (SHOPIFY, {"line_items": [line(SHOPIFY, quantity=" 2.0 ")]}, "$.line_items[].quantity", lambda o: o.items[0].quantity, 2),
    (SHOPIFY, {"line_items": [line(SHOPIFY, quantity="two")]}, "$.line_items[].quantity", lambda o: o.items[0].quantity, 0),
    (SHOPIFY, {"line_items": [line(SHOPIFY, price="")]}, "$.line_items[].price", lambda o: o.items[0].price, None),
    (SHOPIFY, {"line_items": [line(SHOPIFY, price="32,00")]}, "$.line_items[].price", lambda o: str(o.items[0].price), "32.00"),
    (SHOPIFY, {"line_items": [line(SHOPIFY, price=1e300)]}, "$.line_items[].price", lambda o: o.items[0].price, None),
    (SHOPIFY, {"line_items": {"0": line(SHOPIFY), "1": line(SHOPIFY, id=2)}}, "$.line_items", lambda o: len(o.items), 2),
    (SHOPIFY, {"line_items": [line(SHOPIFY), None, 5]}, "$.line_items[]", lambda o: len(o.items), 1),
    (SHOPIFY, {"line_items": [line(SHOPIFY, properties=[["colour", "blue"]])]}, "$.line_items[].properties[]", lambda o: o.items[0].properties, {"colour": "blue"}),
    (SHOPIFY, {"line_items": [line(SHOPIFY, properties="")]}, "$.line_items[].properties", lambda o: o.items[0].properties, {}),
    (SHOPIFY, {"total_discounts": ""}, "$.total_discounts", lambda o: o.discount, None),
    (SHOPIFY, {"total_tax": False}, "$.total_tax", lambda o: o.tax, None),
    (SHOPIFY, {"subtotal_price": "NaN"}, "$.subtotal_price", lambda o: o.subtotal, None),
    (SHOPIFY, {"customer": {"id": 8, "created_at": "0000-12-31T18:03:24-05:50"}}, "$.customer.created_at", lambda o: o.id, "71"),
    (SHOPIFY, {"customer": {"id": 8, "created_at": "2026-01-02 03:04:05"}}, "$.customer.created_at", lambda o: o.id, "71"),
    (SHOPIFY, {"customer": []}, "$.customer", lambda o: o.id, "71"),
    (SHOPIFY, {"processed_at": "0000-12-31T18:03:24-05:50"}, "$.processed_at", lambda o: str(o.paid_at), "2026-11-20 10:00:00+00:00"),
    (SHOPIFY, {"closed_at": ""}, "$.closed_at", lambda o: o.status, "open"),
    (SHOPIFY, {"tags": {"0": "vip", "1": "b2b"}}, "$.tags", lambda o: o.tags, ("vip", "b2b")),
    (SHOPIFY, {"tags": ["vip", 7, None]}, "$.tags[]", lambda o: o.tags, ("vip", "7")),
    (SHOPIFY, {"discount_codes": [{"code": 2026}]}, "$.discount_codes[].code", lambda o: o.discount_codes, ("2026",)),
    (SHOPIFY, {"payment_gateway_names": "manual"}, "$.payment_gateway_names", lambda o: o.payment_methods, ("manual",)),
    (SHOPIFY, {"test": "1"}, "$.test", lambda o: o.id, "71"),
    (SHOPIFY, {"name": 1001}, "$.name", lambda o: o.number, "1001"),
    (SHOPIFY, {"shipping_lines": {}}, "$.shipping_lines", lambda o: o.shipping_methods, ()),
    (SHOPIFY, {"refunds": ""}, "$.refunds", lambda o: o.refunded, None),
    (SHOPIFY, {"source_name": HALF}, "$.source_name", lambda o: o.source_name, "\ufffd"),
    (SHOPIFY, {"note": f"thanks {HALF}"}, "$.*", lambda o: o.id, "71"),
    (SHOPIFY, {"billing_address": {"zip": "1", "city": HALF}}, "$.billing_address.*", lambda o: o.billing_postcode, "1"),
    (WOO, {"line_items": [line(WOO, sku=4711)]}, "$.line_items[].sku", lambda o: o.items[0].sku, "4711"),
    (WOO, {"line_items": [line(WOO, quantity="2")]}, "$.line_items[].quantity", lambda o: o.items[0].quantity, 2),
    (WOO, {"line_items": [line(WOO, quantity="")]}, "$.line_items[].quantity", lambda o: o.items[0].quantity, 0),
    (WOO, {"line_items": [line(WOO, price="")]}, "$.line_items[].price", lambda o: o.items[0].price, None),
    (WOO, {"line_items": [line(WOO, subtotal="")]}, "$.line_items[].subtotal", lambda o: str(o.items[0].total), "64.00"),
    (WOO, {"line_items": [line(WOO, name=12)]}, "$.line_items[].name", lambda o: o.items[0].title, "12"),
    (WOO, {"line_items": [line(WOO, meta_data={"9": {"key": "size", "value": "S"}})]}, "$.line_items[].meta_data", lambda o: o.items[0].properties, {"size": "S"}),
    (WOO, {"line_items": [line(WOO, meta_data="")]}, "$.line_items[].meta_data", lambda o: o.items[0].properties, {}),
    (WOO, {"line_items": {"14": line(WOO)}}, "$.line_items", lambda o: len(o.items), 1),
    (WOO, {"discount_total": ""}, "$.discount_total", lambda o: o.discount, None),
    (WOO, {"total_tax": ""}, "$.total_tax", lambda o: o.tax, None),
    (WOO, {"billing": {"country": "SE", "postcode": 12345}}, "$.billing.postcode", lambda o: (o.billing_country, o.billing_postcode), ("SE", "12345")),
    (WOO, {"billing": {"country": "SE", "phone": 701234567}}, "$.billing.phone", lambda o: o.billing_country, "SE"),
    (WOO, {"billing": {"country": "SE", "first_name": HALF}}, "$.billing.*", lambda o: o.billing_country, "SE"),
    (WOO, {"billing": ""}, "$.billing", lambda o: o.billing_country, None),
    (WOO, {"coupon_lines": [{"code": 10}]}, "$.coupon_lines[].code", lambda o: o.discount_codes, ("10",)),
    (WOO, {"coupon_lines": {"3": {"code": "TEN"}}}, "$.coupon_lines", lambda o: o.discount_codes, ("TEN",)),
    (WOO, {"shipping_lines": [[]]}, "$.shipping_lines[]", lambda o: o.shipping_methods, ()),
    (WOO, {"payment_method": False}, "$.payment_method", lambda o: o.payment_methods, ()),
    (WOO, {"date_completed_gmt": "0000-12-31T00:00:00"}, "$.date_completed_gmt", lambda o: o.fulfillment_status, None),
    (WOO, {"date_completed": {"date": "2026-11-20"}}, "$.date_completed", lambda o: o.fulfillment_status, None),
    (WOO, {"refunds": {"5": {"id": 9, "total": "-4.00"}}}, "$.refunds", lambda o: str(o.refunded), "4.00"),
    (WOO, {"customer_note": HALF}, "$.*", lambda o: o.id, "72"),
    (WOO, {"created_via": 5}, "$.created_via", lambda o: o.source_name, "5"),
    (CUSTOM, {"order": {"number": True}}, "$.order.number", lambda o: o.number, None),
    (CUSTOM, {"order": {"items": [line(CUSTOM, quantity="2")]}}, "$.order.items[].quantity", lambda o: o.items[0].quantity, 2),
    (CUSTOM, {"order": {"items": [line(CUSTOM, sku=4711)]}}, "$.order.items[].sku", lambda o: o.items[0].sku, "4711"),
    (CUSTOM, {"order": {"items": [line(CUSTOM, discount="")]}}, "$.order.items[].discount", lambda o: o.items[0].discount, None),
    (CUSTOM, {"order": {"items": {"0": line(CUSTOM)}}}, "$.order.items", lambda o: len(o.items), 1),
    (CUSTOM, {"order": {"items": [line(CUSTOM, properties=[["a", 1]])]}}, "$.order.items[].properties", lambda o: o.items[0].properties, {"a": "1"}),
    (CUSTOM, {"order": {"tags": "vip"}}, "$.order.tags", lambda o: o.tags, ("vip",)),
    (CUSTOM, {"order": {"tax": ""}}, "$.order.tax", lambda o: o.tax, None),
    (CUSTOM, {"order": {"billing_postcode": 8001}}, "$.order.billing_postcode", lambda o: o.billing_postcode, "8001"),
    (CUSTOM, {"properties": []}, "$.properties", lambda o: o.id, "73"),
    (CUSTOM, {"customer": {"id": 8, "created_at": "2026-11-20"}}, "$.customer.created_at", lambda o: o.id, "73"),
    (CUSTOM, {"customer": {"id": 8, "phone": 41791234567}}, "$.customer.phone", lambda o: o.id, "73"),
    (CUSTOM, {"test": "false"}, "$.test", lambda o: o.id, "73"),
    (CUSTOM, {"clicks": {"gclid": "two words"}}, "$.clicks.gclid", lambda o: o.id, "73"),
    (CUSTOM, {"utm": {"campaign": 2026}}, "$.utm.campaign", lambda o: o.id, "73"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("platform", "fields", "path", "says", "expected"),
    CASES,
    ids=[f"{case[0]} {case[2]} {n}" for n, case in enumerate(CASES)],
)
def test_an_odd_leaf_is_read_by_its_meaning_or_as_missing_and_named(
    platform: Platform, fields: dict[str, Any], path: str, says: Callable[[Order], Any], expected: Any
) -> None:
    order, found = of_order(platform, **fields)
    assert path in found.odd_leaves
    assert says(order) == expected
    assert [event.type.value for event in found.events if event.type.value == "order.paid"] == ["order.paid"]
    assert str(order.total) == "64.00"


@pytest.mark.parametrize(
    "meta",
    [
        {"1": {"id": 1, "key": "_gclid", "value": "Cj0KCQ-odd-1"}},
        {"_gclid": "Cj0KCQ-odd-1"},
        {"id": 1, "key": "_gclid", "value": "Cj0KCQ-odd-1"},
        [[], ["_gclid", "Cj0KCQ-odd-1"]],
        [[{"key": "_gclid", "value": "Cj0KCQ-odd-1"}]],
        [None, {"key": 7, "value": 8}, {"key": "_gclid", "value": "Cj0KCQ-odd-1"}],
        [{"key": "_gclid", "value": "Cj0KCQ-odd-1"}, {"key": "_note", "value": HALF}],
        [{"key": "_gclid", "value": "Cj0KCQ-odd-1"}, {"key": "_factor", "value": "HUGE"}],
    ],
    ids=["PHP's array", "names with values", "one entry alone", "pairs", "a list in a list", "null", "half an emoji", "huge"],
)  # fmt: skip
def test_meta_data_in_every_shape_still_holds_the_click(meta: Any) -> None:
    text = json.dumps(woo_order(meta_data="META")).replace('"META"', _dumped(meta)).encode()
    found = understood(WOO, "order.updated", text)
    assert [click.id for event in found.events for click in event.clicks] == ["Cj0KCQ-odd-1"] * 2
    assert found.odd_leaves


def _dumped(value: Any) -> str:
    """`json.dumps`, which refuses whole numbers of 5,000 digits as Python does."""
    return json.dumps(value).replace('"HUGE"', "1" * 5_000)


@pytest.mark.parametrize(
    ("platform", "topic", "body", "key", "odd"),
    [
        (SHOPIFY, "refunds/create", {"id": 5, "order_id": 71, "created_at": "2026-11-20T10:00:00Z", "note": 5, "transactions": [{"kind": "refund", "status": "success", "amount": "4.00"}], "refund_line_items": {}}, "order.refunded:71:5", ["$.note", "$.refund_line_items"]),
        (SHOPIFY, "customers/create", {"id": 8, "created_at": "2026-11-20T10:00:00Z", "phone": 5, "tags": 7}, "customer.created:8", ["$.phone", "$.tags"]),
        (SHOPIFY, "checkouts/create", {"token": "t1", "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "total_price": "1", "line_items": "", "buyer_accepts_marketing": "0"}, "checkout.started:t1", ["$.buyer_accepts_marketing", "$.line_items"]),
        (SHOPIFY, "carts/update", {"token": "t2", "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "line_items": [{"key": 9, "quantity": "1"}]}, "cart.item_added:t2:9", ["$.line_items[].key", "$.line_items[].quantity"]),
        (SHOPIFY, "subscription_contracts/create", {"id": 6, "status": "active", "billing_policy": {"interval": "month", "interval_count": "1"}}, "subscription.started:6", ["$.billing_policy.interval_count"]),
        (SHOPIFY, "subscription_billing_attempts/success", {"subscription_contract_id": 6, "order_id": 71, "error_code": 0}, "subscription.renewed:order:71:71", ["$.error_code"]),
        (WOO, "order_refund", {"id": 5, "parent_id": 72, "amount": "4.00", "date_created_gmt": "2026-11-20T10:00:00", "reason": False, "_links": []}, "order.refunded:72:5", ["$.reason", "$._links"]),
        (WOO, "customer.created", {"id": 8, "date_created_gmt": "2026-11-20T10:00:00", "role": ["customer"], "date_modified_gmt": "0000-00-00T00:00:01"}, "customer.created:8", ["$.role"]),
        (WOO, "subscription.updated", {"id": 6, "status": "active", "start_date_gmt": False, "date_created_gmt": "2026-11-20T10:00:00", "billing_period": 1, "meta_data": {}}, "subscription.started:6", ["$.start_date_gmt", "$.billing_period", "$.meta_data"]),
        (CUSTOM, "order.refunded", {"type": "order.refunded", "occurred_at": "2026-11-20T10:00:00Z", "refund": {"id": 5, "order_id": 73, "amount": "4", "reason": 1, "items": {"0": {"quantity": "1"}}}}, "order.refunded:73:5", ["$.refund.reason", "$.refund.items", "$.refund.items[].quantity"]),
        (CUSTOM, "subscription.started", {"type": "subscription.started", "occurred_at": "2026-11-20T10:00:00Z", "subscription": {"id": 6, "interval_count": "12"}}, "subscription.started:6", ["$.subscription.interval_count"]),
        (CUSTOM, "checkout.started", {"type": "checkout.started", "occurred_at": "2026-11-20T10:00:00Z", "cart": {"token": 9, "items": ""}}, "checkout.started:9", ["$.cart.items"]),
        (CUSTOM, "customer.created", {"type": "customer.created", "occurred_at": "2026-11-20T10:00:00Z", "customer": {"id": 8, "tags": {"0": "a"}, "accepts_marketing": "yes"}}, "customer.created:8", ["$.customer.tags", "$.customer.accepts_marketing"]),
    ],
    ids=str,
)  # fmt: skip
def test_every_kind_of_body(platform: Platform, topic: str, body: dict[str, Any], key: str, odd: list[str]) -> None:
    found = understood(platform, topic, body)
    assert ([event.key for event in found.events], sorted(found.odd_leaves)) == ([key], sorted(odd))


ESSENTIAL = [
    *((SHOPIFY, path) for path in ("id", "total_price", "currency", "created_at", "updated_at", "financial_status")),
    *((WOO, path) for path in ("id", "status", "total", "currency", "date_created_gmt", "date_modified_gmt", "date_paid_gmt")),
    *((CUSTOM, path) for path in ("type", "occurred_at", "order.id", "order.total", "order.currency")),
]  # fmt: skip


@pytest.mark.parametrize("value", [True, {"a": 1}, [1], f"2026{HALF}"], ids=["true", "object", "list", "half an emoji"])
@pytest.mark.parametrize(("platform", "path"), ESSENTIAL)
def test_an_essential_leaf_stays_strict(platform: Platform, path: str, value: Any) -> None:
    topic, build = BUILDERS[platform]
    body = build()
    *above, name = path.split(".")
    (body[above[0]] if above else body)[name] = value
    found = understood(platform, topic, body)
    assert (found.outcome, found.reason) == (Outcome.PARKED, "wrong_shape")
    assert f"`$.{path}`" in (found.detail or "")


def test_a_cancellation_that_cannot_be_read_parks_the_order() -> None:
    for value in ("soon", 5, {}, "0000"):
        found = understood(SHOPIFY, "orders/updated", shopify_order(cancelled_at=value))
        assert "`$.cancelled_at`" in (found.detail or ""), value


@pytest.mark.parametrize("value", ["", "  ", "0000-12-31T18:03:24-05:50"])
def test_what_plainly_says_none_is_none_where_essential_leaves_may_be_none(value: str) -> None:
    order, found = of_order(SHOPIFY, cancelled_at=value)
    assert (order.cancelled_at, found.odd_leaves) == (None, ("$.cancelled_at",))
    order, found = of_order(CUSTOM, order={"cancelled_at": value})
    assert (order.cancelled_at, found.odd_leaves) == (None, ("$.order.cancelled_at",))
    for name in ("created_at", "updated_at"):
        assert understood(SHOPIFY, "orders/updated", shopify_order(**{name: value})).reason == "wrong_shape"


@pytest.mark.parametrize("name", ["gift_cards", "pw_gift_cards_redeemed"])
def test_an_empty_amount_of_a_gift_card_is_none(name: str) -> None:
    order, found = of_order(WOO, **{name: [{"id": 1, "amount": ""}, {"id": 2, "amount": "5.00"}]})
    assert (order.gift_card, found.odd_leaves) == (Decimal(5), (f"$.{name}[].amount",))


@pytest.mark.parametrize("value", ["-0001-11-30T00:00:00", "-0001-11-30 00:00:00"])
def test_the_zero_date_as_php_reads_it_means_never(value: str) -> None:
    order, found = of_order(WOO, status="on-hold", date_paid_gmt=value, date_paid=value, date_completed_gmt=value)
    assert (order.paid_at, order.fulfillment_status, found.odd_leaves) == (None, None, ())
    assert understood(WOO, "order.updated", woo_order(date_created_gmt=value)).reason == "wrong_shape"


def test_any_other_date_of_the_year_0_is_none_and_counted() -> None:
    value = "0000-12-31T18:03:24"
    order, found = of_order(WOO, status="on-hold", date_paid_gmt=value, date_completed_gmt=value, date_paid=None)
    assert (order.paid_at, order.fulfillment_status) == (None, None)
    assert found.odd_leaves == ("$.date_paid_gmt", "$.date_completed_gmt")
    assert understood(WOO, "order.updated", woo_order(date_created_gmt=value)).reason == "wrong_shape"


def test_a_line_that_does_not_say_how_many_has_no_total() -> None:
    for odd in ({}, {"quantity": {}}, {"quantity": None}):
        item = {"id": 1, "price": "50.00"} | odd
        assert of_order(SHOPIFY, line_items=[item])[0].items[0].total is None


def test_a_refund_whose_money_cannot_be_read_parks_the_order() -> None:
    moved = {"kind": "refund", "status": "success", "amount": {}}
    found = understood(SHOPIFY, "orders/updated", shopify_order(refunds=[{"id": 5, "transactions": [moved]}]))
    assert "`$.refunds[].transactions[].amount`" in (found.detail or "")
    found = understood(WOO, "order.updated", woo_order(refunds=[{"id": 5, "total": ""}]))
    assert "`$.refunds[].total`" in (found.detail or "")


def test_the_zero_date_of_mysql_means_never() -> None:
    order, found = of_order(
        WOO, status="pending", date_paid_gmt="0000-00-00T00:00:00", date_completed_gmt="0000-00-00 00:00:00", date_paid=None
    )  # fmt: skip
    assert (order.paid_at, order.fulfillment_status, found.odd_leaves) == (None, None, ())


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "'x'", "undefined", "01", "1,"])
def test_what_is_no_json_is_not_read_tolerantly(word: str) -> None:
    for platform, (topic, build) in BUILDERS.items():
        text = json.dumps(build(tags="ODD")).replace('"ODD"', word)
        assert understood(platform, topic, text.encode()).reason in {"unreadable_body", "wrong_shape"}
        assert "tags" not in text or not understood(platform, topic, text.encode()).events


def test_a_byte_order_mark_and_bytes_that_are_no_utf_8() -> None:
    text = json.dumps(woo_order(created_via="Hei")).encode()
    assert understood(WOO, "order.updated", b"\xef\xbb\xbf" + text).order is not None
    found = understood(WOO, "order.updated", text.replace(b"Hei", b"H\xe4i"))
    assert (found.order is not None, found.odd_leaves) == (True, ("$.created_via",))


def test_names_that_somebody_typed_do_not_stand_in_paths() -> None:
    found = understood(WOO, "order.updated", woo_order(extra={"a@b.example": HALF}, **{"note for Lena 7": HALF}))
    assert found.odd_leaves == ("$.*",)


def test_consent_that_a_custom_sender_writes_as_true_or_false_is_heard() -> None:
    found = understood(CUSTOM, "order.paid", custom_order(consent={"ad_user_data": False, "ad_storage": "granted"}))
    assert found.events[0].consent is not None
    assert found.events[0].consent.ad_user_data.value == "denied"


def test_the_command_names_odd_leaves() -> None:
    answer = msgspec.json.decode(understood_line(WOO, "order.updated", json.dumps(woo_order(total_tax="")).encode()))
    assert answer["odd"] == ["$.total_tax"]
    assert "odd" not in msgspec.json.decode(understood_line(WOO, "order.updated", json.dumps(woo_order()).encode()))
