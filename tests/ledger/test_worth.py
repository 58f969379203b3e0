"""What conversions are worth by their orders' own current totals, items and currencies: whatever the order, Google ends with that."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.values.conversions import Lane
from custom_events.values.events import LineItem

D = Decimal
A = LineItem(sku="A", quantity=1, total=D("60.00"))
B = LineItem(sku="B", quantity=1, total=D("40.00"))
ONLY_A = {"source": "items_total", "items": {"field": "item.sku", "op": "=", "value": "A"}}
_ENCODER = msgspec.json.Encoder(decimal_format="string")


def run(ledger: Any, lanes: Any) -> None:
    ledger.settle(lanes)
    ledger.clock.forward(minutes=35)
    ledger.settle(lanes)


def state(ledger: Any, order_id: str, **columns: Any) -> None:
    """What the newest body says of the order."""
    with ledger.engine.begin() as connection:
        names = ", ".join(columns)
        connection.execute(
            sa.text(
                f"INSERT INTO app.orders (site_id, order_id, {names}) VALUES (:site, :order_id, {', '.join(f':{name}' for name in columns)}) "
                f"ON CONFLICT (site_id, order_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)}"
            ),
            {"site": ledger.site, "order_id": order_id, **columns},
        )
        ledger._changed(connection, order_id)


def refunded(ledger: Any, order_id: str, number: str, amount: str, *items: LineItem, **columns: Any) -> None:
    """A refund with its lines."""
    ledger.refund(order_id, amount, number)
    with ledger.engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE app.order_refunds SET items = CAST(:items AS json), currency = :currency, shipping = :shipping "
                "WHERE refund_id = :number"
            ),
            {
                "items": _ENCODER.encode(items).decode() if items else None,
                "currency": columns.get("currency", "EUR"),
                "shipping": columns.get("shipping"),
                "number": number,
            },
        )


@pytest.mark.parametrize(
    ("total", "current", "given_back", "left"),
    [
        ("2258.00", "365.00", "1528.00", 365.0),  # an exchange
        ("1893.00", "1000.00", "0.00", 1000.0),
        ("1893.00", "1000.00", "893.00", 1000.0),  # what was taken out is repaid
        ("1893.00", "1893.00", "93.00", 1800.0),  # goodwill
        ("1893.00", None, "93.00", 1800.0),
    ],
)
def test_google_has_what_is_left(
    ledger: Any, lanes: Any, at_google: Any, total: str, current: str | None, given_back: str, left: float
) -> None:
    ledger.order(order_id="X", total="1893.00")
    run(ledger, lanes)
    ledger.refund("X", given_back)
    state(ledger, "X", currency="EUR", total=D(total), current_total=None if current is None else D(current))
    run(ledger, lanes)
    assert at_google() == {"X": left}


def items_order(ledger: Any, config: dict[str, Any], value: str) -> None:
    ledger.order(order_id="I", config={"trigger": ["order.paid"], "value": config}, value=D(value))
    with ledger.engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE app.commerce_events SET facts = jsonb_set(facts::jsonb, '{order,items}', CAST(:items AS jsonb))::json "
                "WHERE order_id = 'I'"
            ),
            {"items": _ENCODER.encode((A, B)).decode()},
        )
        connection.execute(
            sa.text("UPDATE app.custom_events SET value = :value WHERE order_id = 'I'"), {"value": D(value)}
        )


def test_a_refund_of_another_item_tells_google_nothing(ledger: Any, lanes: Any, at_google: Any) -> None:
    items_order(ledger, ONLY_A, "60.00")
    run(ledger, lanes)
    refunded(ledger, "I", "31", "40.00", B)
    run(ledger, lanes)
    assert at_google() == {"I": 60.0}
    assert len(ledger.of_order("I")) == 1
    refunded(ledger, "I", "32", "30.00", msgspec.structs.replace(A, total=D("30.00")))
    run(ledger, lanes)
    assert at_google() == {"I": 30.0}


def test_items_that_are_taken_out_count_without_money(ledger: Any, lanes: Any, at_google: Any) -> None:
    items_order(ledger, ONLY_A, "60.00")
    run(ledger, lanes)
    refunded(ledger, "I", "31", "0.00", A)
    state(ledger, "I", currency="EUR", total=D(100), current_total=D(40))
    run(ledger, lanes)
    assert at_google() == {"I": 0.0}


def test_shipping_that_comes_back_lowers_no_value_without_it(ledger: Any, lanes: Any, at_google: Any) -> None:
    items_order(ledger, {"without_shipping": True}, "100.00")
    run(ledger, lanes)
    refunded(ledger, "I", "31", "10.00", shipping=D("10.00"))
    run(ledger, lanes)
    assert at_google() == {"I": 100.0}


@pytest.mark.parametrize("lane", list(Lane))
def test_a_refund_in_another_currency_is_recorded_once_and_lowers_nothing(
    ledger: Any, lanes: Any, at_google: Any, lane: Lane
) -> None:
    ledger.order(order_id="A", lane=lane)
    for _ in range(3):
        run(ledger, lanes)
    refunded(ledger, "A", "31", "40.00", currency="USD")
    for _ in range(3):
        run(ledger, lanes)
    assert at_google() == {"A": 100.0}
    refunded(ledger, "A", "32", "5.00")
    for _ in range(3):
        run(ledger, lanes)
    assert at_google() == {"A": 95.0}
    rows = [(row.kind, row.sequence, row.state, row.reason) for row in ledger.of_order("A")]
    assert rows == [
        ("conversion", 0, "accepted", None),
        ("restatement", 1, "withheld", "other_currency"),
        ("restatement", 2, "accepted", None),
    ]
    assert (
        ledger.of_order("A")[1].sentence == "Refunds in another currency than the order's EUR do not lower it: 31 (USD)"
    )


def test_an_order_that_is_in_another_currency_by_now_is_recorded(ledger: Any, lanes: Any, at_google: Any) -> None:
    ledger.order(order_id="A")
    run(ledger, lanes)
    state(ledger, "A", currency="USD", total=D(50), current_total=D(50))
    run(ledger, lanes)
    assert at_google() == {"A": 100.0}
    noted = ledger.of_order("A")[1]
    assert (noted.state, noted.reason) == ("withheld", "other_currency")
    assert "The order is in USD by now" in noted.sentence


def test_before_it_is_sent_as_well(ledger: Any, lanes: Any, at_google: Any) -> None:
    ledger.order(order_id="A", not_before=ledger.clock() + timedelta(hours=1))
    refunded(ledger, "A", "31", "40.00", currency="USD")
    ledger.settle(lanes)
    assert [(row.kind, row.state, row.reason) for row in ledger.of_order("A")][1:] == [
        ("restatement", "withheld", "other_currency")
    ]
    ledger.clock.forward(minutes=61)
    run(ledger, lanes)
    assert at_google() == {"A": 100.0}
