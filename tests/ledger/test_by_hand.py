"""What a person can do with an account and its rows, and what the probe does before the first conversion."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_events.errors import NeedsAction, NotFound
from custom_events.ledger import operator_actions
from custom_events.values.conversions import Lane
from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE, WAITS
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Clocked, Ledger


def account(ledger: Ledger) -> int:
    return ledger.accounts[Lane.GOOGLE_ADS]


def unprobed(ledger: Ledger) -> None:
    ledger.do("UPDATE app.ads_accounts SET capabilities = NULL")


def kept(ledger: Ledger) -> dict:
    return ledger.rows("SELECT capabilities FROM app.ads_accounts WHERE customer_id = '1234567890'")[0][0]


def parked(ledger: Ledger) -> str | None:
    return ledger.rows("SELECT parked_reason FROM app.ads_accounts WHERE customer_id = '1234567890'")[0][0]


def test_held_by_hand_until_released(ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked) -> None:
    ledger.orders(2)
    with ledger.engine.begin() as connection:
        operator_actions.hold_account(
            connection, account(ledger), "the shop's prices are wrong", actor="anna", now=clock()
        )
    for _ in range(3):
        clock.forward(hours=1)
        ledger.settle(lanes)
    assert ledger.states() == {"queued": 2}
    assert parked(ledger) == "Held by hand: the shop's prices are wrong (anna)"
    with ledger.engine.begin() as connection:
        operator_actions.release_account(connection, account(ledger), clock(), actor="anna")
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 2}
    assert ledger.rows("SELECT actor, action FROM app.audit_entries ORDER BY id") == [
        ("anna", "uploads.hold"),
        ("anna", "uploads.release"),
    ]


def test_an_order_and_an_action_are_held_and_the_rest_goes(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked, at_google: Callable[..., Any]
) -> None:
    for order in "ABC":
        ledger.order(order_id=order)
    ledger.order(order_id="D", action="7002")
    by = {"actor": "anna", "now": clock()}
    with ledger.engine.begin() as connection:
        assert operator_actions.hold_rows(connection, account(ledger), "a test", order_id="B", **by) == 1
        operator_actions.hold_action(connection, account(ledger), "7002", "wrong", **by)
    ledger.refund("B", "30.00")
    ledger.settle(lanes)
    assert sorted(at_google()) == ["A", "C"]
    clock.forward(hours=1)
    ledger.settle(lanes)
    assert sorted(at_google()) == ["A", "C"], "nothing lets them go by itself"
    with ledger.engine.begin() as connection:
        assert operator_actions.release_held(connection, account(ledger), clock(), actor="anna", order_id="B") == 1
        operator_actions.release_action(connection, account(ledger), "7002", clock(), actor="anna")
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0, "B": 70.0, "C": 100.0, "D": 100.0}


@pytest.mark.parametrize("answer", ["unknown", "granted"])
def test_a_wait_for_consent_outlasts_holding_and_releasing(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked, at_google: Callable[..., Any], answer: str
) -> None:
    """Holding by hand and letting go is no yes of the customer; one that came meanwhile is."""
    ledger.order(order_id="A")
    ledger.do(
        "UPDATE app.conversion_uploads SET state = 'held', reason = 'consent_unknown_in_europe', sentence = 'Nobody said.',"
        " ad_user_data = 'unknown', not_before = deadline_at"
    )
    by = {"actor": "anna", "now": clock()}
    with ledger.engine.begin() as connection:
        for why in ("a test", "again"):
            assert operator_actions.hold_rows(connection, account(ledger), why, order_id="A", **by) == 1
    ledger.do("UPDATE app.conversion_uploads SET ad_user_data = :answer", answer=answer)
    with ledger.engine.begin() as connection:
        assert operator_actions.release_held(connection, account(ledger), clock(), actor="anna", order_id="A") == 1
    ledger.settle(lanes)
    row = ledger.rows("SELECT state, reason, sentence, consent_pending FROM app.conversion_uploads")[0]
    if answer == "granted":
        assert (row.state, at_google()) == ("accepted", {"A": 100.0})
        return
    assert tuple(row) == ("held", CONSENT_UNKNOWN_IN_EUROPE, WAITS[CONSENT_UNKNOWN_IN_EUROPE], False)
    assert at_google() == {}
    with ledger.engine.begin() as connection:
        assert operator_actions.release_held(connection, account(ledger), clock(), actor="anna", order_id="A") == 0


def test_what_may_be_at_google_is_not_held(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked, google: SandboxGoogle
) -> None:
    upload = ledger.order(order_id="A")
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    ledger.settle(lanes)
    with ledger.engine.begin() as connection:
        assert (
            operator_actions.hold_rows(connection, account(ledger), "x", actor="anna", now=clock(), order_id="A") == 0
        )
    clock.forward(minutes=1)
    ledger.settle(lanes)
    assert ledger.upload(upload).state == "accepted"


def test_refused_rows_go_once_more(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", click_id="nonsense-click", clicked_at=None)
    ledger.order(order_id="B", click_id="other-nonsense", clicked_at=None)
    ledger.settle(lanes)
    assert ledger.states() == {"rejected": 2}
    with ledger.engine.begin() as connection:
        asked = {"actor": "anna", "now": clock()}
        with pytest.raises(NotFound, match='no row of this account has the reason "another code"'):
            operator_actions.retry_refused(connection, account(ledger), reason="another code", **asked)
        assert operator_actions.retry_refused(connection, account(ledger), order_id="A", **asked) == 1
    assert ledger.states() == {"rejected": 1, "queued": 1}
    ledger.do("UPDATE app.conversion_uploads SET click_id = :c WHERE order_id = 'A'", c=ledger.gclid())
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0}
    clock.forward(days=80)
    with ledger.engine.begin() as connection:
        assert operator_actions.retry_refused(connection, account(ledger), **asked | {"now": clock()}) == 0, (
            "too late for B"
        )


def test_the_probe_runs_before_the_first_conversion_only(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    unprobed(ledger)
    ledger.order()
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1}
    assert kept(ledger)["fine"]
    assert kept(ledger)["checked_at"] == ledger.clock().isoformat()
    calls = ledger.rows("SELECT hours FROM app.quota_buckets WHERE name = 'google_ads'")[0][0]
    assert sum(calls.values()) == 4, "three of the probe, one of the conversion"
    google.state.customers["1234567890"].terms_accepted = False
    ledger.order()
    ledger.settle(lanes)
    assert kept(ledger)["fine"], "nobody asked again"


def test_an_account_that_may_not_import_parks_before_anything_is_sent(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, clock: Clocked
) -> None:
    unprobed(ledger)
    google.state.customers["1234567890"].allowlisted = False
    ledger.orders(3)
    ledger.settle(lanes)
    assert ledger.states() == {"queued": 3}
    assert "data_manager" in str(parked(ledger))
    assert ledger.rows("SELECT count(*) FROM app.upload_requests")[0][0] == 0
    google.state.customers["1234567890"].allowlisted = True
    clock.forward(minutes=16)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 3}


def test_an_action_of_the_wrong_type_parks_alone(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    unprobed(ledger)
    google.state.actions["7002"].type = "WEBPAGE"
    ledger.order()
    ledger.order(action="7002")
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1, "queued": 1}
    assert ledger.rows("SELECT action_id FROM app.ads_actions WHERE parked_reason IS NOT NULL") == [("7002",)]


def test_a_refusal_lets_the_probe_run_again(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, clock: Clocked
) -> None:
    ledger.order()
    google.state.customers["1234567890"].status = "CANCELED"
    ledger.settle(lanes)
    assert parked(ledger) is not None
    assert kept(ledger) == {"stale": True}
    google.state.customers["1234567890"].status = "ENABLED"
    clock.forward(minutes=16)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1}
    assert kept(ledger)["fine"]


def test_a_probe_without_an_answer_is_made_again(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, clock: Clocked
) -> None:
    unprobed(ledger)
    ledger.order(lane=Lane.DATA_MANAGER)
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=2))
    ledger.settle(lanes)
    assert ledger.states() == {"queued": 1}
    assert ("probe_unanswered",) in ledger.rows("SELECT paused_reason FROM app.ads_accounts")
    clock.forward(minutes=2)
    ledger.settle(lanes)
    assert ledger.states() == {"sent": 1}


def test_without_credentials_the_probe_waits_as_calls_do(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked
) -> None:
    class Keyless:
        def __getattr__(self, name: str) -> Any:
            return getattr(lanes[Lane.GOOGLE_ADS], name)

        def probe(self, *_: Any, **__: Any) -> None:
            raise NeedsAction("no credentials for Google: set GOOGLE_ADS_JSON_KEY_FILE_PATH")

    unprobed(ledger)
    ledger.order()
    ledger.settle({**lanes, Lane.GOOGLE_ADS: Keyless()})
    assert ledger.states() == {"queued": 1}
    assert ("configuration",) in ledger.rows("SELECT paused_reason FROM app.ads_accounts")
    clock.forward(minutes=2)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1}


@pytest.mark.parametrize("lane", list(Lane))
def test_what_was_used_is_counted_for_both_lanes(ledger: Ledger, lanes: dict[Lane, Any], lane: Lane) -> None:
    ledger.orders(2, lane)
    ledger.settle(lanes)
    assert (
        ledger.rows("SELECT count(*) FROM app.quota_buckets WHERE name LIKE :lane || '%'", lane=lane.value)[0][0] == 2
    )
