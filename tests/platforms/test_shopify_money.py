"""What Shopify's orders say of money: what they are worth now, what was paid for shipping, how it was paid."""

from decimal import Decimal

import pytest

from custom_events.values.deliveries import Outcome
from tests.platforms.money_bodies import Body, back, both, line, refund, shopify_order, transaction
from tests.platforms.money_reading import CUP, MUG, order_of, read

D = Decimal


# ---------------------------------------------------------------- what an order is worth now
def test_an_exchange_lowers_what_is_left_and_keeps_what_was_sold() -> None:
    old, new = line(1, "1893.00"), line(2, "365.00")
    returned = refund(31, transaction("1528.00"), lines=(back(old, 1, "1893.00"),))
    order = order_of("2258.00", old, new, current_total_price="365.00", refunds=[returned])
    assert (order.total, order.current_total, order.refunded) == (D(2258), D(365), D(1528))
    assert order.is_exchange


def test_a_return_names_the_exchange_itself() -> None:
    exchanged = [{"id": 1, "exchange_line_items": [{"id": 5}]}]
    assert order_of("100.00", MUG, CUP, current_total_price="100.00", returns=exchanged).is_exchange
    assert not order_of("100.00", MUG, CUP, returns=[{"id": 1, "exchange_line_items": []}]).is_exchange


@pytest.mark.parametrize(
    "given_back",
    [
        refund(31, lines=(back(CUP, 1, "40.00"),)),  # taken out, nothing given back yet
        refund(31, transaction("40.00"), lines=(back(CUP, 1, "40.00"),)),
        refund(
            31,
            transaction("30.00"),
            lines=(back(CUP, 1, "40.00"),),
            order_adjustments=[{"kind": "refund_discrepancy", "amount": "10.00"}],
        ),
    ],
    ids=["edit", "refund", "restocking fee"],
)
def test_what_is_no_exchange(given_back: Body) -> None:
    assert not order_of("100.00", MUG, CUP, current_total_price="60.00", refunds=[given_back]).is_exchange


def test_an_item_that_is_taken_out_gives_no_money_back_by_itself() -> None:
    """Where the order says what it is worth, only transactions are money: counted twice the order would be worth 20."""
    taken_out = refund(31, lines=(back(CUP, 1, "40.00"),))
    repaid = refund(32, transaction("40.00"), order_adjustments=[{"kind": "refund_discrepancy", "amount": "-40.00"}])
    body = shopify_order("100.00", MUG, CUP, current_total_price="60.00", refunds=[taken_out, repaid])
    understood = read("orders/updated", body)
    assert [(one.id, one.amount) for one in understood.refunds] == [("31", D(0)), ("32", D(40))]
    assert [item.sku for item in understood.refunds[0].items] == ["SKU-2"]
    assert [event.refund.id for event in understood.events if event.refund is not None] == ["32"]
    assert understood.order is not None
    assert (understood.order.current_total, understood.order.refunded) == (D(60), D(40))


def test_without_a_current_total_the_refunds_say_it() -> None:
    taken_out = refund(31, lines=(back(CUP, 1, "40.00", "3.00"),))
    order = order_of("100.00", MUG, CUP, refunds=[taken_out])
    assert (order.current_total, order.refunded) == (None, D(43))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, None),
        ({"refunds": [refund(31, lines=(back(MUG, 1, "60.00"),))]}, D(0)),
        ({"cancelled_at": "2026-10-02T10:00:00Z"}, D(0)),
        ({"financial_status": "voided"}, D(0)),
        ({"line_items": [MUG | {"current_quantity": 0}]}, D(0)),
        ({"line_items": [MUG | {"current_quantity": 1}]}, None),
        ({"line_items": []}, None),
        ({"total_price": "0.00"}, D(0)),
        ({"current_total_price": 60}, D(60)),  # numbers, as old bodies write them
        ({"current_total_price": None}, None),
    ],
    ids=str,
)
def test_nothing_left_without_a_reason_is_not_said(fields: Body, said: Decimal | None) -> None:
    order = order_of("60.00", MUG, **{"current_total_price": "0.00", **fields})
    assert order.current_total == said


def test_tip_deposit_and_gift_card() -> None:
    order = order_of(
        "110.00", MUG, total_tip_received="10.00", total_outstanding="80.00", financial_status="partially_paid"
    )
    assert (order.tip, order.paid_amount, order.paid_at) == (D(10), D(30), None)
    order = order_of("60.00", MUG, total_tip_received="0.00", total_outstanding="0.00", current_total_price="40.00")
    assert (order.tip, order.paid_amount) == (None, D(40))
    assert order_of("60.00", MUG).paid_amount is None
    assert order_of("60.00", MUG, payment_gateway_names=["gift_card"]).gift_card == D(60)
    assert order_of("60.00", MUG, payment_gateway_names=["gift_card", "shopify_payments"]).gift_card is None


def test_a_payment_that_was_voided_is_lost() -> None:
    assert order_of("60.00", MUG).payment_lost_at is None
    voided = order_of("60.00", MUG, financial_status="voided")
    assert voided.payment_lost_at == voided.updated_at


@pytest.mark.parametrize(("total", "reason"), [("-1.00", "total_below_zero"), ("100000000000000", "amount_too_large")])
def test_a_total_that_cannot_be_one_is_parked_with_its_own_reason(total: str, reason: str) -> None:
    understood = read("orders/paid", shopify_order(total, MUG))
    assert (understood.outcome, understood.reason) == (Outcome.PARKED, reason)
    assert "$.total_price" in (understood.detail or "")
    understood = read("orders/paid", shopify_order("60.00", MUG, current_total_price=total))
    assert (understood.outcome, understood.reason) == (Outcome.PARKED, reason)


def test_refunds_that_add_up_to_more_than_the_database_holds_are_parked() -> None:
    half = "60000000000000.00"
    understood = read(
        "orders/updated",
        shopify_order("1.00", MUG, refunds=[refund(1, transaction(half)), refund(2, transaction(half))]),
    )
    assert (understood.outcome, understood.reason) == (Outcome.PARKED, "amount_too_large")


# ---------------------------------------------------------------- shipping
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([{"price": "5.90", "tax_lines": []}], ("5.90", "0", None)),
        ([{"price": "5.90"}], ("5.90", None, None)),
        (
            [
                {
                    "price": "5.90",
                    "discounted_price": "0.00",
                    "tax_lines": [],
                    "discount_allocations": [{"amount": "5.90"}],
                }
            ],
            ("0.00", "0", "5.90"),
        ),
        ([{"price": "5.90", "discounted_price_set": both("2.90"), "tax_lines": []}], ("2.90", "0", "3.00")),
        # before 2024-07 the allocations are not in the discounted price
        (
            [
                {
                    "price": "10.00",
                    "discounted_price": "10.00",
                    "discount_allocations": [{"amount": "4.00"}, {"amount": "1.00"}],
                }
            ],
            ("5.00", None, "5.00"),
        ),
        ([{"price": "10.00", "discount_allocations": [{"amount": "12.00"}]}], ("0", None, "10.00")),
        ([{"price": "11.90", "tax_lines": [{"price": "1.00"}, {"price": "0.90"}]}], ("11.90", "1.90", None)),
        (
            [{"price": "5.00", "tax_lines": [{"price": "0.95"}]}, {"price": "3.00", "tax_lines": [{"price": "0.57"}]}],
            ("8.00", "1.52", None),
        ),
        ([{"price": "5.00", "tax_lines": [{"price": "0.95"}]}, {"price": "3.00"}], ("8.00", None, None)),
        ([{"price": 7, "tax_lines": []}], ("7", "0", None)),
    ],
    ids=str,
)
def test_shipping_is_what_was_paid_for_it(lines: list[Body], expected: tuple[str | None, ...]) -> None:
    order = order_of("60.00", MUG, shipping_lines=lines, total_shipping_price_set=both("99.00"))
    found = (order.shipping, order.shipping_tax, order.shipping_discount)
    assert found == tuple(None if one is None else D(one) for one in expected)


def test_without_shipping_lines_the_total_says_it() -> None:
    assert order_of("60.00", MUG, shipping_lines=[], total_shipping_price_set=both("5.00")).shipping == D(5)
    assert order_of("60.00", MUG, shipping_lines=[]).shipping is None


def test_taxes_of_lines_are_kept_whether_the_prices_hold_them_or_not() -> None:
    taxed = line(1, "119.00", tax_lines=[{"price": "10.00"}, {"price": "9.00"}])
    order = order_of("119.00", taxed, CUP, taxes_included=True)
    assert (order.taxes_included, [item.tax for item in order.items]) == (True, [D(19), None])
    assert order_of("119.00", taxed, taxes_included=False).taxes_included is False
    assert order_of("119.00", taxed).taxes_included is None
