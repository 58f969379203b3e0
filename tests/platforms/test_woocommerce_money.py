"""What WooCommerce's bodies say of money: taxes, gift cards, fees, refunds, payments that were lost, test modes, parts of orders."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.woocommerce.payments import TEST_MODES
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, Understood
from custom_events.values.events import Order
from tests.platforms.conftest import site
from tests.platforms.money_bodies import Body, woo_line, woo_order

WOO = Platform.WOOCOMMERCE
D = Decimal
HAT = woo_line(1, "18.00")


def read(body: bytes, topic: str = "order.updated", **settings: Any) -> Understood:
    return PLATFORMS[WOO].understand(RawDelivery(topic=topic, body=body), site(WOO, **settings))


def order_of(total: str, *lines: Body, **fields: Any) -> Order:
    understood = read(woo_order(total, *lines, **fields))
    assert understood.order is not None, understood.detail
    return understood.order


def kinds(understood: Understood) -> list[str]:
    return [event.type.value for event in understood.events]


# ---------------------------------------------------------------- parts of the total
def test_parts_are_without_tax_whatever_the_shops_prices_are() -> None:
    hats = woo_line(1, "100.00", 2, subtotal="110.00", total_tax="19.00")
    for is_included in (True, False):
        order = order_of(
            "124.95", hats, prices_include_tax=is_included, total_tax="19.95", shipping_total="5.00", shipping_tax="0.95",
            discount_total="10.00", discount_tax="1.90",
        )  # fmt: skip
        assert order.taxes_included is False
        assert (order.total, order.tax) == (D("124.95"), D("19.95"))
        assert (order.shipping, order.shipping_tax) == (D(5), D("0.95"))
        assert (order.discount, order.discount_tax) == (D(10), D("1.90"))
        assert (order.items[0].total, order.items[0].tax, order.items[0].discount) == (D(100), D(19), D(10))


def test_fees_are_of_the_total_and_of_no_part() -> None:
    fees = [
        {"id": 60, "name": "Wrapping", "total": "5.00"},
        {"id": 61, "name": "Loyal", "total": "-2.00", "total_tax": "0.00"},
    ]
    order = order_of("21.00", HAT, fee_lines=fees)
    assert (order.total, order.subtotal, order.shipping, order.discount) == (D(21), D(18), D(0), D(0))


@pytest.mark.parametrize(
    ("fields", "card"),
    [
        ({"gift_cards": [{"id": 2, "code": "X", "amount": 20}, {"id": 4, "code": "Y", "amount": 4}]}, "24.00"),
        ({"gift_cards": [{"id": 2, "code": "X", "amount": 24.000000000000004}]}, "24.00"),
        ({"pw_gift_cards_redeemed": [{"number": "X", "amount": "24.00"}], "gift_cards": []}, "24.00"),
        ({"meta_data": [{"key": "_ywgc_applied_gift_cards_totals", "value": "24"}]}, "24.00"),
        ({"meta_data": [{"key": "_ywgc_applied_gift_cards_totals", "value": 24.0}]}, "24.00"),
        ({"meta_data": [{"key": "_ywgc_applied_gift_cards_totals", "value": ["24"]}]}, None),
        ({"meta_data": [{"key": "_ywgc_applied_gift_cards_totals", "value": "none"}]}, None),
        ({"meta_data": [{"key": "_ywgc_applied_gift_cards_totals", "value": "1e99"}]}, None),
        ({"meta_data": [{"key": "_ywgc_applied_gift_cards_totals", "value": 0}]}, None),
        ({"gift_cards": []}, None),
        ({"gift_cards": [{"id": 2, "code": "X"}]}, None),
    ],
    ids=str,
)  # fmt: skip
def test_a_gift_card_is_a_way_of_paying(fields: Body, card: str | None) -> None:
    order = order_of("4.00", HAT, shipping_total="10.00", **fields)
    assert order.gift_card == (None if card is None else D(card))
    assert order.total == order.paid_amount == (D(4) if card is None else D(28))


def test_a_gift_card_may_pay_it_all() -> None:
    understood = read(woo_order("0.00", HAT, gift_cards=[{"id": 1, "amount": 18}]))
    assert understood.order is not None
    assert (understood.order.total, understood.order.gift_card) == (D(18), D(18))
    assert "order.paid" in kinds(understood)


def test_noise_of_binary_numbers() -> None:
    item = order_of("119.40", woo_line(1, "119.40", 6) | {"price": 19.900000000000002}).items[0]
    assert str(item.price) == "19.90"


@pytest.mark.parametrize(("total", "reason"), [("-1.00", "total_below_zero"), ("1e15", "amount_too_large")])
def test_a_total_that_cannot_be_one_is_parked_with_its_own_reason(total: str, reason: str) -> None:
    understood = read(woo_order(total, HAT))
    assert (understood.outcome, understood.reason) == (Outcome.PARKED, reason)


# ---------------------------------------------------------------- refunds
def test_refunded_without_an_entry_leaves_nothing() -> None:
    order = order_of("50.00", HAT, status="refunded")
    assert (order.current_total, order.refunded, order.financial_status) == (D(0), None, "refunded")
    with_entry = order_of("50.00", HAT, status="refunded", refunds=[{"id": 9, "total": "-50.00"}])
    assert (with_entry.current_total, with_entry.refunded) == (D(0), D(50))
    again = order_of("50.00", HAT, status="completed")
    assert (again.current_total, again.lists_refunds) == (None, True)
    assert order_of("50.00", HAT, refunds=None).lists_refunds is False


def test_an_order_that_was_never_paid_is_not_paid_by_its_refund() -> None:
    fields = {"status": "refunded", "date_paid_gmt": None, "refunds": [{"id": 9, "total": "-18.00"}]}
    understood = read(woo_order("18.00", HAT, **fields))
    assert kinds(understood) == ["order.created"]
    assert [one.amount for one in understood.refunds] == [D(18)]
    assert understood.order is not None
    assert (understood.order.paid_at, understood.order.paid_amount) == (None, None)
    # A date, and cash on delivery that may have been paid without one.
    assert kinds(read(woo_order("18.00", HAT, **fields | {"date_paid_gmt": "2026-10-01T10:00:20"}))) == [
        "order.created", "order.paid", "order.refunded",
    ]  # fmt: skip
    assert kinds(read(woo_order("18.00", HAT, **fields, payment_method="cod"))) == ["order.created", "order.refunded"]


def refund_resource(**fields: Any) -> bytes:
    resource = {
        "id": 8001,
        "date_created_gmt": "2026-10-02T10:00:00",
        "amount": "25.00",
        "parent_id": 7001,
        "line_items": [woo_line(9, "-25.00", -1, total_tax="-4.75", subtotal="-27.00", price=25)],
    }
    return msgspec.json.encode(resource | fields)


def test_lines_of_a_refund_are_positive_and_in_the_orders_currency() -> None:
    understood = read(refund_resource(), "order_refund")
    refund = understood.refunds[0]
    item = refund.items[0]
    assert (item.quantity, item.total, item.tax, item.discount, item.price) == (1, D(25), D("4.75"), D(2), D(25))
    assert (refund.amount, refund.currency, refund.shipping) == (D(25), None, None)
    assert refund.seen_at == refund.created_at


def test_a_refund_of_shipping_only() -> None:
    lines = [{"method_title": "Flat rate", "total": "-7.00", "total_tax": "-0.62"}, {"total": None}]
    refund = read(refund_resource(amount="7.62", line_items=[], shipping_lines=lines), "order_refund").refunds[0]
    assert (refund.amount, refund.shipping, refund.items) == (D("7.62"), D("7.62"), ())


def test_refunds_of_an_order_are_as_new_as_its_body() -> None:
    understood = read(woo_order("18.00", HAT, refunds=[{"id": 9, "total": "-5.00"}, {"id": 10, "total": "0.00"}]))
    assert understood.order is not None
    assert [(one.id, one.amount, one.seen_at) for one in understood.refunds] == [
        ("9", D(5), understood.order.updated_at)
    ]
    assert understood.order.paid_amount == D(13)


# ---------------------------------------------------------------- payments
@pytest.mark.parametrize("status", ["failed", "on-hold"])
def test_a_payment_that_is_awaited_again_was_lost(status: str) -> None:
    understood = read(woo_order("18.00", HAT, status=status))
    assert understood.order is not None
    assert understood.order.payment_lost_at == understood.order.updated_at
    assert understood.order.paid_amount is None
    assert "order.paid" in kinds(understood)  # it happened
    assert order_of("18.00", HAT, status=status, date_paid_gmt=None).payment_lost_at is None


def test_a_paid_order_has_its_payment() -> None:
    for status in ("processing", "completed", "refunded", "cancelled", "my-own"):
        assert order_of("18.00", HAT, status=status).payment_lost_at is None


def test_cash_on_delivery_by_statuses_of_the_shops_own() -> None:
    def paid_at(status: str, **fields: Any) -> str | None:
        body = woo_order("18.00", HAT, status=status, payment_method="cod", **{"date_paid_gmt": None, **fields})
        understood = read(body, cod_paid_when=("delivered", "handed-over"))
        return next((str(event.occurred_at) for event in understood.events if event.type == "order.paid"), None)

    ordered = "2026-10-01 10:00:00+00:00"
    assert paid_at("processing") is None
    assert paid_at("on-hold") is None
    # The same time in every body that shows it.
    assert paid_at("delivered") == paid_at("handed-over") == ordered
    assert (
        paid_at("completed", date_paid_gmt="2026-10-09T10:00:00", date_completed_gmt="2026-10-09T10:00:00") == ordered
    )
    assert "order.paid" in kinds(read(woo_order("18.00", HAT), cod_paid_when=("delivered",))), "not paid by cash"


def test_a_deposit_is_what_was_paid_so_far() -> None:
    meta = [{"key": "_wc_deposits_deposit_paid", "value": "yes"}, {"key": "_wc_deposits_deposit_amount", "value": "30"}]
    deposit = {"status": "partially-paid", "date_paid_gmt": None}
    assert order_of("100.00", HAT, **deposit, meta_data=meta).paid_amount == D(30)
    assert order_of("100.00", HAT, **deposit, meta_data=meta[1:]).paid_amount is None
    dated = deposit | {"date_paid_gmt": "2026-10-01T10:00:20"}
    assert order_of("100.00", HAT, **dated, meta_data=meta).paid_amount == D(30)
    assert order_of("100.00", HAT, **dated).paid_amount == D(100)
    assert order_of("100.00", HAT, meta_data=meta).paid_amount == D(100)


# ---------------------------------------------------------------- test modes
@pytest.mark.parametrize(
    ("key", "value", "is_test"),
    [
        ("_wcpay_mode", "test", True),
        ("_wcpay_mode", "prod", False),
        ("_ppcp_paypal_payment_mode", "sandbox", True),
        ("_ppcp_paypal_payment_mode", "live", False),
        ("_wc_stripe_mode", "test", True),
        ("_mollie_payment_mode", "TEST", True),
        ("_wc_klarna_environment", "eu-test", True),
        ("_wc_klarna_environment", "us-live", False),
        ("_wc_square_credit_card_environment", "sandbox", True),
        ("_wc_square_credit_card_environment", ["sandbox"], False),
        ("_wc_square_credit_card_environment", None, False),
        ("_my_mode", "test", False),
    ],
)
def test_gateways_in_test_mode_sell_nothing(key: str, value: Any, is_test: bool) -> None:
    understood = read(
        woo_order(
            "18.00", HAT, meta_data=[{"id": 1, "key": key, "value": value}], refunds=[{"id": 9, "total": "-1.00"}]
        )
    )
    assert len(understood.events) == 3
    assert all(event.is_test is is_test for event in understood.events)


@pytest.mark.parametrize(
    ("method", "key", "value", "is_test"),
    [
        ("stripe", "_stripe_mode", "test", True),
        ("stripe_sepa", "_stripe_mode", "live", False),
        ("viva", "_viva_environment", "Sandbox", True),
        ("acme-cards", "_wc_acme_env", "us-test", True),
        ("acme", "_acme_test_mode", "yes", True),
        ("acme", "_acme_testmode", 1, True),
        ("acme", "_acme_testmode", "no", False),
        ("acme", "_acme_sandbox", True, True),
        ("acme", "_acme_livemode", "0", True),
        ("acme", "_acme_livemode", "1", False),
        ("acme", "_acme_livemode", "", False),
        ("other", "_paypal_sandbox", "1", True),
        ("acme", "_acme_mode", ["test"], False),
        ("acme", "_ab_test_mode", "yes", False),  # nothing of the payment
        ("acme", "_delivery_mode", "test", False),
        (None, "_delivery_mode", "test", False),
    ],
)
def test_what_other_gateways_say_of_test_mode(method: str | None, key: str, value: Any, is_test: bool) -> None:
    body = woo_order("18.00", HAT, payment_method=method, meta_data=[{"id": 1, "key": key, "value": value}])
    assert {event.is_test for event in read(body).events} == {is_test}


def test_every_test_mode_is_known() -> None:
    for key in TEST_MODES:
        assert read(woo_order("18.00", HAT, meta_data=[{"id": 1, "key": key, "value": "sandbox"}])).events[0].is_test


# ---------------------------------------------------------------- parts of an order
def test_a_vendors_part_of_an_order_is_no_second_sale() -> None:
    body = woo_order("18.00", HAT, id=7002, parent_id=7001, created_via="dokan")
    understood = read(body)
    assert (understood.outcome, understood.reason, understood.events) == (Outcome.IGNORED, "sub_order", ())
    assert "take_sub_orders" in (understood.detail or "")
    taken = read(body, take_sub_orders=True)
    assert kinds(taken) == ["order.created", "order.paid"]
    assert taken.order is not None
    assert taken.order.parent_id == "7001"


@pytest.mark.parametrize(
    ("fields", "parent"),
    [
        ({}, None),
        ({"parent_id": None}, None),
        ({"created_via": "subscription", "meta_data": [{"key": "_subscription_renewal", "value": "31"}]}, "31"),
        ({"created_via": "subscription"}, None),
        ({"created_via": "subscription", "parent_id": 12}, "12"),
        ({"created_via": "wc_deposits", "parent_id": 7000}, "7000"),  # a later payment of an order's deposit
    ],
    ids=str,
)
def test_what_is_a_sale_of_its_own(fields: Body, parent: str | None) -> None:
    order = order_of("18.00", HAT, **fields)
    assert order.parent_id == parent


def test_words_for_no_source_are_none() -> None:
    def utm(**words: str) -> dict[str, str]:
        meta = [{"key": f"_wc_order_attribution_utm_{name}", "value": value} for name, value in words.items()]
        return read(woo_order("18.00", HAT, meta_data=meta)).events[0].utm

    assert utm(source="(direct)", medium="(none)", campaign="(not set)") == {}
    assert utm(source="google", medium="(none)") == {"source": "google"}


def test_a_site_may_take_its_test_orders_as_real_ones() -> None:
    body = woo_order("18.00", HAT, meta_data=[{"id": 1, "key": "_wcpay_mode", "value": "test"}])
    assert {event.is_test for event in read(body).events} == {True}
    assert {event.is_test for event in read(body, take_test_orders=True).events} == {False}
    assert {event.is_test for event in read(woo_order("18.00", HAT), take_test_orders=True).events} == {False}


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"status": "failed"}, False),
        ({"status": "cancelled"}, False),
        ({"status": "pending"}, False),
        ({"status": "on-hold"}, False),
        ({"status": "refunded"}, False),
        ({"status": "failed", "date_paid_gmt": "2026-10-01T10:00:20"}, True),
        ({"status": "refunded", "payment_method": "cod"}, True),  # may have been paid without a date
        ({"status": "processing"}, True),
        ({"status": "shipped"}, True),  # a plugin's own word says nothing of payment
    ],
    ids=str,
)
def test_what_was_never_paid_gave_no_money_back(fields: Body, is_told: bool) -> None:
    entry = [{"id": 31, "reason": "", "total": "-18.00"}]
    understood = read(woo_order("18.00", HAT, **{"date_paid_gmt": None} | fields, refunds=entry))
    assert ("order.refunded" in kinds(understood)) is is_told
    assert [str(one.amount) for one in understood.refunds] == ["18.00"]  # in case that it is paid after all
