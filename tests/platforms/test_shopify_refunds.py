"""What Shopify's refunds gave back, whichever way they are told: one rule for money, parts, currencies and items."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.values.deliveries import Outcome
from tests.platforms.money_bodies import Body, back, both, line, refund, shopify_order, transaction
from tests.platforms.money_reading import CUP, MUG, in_order, order_of, read, refund_of

D = Decimal

# ---------------------------------------------------------------- what a refund gave back
SHIPPING = {"subtotal_amount_set": both("10.00"), "tax_amount_set": both("1.90")}
SHIPPING_AGAIN = {"kind": "shipping_refund", "amount": "-10.00", "tax_amount": "-1.90"}
WHOLE = back(MUG, 1, "60.00", "11.40")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (refund(1, transaction("71.40"), lines=(WHOLE,)), "71.40"),
        (refund(1, transaction("50.00", "pending"), lines=(WHOLE,)), "50.00"),
        (
            refund(1, transaction("20.00"), transaction("30.00", "pending"), lines=(WHOLE,)),
            "50.00",
        ),  # gift card and card
        (refund(1, transaction("20.00"), transaction("30.00", "failure"), lines=(WHOLE,)), "20.00"),
        (refund(1, transaction("71.40", "failure"), lines=(WHOLE,)), "0"),
        (refund(1, transaction("71.40", "error"), transaction("71.40", "failure")), "0"),
        (refund(1, transaction("0.00", kind="void"), lines=(WHOLE,)), "0"),
        (refund(1, transaction("71.40", "failure"), transaction("71.40"), lines=(WHOLE,)), "71.40"),  # tried again
        # whatever an adjustment says, the money says it
        (
            refund(
                1,
                transaction("135.00", "pending"),
                refund_shipping_lines=[SHIPPING],
                order_adjustments=[
                    {"kind": "refund_discrepancy", "amount": "135.00"},
                    {"kind": "shipping_refund", "amount": "-135.00"},
                ],
            ),
            "135.00",
        ),
        (
            refund(1, transaction("40.00"), order_adjustments=[{"kind": "refund_discrepancy", "amount": "-40.00"}]),
            "40.00",
        ),
        # no movement of money: the parts, each once
        (refund(1, lines=(WHOLE,)), "71.40"),
        (refund(1, lines=(WHOLE,), refund_shipping_lines=[SHIPPING]), "83.30"),
        (refund(1, lines=(WHOLE,), order_adjustments=[SHIPPING_AGAIN]), "83.30"),  # before 2024-10
        (refund(1, lines=(WHOLE,), refund_shipping_lines=[SHIPPING], order_adjustments=[SHIPPING_AGAIN]), "83.30"),
        (refund(1, refund_shipping_lines=[SHIPPING]), "11.90"),
        (
            refund(1, lines=(WHOLE,), total_duties_set=both("5.00"), refund_duties=[{"amount_set": both("5.00")}]),
            "76.40",
        ),
        (refund(1, lines=(WHOLE,), refund_duties=[{"amount_set": both("5.00")}]), "76.40"),
        (refund(1, lines=(WHOLE,), refund_duties=[{"duty_id": 1, "refund_type": "FULL"}]), "71.40"),
        (refund(1, lines=(WHOLE,), additional_fees=[{"price_set": both("2.00")}]), "73.40"),
        (
            refund(
                1, lines=(WHOLE,), total_additional_fees_set=both("2.00"), additional_fees=[{"price_set": both("2.00")}]
            ),
            "73.40",
        ),
        (refund(1, lines=(WHOLE,), order_adjustments=[{"kind": "refund_discrepancy", "amount": "11.40"}]), "60.00"),
        (
            refund(1, lines=(WHOLE,), refund_shipping_lines=[], order_adjustments=[{"amount_set": both("1.40")}]),
            "70.00",
        ),
        (refund(1, order_adjustments=[{"kind": "refund_discrepancy", "amount_set": both("-33.84", "-0.50")}]), "33.84"),
        (refund(1, transactions=None, lines=(WHOLE,)), "71.40"),
        (refund(1), "0"),
        (refund(1, transaction("8.5"), lines=(back(MUG, 1, "8.5"),)), "8.5"),
    ],
    ids=str,
)
def test_what_a_refund_gave_back(body: Body, expected: str) -> None:
    found = refund_of(body)
    assert found.amount == D(expected)
    assert found.is_pending == any(one["status"] == "pending" for one in body["transactions"] or ())
    assert in_order(body).amount == D(expected)  # the order lists the same


def test_a_refund_that_failed_is_told_of() -> None:
    failed = refund(31, transaction("60.00", "failure"), lines=(WHOLE,), refund_shipping_lines=[SHIPPING])
    understood = read("refunds/create", msgspec.json.encode(failed))
    assert (understood.outcome, understood.reason, understood.events) == (Outcome.IGNORED, "no_money_back", ())
    assert [(one.id, one.amount, one.has_failed) for one in understood.refunds] == [("31", D(0), True)]
    understood = read("orders/updated", shopify_order("60.00", MUG, refunds=[failed]))
    assert [(one.id, one.amount, one.has_failed) for one in understood.refunds] == [("31", D(0), True)]
    assert all(event.refund is None for event in understood.events)


def test_of_several_refunds_each_counts_for_itself() -> None:
    bodies = [
        refund(1, transaction("10.00")),
        refund(2, transaction("20.00", "failure")),
        refund(3, transaction("5.00", "pending")),
    ]
    understood = read("orders/updated", shopify_order("60.00", MUG, refunds=bodies))
    assert [one.amount for one in understood.refunds] == [D(10), D(0), D(5)]
    assert understood.order is not None
    assert understood.order.refunded == D(15)
    assert understood.order.lists_refunds
    assert [event.refund.id for event in understood.events if event.refund is not None] == ["1", "3"]
    assert all(one.seen_at == understood.order.updated_at for one in understood.refunds)


def test_a_body_that_lists_no_refunds_says_so() -> None:
    assert order_of("60.00", MUG, refunds=None).lists_refunds is False
    assert order_of("60.00", MUG, refunds=[]).lists_refunds is True


def test_how_new_a_refund_is_told() -> None:
    """A refund's own body is of the moment it was made. One that shows no money is the weakest: the order's bodies know better."""
    assert str(refund_of(refund(1, transaction("5.00"))).seen_at) == "2026-10-02 08:00:00+00:00"
    assert str(refund_of(refund(1, transaction("5.00"), created_at=None)).seen_at) == "2026-10-02 08:00:01+00:00"
    assert str(refund_of(refund(1, lines=(WHOLE,))).seen_at) == "2026-10-02 07:59:59.999999+00:00"


# ---------------------------------------------------------------- the shopper's currency
def in_dollars(amount: str, status: str = "success", **fields: Any) -> Body:
    return transaction(amount, status, currency="USD", **fields)


HUNDRED = back(line(1, "100.00"), 1, "100.00", subtotal_set=both("100.00", "110.00"))
DOLLAR_SHIPPING = {"subtotal_amount_set": both("10.00", "11.00"), "tax_amount_set": both("0.00", "0.00")}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (refund(1, in_dollars("121.00"), lines=(HUNDRED,), refund_shipping_lines=[DOLLAR_SHIPPING]), "110.00"),
        (refund(1, in_dollars("121.00", amount_set=both("109.99", "121.00")), lines=(HUNDRED,)), "109.99"),
        (
            refund(
                1,
                in_dollars("110.00", "pending"),
                lines=(HUNDRED,),
                order_adjustments=[
                    {"kind": "refund_discrepancy", "amount": "100.00", "amount_set": both("100.00", "110.00")}
                ],
            ),
            "100.00",
        ),
        (
            refund(
                1,
                in_dollars("55.00"),
                lines=(HUNDRED,),
                order_adjustments=[
                    {"kind": "refund_discrepancy", "amount": "50.00", "amount_set": both("50.00", "55.00")}
                ],
            ),
            "50.00",
        ),
        (refund(1, in_dollars("55.00", "pending"), lines=(HUNDRED,)), "50.00"),  # less than the line, and on its way
        (refund(1, in_dollars("55.00"), in_dollars("55.00", "failure"), lines=(HUNDRED,)), "50.00"),
        (
            refund(
                1,
                in_dollars("0.50"),
                order_adjustments=[{"kind": "refund_discrepancy", "amount_set": both("-33.84", "-0.50")}],
            ),
            "33.84",
        ),
        (refund(1, in_dollars("11.00"), refund_shipping_lines=[DOLLAR_SHIPPING]), "10.00"),
        # prices with tax: the subtotal holds it
        (refund(1, in_dollars("110.00"), lines=(HUNDRED | {"total_tax": "15.97"},)), "100.00"),
        # amounts that went through numbers have lost their last zeros
        (
            refund(
                1,
                in_dollars("12.10"),
                refund_shipping_lines=[
                    {
                        "subtotal_amount_set": {
                            "shop_money": {"amount": 10, "currency_code": "EUR"},
                            "presentment_money": {"amount": 11, "currency_code": "USD"},
                        }
                    }
                ],
            ),
            "11.00",
        ),
        # a line without the shopper's side: the parts say it, in the share of what did not fail
        (
            refund(1, in_dollars("110.00"), lines=(back(MUG, 1, "60.00"),), total_duties_set=both("0.00", "0.00")),
            "60.00",
        ),
        (
            refund(
                1,
                in_dollars("55.00"),
                in_dollars("55.00", "failure"),
                lines=(back(MUG, 1, "60.00"),),
                total_duties_set=both("0.00"),
            ),
            "30.00",
        ),
    ],
    ids=str,
)
def test_a_refund_in_the_shoppers_currency_is_in_the_shops(body: Body, expected: str) -> None:
    found = refund_of(body)
    assert (found.amount, found.currency) == (D(expected), "EUR")
    assert in_order(body).amount == D(expected)


def test_an_exact_sum_of_parts_is_taken_over_a_rate() -> None:
    """919.80 USD are 1240.71 CAD: by that rate 1012.70 USD are 1366.02 or a cent beside it, by the lines exactly 1366.02."""
    boards = line(1, "689.28", 3, discount_allocations=[{"amount": "206.78"}])
    cad = both("1240.71", "919.80", ("CAD", "USD"))
    body = refund(1, in_dollars("1012.70", "pending"), lines=(back(boards, 2, "1240.71", "125.31", subtotal_set=cad),))
    found = refund_of(body)
    assert (found.amount, found.currency, found.is_pending) == (D("1366.02"), "CAD", True)
    assert (found.items[0].quantity, found.items[0].total, found.items[0].discount) == (2, D("1240.71"), D("137.85"))


def test_an_order_says_what_the_shoppers_currency_is_worth() -> None:
    """An amount alone, without any pair of its own."""
    body = refund(1, in_dollars("55.00"))
    found = in_order(body, total_price_set=both("100.00", "110.00"))
    assert (found.amount, found.currency) == (D(50), "EUR")
    # Nothing says it: what the transaction says, in its own currency, and nobody takes it for the shop's.
    for unknown in (refund_of(body), in_order(body)):
        assert (unknown.amount, unknown.currency) == (D(55), "USD")


def test_an_odd_leaf_among_the_pairs_is_no_pair() -> None:
    body = refund(1, in_dollars("55.00"), order_adjustments=[])
    assert in_order(body, total_price_set={"shop_money": {"amount": []}}).currency == "USD"
    left = shopify_order("60.00", MUG | {"current_quantity": []}, current_total_price="0.00")
    understood = read("orders/updated", left)
    assert understood.order is not None
    assert understood.order.current_total is None


def test_yen_have_no_decimals() -> None:
    yen = both("15000", "100.00", ("JPY", "USD"))
    found = refund_of(refund(1, in_dollars("33.33"), lines=(back(line(1, "15000"), 1, "15000", subtotal_set=yen),)))
    assert (str(found.amount), found.currency) == ("5000", "JPY")  # 4999.5
    order = order_of("15000", line(1, "15000"), currency="JPY", current_total_price="10000")
    assert (str(order.total), str(order.current_total)) == ("15000", "10000")


# ---------------------------------------------------------------- the items of a refund
def test_a_part_of_a_discounted_line_has_its_share_of_the_discount() -> None:
    cups = line(1, "10.00", 3, discount_allocations=[{"amount": "4.00"}, {"amount": "2.00"}])
    item = refund_of(refund(1, transaction("8.00"), lines=(back(cups, 1, "8.00"),))).items[0]
    assert (item.quantity, item.total, item.discount, item.price) == (1, D(8), D(2), D(10))


def test_a_discount_that_does_not_divide_is_rounded() -> None:
    cups = line(1, "10.00", 3, discount_allocations=[{"amount": "10.00"}])
    item = refund_of(refund(1, transaction("6.67"), lines=(back(cups, 1, "6.67"),))).items[0]
    assert item.discount == D("3.33")


@pytest.mark.parametrize("included", [True, None])
def test_items_of_a_refund_hold_their_tax_where_the_prices_do(included: bool | None) -> None:
    """Both ways in which a shop with taxes in its prices may write the subtotal come to the same."""
    taxed = line(1, "59.50", 2, tax_lines=[{"price": "19.00"}])
    for subtotal in ("59.50", "50.00"):
        body = refund(1, transaction("59.50"), lines=(back(taxed, 1, subtotal, "9.50"),))
        item = in_order(body, "119.00", taxed, taxes_included=included).items[0]
        assert (item.total, item.tax) == (D("59.50"), D("9.50"))
    body = refund(1, transaction("69.00"), lines=(back(taxed, 1, "59.50", "9.50"),))
    assert in_order(body, "119.00", taxed, taxes_included=False).items[0].total == D("59.50")


def test_a_line_that_only_has_its_number_is_looked_up_in_the_order() -> None:
    bare = {"id": 1, "line_item_id": 2, "quantity": 1, "subtotal_set": both("40.00"), "total_tax_set": both("0.00")}
    body = refund(31, transaction("40.00"), lines=(bare,))
    item = in_order(body, "100.00", MUG, CUP).items[0]
    assert (item.sku, item.product_id, item.total) == ("SKU-2", "102", D(40))
    assert refund_of(body).items[0].sku is None


@given(
    pieces=st.integers(1, 9),
    price=st.integers(1, 10_000),
    cut=st.integers(0, 100),
    tax=st.integers(0, 25),
    shipping=st.integers(0, 2_000),
    status=st.sampled_from(["success", "pending"]),
    via=st.sampled_from(["shop", "shopper", "set"]),
)
def test_however_a_refund_is_paid_it_gave_back_the_same(
    pieces: int, price: int, cut: int, tax: int, shipping: int, status: str, via: str
) -> None:
    """A law: settled or on its way, told in the shop's or the shopper's currency, with an old or a new discrepancy."""
    whole = (D(price) * pieces * (100 - cut) / 10_000).quantize(D("0.01"))
    taxes, sent = (whole * tax / 100).quantize(D("0.01")), D(shipping) / 100
    total = whole + taxes + sent
    rate = D("1.25")
    item = line(1, str(D(price) / 100), pieces)
    pair = both(str(whole), str(whole * rate))
    money = {
        "shop": transaction(str(total), status),
        "shopper": transaction(str(total * rate), status, currency="USD"),
        "set": transaction(str(total * rate), status, currency="USD", amount_set=both(str(total), str(total * rate))),
    }[via]
    adjustments = (
        [{"kind": "refund_discrepancy", "amount_set": both(str(total), str(total * rate))}]
        if status == "pending"
        else []
    )
    body = refund(
        1,
        money,
        lines=(back(item, pieces, str(whole), str(taxes), subtotal_set=pair),),
        refund_shipping_lines=[{"subtotal_amount_set": both(str(sent), str(sent * rate))}],
        order_adjustments=adjustments,
    )
    assert in_order(body, str(total), item).amount == total
    if whole or total == 0:
        assert refund_of(body).amount == total


RESTOCK = back(line(1, "60.00"), 1, "60.00")


@pytest.mark.parametrize(
    ("fields", "amount"),
    [
        ({"financial_status": "voided", "cancelled_at": "2026-10-02T10:00:00+02:00"}, "0"),
        ({"financial_status": "voided"}, "0"),
        ({"financial_status": "expired"}, "0"),
        ({"financial_status": "pending", "cancelled_at": "2026-10-02T10:00:00+02:00"}, "0"),
        ({"financial_status": "authorized", "cancelled_at": "2026-10-02T10:00:00+02:00"}, "0"),
        ({"financial_status": "pending"}, "60.00"),  # an edit of an order that is still to be paid
        ({"financial_status": "paid", "cancelled_at": "2026-10-02T10:00:00+02:00"}, "60.00"),
    ],
    ids=str,
)
@pytest.mark.parametrize("has_list", [True, False])
def test_an_order_that_nobody_paid_for_gives_no_money_back(fields: Body, amount: str, has_list: bool) -> None:
    body = refund(1, lines=(RESTOCK,))
    if not has_list:
        del body["transactions"]
    assert in_order(body, **fields).amount == D(amount)
    events = [one.type for one in read("orders/updated", shopify_order("100.00", refunds=[body], **fields)).events]
    assert ("order.refunded" in events) is (amount != "0")


def test_money_that_moved_counts_whatever_the_order_is_called() -> None:
    body = refund(1, transaction("60.00"), lines=(RESTOCK,))
    assert in_order(body, financial_status="voided").amount == 60


def test_an_amount_that_is_written_as_money_that_left_is_the_same() -> None:
    assert refund_of(refund(1, transaction("-15.00"))).amount == 15
    assert refund_of(refund(1, transaction("-18.00", currency="USD", amount_set=both("-15.00", "-18.00")))).amount == 15
