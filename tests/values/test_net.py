"""Net and gross: one order written with its taxes in the prices and without them is the same order."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.values import net
from custom_events.values.events import LineItem, Order
from tests.matching.building import DAY_0

D = Decimal


def order(**fields: object) -> Order:
    """130.90 EUR: an item of 119.00 and shipping of 11.90, both with 19 %; 23.80 were discounted."""
    known = {
        "total": D("130.90"), "tax": D("20.90"), "shipping": D("11.90"), "shipping_tax": D("1.90"), "discount": D("23.80"),
        "discount_tax": D("3.80"), "taxes_included": True, "items": (LineItem(total=D("119.00"), tax=D("19.00")),),
    }  # fmt: skip
    return Order(id="1", created_at=DAY_0, updated_at=DAY_0, **known | fields)  # pyright: ignore[reportArgumentType]


def parts(one: Order, *, without_tax: bool) -> list[Decimal | None]:
    return [
        net.total(one, without_tax=without_tax),
        net.shipping(one, without_tax=without_tax),
        net.discount(one, without_tax=without_tax),
        net.item_total(one.items[0], one, without_tax=without_tax),
    ]


INCLUDED = order()
EXCLUDED = order(taxes_included=False, shipping=D(10), discount=D(20), items=(LineItem(total=D(100), tax=D(19)),))


@pytest.mark.parametrize("one", [INCLUDED, EXCLUDED], ids=["included", "excluded"])
def test_taxes_in_the_prices_or_beside_them(one: Order) -> None:
    assert parts(one, without_tax=True) == [D("110.00"), D("10.00"), D("20.00"), D("100.00")]
    assert parts(one, without_tax=False) == [D("130.90"), D("11.90"), D("23.80"), D("119.00")]


def test_a_tax_that_nobody_says_is_the_orders_share() -> None:
    bare = order(shipping_tax=None, discount_tax=None, items=(LineItem(total=D("119.00")),))
    assert [None if one is None else round(one, 2) for one in parts(bare, without_tax=True)] == [
        D(110),
        D(10),
        D(20),
        D(100),
    ]
    assert parts(bare, without_tax=False) == parts(INCLUDED, without_tax=False)


def test_an_item_without_tax_beside_taxed_ones_is_free_of_it() -> None:
    free = LineItem(total=D("50.00"))
    one = order(items=(LineItem(total=D("119.00"), tax=D("19.00")), free))
    assert net.item_total(free, one, without_tax=True) == D(50)


def test_where_nobody_says_whether_prices_hold_tax_they_hold_none() -> None:
    one = order(taxes_included=None, shipping_tax=None, discount_tax=None)
    assert parts(one, without_tax=True) == [D("110.00"), D("11.90"), D("23.80"), D("119.00")]
    assert net.shipping(one, without_tax=False) == D("11.90")


def test_what_is_not_known_is_nothing() -> None:
    bare = order(total=None, tax=None, shipping=None, discount=None)
    assert parts(bare, without_tax=True)[:3] == [None, D(0), D(0)]
    assert net.total(order(tax=None), without_tax=True) == D("130.90")
    assert net.shipping(order(tax=None, shipping_tax=None), without_tax=True) == D("11.90")
    assert net.item_total(LineItem(quantity=2), INCLUDED, without_tax=True) is None
    assert net.item_total(LineItem(quantity=2, price=D(3)), None, without_tax=True) == D(6)


def test_discounts_on_shipping_are_no_discounts_where_shipping_does_not_count() -> None:
    one = order(shipping_discount=D("11.90"))
    assert net.discount(one, without_tax=False) == D("23.80")
    assert net.discount(one, without_tax=False, without_shipping=True) == D("11.90")
    assert net.discount(one, without_tax=True, without_shipping=True) == D("10.00")
    assert net.discount(order(discount=None, shipping_discount=D(5)), without_tax=True, without_shipping=True) == D(0)
    assert net.discount(order(shipping_discount=D(99)), without_tax=False, without_shipping=True) == D(0)


money = st.integers(0, 100_000).map(lambda cents: D(cents) / 100)


@given(st.lists(money, min_size=1, max_size=4), money, money, st.integers(0, 27))
def test_the_same_order_written_both_ways(
    items: list[Decimal], shipping: Decimal, discount: Decimal, percent: int
) -> None:
    """A law, for one rate of tax; amounts are exact here, so nothing is lost by rounding."""
    rate = D(percent) / 100
    total = (sum(items) + shipping) * (1 + rate)
    excluded = order(
        total=total, tax=(sum(items) + shipping) * rate, taxes_included=False, shipping=shipping, shipping_tax=shipping * rate,
        discount=discount, discount_tax=discount * rate, items=tuple(LineItem(total=one, tax=one * rate) for one in items),
    )  # fmt: skip
    included = msgspec.structs.replace(
        excluded, taxes_included=True, shipping=shipping * (1 + rate), discount=discount * (1 + rate),
        items=tuple(LineItem(total=one * (1 + rate), tax=one * rate) for one in items),
    )  # fmt: skip
    unsaid = msgspec.structs.replace(included, shipping_tax=None, discount_tax=None)
    for without_tax in (True, False):
        assert parts(included, without_tax=without_tax) == parts(excluded, without_tax=without_tax)
        for ours, theirs in zip(
            parts(unsaid, without_tax=without_tax), parts(excluded, without_tax=without_tax), strict=True
        ):
            assert ours is not None
            assert theirs is not None
            assert abs(ours - theirs) < D("0.0001")
