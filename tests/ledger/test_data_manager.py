"""The Data Manager lane: verdicts come later and name no row; one bad row refuses a request."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from custom_events.ledger import send
from custom_events.values.conversions import Lane
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

DM = Lane.DATA_MANAGER


@pytest.fixture(params=["grpc", "rest"])
def dm_lanes(request: Any, lanes: dict[Lane, Any], rest_lanes: dict[Lane, Any]) -> dict[Lane, Any]:
    return lanes if request.param == "grpc" else rest_lanes


def switch(google: SandboxGoogle, **values: bool) -> None:
    google.state.switches = msgspec.structs.replace(google.state.switches, **values)


def test_accepted_after_the_verdict(
    ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.orders(5, DM)
    ledger.settle(dm_lanes)
    assert ledger.states() == {"sent": 5}
    request = ledger.rows("SELECT * FROM app.upload_requests")[0]
    assert request.next_poll_at == ledger.clock() + timedelta(minutes=30)
    assert request.google_request_id
    ledger.clock.forward(minutes=29)
    assert ledger.once(dm_lanes).idle
    ledger.clock.forward(minutes=2)
    figures = ledger.settle(dm_lanes)
    assert (figures.polls, dict(figures.verdicts)) == (1, {"accepted": 5})
    assert ledger.states() == {"accepted": 5}
    assert len(at_google()) == 5


def test_a_drain_asks_for_every_verdict_that_is_due(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.settings.upload_batch_size = 1
    ledger.orders(5, DM)
    ledger.settle(lanes)
    ledger.clock.forward(minutes=31)
    figures = send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=30, lanes=lanes, clock=ledger.clock)
    assert figures.polls == 5
    assert ledger.states() == {"accepted": 5}


def test_two_actions_in_one_request(ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(2, DM)
    ledger.orders(2, DM, action="8002")
    ledger.settle(dm_lanes)
    ledger.clock.forward(minutes=31)
    ledger.settle(dm_lanes)
    assert ledger.states() == {"accepted": 4}
    assert google.state.requests["IngestEvents"] == 1


@pytest.mark.parametrize("poison", [0, 3, 6], ids=["first", "middle", "last"])
def test_a_named_row_is_taken_out_and_the_rest_goes(
    ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle, poison: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = ledger.orders(7, DM)
    break_row(ledger, monkeypatch, uploads[poison])
    ledger.settle(dm_lanes)
    assert ledger.states() == {"sent": 6, "rejected": 1}
    row = ledger.upload(uploads[poison])
    assert (row.state, row.reason) == ("rejected", "ErrorReason.INVALID_SHA256_FORMAT")
    assert google.state.requests["IngestEvents"] == 2


def test_an_unnamed_row_is_found_in_parts(
    ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(google, data_manager_names_bad_rows=False)
    uploads = ledger.orders(40, DM)
    break_row(ledger, monkeypatch, uploads[17])
    ledger.settle(dm_lanes)
    assert ledger.states() == {"sent": 39, "rejected": 1}
    assert ledger.upload(uploads[17]).state == "rejected"


def test_a_part_that_was_claimed_behind_a_call_that_failed_goes_later(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given back, it is a part of the request it came from still; the request it was claimed for is none."""
    switch(google, data_manager_names_bad_rows=False)
    uploads = ledger.orders(40, DM)
    break_row(ledger, monkeypatch, uploads[17])

    def drain() -> None:
        options = {"until_idle_s": 0, "limit_s": 30, "lanes": lanes, "clock": ledger.clock}
        send.drain(ledger.engine, ledger.settings, **options)

    ledger.once(lanes)
    assert {(row.state, row.reason) for row in map(ledger.upload, uploads)} == {("queued", "split")}
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, method="IngestEvents", count=1))
    for _ in range(3):
        drain()
        ledger.clock.forward(minutes=1)
    assert ledger.states() == {"sent": 39, "rejected": 1}


def test_a_part_that_waits_for_its_action_holds_up_no_other(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(google, data_manager_names_bad_rows=False)
    parked, going = ledger.order(lane=DM, action="8002"), ledger.order(lane=DM)
    for upload, request in ((parked, 1), (going, 2)):
        ledger.do(
            "INSERT INTO app.upload_requests (id, ads_account_id, lane, kind, rows, intent_at) "
            "VALUES (:r, :a, 'data_manager', 'conversions', 8, :t)",
            r=request, a=ledger.accounts[DM], t=ledger.clock(),
        )  # fmt: skip
        ledger.do(
            "UPDATE app.conversion_uploads SET reason = 'split', request_id = :r WHERE id = :u", r=request, u=upload
        )
    ledger.do("SELECT setval(pg_get_serial_sequence('app.upload_requests', 'id'), 10)")
    ledger.do("UPDATE app.ads_actions SET parked_reason = 'x' WHERE action_id = '8002'")
    ledger.settle(lanes)
    assert (ledger.upload(parked).state, ledger.upload(going).state) == ("queued", "sent")


def break_row(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, upload: int) -> None:
    """A hash that Google refuses, and a check of our own that lets it pass."""
    ledger.do("UPDATE app.conversion_uploads SET email_sha256 = 'abcd' WHERE id = :u", u=upload)
    monkeypatch.setattr("custom_events.destinations.google_data_manager.lane.validate", lambda _row, _now: None)


def test_rows_that_fail_later_are_found_in_parts(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    uploads = ledger.orders(20, DM)
    ledger.do("UPDATE app.conversion_uploads SET click_id = 'EAIaIQobChMIxxxxxxxx' WHERE id = :u", u=uploads[4])
    ledger.settle(lanes)
    for _ in range(8):
        ledger.clock.forward(minutes=31)
        ledger.settle(lanes)
    assert ledger.states() == {"accepted": 19, "rejected": 1}
    row = ledger.upload(uploads[4])
    assert (row.state, row.reason) == ("rejected", "ProcessingErrorReason.INVALID_GCLID")
    counts = ledger.rows("SELECT counts FROM app.upload_requests ORDER BY id LIMIT 1")[0].counts
    reasons = {"ProcessingErrorReason.INVALID_GCLID": 1}
    assert counts == {"8001": {"successful": 19, "failed": 1, "pending": 0, "reasons": reasons}}


def test_a_request_google_forgot_is_sent_again(
    ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    ledger.orders(2, DM)
    ledger.settle(dm_lanes)
    google.state.status_requests.clear()
    ledger.clock.forward(minutes=31)
    ledger.settle(dm_lanes)
    assert ledger.states() == {"unknown": 2}
    ledger.clock.forward(minutes=1)
    ledger.settle(dm_lanes)
    ledger.clock.forward(minutes=31)
    ledger.settle(dm_lanes)
    assert ledger.states() == {"accepted": 2}
    assert len(google.state.conversions) == 2


def test_a_poll_that_fails_only_waits(ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(2, DM)
    ledger.settle(dm_lanes)
    ledger.clock.forward(minutes=31)
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, method="RetrieveRequestStatus", count=1))
    ledger.settle(dm_lanes)
    assert ledger.states() == {"sent": 2}
    ledger.clock.forward(minutes=32)
    ledger.settle(dm_lanes)
    assert ledger.states() == {"accepted": 2}
    assert google.state.requests["IngestEvents"] == 1


def test_quota_waits_for_the_delay(ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(2, DM)
    google.state.faults.arm(Fault(kind=FaultKind.QUOTA_RATE, seconds=17, count=1))
    ledger.settle(dm_lanes)
    assert ledger.states() == {"queued": 2}
    ledger.clock.forward(seconds=16)
    assert ledger.once(dm_lanes).idle
    ledger.clock.forward(seconds=2)
    ledger.settle(dm_lanes)
    assert ledger.states() == {"sent": 2}


def test_a_right_that_is_missing_parks(ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(2, DM)
    google.state.customers["2345678901"].manager_id = "9999999999"
    ledger.settle(dm_lanes)
    parked = ledger.rows("SELECT customer_id, parked_reason FROM app.ads_accounts WHERE parked_reason IS NOT NULL")
    assert [row.customer_id for row in parked] == ["2345678901"]
    assert ledger.states() == {"queued": 2}


def test_an_action_of_another_type_parks_the_action(
    ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    bad = ledger.orders(2, DM, action="8002")
    good = ledger.orders(2, DM)
    google.state.actions["8002"].type = "WEBPAGE"
    ledger.settle(dm_lanes)
    assert {ledger.upload(upload).state for upload in good} == {"sent"}
    assert {ledger.upload(upload).state for upload in bad} == {"queued"}
    assert ledger.rows("SELECT action_id FROM app.ads_actions WHERE parked_reason IS NOT NULL") == [("8002",)]


def test_more_than_ten_actions_go_in_several_requests(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    from sandbox.google_ads.seed import Action

    for number in range(8010, 8022):
        google.state.actions[str(number)] = Action(customer_id="2345678901", action_id=str(number))
        ledger.action(ledger.accounts[DM], str(number))
        ledger.order(lane=DM, action=str(number))
    ledger.settle(lanes)
    assert ledger.states() == {"sent": 12}
    assert google.state.requests["IngestEvents"] == 2
