"""Stripe: who signed, what a delivery is, amounts without decimals, and one order told by several kinds of events."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from custom_events.platforms.base import Secret
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.stripe import signature
from custom_events.platforms.stripe.money import money
from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood
from custom_events.values.events import EventType

STRIPE = PLATFORMS[Platform.STRIPE]
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
WINDOW_S = 300
BODY = b'{"id":"evt_1","type":"invoice.paid","created":1795600000,"api_version":"2026-10-28.clover"}'
OLD, NEW = b"whsec_old", b"whsec_new"
SECRETS = (Secret(value=OLD), Secret(value=NEW))
SAMPLES = Path(__file__).parent / "samples" / "stripe"
SITE = SiteContext(site_id=1, platform=Platform.STRIPE, currency="EUR")


def check(header: str | None, body: bytes = BODY) -> Refusal | None:
    headers = {} if header is None else {signature.SIGNATURE: header}
    return STRIPE.check(headers, body, SECRETS, NOW, WINDOW_S)


def sample(name: str, **changed: Any) -> Understood:
    body = json.loads((SAMPLES / f"{name}.json").read_text())
    body["data"]["object"] |= changed
    return STRIPE.understand(RawDelivery(topic=body["type"], body=json.dumps(body).encode()), SITE)


def test_a_signature_is_made_as_stripe_describes_it() -> None:
    message = b"1795600800." + BODY
    header = f"t=1795600800,v1={hmac.new(NEW, message, hashlib.sha256).hexdigest()}"
    now = datetime.fromtimestamp(1795600800, UTC)
    assert signature.sign(BODY, NEW, now) == header
    assert STRIPE.check({signature.SIGNATURE: header}, BODY, SECRETS, now, WINDOW_S) is None


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_each_secret_signs_while_they_are_rolled(secret: bytes) -> None:
    assert check(signature.sign(BODY, secret, NOW)) is None
    both = f"{signature.sign(BODY, b'another', NOW)},v1={signature.sign(BODY, secret, NOW).rpartition('=')[2]},v0=00"
    assert check(both) is None


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        (None, Refusal.NO_SIGNATURE),
        (" ", Refusal.NO_SIGNATURE),
        ("v1=" + "0" * 64, Refusal.MALFORMED_SIGNATURE),
        ("t=soon,v1=" + "0" * 64, Refusal.MALFORMED_SIGNATURE),
        ("t=1795600800", Refusal.MALFORMED_SIGNATURE),
        ("t=1795600800,v1=zz", Refusal.MALFORMED_SIGNATURE),
        ("t=1795600800,v0=" + "0" * 64, Refusal.MALFORMED_SIGNATURE),
        ("t=1795600800,v1=" + "0" * 64, Refusal.WRONG_SIGNATURE),
        ("t=1,t=2," * 500, Refusal.MALFORMED_SIGNATURE),
        ("\xa0", Refusal.MALFORMED_SIGNATURE),  # blanks and tabs alone are no part of a value
    ],
)
def test_what_is_wrong_is_refused_by_its_name(header: str | None, refusal: Refusal) -> None:
    assert check(header) is refusal


def test_the_time_is_signed_and_may_not_be_old() -> None:
    signed = signature.sign(BODY, NEW, NOW)
    assert check(signed.replace("t=1", "t=2")) is Refusal.WRONG_SIGNATURE
    assert check(signed, BODY + b" ") is Refusal.WRONG_SIGNATURE
    for age_s, refusal in ((WINDOW_S, None), (WINDOW_S + 1, Refusal.TOO_OLD)):
        for moment in (NOW - timedelta(seconds=age_s), NOW + timedelta(seconds=age_s)):
            assert check(signature.sign(BODY, NEW, moment)) is refusal


def test_a_delivery_is_described_by_its_body() -> None:
    delivery = STRIPE.describe({}, BODY)
    assert (delivery.topic, delivery.delivery_id, delivery.event_id) == ("invoice.paid", "evt_1", "evt_1")
    assert delivery.triggered_at == datetime(2026, 11, 25, 9, 46, 40, tzinfo=UTC)
    assert delivery.api_version == "2026-10-28.clover"
    for unreadable in (b"", b"[]", b'{"id": 7}', b'{"created": 1e99}', b'{"created": 99999999999999999}', b"\xff"):
        assert STRIPE.describe({}, unreadable).topic is None
    timeless = STRIPE.describe({}, b'{"id": "evt_1"}')
    assert (timeless.delivery_id, timeless.triggered_at) == ("evt_1", None)
    assert not STRIPE.is_handshake({}, BODY)


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [
        ("9550", "EUR", "95.50"),
        ("1200", "JPY", "1200"),
        ("12345", "KWD", "12.345"),
        ("50000", "UGX", "500.00"),
        ("0", "ISK", "0.00"),
    ],
)
def test_amounts_are_in_stripes_smallest_units(minor: str, currency: str, amount: str) -> None:
    assert str(money(Decimal(minor), currency, "$")) == amount


def test_a_session_and_its_invoice_tell_of_one_order() -> None:
    by_session = sample("checkout.session.completed--of_subscription")
    by_invoice = sample("invoice.paid--first")
    paid = [
        next(event for event in understood.events if event.type is EventType.ORDER_PAID)
        for understood in (by_session, by_invoice)
    ]
    assert paid[0].key == paid[1].key
    assert paid[0].amount == paid[1].amount == Decimal("248.75")
    assert paid[0].clicks[0].id == "Cj0KCQiA-stripe-one"


def test_a_refund_of_a_payment_lowers_the_order_that_its_session_made() -> None:
    order = sample("checkout.session.completed--one_time").order
    (refund,) = sample("refund.created--part").refunds
    (failed,) = sample("refund.updated--failed").refunds
    assert order is not None
    assert refund.order_id == failed.order_id == order.id
    assert (refund.amount, refund.has_failed, failed.has_failed) == (Decimal("25.50"), False, True)


def test_a_credit_note_lowers_the_invoice_until_it_is_voided() -> None:
    invoice = sample("invoice.paid--first").order
    (note,) = sample("credit_note.created--part").refunds
    (voided,) = sample("credit_note.voided--part").refunds
    assert invoice is not None
    assert note.order_id == invoice.id
    assert (note.amount, note.has_failed, voided.has_failed) == (Decimal(100), False, True)


def test_a_charge_and_a_credit_note_tell_of_one_refund() -> None:
    """Before API version 2025-03-31 the charge names its invoice, and the note its refund."""
    (note,) = sample("credit_note.created--part", refund="re_of_both").refunds
    refund = {"id": "re_of_both", "amount": 10000, "currency": "eur", "created": 1767225600, "status": "succeeded"}
    charge = {"refunds": {"data": [refund]}, "invoice": note.order_id}
    understood = sample("charge.refunded--lists", **charge)
    (of_charge,) = understood.refunds
    assert (of_charge.order_id, of_charge.id) == (note.order_id, note.id)
    assert understood.events[0].key == sample("credit_note.created--part", refund="re_of_both").events[0].key


def test_a_renewal_has_no_click_of_the_first_order_but_may_have_its_own() -> None:
    assert all(not event.clicks for event in sample("invoice.paid--renewal").events)
    own = sample("invoice.paid--renewal", metadata={"gclid": "Cj0KCQiA-own-of-this-period"})
    assert {click.id for event in own.events for click in event.clicks} == {"Cj0KCQiA-own-of-this-period"}
