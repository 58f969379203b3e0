"""BigCommerce: whose hook it is, which order it names, and the times and payments of an order as it was read."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.errors import NotUnderstood
from custom_events.platforms import mentions
from custom_events.platforms.base import Secret
from custom_events.platforms.bigcommerce.delivery import order_of
from custom_events.platforms.bigcommerce.order_facts import moment_of
from custom_events.platforms.bigcommerce.signature import TOKEN
from custom_events.platforms.bigcommerce.topics import HANDLERS, HINTS, IGNORED, ORDER_READ, SUBSCRIBED
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import (
    ORDER_TO_BE_READ,
    Outcome,
    Platform,
    RawDelivery,
    Refusal,
    SiteContext,
    Understood,
)
from custom_events.values.events import EventType
from custom_events.values.forgotten import SubjectKind

BIGCOMMERCE = PLATFORMS[Platform.BIGCOMMERCE]
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
HOOK = b'{"scope":"store/order/updated","store_id":"1","data":{"type":"order","id":118},"hash":"ab","created_at":1795600711}'
OLD, NEW = b"the old token", b"the new token"
SAMPLE = Path(__file__).parent / "samples" / "bigcommerce" / "order.read--paid_by_card.json"
SITE = SiteContext(site_id=1, platform=Platform.BIGCOMMERCE, currency="EUR")


def check(token: str | None, secrets: tuple[bytes, ...] = (OLD, NEW)) -> Refusal | None:
    headers = {} if token is None else {TOKEN: token}
    return BIGCOMMERCE.check(headers, HOOK, [Secret(value=value) for value in secrets], NOW, 300)


def read(**order: Any) -> Understood:
    body = json.loads(SAMPLE.read_text())
    parts = order.pop("parts", {})
    body["order"] |= order
    return BIGCOMMERCE.understand(RawDelivery(topic=ORDER_READ, body=json.dumps(body | parts).encode()), SITE)


def happened(understood: Understood) -> dict[EventType, datetime]:
    return {event.type: event.occurred_at for event in understood.events}


@pytest.mark.parametrize("token", [OLD.decode(), NEW.decode(), f" {NEW.decode()}\t"])
def test_two_tokens_are_good_at_once(token: str) -> None:
    assert check(token) is None


@pytest.mark.parametrize(
    ("token", "refusal"),
    [
        (None, Refusal.NO_SIGNATURE),
        (" ", Refusal.NO_SIGNATURE),
        ("the new toke", Refusal.WRONG_SIGNATURE),
        ("the new token2", Refusal.WRONG_SIGNATURE),
        ("häßlich", Refusal.WRONG_SIGNATURE),
        ("\ud800", Refusal.WRONG_SIGNATURE),
        (f"{NEW.decode()}\xa0", Refusal.WRONG_SIGNATURE),  # blanks and tabs alone are no part of a value
        ("x" * 255, Refusal.WRONG_SIGNATURE),
        ("x" * 256, Refusal.MALFORMED_SIGNATURE),
    ],
)
def test_other_tokens_are_refused(token: str | None, refusal: Refusal) -> None:
    assert check(token) is refusal


def test_a_site_without_a_token_takes_nothing_and_no_token_is_kept() -> None:
    assert check(OLD.decode(), ()) is Refusal.WRONG_SIGNATURE
    assert TOKEN not in BIGCOMMERCE.kept_headers
    assert not BIGCOMMERCE.is_handshake({}, b"")


def test_a_hook_says_its_scope_and_when_and_the_same_again_is_the_same_delivery() -> None:
    described = BIGCOMMERCE.describe({}, HOOK)
    assert (described.topic, described.triggered_at) == ("store/order/updated", datetime.fromtimestamp(1795600711, UTC))
    assert described.delivery_id is None, "its hash may be that of another change of the order"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"scope":7}', b'{"scope":"store/order/created","created_at":1e300}', b"\xff", b"[" * 100_000]
)
def test_an_unreadable_body_has_no_topic(body: bytes) -> None:
    assert BIGCOMMERCE.describe({}, body).topic is None


def test_no_delivery_passes_for_an_order_that_we_read() -> None:
    body = json.loads(SAMPLE.read_text()) | {"scope": ORDER_READ}
    assert BIGCOMMERCE.describe({}, json.dumps(body).encode()).topic is None


@pytest.mark.parametrize(
    ("data", "order_id"),
    [
        ({"type": "order", "id": 118}, "118"),
        ({"type": "order", "id": "118"}, "118"),
        ({"type": "transaction", "order_id": "118", "transaction_id": "9"}, "118"),
        ({"type": "metafield", "metafield_id": 14, "resource_id": "270"}, "270"),
        ({"type": "cart", "id": 118}, None),
        ({"type": "order", "id": "../customers"}, None),
        ({"type": "order", "id": True}, None),
        ({"type": "order", "id": 0}, None),
        ({"type": "order", "id": "²"}, None),
        ({"type": "order", "id": "１１８"}, None),
        ({"type": "order", "id": None, "order_id": None, "resource_id": 270}, "270"),
        ({}, None),
    ],
)
def test_which_order_a_hook_names(data: dict[str, Any], order_id: str | None) -> None:
    assert order_of(json.dumps({"data": data}).encode()) == order_id


@given(st.binary())
def test_any_bytes_name_an_order_or_none(body: bytes) -> None:
    assert order_of(body) is None or order_of(body)


def test_what_a_hook_becomes() -> None:
    for scope in SUBSCRIBED:
        assert scope in HINTS
        found = BIGCOMMERCE.understand(RawDelivery(topic=scope, body=HOOK), SITE)
        assert (found.outcome, found.reason, found.events) == (Outcome.IGNORED, ORDER_TO_BE_READ, ())
    for scope, reason in (
        ("store/order/archived", "no_conversion"),
        ("store/order/anything/new", "no_conversion"),
        ("store/product/updated", "product_topic"),
    ):
        assert BIGCOMMERCE.understand(RawDelivery(topic=scope, body=HOOK), SITE).reason == reason
    for topic in (None, "store", "store/", "else/order/created"):
        assert BIGCOMMERCE.understand(RawDelivery(topic=topic, body=HOOK), SITE).reason == "unknown_topic"
    assert not HANDLERS.keys() & IGNORED.keys()


def test_a_hook_tells_of_its_order_whoever_asks_to_be_forgotten() -> None:
    assert mentions.of_body(HOOK, "store/order/updated") == {(SubjectKind.ORDER, "118")}


@pytest.mark.parametrize(
    "value",
    [
        "Wed, 25 Nov 2026 11:00:00 +0100",
        "25 Nov 2026 10:00:00 +0000",
        "2026-11-25T10:00:00Z",
        "2026-11-25T11:00:00+01:00",
    ],
)
def test_times_of_both_apis(value: str) -> None:
    assert moment_of(value, "$.x") == NOW


@pytest.mark.parametrize("value", [None, "", " ", "Sun, 30 Nov -0001 00:00:00 +0000"])
def test_times_that_never_were(value: str | None) -> None:
    assert moment_of(value, "$.x") is None


@pytest.mark.parametrize("value", ["soon", "Wed, 99 Nov 2026 11:00:00 +0100", "Wed, 01 Jan 0001 00:00:00 +1400"])
def test_what_is_no_time(value: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        moment_of(value, "$.x")
    assert refused.value.path == "$.x"


@pytest.mark.parametrize("name", ["date_created", "date_modified"])
def test_an_order_without_its_times_is_parked(name: str) -> None:
    assert f"`$.order.{name}`" in (read(**{name: ""}).detail or "")


@pytest.mark.parametrize(
    ("status_id", "payment_status", "is_paid", "word"),
    [
        (1, "", False, "pending"),
        (7, "authorized", False, "authorized"),
        (6, "declined", False, "pending"),
        (5, "void", False, "voided"),
        (5, "captured", True, "paid"),
        (11, "authorized", True, "paid"),
        (12, "held for review", False, "pending"),
        (14, "partially refunded", True, "partially_refunded"),
        (4, "", False, "refunded"),
    ],
)
def test_when_an_order_counts_as_paid(status_id: int, payment_status: str, is_paid: bool, word: str) -> None:
    found = read(status_id=status_id, payment_status=payment_status, parts={"transactions": []})
    assert found.order is not None
    assert (found.order.paid_at is not None, found.order.financial_status) == (is_paid, word)
    assert (EventType.ORDER_PAID in happened(found)) is is_paid
    assert (EventType.ORDER_CANCELLED in happened(found)) is (status_id in {5, 6})


def test_only_payments_that_went_through_say_when() -> None:
    lost = {"event": "capture", "status": "error", "date_created": "2026-11-20T09:00:00Z"}
    later = {"event": "settled", "status": "ok", "date_created": "2026-11-20T12:00:00Z"}
    found = read(parts={"transactions": [lost, later]})
    assert happened(found)[EventType.ORDER_PAID] == datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_amounts_are_exact_and_in_what_the_shopper_pays() -> None:
    found = read(total_inc_tax="0.1000", default_currency_code="USD", currency_code="EUR").order
    assert found is not None
    assert (found.total, found.currency) == (Decimal("0.1"), "USD")
    assert read(total_inc_tax="-1").reason == "total_below_zero"
    free = read(discount_amount=None, coupon_discount=None, default_currency_code=None).order
    assert free is not None
    assert (free.discount, free.currency) == (None, "EUR")


@pytest.mark.parametrize(("total", "declined"), [(-1, 0), (1, 2)])
def test_a_refund_below_nothing_is_parked(total: int, declined: int) -> None:
    refund = {"id": 1, "total_amount": total, "payments": [{"amount": declined, "is_declined": True}]}
    assert read(parts={"refunds": [refund]}).reason == "wrong_shape"


def test_what_shopper_and_staff_wrote_is_nowhere() -> None:
    found = repr(read())
    assert "Lindqvist" not in found
    assert "door" not in found


def test_instructions_name_every_hook_and_the_header() -> None:
    lines = "\n".join(BIGCOMMERCE.instructions("key", "https://here/webhooks/bigcommerce/key"))
    assert all(scope in lines for scope in SUBSCRIBED)
    assert "X-Custom-Events-Token" in lines
    assert "https://here/webhooks/bigcommerce/key" in lines
