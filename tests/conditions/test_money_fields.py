"""Fields about money, payment and tests: read as they are, and in the currency that they are in."""

from decimal import Decimal

import msgspec
import pytest

from custom_events.conditions.compile import compile_condition
from custom_events.conditions.facts import NO_FACTS
from custom_events.conditions.interpret import currency_reader
from custom_events.values.events import CommerceEvent, LineItem, Refund
from tests.conditions.examples import ORDER, PAID, REFUNDED

D = Decimal
RICH = msgspec.structs.replace(
    PAID,
    order=msgspec.structs.replace(
        ORDER,
        current_total=D("200.00"),
        shipping_tax=D("0.95"),
        discount_tax=D("1.90"),
        shipping_discount=D("2.00"),
        taxes_included=False,
        gift_card=D("50.00"),
        tip=D("3.00"),
        paid_amount=D("120.00"),
        parent_id="1000",
        is_exchange=True,
        items=(LineItem(sku="VIP-1", total=D("200.00"), tax=D("38.00")),),
    ),
)
FOREIGN = msgspec.structs.replace(
    REFUNDED, refund=Refund(id="1", order_id=ORDER.id, amount=D("10.00"), currency="USD", shipping=D(4), is_pending=True)
)  # fmt: skip


def holds(event: CommerceEvent, field: str, op: str, value: object = None, currency: str | None = None) -> bool:
    leaf = (
        {"field": field, "op": op}
        | ({} if value is None else {"value": value})
        | ({"currency": currency} if currency else {})
    )
    return compile_condition(leaf).holds(event, NO_FACTS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order.total", "250.00"),
        ("order.current_total", "200.00"),
        ("order.shipping_tax", "0.95"),
        ("order.discount_tax", "1.90"),
        ("order.shipping_discount", "2.00"),
        ("order.gift_card", "50.00"),
        ("order.gift_card_share", "0.2"),
        ("order.tip", "3.00"),
        ("order.paid_amount", "120.00"),
        ("order.parent_id", "1000"),
        ("order.is_exchange", True),
        ("order.taxes_included", False),
        ("order.total_without_shipping", "244.05"),  # less shipping and its tax
        ("order.total_without_tax", "210.08"),
    ],
)
def test_an_order_says_it(field: str, value: object) -> None:
    assert holds(RICH, field, "=", value)
    assert holds(RICH, field, "exists")


@pytest.mark.parametrize(
    "field",
    [
        "current_total",
        "gift_card",
        "gift_card_share",
        "tip",
        "paid_amount",
        "parent_id",
        "taxes_included",
        "discount_tax",
    ],
)
def test_what_an_order_does_not_say_is_missing(field: str) -> None:
    assert holds(PAID, f"order.{field}", "missing")


def test_totals_without_parts_are_missing_where_a_part_is() -> None:
    bare = msgspec.structs.replace(PAID, order=msgspec.structs.replace(ORDER, tax=None, shipping=None))
    assert holds(bare, "order.total_without_tax", "missing")
    assert holds(bare, "order.total_without_shipping", "missing")
    nothing = msgspec.structs.replace(PAID, order=msgspec.structs.replace(ORDER, total=None))
    assert holds(nothing, "order.total_without_tax", "missing")
    assert holds(nothing, "order.total_without_shipping", "missing")


def test_a_refund_says_it() -> None:
    assert holds(FOREIGN, "refund.is_pending", "=", True)
    assert holds(REFUNDED, "refund.is_pending", "=", False)
    assert holds(FOREIGN, "refund.shipping", "=", 4, "USD")
    assert holds(REFUNDED, "refund.shipping", "missing")


def test_a_refund_in_another_currency_relabels_no_field_of_its_order() -> None:
    assert holds(FOREIGN, "refund.amount", "=", 10, "USD")
    assert holds(FOREIGN, "order.total", "=", 250, "EUR")
    assert not holds(FOREIGN, "order.total", "=", 250, "USD")
    of_items = {"any_item": {"field": "item.total", "op": "=", "value": 200, "currency": "EUR"}}
    assert compile_condition(of_items).holds(FOREIGN, NO_FACTS), "the refund names no lines: they are the order's"
    total = {"measure": "total", "op": ">=", "value": 200, "currency": "EUR"}
    assert compile_condition(total).holds(FOREIGN, NO_FACTS)
    assert not compile_condition(total | {"currency": "USD"}).holds(FOREIGN, NO_FACTS)
    named = Refund(id="1", order_id=ORDER.id, amount=D(10), currency="USD", items=(LineItem(total=D(100)),))
    own = msgspec.structs.replace(FOREIGN, refund=named)
    assert compile_condition({"measure": "total", "op": "=", "value": 100, "currency": "USD"}).holds(own, NO_FACTS)


def test_items_say_their_tax() -> None:
    taxed = {"any_item": {"field": "item.tax", "op": "=", "value": 38, "currency": "EUR"}}
    assert compile_condition(taxed).holds(RICH, NO_FACTS)
    assert not compile_condition(taxed).holds(PAID, NO_FACTS)


def test_the_currency_of_a_field() -> None:
    for name, currency in (("order.total", "EUR"), ("refund.amount", "USD"), ("event.amount", "USD")):
        read = currency_reader(name)
        assert read is not None
        assert read(FOREIGN, NO_FACTS) == currency
    cart = currency_reader("cart.total")
    assert cart is not None
    assert cart(FOREIGN, NO_FACTS) is None
    assert currency_reader("order.number") is None
    assert currency_reader("properties.score") is None
    assert currency_reader("item.total") is None
    assert currency_reader("no.such") is None
