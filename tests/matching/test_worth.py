"""What a conversion is worth after refunds, edits and exchanges: single cases, and laws against a second reckoning."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.matching.money import rounded
from custom_events.matching.refunded import completed, refunds_in_other_currencies
from custom_events.matching.value import compile_rule, share_left, value_now, value_of
from custom_events.matching.worth import Back, Order, left_of
from custom_events.values.definitions import CurrencyRule, ValueRule, ValueSource
from custom_events.values.events import CommerceEvent, EventType, LineItem, Refund, Subscription
from tests.matching.building import DAY_0, paid

D = Decimal
A = LineItem(sku="A", variant_id="a", vendor="Alpha", quantity=1, total=D("60.00"))
B = LineItem(sku="B", variant_id="b", vendor="Beta", quantity=1, total=D("40.00"))
CENT = D("0.01")


def order(total: str = "100.00", *items: LineItem, **fields: Any) -> CommerceEvent:
    event = paid(total=total, items=items or (A, B))
    assert event.order is not None
    bare = {"tax": None, "shipping": None, "discount": None} | fields
    return msgspec.structs.replace(event, order=msgspec.structs.replace(event.order, **bare))


def refund(number: int, amount: str, *items: LineItem, **fields: Any) -> Refund:
    return Refund(
        id=str(number), order_id="1", amount=D(amount), currency="EUR", items=items, created_at=DAY_0, **fields
    )


def of_item(sku: str, **settings_: Any) -> ValueRule:
    return ValueRule(source=ValueSource.ITEMS_TOTAL, items={"field": "item.sku", "op": "=", "value": sku}, **settings_)


def now(
    event: CommerceEvent,
    *refunds: Refund,
    rule: ValueRule | None = None,
    total: str | None = None,
    current: str | None = None,
) -> Decimal:
    """What the conversion of the event is worth by now."""
    compiled = compile_rule(rule or ValueRule())
    sent = value_of(compiled, event).amount
    assert sent is not None
    return value_now(
        compiled, event, sent, None if total is None else D(total), refunds, None if current is None else D(current)
    )


# ---------------------------------------------------------------- what is left
@pytest.mark.parametrize(
    ("then", "total", "current", "given_back", "left"),
    [
        ("1893.00", "2258.00", "365.00", "1528.00", "365.00"),  # exchanged for something cheaper
        ("100.00", "250.00", "150.00", "0.00", "150.00"),  # for something dearer
        ("100.00", "140.00", "100.00", "0.00", "100.00"),  # for something that costs the same
        ("100.00", "100.00", "60.00", "0.00", "60.00"),  # an item taken out
        ("100.00", "100.00", "60.00", "40.00", "60.00"),  # and repaid
        ("100.00", "100.00", "60.00", "50.00", "50.00"),  # and more than that
        ("100.00", "100.00", "100.00", "40.00", "60.00"),  # goodwill
        ("100.00", "150.00", "150.00", "0.00", "150.00"),  # an item added
        ("100.00", "150.00", "150.00", "30.00", "120.00"),
        ("100.00", "100.00", "0.00", "100.00", "0.00"),
        ("100.00", "100.00", "0.00", "0.00", "0.00"),
        ("100.00", "100.00", None, "40.00", "60.00"),  # an old body
        ("100.00", "100.00", None, "140.00", "0.00"),
        ("100.00", "80.00", None, "30.00", "50.00"),  # a store whose edits lower the total
        ("404.95", "404.95", "414.95", "0.00", "404.95"),  # more than was sold is not left of it
    ],
)
def test_what_is_left_of_an_order(then: str, total: str, current: str | None, given_back: str, left: str) -> None:
    assert now(order(then), refund(1, given_back), total=total, current=current) == D(left)
    half = ValueRule(factor=D("0.5"))
    assert now(order(then), refund(1, given_back), rule=half, total=total, current=current) == rounded(
        D(left) / 2, "EUR"
    )


def test_money_for_what_was_taken_out_changes_nothing() -> None:
    removed, repaid = refund(31, "0", B), refund(32, "40.00")
    for rule in (None, ValueRule(at_most=D(50)), ValueRule(at_least=D(80)), of_item("A"), of_item("B")):
        before = now(order(), removed, rule=rule, total="100", current="60")
        assert now(order(), removed, repaid, rule=rule, total="100", current="60") == before
    assert now(order(), removed, rule=of_item("A"), total="100", current="60") == D(60)
    assert now(order(), removed, rule=of_item("B"), total="100", current="60") == D(0)


def test_clamps_see_what_was_sold() -> None:
    at_most, at_least = ValueRule(at_most=D(120)), ValueRule(at_least=D(80))
    assert now(order(), refund(1, "0", A), rule=at_most, total="250", current="190") == D(120)  # dearer, not worth less
    assert now(order(), refund(1, "50.00"), rule=at_most, total="100", current="100") == D(50)
    assert now(order(), refund(1, "100.00"), rule=at_least, total="100", current="0") == D(0)
    assert now(order(), rule=at_least, total="60", current=None) == D(80)


def test_a_current_total_that_is_none_is_not_said() -> None:
    for doubtful in ("-1", "NaN", "1e15"):
        assert now(order(), refund(1, "10.00"), total="100", current=doubtful) == D(90)


def test_a_refund_that_failed_takes_nothing() -> None:
    failed = refund(1, "0", A, has_failed=True)
    assert now(order(), failed, refund(2, "40.00", B), rule=of_item("A"), total="100", current="60") == D(60)


def test_fixed_values_and_fields_lose_what_the_order_lost() -> None:
    fixed = ValueRule(source=ValueSource.FIXED, fixed=D(10))
    assert now(order(), refund(1, "0", B), rule=fixed, total="100", current="60") == D(10)  # an edit: the rule says 10
    assert now(order(), refund(1, "40.00", B), rule=fixed, total="100", current="60") == D(6)
    assert now(order(), refund(1, "100.00"), rule=fixed, total="100", current="0") == D(0)
    subtotal = ValueRule(source=ValueSource.FIELD, field="order.subtotal")
    assert now(order(subtotal=D(90)), refund(1, "50.00"), rule=subtotal) == D(45)


def test_a_subscription_without_an_order() -> None:
    event = paid(
        type=EventType.SUBSCRIPTION_RENEWED,
        order=None,
        subscription=Subscription(id="s", order_id="9", amount=D("20.00"), currency="EUR"),
    )
    assert now(event, refund(1, "5.00")) == D(15)
    assert now(event, refund(1, "5.00"), total="100", current="10") == D(15), "of its amount nobody says so"


# ---------------------------------------------------------------- only what the rule counts
def test_a_refund_of_another_item_takes_nothing() -> None:
    assert now(order(), refund(31, "40.00", B), rule=of_item("A")) == D(60)
    assert now(order(), refund(31, "40.00", B), rule=of_item("B")) == D(0)
    assert now(order(), refund(31, "40.00"), rule=of_item("A")) == D(36)  # names nothing: in proportion


def test_a_part_of_a_discounted_line() -> None:
    cups = LineItem(sku="A", quantity=3, price=D(10), total=D(24), discount=D(6))
    part = LineItem(sku="A", quantity=1, price=D(10), total=D(8), discount=D(2))
    event = order("64.00", cups, B)
    assert now(event, refund(1, "8.00", part), rule=of_item("A")) == D(16)
    with_discounts = ValueRule(without_discounts=True)
    assert now(order("64.00", cups, B, discount=D(6)), refund(1, "8.00", part), rule=with_discounts) == D(60)


@pytest.mark.parametrize("included", [True, False])
def test_taxes_are_counted_alike_in_and_beside_the_prices(included: bool) -> None:
    """119.00 + 47.60 with 19 % of tax, 11.90 for shipping; the second item comes back."""
    gross, tax = {"A": D("119.00"), "B": D("47.60")}, {"A": D("19.00"), "B": D("7.60")}
    lines = {
        name: LineItem(sku=name, quantity=2, total=gross[name] - (0 if included else tax[name]), tax=tax[name])
        for name in gross
    }
    shipping = D("11.90") if included else D("10.00")
    event = order(
        "178.50", lines["A"], lines["B"], tax=D("28.50"), shipping=shipping, shipping_tax=D("1.90"), taxes_included=included
    )  # fmt: skip
    back = refund(1, "47.60", lines["B"])
    both = ValueRule(without_tax=True, without_shipping=True)
    assert now(event, rule=both) == D("140.00")
    assert now(event, back) == D("130.90")
    assert now(event, back, rule=ValueRule(without_tax=True)) == D("110.00")
    assert now(event, back, rule=ValueRule(without_shipping=True)) == D("119.00")
    assert now(event, back, rule=both) == D("100.00")
    assert now(event, back, rule=ValueRule(source=ValueSource.ITEMS_TOTAL, without_tax=True)) == D("100.00")
    assert now(event, back, rule=of_item("A", without_tax=True)) == D("100.00")
    # shipping alone comes back
    sent = refund(2, "11.90", shipping=D("11.90"))
    assert now(event, sent) == D("166.60")
    assert now(event, sent, rule=both) == D("140.00")
    assert now(event, sent, rule=ValueRule(without_tax=True)) == D("140.00")
    assert now(event, sent, rule=of_item("A", without_tax=True)) == D("100.00")
    half = msgspec.structs.replace(lines["B"], quantity=1, total=(lines["B"].total or D(0)) / 2, tax=D("3.80"))
    assert now(event, refund(3, "23.80", half), rule=both) == D("120.00")


def test_less_money_than_the_items_are_worth_takes_less_of_them() -> None:
    assert now(order(), refund(1, "20.00", B), rule=of_item("B")) == D(20)
    assert now(order(), refund(1, "20.00", B), rule=of_item("A")) == D(60)
    # Where the store counts for itself, they are gone whatever they brought.
    assert now(order(), refund(1, "20.00", B), rule=of_item("B"), total="100", current="60") == D(0)


def test_an_exchange_of_what_a_rule_picks() -> None:
    """The new item is not known to the rule that picked the old one."""

    def exchanged(rule: ValueRule | None = None) -> Decimal:
        """B of 40 for something of 10."""
        return now(order(), refund(1, "30.00", B), rule=rule, total="110.00", current="70.00")

    assert exchanged() == D(70)
    assert exchanged(of_item("A")) == D(60)
    assert exchanged(of_item("B")) == D(0)
    assert exchanged(ValueRule(source=ValueSource.ITEMS_TOTAL)) == D(70)


def test_what_a_refunded_line_does_not_say_its_order_says() -> None:
    by_vendor = ValueRule(source=ValueSource.ITEMS_TOTAL, items={"field": "item.vendor", "op": "=", "value": "Beta"})
    assert now(order(), refund(1, "40.00", LineItem(variant_id="b", quantity=1, total=D(40))), rule=by_vendor) == D(0)
    assert now(order(), refund(1, "40.00", LineItem(sku="B", quantity=1)), rule=by_vendor) == D(0)
    pair = LineItem(product_id="p", quantity=2, total=D(40), categories=("shoes",), properties={"size": "43"})
    event = order("100.00", A, pair)
    known = completed(LineItem(product_id="p", quantity=1), event.order)
    assert (known.total, known.categories, known.properties, known.quantity) == (D(20), ("shoes",), {"size": "43"}, 1)
    own = LineItem(product_id="p", quantity=1, total=D(5), tax=D(1), vendor="Own")
    assert completed(own, event.order) == msgspec.structs.replace(own, categories=("shoes",), properties={"size": "43"})
    assert completed(LineItem(sku="other"), event.order) == LineItem(sku="other")
    assert completed(own, None) is own
    unknown = LineItem(sku="C", quantity=0)
    assert completed(LineItem(sku="C", quantity=1), order("1.00", unknown).order).total is None


# ---------------------------------------------------------------- currencies
def test_a_refund_in_another_currency_relabels_nothing() -> None:
    event = order()
    assert event.order is not None
    dollars = msgspec.structs.replace(event.order, currency="USD")
    back = Refund(id="R1", order_id="1", amount=D(10), currency="EUR", items=(LineItem(sku="A", total=D(5)),))
    refunded = msgspec.structs.replace(event, type=EventType.ORDER_REFUNDED, order=dollars, refund=back)

    def value(**rule: Any) -> tuple[str, str | None]:
        found = value_of(compile_rule(ValueRule(**rule)), refunded)
        return str(found.amount), found.currency

    assert value() == ("100.00", "USD")
    assert value(without_tax=True) == ("100.00", "USD")
    assert value(source=ValueSource.FIELD, field="order.total") == ("100.00", "USD")
    assert value(source=ValueSource.FIELD, field="refund.amount") == ("10.00", "EUR")
    assert value(source=ValueSource.FIELD, field="event.amount") == ("10.00", "EUR")
    assert value(source=ValueSource.ITEMS_TOTAL) == ("5.00", "EUR")
    assert value(by_currency={"USD": CurrencyRule(factor=D(2)), "EUR": CurrencyRule(factor=D(3))}) == ("200.00", "USD")
    alone = msgspec.structs.replace(refunded, refund=msgspec.structs.replace(back, items=()))
    assert value_of(compile_rule(ValueRule(source=ValueSource.ITEMS_TOTAL)), alone).currency == "USD"
    assert value_of(compile_rule(ValueRule()), msgspec.structs.replace(refunded, order=None)).amount is None


def test_a_refund_in_another_currency_lowers_nothing_and_is_named() -> None:
    foreign = msgspec.structs.replace(refund(2, "10.00"), currency="USD")
    unsaid = msgspec.structs.replace(refund(3, "5.00"), currency=None)
    nothing = msgspec.structs.replace(foreign, id="4", amount=D(0))
    every = (refund(1, "25.00"), foreign, unsaid, nothing)
    assert now(order(), *every) == D(70)
    assert [one.id for one in refunds_in_other_currencies("EUR", every)] == ["2"]


def test_a_fixed_amount_is_rounded_in_its_own_currency() -> None:
    rule = ValueRule(source=ValueSource.FIXED, fixed=D("9.99"), currency="USD")
    assert now(
        paid(total="1000", currency="JPY"), msgspec.structs.replace(refund(1, "500"), currency="JPY"), rule=rule
    ) == D("5.00")


# ---------------------------------------------------------------- laws
cents = st.integers(0, 50_000).map(lambda number: D(number) / 100)
orders = st.lists(cents.map(lambda amount: amount + CENT), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.data(), orders)
def test_a_total_is_what_is_left_by_the_stricter_of_both_counts(data: st.DataObject, prices: list[Decimal]) -> None:
    then = sum(prices, D(0))
    total = then + data.draw(cents)
    current = data.draw(st.none() | st.integers(0, int(total * 100)).map(lambda number: D(number) / 100))
    given_back = data.draw(st.lists(cents, max_size=3))
    items = tuple(LineItem(sku=str(number), quantity=1, total=price) for number, price in enumerate(prices))
    refunds = [
        refund(number, str(amount), *data.draw(st.sampled_from([(), items[:1], items])))
        for number, amount in enumerate(given_back)
    ]
    expected = max(min(total - sum(given_back), total if current is None else current), D(0))
    event = order(str(then), *items)
    found = now(event, *refunds, total=str(total), current=None if current is None else str(current))
    assert found == expected
    shuffled = data.draw(st.permutations(refunds))
    assert (
        now(event, *shuffled, *shuffled, total=str(total), current=None if current is None else str(current)) == found
    )


@settings(max_examples=60, deadline=None)
@given(st.data(), orders, st.integers(0, 25), st.booleans())
def test_items_are_taken_away_one_by_one(
    data: st.DataObject, prices: list[Decimal], percent: int, included: bool
) -> None:
    """A second reckoning, piece by piece: whatever comes back with its full money is gone for the rule that counts it, and for no other;
    the rules of single items add up to the rule of all."""
    rate = D(percent) / 100
    lines = [
        LineItem(sku=str(number), quantity=4, total=price * (1 + rate if included else 1), tax=price * rate)
        for number, price in enumerate(prices)
    ]
    gross = sum(prices, D(0)) * (1 + rate)
    event = order(str(gross), *lines, tax=sum(prices, D(0)) * rate, taxes_included=included)
    gone = data.draw(st.lists(st.integers(0, 4), min_size=len(prices), max_size=len(prices)))
    refunds: list[Refund] = []
    for number, (price, pieces) in enumerate(zip(prices, gone, strict=True)):
        share = D(pieces) / 4
        item = msgspec.structs.replace(
            lines[number], quantity=pieces, total=(lines[number].total or D(0)) * share, tax=price * rate * share
        )
        if pieces:
            refunds.append(refund(number, str(price * (1 + rate) * share), item))
    left = [price * (1 - D(pieces) / 4) for price, pieces in zip(prices, gone, strict=True)]
    for current in (None, str(sum(left, D(0)) * (1 + rate))):
        for number, rest in enumerate(left):
            found = now(event, *refunds, rule=of_item(str(number), without_tax=True), current=current)
            assert abs(found - rest) <= CENT
        whole = now(event, *refunds, rule=ValueRule(source=ValueSource.ITEMS_TOTAL, without_tax=True), current=current)
        assert abs(whole - sum(left, D(0))) <= CENT
        assert abs(now(event, *refunds, rule=ValueRule(without_tax=True), current=current) - sum(left, D(0))) <= CENT


RULES: Sequence[ValueRule] = (
    ValueRule(),
    ValueRule(without_tax=True),
    ValueRule(without_shipping=True),
    ValueRule(without_tax=True, without_shipping=True, without_discounts=True),
    ValueRule(factor=D("0.3"), at_most=D(60)),
    ValueRule(at_least=D(70)),
    ValueRule(source=ValueSource.ITEMS_TOTAL),
    of_item("A"),
    of_item("A", without_tax=True, at_most=D(20)),
    ValueRule(source=ValueSource.FIXED, fixed=D(10)),
    ValueRule(source=ValueSource.FIELD, field="order.subtotal"),
)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(RULES))
def test_what_is_taken_never_raises_a_value_nor_passes_zero(data: st.DataObject, rule: ValueRule) -> None:
    amounts = {name: data.draw(st.none() | cents) for name in ("shipping", "shipping_tax", "discount", "discount_tax")}
    total = data.draw(cents)
    event = order(
        str(total), subtotal=total, tax=data.draw(st.none() | st.just(total / 10)),
        taxes_included=data.draw(st.sampled_from([None, True, False])), **amounts,
    )  # fmt: skip
    part = st.sampled_from(
        [(), (A,), (B,), (A, B), (msgspec.structs.replace(A, total=D(7), tax=D(1)),), (LineItem(sku="?"),)]
    )
    refunds = [
        refund(number, str(data.draw(cents)), *data.draw(part), shipping=data.draw(st.none() | cents))
        for number in range(data.draw(st.integers(0, 3)))
    ]
    before = now(event, rule=rule)
    found = now(event, *refunds, rule=rule)
    assert 0 <= found <= before
    assert 0 <= share_left(compile_rule(rule), event, refunds) <= 1
    if (
        total
        and sum(one.amount for one in refunds) >= total
        and rule.source is not ValueSource.ITEMS_TOTAL
        and not any(one.items or one.shipping for one in refunds)
    ):
        assert found == 0
    later = now(event, *refunds, rule=rule, total=str(total), current=str(data.draw(cents)))
    assert later >= 0


def test_items_of_an_order_whose_worth_the_store_says_are_gone_once() -> None:
    order = Order(then=D(100), total=D(100), current=D(60))
    taken_out = Back(amount=D(0), named=D(20), counted=D(20))
    # Of the 40 that are lost 20 are known to be of this rule's items, and of the rest half is theirs.
    assert left_of(order, [taken_out], D(50), picks_items=True).base_left == D(20)


def test_a_refund_takes_no_more_of_its_items_than_they_are_worth_and_the_rest_of_everything() -> None:
    """Of items that the rule does not count nothing is taken; what was given back beyond them is taken from all."""
    whole = Order(D(100), D(100))
    assert left_of(whole, [Back(D(80), D(50), D(0))], D(100), picks_items=True).base_left == D(70)
    assert left_of(whole, [Back(D(10)), Back(D(60), D(60), D(0))], D(100), picks_items=True).base_left == D(90)
