"""Orders that are edited, cancelled or deleted after they were sent: Google ends with what is right, over both lanes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.destinations.google_data_manager.lane import DataManagerLane
from custom_events.values.conversions import Lane
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

EDIT = """
INSERT INTO app.orders (site_id, order_id, total, currency, cancelled_at, deleted_at) VALUES (:s, :o, :v, 'EUR', :c, :d)
ON CONFLICT (site_id, order_id) DO UPDATE
SET total = excluded.total, cancelled_at = excluded.cancelled_at, deleted_at = excluded.deleted_at
"""
CHANGED = "INSERT INTO app.value_changes VALUES (:s, :o, :t) ON CONFLICT DO NOTHING"


@pytest.fixture(params=list(Lane))
def lane(request: Any) -> Lane:
    return request.param


def edit(
    ledger: Ledger, total: str | None = None, cancelled: datetime | None = None, deleted: datetime | None = None
) -> None:
    """An order as a later body shows it, and its mark for the adjuster."""
    with ledger.engine.begin() as connection:
        where = {"s": ledger.site, "o": "A"}
        connection.execute(sa.text(EDIT), where | {"v": total, "c": cancelled, "d": deleted})
        connection.execute(sa.text(CHANGED), where | {"t": ledger.clock()})


def run(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    for _ in range(3):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=35)
    ledger.settle(lanes)


def adjustments(ledger: Ledger) -> list[Any]:
    return [(row.kind, row.state, f"{row.value:.0f}") for row in ledger.of_order("A")[1:]]


def test_edits_without_a_refund_restate_in_rising_times(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes)
    for total, value in (("80.00", 80.0), ("120.00", 120.0), ("120.00", 120.0)):
        edit(ledger, total)
        run(ledger, lanes)
        assert at_google() == {"A": value}
    ledger.refund("A", "20.00")
    run(ledger, lanes)
    assert at_google() == {"A": 100.0}
    times = [row.adjusted_at for row in ledger.of_order("A")[1:]]
    assert times == sorted(set(times))
    assert [kind for kind, _, _ in adjustments(ledger)] == ["restatement"] * 3


def test_an_edit_in_one_moment_with_its_undoing_sends_nothing(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes)
    calls = sum(google.state.requests.values())
    edit(ledger, "80.00")
    edit(ledger, "100.00")
    ledger.settle(lanes)
    assert (adjustments(ledger), sum(google.state.requests.values())) == ([], calls)
    assert at_google() == {"A": 100.0}


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
def test_an_order_that_is_no_more_is_taken_back(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any], how: str
) -> None:
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes)
    edit(ledger, "90.00")
    run(ledger, lanes)
    edit(ledger, "90.00", **{how: ledger.clock()})
    run(ledger, lanes)
    ledger.clock.forward(hours=24)
    run(ledger, lanes)
    assert at_google() == {"A": 0.0}
    assert adjustments(ledger) == [("restatement", "accepted", "90"), ("retraction", "accepted", "0")]


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
def test_before_it_was_sent_it_is_not_sent(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any], how: str
) -> None:
    ledger.order(order_id="A", lane=lane)
    edit(ledger, "100.00", **{how: ledger.clock()})
    run(ledger, lanes)
    assert at_google() == {}
    assert [(row.state, row.reason) for row in ledger.of_order("A")] == [("withheld", "fully_refunded_before_sending")]


def test_an_order_that_comes_back_in_time(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes)
    edit(ledger, "100.00", cancelled=ledger.clock())
    ledger.clock.forward(hours=20)
    run(ledger, lanes)
    edit(ledger, "100.00")
    run(ledger, lanes)
    assert at_google() == {"A": 100.0}


def test_an_order_that_comes_back_too_late(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    """Google restates no retracted conversion; the Data Manager's value can be set again."""
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes)
    edit(ledger, "100.00", cancelled=ledger.clock())
    ledger.clock.forward(hours=24)
    run(ledger, lanes)
    edit(ledger, "100.00")
    run(ledger, lanes)
    if lane is Lane.GOOGLE_ADS:
        assert at_google() == {"A": 0.0}
        assert ledger.of_order("A")[-1].reason == "already_retracted"
    else:
        assert at_google() == {"A": 100.0}


def test_a_google_that_does_not_take_the_value_0_says_so_in_the_row(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    google.state.switches = msgspec.structs.replace(google.state.switches, data_manager_accepts_zero_value=False)
    ledger.order(order_id="A", lane=Lane.DATA_MANAGER)
    ledger.order(order_id="B", lane=Lane.DATA_MANAGER)
    run(ledger, lanes)
    ledger.refund("B", "30.00")
    edit(ledger, "100.00", cancelled=ledger.clock())
    run(ledger, lanes)
    assert at_google() == {"A": 100.0, "B": 70.0}
    (row,) = ledger.of_order("A")[1:]
    assert (row.state, row.reason, row.sentence) == (
        "rejected",
        "ErrorReason.INVALID_EVENT",
        "Google finds the event invalid",
    )


def test_an_installation_that_does_not_send_the_value_0(
    ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    lanes = {**lanes, Lane.DATA_MANAGER: DataManagerLane(lanes[Lane.DATA_MANAGER]._connect, zero_value=False)}
    ledger.order(order_id="A", lane=Lane.DATA_MANAGER)
    run(ledger, lanes)
    edit(ledger, "60.00")
    run(ledger, lanes)
    edit(ledger, "60.00", deleted=ledger.clock())
    run(ledger, lanes)
    assert at_google() == {"A": 60.0}
    assert [(row.state, row.reason) for row in ledger.of_order("A")][-1] == ("withheld", "no_retraction")
