"""Refunds and cancellations: whatever their order and moment, Google ends with the value that is right."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from custom_events.values.conversions import Lane
from custom_events.values.events import EventType
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger


@pytest.fixture(params=list(Lane))
def lane(request: Any) -> Lane:
    return request.param


def run(ledger: Ledger, lanes: dict[Lane, Any], lane: Lane) -> None:
    """Settle; where verdicts come later, wait for them and settle again."""
    for _ in range(4):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=35)
    ledger.settle(lanes)


def test_a_part_refund_restates_the_total(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes, lane)
    ledger.refund("A", "30.00")
    run(ledger, lanes, lane)
    assert at_google() == {"A": 70.0}
    rows = ledger.of_order("A")
    assert [(row.kind, row.sequence, row.state, str(row.value)) for row in rows] == [
        ("conversion", 0, "accepted", "100.000000"),
        ("restatement", 1, "accepted", "70.000000"),
    ]


def test_refund_after_refund_has_rising_times(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes, lane)
    for amount in ("10.00", "20.00", "30.00"):
        ledger.refund("A", amount)
        run(ledger, lanes, lane)
    assert at_google() == {"A": 40.0}
    times = [row.adjusted_at for row in ledger.of_order("A")[1:]]
    assert times == sorted(set(times))
    assert len(times) == 3


def test_a_full_refund_retracts(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes, lane)
    ledger.refund("A", "60.00")
    ledger.refund("A", "40.00")
    run(ledger, lanes, lane)
    assert at_google() == {"A": 0.0}
    assert [row.kind for row in ledger.of_order("A")] == ["conversion", "retraction"]


def test_a_cancellation_retracts(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane)
    run(ledger, lanes, lane)
    ledger.cancel("A")
    run(ledger, lanes, lane)
    assert at_google() == {"A": 100.0 if lane is Lane.GOOGLE_ADS else 0.0}
    ledger.clock.forward(hours=24)
    run(ledger, lanes, lane)
    assert at_google() == {"A": 0.0}


def test_refunds_before_the_first_call_change_the_conversion(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane, not_before=ledger.clock() + timedelta(hours=1))
    ledger.refund("A", "25.00")
    ledger.settle(lanes)
    ledger.refund("A", "5.00")
    ledger.settle(lanes)
    ledger.clock.forward(hours=1)
    run(ledger, lanes, lane)
    assert at_google() == {"A": 70.0}
    assert len(ledger.of_order("A")) == 1


def test_fully_refunded_before_the_first_call_is_withheld(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=lane, not_before=ledger.clock() + timedelta(hours=1))
    ledger.refund("A", "100.00")
    ledger.clock.forward(hours=1)
    run(ledger, lanes, lane)
    assert at_google() == {}
    (row,) = ledger.of_order("A")
    assert (row.state, row.reason) == ("withheld", "fully_refunded_before_sending")


def test_a_burst_of_refunds_is_one_adjustment(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    """While the original has no verdict the adjustment waits, and takes in what comes."""
    ledger.order(order_id="A", lane=Lane.DATA_MANAGER)
    ledger.settle(lanes)
    for amount in ("10.00", "20.00", "30.00"):
        ledger.refund("A", amount)
        ledger.settle(lanes)
        ledger.clock.forward(minutes=1)
    assert [(row.state, str(row.value)) for row in ledger.of_order("A")] == [
        ("sent", "100.000000"),
        ("queued", "40.000000"),
    ]
    run(ledger, lanes, Lane.DATA_MANAGER)
    assert at_google() == {"A": 40.0}
    assert len(ledger.of_order("A")) == 2


def test_a_refund_while_the_answer_is_unknown(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A")
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    ledger.settle(lanes)
    ledger.refund("A", "30.00")
    ledger.settle(lanes)
    assert [row.state for row in ledger.of_order("A")] == ["unknown", "queued"]
    run(ledger, lanes, Lane.GOOGLE_ADS)
    assert at_google() == {"A": 70.0}


def test_an_adjustment_applied_and_dropped_ends_right(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A")
    ledger.order(order_id="B")
    ledger.settle(lanes)
    ledger.refund("A", "30.00")
    ledger.refund("B", "100.00")
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, method="UploadConversionAdjustments", count=1))
    run(ledger, lanes, Lane.GOOGLE_ADS)
    assert at_google() == {"A": 70.0, "B": 0.0}
    assert {row.state for row in ledger.of_order("A") + ledger.of_order("B")} == {"accepted"}
    assert len(google.state.adjustments) == 2


def test_adjustments_of_what_was_not_sent_are_withheld(
    ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    bad = ledger.order(order_id="A", click_id="EAIaIQobChMIxxxxxxxx")
    ledger.settle(lanes)
    assert ledger.upload(bad).state == "rejected"
    ledger.refund("A", "30.00")
    ledger.settle(lanes)
    ledger.refund("A", "0.00")  # nothing new: nothing more is recorded
    ledger.settle(lanes)
    rows = ledger.of_order("A")
    assert [(row.state, row.reason) for row in rows][1:] == [("withheld", "original_not_sent")]
    assert at_google() == {}


def test_an_adjustment_whose_original_fails_later_is_withheld(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    ledger.order(order_id="A", click_id="EAIaIQobChMIxxxxxxxx")
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=1))
    ledger.settle(lanes)
    ledger.refund("A", "30.00")
    ledger.settle(lanes)
    assert [row.state for row in ledger.of_order("A")] == ["unknown", "queued"]
    ledger.clock.forward(seconds=10)
    ledger.settle(lanes)
    assert [(row.state, row.reason) for row in ledger.of_order("A")] == [
        ("rejected", "ConversionUploadError.UNPARSEABLE_GCLID"),
        ("withheld", "original_not_sent"),
    ]


def test_the_assignments_own_rule_decides_the_value(
    ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    half = {"trigger": ["order.paid"], "value": {"factor": "0.5"}}
    fixed = {"trigger": ["order.paid"], "value": {"source": "fixed", "fixed": "9", "refunds_lower_it": False}}
    ledger.order(order_id="A", config=half, value="50")
    ledger.order(order_id="B", config=fixed, value="9")
    ledger.settle(lanes)
    ledger.refund("A", "20.00")
    ledger.refund("B", "20.00")
    run(ledger, lanes, Lane.GOOGLE_ADS)
    assert at_google() == {"A": 40.0, "B": 9.0}


def test_a_conversion_made_by_a_refund_is_left_alone(
    ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", event_type=EventType.ORDER_REFUNDED)
    ledger.settle(lanes)
    ledger.refund("A", "20.00")
    run(ledger, lanes, Lane.GOOGLE_ADS)
    assert at_google() == {"A": 100.0}


def test_refunds_after_54_days_expire(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A")
    ledger.settle(lanes)
    ledger.clock.forward(days=55)
    ledger.refund("A", "20.00")
    ledger.settle(lanes)
    assert [(row.state, row.reason) for row in ledger.of_order("A")][1] == ("expired", "deadline_passed")
    assert at_google() == {"A": 100.0}
