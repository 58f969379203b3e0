"""A whole request refused for a reason that nobody knows: its rows wait, a person is told, and nothing is rejected for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from custom_events.ledger import send
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.values.conversions import Lane
from custom_events.watching.alarms import raised
from custom_events.watching.measure import measure
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

ADS, DM = Lane.GOOGLE_ADS, Lane.DATA_MANAGER
CODES = {
    (ADS, FaultKind.UNKNOWN_REASON): "ConversionUploadError.UNKNOWN_9999",
    (ADS, FaultKind.NO_REASON): "grpc.INVALID_ARGUMENT",
    (DM, FaultKind.UNKNOWN_REASON): "ErrorReason.BRAND_NEW_REASON",
    (DM, FaultKind.NO_REASON): "grpc.INVALID_ARGUMENT",
}


@pytest.fixture(params=["google_ads", "data_manager over grpc", "data_manager over rest"])
def way(request: Any, lanes: dict[Lane, Any], rest_lanes: dict[Lane, Any]) -> tuple[Any, ...]:
    """The lane, and the lanes with the transport."""
    if request.param == "google_ads":
        return ADS, lanes
    return DM, lanes if request.param.endswith("grpc") else rest_lanes


def drained(ledger: Ledger, lanes: dict[Lane, Any]) -> UploadFigures:
    return send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=60, lanes=lanes, clock=ledger.clock)


def alarms(ledger: Ledger) -> dict[str, Any]:
    with ledger.engine.connect() as connection:
        return {alarm.name: alarm for alarm in raised(measure(connection, ledger.settings, ledger.clock()))}


@pytest.mark.parametrize("kind", [FaultKind.UNKNOWN_REASON, FaultKind.NO_REASON])
def test_forty_conversions_wait_while_it_lasts_and_go_afterwards(
    ledger: Ledger, way: tuple[Any, ...], google: SandboxGoogle, at_google: Callable[..., Any], kind: FaultKind
) -> None:
    lane, lanes = way
    code = CODES[lane, kind]
    google.state.faults.arm(Fault(kind=kind))
    uploads = ledger.orders(40, lane)
    pauses = []
    for _ in range(20):
        drained(ledger, lanes)
        pauses.append(paused_s(ledger, lane))
        ledger.clock.forward(minutes=20)
        uploads += ledger.orders(1, lane)  # new ones join, and shorten no wait
    drained(ledger, lanes)
    assert ledger.states().keys() <= {"held", "queued"}
    assert calls(google) <= 14  # in almost seven hours: one minute, two, four ... up to one an hour
    assert max(pauses) > 40 * 60
    row = ledger.upload(uploads[0])
    assert (row.state, row.reason) == ("held", code)
    assert code.partition(".")[2] in row.sentence
    alarm = alarms(ledger)["ReasonNotKnown"]
    assert alarm.where["reason"] == code
    google.state.faults.disarm()
    ledger.clock.forward(hours=2)
    drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert ledger.states() == {"accepted": len(uploads)}
    assert len(at_google()) == len(uploads)
    assert "ReasonNotKnown" not in alarms(ledger)


def calls(google: SandboxGoogle) -> int:
    return google.state.faults.fired[FaultKind.UNKNOWN_REASON] + google.state.faults.fired[FaultKind.NO_REASON]


def paused_s(ledger: Ledger, lane: Lane) -> float:
    (row,) = ledger.rows("SELECT paused_until FROM app.ads_accounts WHERE lane = :l", l=lane.value)
    return max(0.0, (row.paused_until - ledger.clock()).total_seconds()) if row.paused_until else 0.0


def test_a_row_that_may_be_there_stays_so(ledger: Ledger, way: tuple[Any, ...], google: SandboxGoogle) -> None:
    lane, lanes = way
    upload = ledger.order(lane=lane)
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    drained(ledger, lanes)
    google.state.faults.arm(Fault(kind=FaultKind.UNKNOWN_REASON, count=1))
    ledger.clock.forward(minutes=1)
    drained(ledger, lanes)
    assert (ledger.upload(upload).state, ledger.upload(upload).reason) == ("unknown", "no_answer")


def test_adjustments_wait_as_well(
    ledger: Ledger, way: tuple[Any, ...], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    lane, lanes = way
    ledger.order(order_id="A", lane=lane)
    drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    google.state.faults.arm(Fault(kind=FaultKind.UNKNOWN_REASON, count=1))
    ledger.refund("A", "30.00")
    drained(ledger, lanes)
    assert ledger.states() == {"accepted": 1, "held": 1}
    ledger.clock.forward(minutes=5)
    drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert at_google() == {"A": 70.0}


def test_a_later_verdict_for_a_reason_that_nobody_knows(
    ledger: Ledger, way: tuple[Any, ...], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    """Over gRPC it has a number, over REST a word."""
    lane, lanes = way
    uploads = ledger.orders(5, lane)
    google.state.faults.arm(Fault(kind=FaultKind.ROW_UNKNOWN_REASON, count=5))
    drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    rows = [ledger.upload(upload) for upload in uploads]
    over_rest = lanes[DM]._connect().transport.kind == "rest" if lane is DM else False
    code = {
        (ADS, False): "ConversionUploadError.UNKNOWN_9999",
        (DM, False): "ProcessingErrorReason.UNKNOWN_9999",
        (DM, True): "ProcessingErrorReason.BRAND_NEW",
    }[lane, over_rest]
    assert {(row.state, row.reason) for row in rows} == {("held", code)}
    assert "ReasonNotKnown" in alarms(ledger)
    ledger.clock.forward(hours=25)
    drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert len(at_google()) == 5


def test_one_row_with_a_reason_that_nobody_knows_holds_up_no_other(
    ledger: Ledger, way: tuple[Any, ...], google: SandboxGoogle
) -> None:
    lane, lanes = way
    ledger.orders(8, lane)
    google.state.faults.arm(Fault(kind=FaultKind.ROW_UNKNOWN_REASON, count=1))
    for _ in range(5):
        drained(ledger, lanes)
        ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    states = ledger.states()
    assert "rejected" not in states
    assert states["accepted"] >= 7


def test_a_probe_that_is_refused_so_is_asked_again_every_quarter_of_an_hour(
    ledger: Ledger, way: tuple[Any, ...], google: SandboxGoogle
) -> None:
    lane, lanes = way
    ledger.do("UPDATE app.ads_accounts SET capabilities = NULL")
    google.state.faults.arm(Fault(kind=FaultKind.UNKNOWN_REASON))
    ledger.order(lane=lane)
    for _ in range(30):
        drained(ledger, lanes)
        ledger.clock.forward(minutes=2)
    assert calls(google) <= 5 * 3
    google.state.faults.disarm()
    ledger.clock.forward(minutes=16)
    drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert ledger.states() == {"accepted": 1}


def test_the_wait_is_that_of_refusals_in_a_row(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    """One that is answered in between begins anew."""
    google.state.faults.arm(Fault(kind=FaultKind.UNKNOWN_REASON, count=3))
    for _ in range(3):
        ledger.order()
        drained(ledger, lanes)
        ledger.clock.forward(minutes=30)
    ledger.order()
    drained(ledger, lanes)
    assert set(ledger.states()) == {"accepted"}
    google.state.faults.arm(Fault(kind=FaultKind.UNKNOWN_REASON, count=1))
    ledger.order()
    drained(ledger, lanes)
    assert timedelta(seconds=paused_s(ledger, ADS)) < timedelta(minutes=2)
