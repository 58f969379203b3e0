"""Values: every source, factor and clamp, rounding by currency, and what refunds do to them."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.conditions.facts import NO_FACTS, Facts
from custom_events.matching.money import AMOUNT_LIMIT, MINOR_DIGITS, rounded
from custom_events.matching.value import NO_AMOUNT, amount_of, compile_rule, share_left, value_now, value_of
from custom_events.values.definitions import CurrencyRule, ValueRule, ValueSource
from custom_events.values.events import Cart, CommerceEvent, EventType, LineItem, Refund, Subscription
from tests.conditions.examples import PAID, REFUNDED
from tests.matching.building import DAY_0, paid

VIP = LineItem(sku="VIP-1", quantity=1, total=Decimal("60.00"))
SOCK = LineItem(sku="SOCK", quantity=4, price=Decimal("10.00"))
ORDER = paid(items=(VIP, SOCK))
ONLY_VIP = {"field": "item.sku", "op": "starts_with", "value": "VIP-"}
D = Decimal


def amount(event: CommerceEvent = ORDER, **settings_: Any) -> Decimal | None:
    return value_of(compile_rule(ValueRule(**settings_)), event).amount


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, "100.00"),
        ({"without_tax": True}, "84.03"),
        ({"without_shipping": True}, "95.10"),
        ({"without_discounts": True}, "110.00"),
        ({"without_tax": True, "without_shipping": True, "without_discounts": True}, "89.13"),
        ({"factor": D("0.3")}, "30.00"),
        ({"factor": D("0.00005")}, "0.01"),
        ({"at_most": D(80)}, "80.00"),
        ({"at_least": D(150)}, "150.00"),
        ({"source": ValueSource.ITEMS_TOTAL}, "100.00"),
        ({"source": ValueSource.ITEMS_TOTAL, "items": ONLY_VIP}, "60.00"),
        ({"source": ValueSource.ITEMS_TOTAL, "items": {"field": "item.sku", "op": "=", "value": "none"}}, "0.00"),
        ({"source": ValueSource.ITEMS_TOTAL, "items": {"all": []}}, None),
        ({"source": ValueSource.FIXED, "fixed": D(12)}, "12.00"),
        ({"source": ValueSource.FIXED}, None),
        ({"source": ValueSource.FIXED, "fixed": D(12), "by_currency": {"EUR": CurrencyRule(fixed=D(11))}}, "11.00"),
        ({"source": ValueSource.FIELD, "field": "order.shipping"}, "4.90"),
        ({"source": ValueSource.FIELD, "field": "order.subtotal"}, None),
        ({"source": ValueSource.FIELD, "field": "no.such"}, None),
        ({"source": ValueSource.FIELD}, None),
        ({"source": ValueSource.NONE}, None),
        ({"by_currency": {"EUR": CurrencyRule(factor=D(2), at_least=D(1), at_most=D(150))}}, "150.00"),
        ({"by_currency": {"USD": CurrencyRule(factor=D(2))}}, "100.00"),
    ],
    ids=str,
)
def test_value(rule: dict[str, Any], expected: str | None) -> None:
    found = amount(**rule)
    assert (None if found is None else str(found)) == expected


def test_the_currency_goes_with_the_amount() -> None:
    fixed = ValueRule(
        source=ValueSource.FIXED, fixed=D(5), currency="USD", by_currency={"JPY": CurrencyRule(fixed=D("500.4"))}
    )
    assert value_of(compile_rule(fixed), ORDER).currency == "USD"
    japanese = value_of(compile_rule(fixed), paid(currency="JPY"))
    assert (japanese.amount, japanese.currency) == (D(500), "JPY")
    nothing = value_of(compile_rule(ValueRule(source=ValueSource.NONE)), ORDER)
    assert (nothing.amount, nothing.currency) == (None, None)


def test_events_without_an_order_have_their_own_amount() -> None:
    renewed = paid(
        type=EventType.SUBSCRIPTION_RENEWED,
        order=None,
        subscription=Subscription(id="s", amount=D("19.00"), currency="EUR"),
    )
    assert amount(renewed) == D(19)
    checkout = paid(type=EventType.CHECKOUT_STARTED, order=None, cart=Cart(token="t", total=D(8), currency="EUR"))
    assert amount(checkout) == D(8)
    signup = paid(order=None)
    assert amount(signup) is None
    assert amount(signup, source=ValueSource.ITEMS_TOTAL) is None
    assert amount(REFUNDED, source=ValueSource.FIELD, field="refund.amount") == D(100)


@pytest.mark.parametrize("bad", [D("NaN"), D("Infinity"), D("1e15"), D("sNaN")])
def test_what_is_no_amount_gives_no_value(bad: Decimal) -> None:
    order = msgspec.structs.replace(ORDER.order, total=bad)
    assert amount(msgspec.structs.replace(ORDER, order=order)) is None
    with pytest.raises(InvalidOperation):
        rounded(bad, "EUR")


def test_a_huge_factor_gives_no_value_instead_of_an_error() -> None:
    assert amount(factor=D("1e20")) is None


def test_an_open_property_can_be_the_value() -> None:
    assert value_of(compile_rule(ValueRule(source=ValueSource.FIELD, field="properties.score")), PAID).amount == D(
        "19.99"
    )
    assert value_of(compile_rule(ValueRule(source=ValueSource.FIELD, field="properties.level")), PAID).amount is None


def test_our_own_records_can_be_the_value() -> None:
    rule = compile_rule(ValueRule(source=ValueSource.FIELD, field="customer.spent_before"))
    assert value_of(rule, ORDER, Facts(spent_before=D("12.3"))).amount == D("12.30")


def test_rounding_follows_the_currency() -> None:
    assert str(rounded(D("1234.5"), "JPY")) == "1235"
    assert str(rounded(D("1.2345"), "KWD")) == "1.235"
    assert str(rounded(D("1.00005"), "CLF")) == "1.0001"
    assert str(rounded(D("1.005"), "EUR")) == "1.01"
    assert str(rounded(D("1.005"), None)) == "1.01"
    assert set(MINOR_DIGITS.values()) == {0, 3, 4}
    assert str(amount(paid(total="10"))) == "10.00"


# ---------------------------------------------------------------- refunds
def refund(number: str, given: str, *items: LineItem, currency: str | None = "EUR") -> Refund:
    return Refund(id=number, order_id="1", amount=D(given), currency=currency, items=items, created_at=DAY_0)


def now(rule: ValueRule, event: CommerceEvent, refunds: Iterable[Refund] = (), total: str | None = None) -> Decimal:
    """What a conversion that was sent with the rule's value is worth after refunds and an edit."""
    compiled = compile_rule(rule)
    sent = value_of(compiled, event).amount
    assert sent is not None
    return value_now(compiled, event, sent, None if total is None else D(total), refunds)


def after(*refunds: Refund, **rule: Any) -> Decimal:
    return now(ValueRule(**rule), ORDER, refunds)


def edited(total: str, *refunds: Refund, **rule: Any) -> Decimal:
    return now(ValueRule(**rule), ORDER, refunds, total)


def test_refunds_lower_the_value_in_proportion() -> None:
    assert after() == D(100)
    assert after(refund("1", "25")) == D(75)
    assert after(refund("1", "25"), without_tax=True) == D("63.02")  # 84.03 * 0.75
    assert after(refund("1", "25"), factor=D("0.5")) == D("37.50")
    assert after(refund("1", "25"), refund("2", "75")) == D(0)
    assert after(refund("1", "100"), at_least=D(50)) == D(0)
    assert after(refund("1", "130")) == D(0)
    assert after(refund("1", "50"), source=ValueSource.FIXED, fixed=D(10)) == D(5)


def test_a_refund_counts_once_and_only_in_the_orders_currency() -> None:
    assert after(refund("1", "25"), refund("1", "25")) == D(75)
    assert after(refund("1", "25", currency=None)) == D(75)
    assert after(refund("1", "25", currency="USD")) == D(100)


def test_an_items_total_is_lowered_by_the_items_refunded() -> None:
    vip = {"source": ValueSource.ITEMS_TOTAL, "items": ONLY_VIP}
    assert after(refund("1", "40", SOCK), **vip) == D(60)
    assert after(refund("1", "60", VIP), **vip) == D(0)
    assert after(refund("1", "15", LineItem(sku="VIP-1", quantity=1, total=D(15))), **vip) == D(45)
    assert after(refund("1", "50"), **vip) == D(30)  # names no items: half of the order
    # What it cost stands in the order; of one that is not there nobody knows.
    assert after(refund("1", "50", LineItem(sku="VIP-1", quantity=1)), **vip) == D(10)
    assert after(refund("1", "50", LineItem(sku="VIP-9", quantity=1)), **vip) == D(30)


def test_an_item_that_comes_back_takes_what_was_paid_for_it() -> None:
    reduced = LineItem(sku="VIP-1", quantity=1, total=D(60), discount=D(5))
    assert after(refund("1", "60", reduced)) == D(40)
    assert after(refund("1", "60", reduced), without_discounts=True) == D(45)  # 110 as listed, and 65 of that


def test_a_discount_is_counted_with_its_tax_or_without() -> None:
    order = msgspec.structs.replace(ORDER.order, taxes_included=False, discount_tax=D("1.90"))
    event = msgspec.structs.replace(ORDER, order=order)
    assert amount(event, without_discounts=True) == D("111.90")
    assert amount(event, without_discounts=True, without_tax=True) == D("94.03")


def test_without_a_total_there_is_no_share() -> None:
    fixed = ValueRule(source=ValueSource.FIXED, fixed=D(10))
    rule = compile_rule(fixed)
    free = paid(total="0.00")
    assert share_left(rule, free, [refund("1", "5")]) == D(1)
    unknown = paid(total=None)
    assert now(fixed, unknown, [refund("1", "5")]) == D(10)
    assert now(fixed, unknown, total="20") == D(10)
    items = compile_rule(ValueRule(source=ValueSource.ITEMS_TOTAL))
    assert share_left(items, unknown, [refund("1", "5")]) == D(1)


def test_a_refund_that_is_no_amount_leaves_the_value() -> None:
    assert after(refund("1", "sNaN")) == D(100)


# ---------------------------------------------------------------- edits
def test_an_edited_order_is_valued_by_the_rule_again() -> None:
    assert edited("120") == D(120)
    assert edited("80") == D(80)
    assert edited("0") == D(0)
    assert edited("120", without_tax=True) == D("100.84")  # the tax is taken to have grown as well
    assert edited("120", factor=D("0.5")) == D(60)
    assert edited("120", at_most=D(110)) == D(110)
    assert edited("20", at_least=D(50)) == D(50)
    assert edited("120", source=ValueSource.FIXED, fixed=D(10)) == D(10)
    assert edited("120", source=ValueSource.ITEMS_TOTAL, items=ONLY_VIP) == D(72)


def test_refunds_are_a_share_of_the_edited_order() -> None:
    assert edited("200", refund("1", "50")) == D(150)
    assert edited("50", refund("1", "50")) == D(0)


def test_an_edit_that_says_nothing_leaves_the_value() -> None:
    assert edited("100.00") == D(100)
    assert edited("-5") == D(100)
    assert now(ValueRule(), paid(total="0.00"), total="10") == D(0)
    spent = compile_rule(ValueRule(source=ValueSource.FIELD, field="customer.spent_before"))
    assert value_now(spent, ORDER, D(30), D(200), ()) == D(30), "the rule asks for what is not known here"


money = st.decimals(0, 500, places=2)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(money, max_size=4),
    money,
    st.sampled_from([{}, {"without_tax": True}, {"factor": D("0.3")}, {"at_most": D(60)}, {"at_least": D(70)}]),
    st.randoms(),
)
def test_refunds_in_any_order_never_raise_the_value_nor_pass_zero(
    given_: list[Decimal], total: Decimal, rule: dict[str, Any], random: Any
) -> None:
    event = paid(total=str(total))
    compiled = compile_rule(ValueRule(**rule))
    refunds = [refund(str(number), str(given)) for number, given in enumerate(given_)]
    before = value_of(compiled, event).amount
    found = now(ValueRule(**rule), event, refunds)
    random.shuffle(refunds)
    assert now(ValueRule(**rule), event, refunds) == found
    assert before is not None
    assert found is not None
    assert 0 <= found <= before


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (ValueRule(), "0.951"),
        (ValueRule(without_shipping=True), "1"),
        (ValueRule(source=ValueSource.FIXED, fixed=D(10), currency="EUR"), "0.951"),
    ],
)
def test_a_refund_leaves_the_share_of_what_the_rule_starts_from(rule: ValueRule, left: str) -> None:
    shipped_for_nothing = msgspec.structs.replace(refund("1", "4.90"), shipping=D("4.90"))
    assert share_left(compile_rule(rule), paid(), [shipped_for_nothing]) == D(left)


def test_an_orders_total_is_an_amount_below_the_limit() -> None:
    orders_total = compile_rule(ValueRule())
    most = AMOUNT_LIMIT - Decimal("0.01")
    assert amount_of(orders_total, paid(total=str(most)), NO_FACTS) == (most, "EUR")
    assert amount_of(orders_total, paid(total=str(AMOUNT_LIMIT)), NO_FACTS) == NO_AMOUNT
