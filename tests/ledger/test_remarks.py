"""What Google remarks on while it takes a row (`field_warnings`) is kept, and shown."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from custom_events.ledger.overview import overview
from custom_events.values.conversions import Lane
from tests.ledger.conftest import Ledger

DM = Lane.DATA_MANAGER
CODE = "WarningReason.CART_DATA_ITEM_UNIT_PRICE_MISSING"
CART = json.dumps({"merchant_id": "1", "items": [{"id": "a", "quantity": 1}]})


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_remark_stays_with_its_row(
    ledger: Ledger, lanes: dict[Lane, Any], rest_lanes: dict[Lane, Any], transport: str, at_google: Callable[..., Any]
) -> None:
    lanes = lanes if transport == "grpc" else rest_lanes
    plain, remarked = ledger.orders(3, DM), ledger.order(lane=DM, cart=CART)
    ledger.settle(lanes)
    assert (ledger.upload(remarked).state, ledger.upload(remarked).reason) == ("sent", CODE)
    ledger.clock.forward(minutes=31)
    ledger.settle(lanes)
    row = ledger.upload(remarked)
    assert (row.state, row.reason) == ("accepted", CODE)
    assert "no price" in row.sentence
    assert {ledger.upload(upload).reason for upload in plain} == {None}
    with ledger.engine.connect() as connection:
        account = next(one for one in overview(connection, ledger.clock()) if one.lane is DM)
    assert [(one.state, one.reason, one.rows) for one in account.standings] == [("accepted", CODE, 1)]
    answers = ledger.rows("SELECT verdict, code FROM app.upload_answers WHERE upload_id = :u ORDER BY at", u=remarked)
    assert answers == [("pending", CODE), ("accepted", CODE)]
    assert len(at_google()) == 4


def test_its_refunds_go_as_every_other(ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]) -> None:
    ledger.order(order_id="A", lane=DM, cart=CART)
    for _ in range(2):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=31)
    ledger.refund("A", "30.00")
    for _ in range(2):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=31)
    assert at_google() == {"A": 70.0}
