"""Batches through the real clients: what Google answers stands in the ledger, row by row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from custom_events.ledger import operator_actions, waiting
from custom_events.values.conversions import Lane
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger


def test_accepts_a_batch(ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]) -> None:
    ledger.orders(25)
    figures = ledger.settle(lanes)
    assert (figures.rows, figures.requests, dict(figures.verdicts)) == (25, 1, {"accepted": 25})
    assert ledger.states() == {"accepted": 25}
    assert sorted(at_google().values()) == [100.0] * 25
    attempts = ledger.rows("SELECT verdict, count(*) FROM app.upload_answers GROUP BY verdict")
    assert attempts == [("accepted", 25)]
    request = ledger.rows("SELECT * FROM app.upload_requests")[0]
    assert (request.rows, request.outcome, request.lane, request.kind) == (25, "answered", "google_ads", "conversions")
    assert request.google_request_id.startswith("sandbox-")


@pytest.mark.parametrize("poison", [0, 12, 24], ids=["first", "middle", "last"])
def test_a_poison_row_fails_alone(
    ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any], poison: int
) -> None:
    uploads = ledger.orders(25)
    ledger.do("UPDATE app.conversion_uploads SET click_id = 'EAIaIQobChMIxxxxxxxx' WHERE id = :u", u=uploads[poison])
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 24, "rejected": 1}
    row = ledger.upload(uploads[poison])
    assert (row.state, row.reason) == ("rejected", "ConversionUploadError.UNPARSEABLE_GCLID")
    assert "gclid is not one" in row.sentence
    assert row.settled_at is not None
    assert len(at_google()) == 24


def test_every_failed_row_keeps_its_own_reason(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    uploads = ledger.orders(6)
    ledger.do("UPDATE app.conversion_uploads SET click_id = 'EAIaIQobChMIxxxxxxxx' WHERE id = :u", u=uploads[1])
    ledger.do(
        "UPDATE app.conversion_uploads SET click_id = :c WHERE id = :u", u=uploads[3], c=ledger.gclid("2345678901")
    )
    young = ledger.gclid(hours_before=1)
    ledger.do(
        "UPDATE app.conversion_uploads SET click_id = :c, clicked_at = NULL, conversion_at = :t WHERE id = :u",
        u=uploads[5], c=young, t=ledger.clock(),
    )  # fmt: skip
    ledger.settle(lanes)
    reasons = {index: ledger.upload(upload).reason for index, upload in enumerate(uploads)}
    assert reasons == {
        0: None,
        1: "ConversionUploadError.UNPARSEABLE_GCLID",
        2: None,
        3: "ConversionUploadError.INVALID_CUSTOMER_FOR_CLICK",
        4: None,
        5: "ConversionUploadError.TOO_RECENT_EVENT",
    }
    held = ledger.upload(uploads[5])
    assert (held.state, held.not_before) == ("held", ledger.clock() + timedelta(hours=6))
    ledger.clock.forward(hours=6)
    ledger.settle(lanes)
    assert ledger.upload(uploads[5]).state == "accepted"


def test_a_known_young_click_is_held_with_the_hour_in_words(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    clicked_at = ledger.clock() - timedelta(hours=3, minutes=40)
    upload = ledger.order(
        clicked_at=clicked_at, click_id=ledger.gclid(hours_before=3.6667), conversion_at=ledger.clock()
    )
    ledger.settle(lanes)
    row = ledger.upload(upload)
    assert (row.state, row.reason, row.attempts) == ("held", "click_too_recent", 0)
    assert row.sentence == "Google accepts this click 6 hours after it happened: 2026-10-20 14:20 UTC"
    assert google.state.requests["UploadClickConversions"] == 0
    assert ledger.rows("SELECT count(*) FROM app.upload_requests") == [(0,)]
    ledger.clock.forward(hours=2, minutes=21)
    ledger.settle(lanes)
    assert ledger.upload(upload).state == "accepted"


def test_a_transient_error_is_tried_again(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.orders(3)
    google.state.faults.arm(Fault(kind=FaultKind.ROW_TRANSIENT_ERROR, count=1))
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 2, "queued": 1}
    ledger.clock.forward(seconds=7)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 3}
    assert len(at_google()) == 3
    assert ledger.rows("SELECT max(attempts), min(attempts) FROM app.conversion_uploads") == [(2, 1)]


@pytest.mark.parametrize(
    "kind", [FaultKind.UNAVAILABLE, FaultKind.INTERNAL, FaultKind.INTERNAL_WITHOUT_FAILURE, FaultKind.CONNECTION_RESET]
)
def test_silence_is_unknown_then_sent_again(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any], kind: FaultKind
) -> None:
    ledger.orders(3)
    google.state.faults.arm(Fault(kind=kind, method="UploadClickConversions", count=1))
    ledger.settle(lanes)
    assert ledger.states() == {"unknown": 3}
    ledger.clock.forward(seconds=10)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 3}
    assert len(at_google()) == 3


@pytest.mark.parametrize("lane", list(Lane))
def test_applied_and_dropped_is_one_conversion(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any], lane: Lane
) -> None:
    uploads = ledger.orders(3, lane)
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    ledger.settle(lanes)
    assert ledger.states() == {"unknown": 3}
    assert len(at_google()) == 3
    ledger.clock.forward(seconds=10)
    ledger.settle(lanes)
    ledger.clock.forward(minutes=31)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 3}
    assert at_google() == {ledger.upload(upload).order_id: 100.0 for upload in uploads}
    assert len(google.state.conversions) == 3
    if lane is Lane.GOOGLE_ADS:
        row = ledger.upload(uploads[0])
        assert row.reason == "ConversionUploadError.ORDER_ID_ALREADY_IN_USE"
        assert "an earlier call of ours had delivered it" in row.sentence


def test_what_has_no_answer_is_asked_about_after_its_deadline(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    upload = ledger.order(deadline_at=ledger.clock() + timedelta(hours=1))
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    ledger.settle(lanes)
    ledger.clock.forward(hours=2)
    ledger.settle(lanes)
    assert ledger.upload(upload).state == "accepted"


def test_a_quota_pauses_the_account_as_long_as_google_says(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    ledger.orders(2)
    google.state.faults.arm(Fault(kind=FaultKind.QUOTA_RATE, seconds=45, count=1))
    ledger.settle(lanes)
    account = ledger.rows("SELECT paused_until, paused_reason FROM app.ads_accounts WHERE lane = 'google_ads'")[0]
    assert account.paused_reason == "QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED"
    assert account.paused_until == ledger.clock() + timedelta(seconds=45)
    ledger.clock.forward(seconds=44)
    assert ledger.once(lanes).idle
    ledger.clock.forward(seconds=10)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 2}


def test_a_daily_quota_pauses_the_whole_lane(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.account("5550001111", Lane.GOOGLE_ADS)
    ledger.orders(2)
    google.state.faults.arm(Fault(kind=FaultKind.QUOTA_DAILY, seconds=3_600, count=1))
    ledger.settle(lanes)
    paused = ledger.rows("SELECT lane, count(paused_until) FROM app.ads_accounts GROUP BY lane ORDER BY lane")
    assert paused == [("data_manager", 0), ("google_ads", 2)]


def test_a_message_too_large_goes_in_parts(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(20)
    google.state.faults.arm(Fault(kind=FaultKind.RESOURCE_EXHAUSTED_WITHOUT_FAILURE, count=1))
    ledger.settle(lanes)
    sizes = ledger.rows("SELECT rows FROM app.upload_requests ORDER BY id")
    assert [size for (size,) in sizes] == [20, *([2] * 10)]
    assert ledger.states() == {"accepted": 20}


def test_a_missing_right_parks_the_account_until_released(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    upload = ledger.order()
    google.state.customers["1234567890"].status = "CANCELED"
    ledger.settle(lanes)
    account = ledger.rows("SELECT id, parked_reason FROM app.ads_accounts WHERE lane = 'google_ads'")[0]
    assert "cancelled" in account.parked_reason
    assert (ledger.upload(upload).state, ledger.upload(upload).reason) == (
        "queued",
        "AuthorizationError.CUSTOMER_NOT_ENABLED",
    )
    google.state.customers["1234567890"].status = "ENABLED"
    ledger.clock.forward(minutes=14)
    assert ledger.once(lanes).idle
    with ledger.engine.begin() as connection:
        assert operator_actions.release_account(connection, account.id, ledger.clock(), actor="anna") == "1234567890"
    ledger.settle(lanes)
    assert len(at_google()) == 1


def test_a_wrong_action_parks_only_itself(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    bad, good = ledger.order(action="7002"), ledger.order()
    google.state.actions["7002"].status = "REMOVED"
    ledger.settle(lanes)
    assert ledger.upload(good).state == "accepted"
    assert (ledger.upload(bad).state, ledger.upload(bad).reason) == (
        "queued",
        "ConversionUploadError.NO_CONVERSION_ACTION_FOUND",
    )
    parked = ledger.rows("SELECT action_id FROM app.ads_actions WHERE parked_reason IS NOT NULL")
    assert parked == [("7002",)]
    later = ledger.order()
    ledger.clock.forward(minutes=1)
    ledger.settle(lanes)
    assert ledger.upload(later).state == "accepted"


def test_rows_that_cannot_go_never_reach_google(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    uploads = {
        "currency_unknown": ledger.order(currency="XXX"),
        "transaction_id_personal": ledger.order(order_id="someone@example.com"),
        "no_identifier": ledger.order(click_id=None, click_kind=None, clicked_at=None),
        "conversion_before_click": ledger.order(clicked_at=ledger.clock() - timedelta(hours=10)),
        "time_in_future": ledger.order(conversion_at=ledger.clock() + timedelta(hours=1)),
    }
    ledger.settle(lanes)
    assert {ledger.upload(upload).reason for upload in uploads.values()} == set(uploads)
    assert ledger.states() == {"withheld": 5}
    assert google.state.requests["UploadClickConversions"] == 0


def test_expires_what_waited_too_long(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    upload = ledger.order(
        deadline_at=ledger.clock() + timedelta(hours=1), not_before=ledger.clock() + timedelta(hours=3)
    )
    ledger.clock.forward(hours=2)
    figures = ledger.settle(lanes)
    row = ledger.upload(upload)
    assert (figures.expired, row.state, row.reason) == (1, "expired", "deadline_passed")
    assert row.sentence == "Google took it until 2026-10-20 13:00 UTC"


def test_nearest_deadline_first_and_fair_between_accounts(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    ledger.settings.upload_batch_size = 2
    late = ledger.orders(4, deadline_at=ledger.clock() + timedelta(days=40))
    soon = ledger.orders(2, deadline_at=ledger.clock() + timedelta(days=2))
    other = ledger.orders(2, Lane.DATA_MANAGER)
    ledger.once(lanes)
    assert {ledger.upload(upload).state for upload in soon} == {"accepted"}
    assert {ledger.upload(upload).state for upload in late} == {"queued"}
    ledger.clock.forward(seconds=1)
    ledger.once(lanes)
    assert {ledger.upload(upload).state for upload in other} == {"sent"}


def test_two_orders_of_one_click_and_second_go_apart(
    ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    click = ledger.gclid()
    ledger.order(click_id=click)
    ledger.order(click_id=click)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1, "queued": 1}
    ledger.clock.forward(seconds=31)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 2}


def test_has_work_only_while_something_is_due(ledger: Ledger, lanes: dict[Lane, Any]) -> Any:
    def work() -> bool:
        with ledger.engine.connect() as connection:
            return waiting.has_work(connection, ledger.clock())

    assert not work()
    upload = ledger.order(not_before=ledger.clock() + timedelta(minutes=5))
    assert not work()
    ledger.clock.forward(minutes=5)
    assert work()
    ledger.settle(lanes)
    assert not work()
    ledger.refund(ledger.upload(upload).order_id, "10")
    assert work()
    ledger.settle(lanes)
    assert not work()


def test_held_rows_go_when_released(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    upload = ledger.order(state="held", reason="by_hand", not_before=ledger.clock() + timedelta(days=2))
    assert ledger.once(lanes).idle
    with ledger.engine.begin() as connection:
        assert (
            operator_actions.release_held(
                connection, ledger.accounts[Lane.GOOGLE_ADS], ledger.clock(), "by_hand", actor="anna"
            )
            == 1
        )
    ledger.settle(lanes)
    assert ledger.upload(upload).state == "accepted"


def test_nobody_is_woken_for_what_cannot_go(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> Any:
    """Rows of a parked action, and adjustments behind one that has no verdict, are no work."""

    def work() -> bool:
        with ledger.engine.connect() as connection:
            return waiting.has_work(connection, ledger.clock())

    ledger.order(action="7002")
    google.state.actions["7002"].status = "REMOVED"
    ledger.settle(lanes)
    assert not work()
    ledger.order(order_id="A", lane=Lane.DATA_MANAGER)
    ledger.settle(lanes)
    ledger.refund("A", "10")
    ledger.settle(lanes)
    assert not work()
    ledger.clock.forward(minutes=31)
    ledger.settle(lanes)  # the original's verdict; the first adjustment is sent
    ledger.refund("A", "10")
    ledger.settle(lanes)
    assert [row.state for row in ledger.of_order("A")] == ["accepted", "sent", "queued"]
    assert not work()


@pytest.mark.parametrize("lane", list(Lane))
def test_what_is_parked_resumes_when_it_is_mended(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, lane: Lane
) -> None:
    action, customer = ("7002", "1234567890") if lane is Lane.GOOGLE_ADS else ("8002", "2345678901")
    ledger.order(lane=lane, action=action)
    google.state.actions[action].type = "WEBPAGE"
    ledger.settle(lanes)
    google.state.customers[customer].status = "CANCELED"
    ledger.order(lane=lane)
    ledger.settle(lanes)
    parked = (
        "SELECT (SELECT count(parked_reason) FROM app.ads_accounts), (SELECT count(parked_reason) FROM app.ads_actions)"
    )
    before = ledger.rows(parked)[0]
    ledger.clock.forward(minutes=16)
    ledger.settle(lanes)
    assert ledger.rows(parked)[0] == before
    google.state.customers[customer].status = "ENABLED"
    ledger.clock.forward(minutes=16)
    ledger.settle(lanes)
    assert ledger.rows(parked) == [(0, 1)]
    google.state.actions[action].type = "UPLOAD_CLICKS"
    ledger.clock.forward(minutes=16)
    ledger.settle(lanes)
    assert ledger.rows(parked) == [(0, 0)]
    assert set(ledger.states()) <= {"accepted", "sent"}


@pytest.mark.parametrize("lane", list(Lane))
def test_an_account_that_has_only_refunds_to_send_resumes_as_well(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any], lane: Lane
) -> None:
    customer = google.state.customers["1234567890" if lane is Lane.GOOGLE_ADS else "2345678901"]
    ledger.order(order_id="A", lane=lane)
    for _ in range(2):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=31)
    customer.manager_id = "9999999999"  # through whom we do not come
    ledger.refund("A", "30.00")
    ledger.settle(lanes)
    assert ledger.rows("SELECT count(parked_reason) FROM app.ads_accounts") == [(1,)]
    customer.manager_id = None
    for _ in range(2):
        ledger.clock.forward(minutes=31)
        ledger.settle(lanes)
    assert ledger.rows("SELECT count(parked_reason) FROM app.ads_accounts") == [(0,)]
    assert at_google() == {"A": 70.0}


def test_a_recheck_without_an_answer_leaves_it_parked(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    ledger.do(
        "UPDATE app.ads_accounts SET parked_reason = 'x', recheck_at = :now WHERE lane = 'google_ads'",
        now=ledger.clock(),
    )
    ledger.order()
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=1))
    assert ledger.once(lanes).rechecks == 1
    assert ledger.rows("SELECT count(parked_reason) FROM app.ads_accounts") == [(1,)]
    ledger.clock.forward(minutes=15)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1}
