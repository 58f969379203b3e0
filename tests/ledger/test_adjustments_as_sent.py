"""An adjustment goes with what its conversion went with, and is not kept from going by one that can never be taken."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from custom_events.values.conversions import AdsAccount, Lane
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.seed import Action, SandboxSeed
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.arrivals import Arrival, Arrivals
from tests.ledger.conftest import ADS_ACTION, ADS_CUSTOMER, Ledger

HASH = "a" * 64
BAD = "EAIaIQobChMIxxxxxxxx"  # readable as text, no click id
CANNOT_RESTATE = (
    "ConversionAdjustmentUploadError.CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE"
)


@pytest.fixture(params=list(Lane))
def lane(request: Any) -> Lane:
    return request.param


@pytest.fixture(autouse=True)
def known(google: SandboxGoogle) -> None:
    """Google knows the person: a conversion that matches nobody has nothing to adjust."""
    google.state.matched_users.add(HASH)


def run(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    for _ in range(4):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=35)
    ledger.settle(lanes)


def whose(arrived: Arrival) -> tuple[Any, ...]:
    """What tells Google whose conversion it is, and where it came from."""
    return arrived.click, arrived.hashes, arrived.app, arrived.customer_type


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"email_sha256": HASH, "environment": "app", "new_customer": True},
        {"click_id": None, "click_kind": None, "clicked_at": None, "email_sha256": HASH, "new_customer": False},
        {"click_id": BAD, "email_sha256": HASH, "phone_sha256": HASH, "environment": "app"},
    ],
    ids=["click", "all of it", "hash alone", "dropped click"],
)
def test_it_goes_with_what_its_conversion_went_with(
    ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals, at_google: Callable[..., Any], columns: dict[str, Any]
) -> None:
    ledger.order(order_id="A", lane=Lane.DATA_MANAGER, **columns)
    run(ledger, lanes)
    ledger.refund("A", "30.00")
    run(ledger, lanes)
    *_, went, adjusted = arrivals.of("A")
    assert (went.adjusts, adjusted.adjusts) == (False, True)
    assert whose(adjusted) == whose(went)
    assert at_google() == {"A": 70.0}


def test_a_click_that_was_dropped_after_the_refund_came_stays_dropped(
    ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals, at_google: Callable[..., Any]
) -> None:
    """The refund comes while the conversion is at Google with a click that Google will refuse."""
    ledger.order(order_id="A", lane=Lane.DATA_MANAGER, click_id=BAD, email_sha256=HASH)
    ledger.once(lanes)
    ledger.refund("A", "30.00")
    ledger.once(lanes)
    assert [(row.kind, row.click_dropped is None) for row in ledger.of_order("A")][1:] == [("restatement", True)]
    run(ledger, lanes)
    (adjusted,) = [row for row in arrivals.of("A") if row.adjusts]
    assert (adjusted.click, adjusted.hashes) == (None, 1)
    assert at_google() == {"A": 70.0}


def test_the_parts_of_a_refused_request_as_well(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, arrivals: Arrivals, at_google: Callable[..., Any]
) -> None:
    uploads = ledger.orders(9, Lane.DATA_MANAGER, email_sha256=HASH, environment="app")
    run(ledger, lanes)
    numbers = [ledger.upload(upload).order_id for upload in uploads]
    for number in numbers:
        ledger.refund(number, "30.00")
    ledger.do(
        "UPDATE app.conversion_uploads SET click_id = :bad, click_dropped = 'none' WHERE order_id = :n",
        bad=BAD,
        n=numbers[3],
    )
    ledger.do("UPDATE app.conversion_uploads SET currency = 'QQQ' WHERE order_id = :n AND sequence = 0", n=numbers[5])
    for _ in range(6):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=31)
    last = {number: [row for row in arrivals.of(number) if row.adjusts][-1:] for number in numbers}
    assert [(row.click is None, row.hashes, row.app) for row in last[numbers[3]]] == [(True, 1, True)]
    assert [value for number, value in at_google().items() if number != numbers[5]] == [70.0] * 8


def test_a_deadline_knows_how_old_the_click_is(ledger: Ledger, lanes: dict[Lane, Any], lane: Lane) -> None:
    at = ledger.clock() - timedelta(hours=20)
    old, new, unknown, dropped = (
        {"clicked_at": at - timedelta(days=60)},
        {"clicked_at": at - timedelta(hours=1)},
        {"clicked_at": None},
        {"clicked_at": at - timedelta(days=60), "click_dropped": "none", "email_sha256": HASH},
    )
    for number, columns in {"old": old, "new": new, "unknown": unknown, "dropped": dropped}.items():
        ledger.order(order_id=number, lane=lane, conversion_at=at, state="accepted", attempts=1, **columns)
        ledger.refund(number, "30.00")
    ledger.once(lanes)
    deadlines = {
        row.order_id: row.deadline_at - at
        for row in ledger.rows("SELECT * FROM app.conversion_uploads WHERE sequence = 1")
    }
    days = {number: deadline / timedelta(days=1) for number, deadline in deadlines.items()}
    # The Data Manager takes an adjustment as the event once more, click and all; the Google Ads API asks for the order id alone.
    old_click = 30 if lane is Lane.DATA_MANAGER else 54
    assert days == {"old": old_click, "new": 54, "unknown": 54, "dropped": 54}


@pytest.fixture
def fixed_value(google: SandboxGoogle) -> None:
    """The action counts every conversion with its own value, whatever is sent."""
    google.state.add(
        SandboxSeed(
            customers=[],
            actions=[
                Action(customer_id=ADS_CUSTOMER, action_id=ADS_ACTION, default_value=5.0, always_use_default_value=True)
            ],
        )
    )


def test_a_full_refund_goes_where_no_part_of_it_could(
    ledger: Ledger, lanes: dict[Lane, Any], fixed_value: Any, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A")
    ledger.settle(lanes)
    assert at_google() == {"A": 5.0}
    ledger.refund("A", "30.00")
    run(ledger, lanes)
    (_, restatement) = ledger.of_order("A")
    assert (restatement.state, restatement.reason) == ("rejected", CANNOT_RESTATE)
    assert "always uses its default value" in restatement.sentence
    ledger.refund("A", "70.00")
    run(ledger, lanes)
    assert [(row.kind, row.state) for row in ledger.of_order("A")][1:] == [
        ("restatement", "rejected"),
        ("retraction", "accepted"),
    ]
    assert at_google() == {"A": 0.0}


def test_the_probe_says_that_values_do_not_count(ledger: Ledger, lanes: dict[Lane, Any], fixed_value: Any) -> None:
    findings = (
        lanes[Lane.GOOGLE_ADS]
        .probe(send_account(ledger), [ADS_ACTION, "7002"], timeout_s=10, now=ledger.clock())
        .findings
    )
    (finding,) = [finding for finding in findings if finding.question == "action_value"]
    assert (finding.action_id, finding.fine) == (ADS_ACTION, True)
    assert "always uses its default value" in finding.sentence


def send_account(ledger: Ledger) -> AdsAccount:
    from custom_events.ledger.upload_rows import account_of

    return account_of(
        ledger.rows("SELECT id, customer_id, lane, login_customer_id FROM app.ads_accounts ORDER BY id")[0]
    )


def test_a_retraction_does_not_wait_for_a_restatement_that_is_held(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    """What was held before this version knew that it can never be taken, or is held for anything else."""
    ledger.order(order_id="A")
    ledger.settle(lanes)
    ledger.refund("A", "30.00")
    google.state.faults.arm(Fault(kind=FaultKind.ROW_TRANSIENT_ERROR, count=1, method="UploadConversionAdjustments"))
    ledger.once(lanes)
    ledger.do(
        "UPDATE app.conversion_uploads SET state = 'held', reason = 'x', sentence = 'Held', not_before = :t WHERE sequence = 1",
        t=ledger.clock() + timedelta(days=1),
    )
    ledger.clock.forward(minutes=1)
    ledger.refund("A", "70.00")
    ledger.settle(lanes)
    assert [(row.kind, row.state, row.reason) for row in ledger.of_order("A")][1:] == [
        ("restatement", "withheld", "superseded"),
        ("retraction", "accepted", None),
    ]
    assert ledger.of_order("A")[1].sentence == "A later adjustment goes in its place"
    assert at_google() == {"A": 0.0}


def test_what_may_be_at_google_is_not_superseded(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    """A restatement without an answer is asked about first: it may be applied, and the later change comes after it."""
    ledger.order(order_id="A")
    ledger.settle(lanes)
    ledger.refund("A", "30.00")
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    ledger.once(lanes)
    ledger.refund("A", "20.00")
    ledger.once(lanes)
    assert [(row.kind, row.state) for row in ledger.of_order("A")][1:] == [
        ("restatement", "unknown"),
        ("restatement", "queued"),
    ]
    ledger.clock.forward(hours=1)
    run(ledger, lanes)
    assert [row.state for row in ledger.of_order("A")] == ["accepted"] * 3
    assert at_google() == {"A": 50.0}
