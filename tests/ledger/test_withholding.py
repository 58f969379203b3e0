"""What a person withholds is never sent, whatever happens afterwards, unless a person sends it; what Google may have is not withheld."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.errors import NeedsAction, NotFound, Permanent
from custom_events.ledger import operator_actions, single_uploads, states
from custom_events.values import reasons
from custom_events.values.conversions import Lane, UploadState
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Clocked, Ledger
from tests.ledger.shop import Shop

ANNA = "anna"


@pytest.fixture
def shop(database: str, ledger: Ledger) -> Shop:
    """A store whose bodies are understood and matched, with a rule."""
    made = Shop(database, ledger, "woocommerce", Lane.GOOGLE_ADS)
    made.rule()
    return made


def references(ledger: Ledger) -> dict[str, str]:
    rows = ledger.rows("SELECT order_id, created_at, id FROM app.conversion_uploads WHERE kind = 'conversion'")
    return {row.order_id: single_uploads.reference_of(row.created_at, row.id) for row in rows}


def account(ledger: Ledger) -> int:
    return ledger.accounts[Lane.GOOGLE_ADS]


def test_one_is_withheld_and_the_rest_goes_and_a_person_sends_it_after_all(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked, at_google: Callable[..., Any]
) -> None:
    for order in "AB":
        ledger.order(order_id=order)
    reference = references(ledger)["A"]
    with ledger.engine.begin() as connection:
        found = single_uploads.withhold(connection, reference, "a test", actor=ANNA, now=clock())
        assert (found.state, found.reason, found.sentence) == (
            "withheld",
            "withheld_by_hand",
            "Withheld by hand: a test (anna)",
        )
        assert found.settled_at == clock()
    ledger.refund("A", "30.00")
    for _ in range(2):
        ledger.settle(lanes)
        clock.forward(hours=1)
    assert at_google() == {"B": 100.0}
    with ledger.engine.begin() as connection:
        found = single_uploads.retry(connection, reference, actor=ANNA, now=clock())
        assert (found.state, found.reason) == ("queued", None)
        with pytest.raises(NeedsAction, match="withheld by hand and stands"):
            single_uploads.retry(connection, reference, actor=ANNA, now=clock())
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0, "B": 100.0}
    entries = ledger.rows("SELECT action, actor, before->>'state', after->>'state' FROM app.audit_entries ORDER BY id")
    assert entries == [("uploads.withhold", ANNA, "queued", "withheld"), ("uploads.retry", ANNA, "withheld", "queued")]


@pytest.mark.parametrize(
    ("before", "reason", "attempts"),
    [
        *((state, None, 0) for state in UploadState),
        *itertools.product(
            [UploadState.QUEUED, UploadState.HELD], [*states.MAYBE_APPLIED, "TRANSIENT_ERROR", None], [1]
        ),
        (UploadState.HELD, reasons.DELAY, 0),
    ],
)
def test_only_what_waits_and_cannot_be_at_google_is_withheld(
    ledger: Ledger, clock: Clocked, before: UploadState, reason: str | None, attempts: int
) -> None:
    given = f"{reason}x" if reason is not None and reason.endswith(".") else reason
    ledger.order(order_id="A", state=before.value, reason=given, attempts=attempts)
    waits = before in (UploadState.NEW, UploadState.QUEUED, UploadState.HELD)
    expected = waits and not (attempts and reason in states.MAYBE_APPLIED)
    with ledger.engine.begin() as connection:
        reference = references(ledger)["A"]
        if expected:
            assert states.may_become(before, UploadState.WITHHELD)
            assert single_uploads.withhold(connection, reference, "x", actor=ANNA, now=clock()).state == "withheld"
        else:
            for change in (single_uploads.withhold, single_uploads.hold):
                with pytest.raises(NeedsAction, match="only"):
                    change(connection, reference, "x", actor=ANNA, now=clock())


def test_what_may_be_at_an_api_of_before_is_not_withheld(ledger: Ledger, clock: Clocked) -> None:
    ledger.order(order_id="A", unsettled_lane="google_ads", attempts=1, reason="PARKED")
    with ledger.engine.begin() as connection, pytest.raises(NeedsAction):
        single_uploads.withhold(connection, references(ledger)["A"], "x", actor=ANNA, now=clock())


def test_what_was_sent_without_an_answer_is_not_withheld(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked, google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A")
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    ledger.settle(lanes)
    with ledger.engine.begin() as connection:
        given = {"actor": ANNA, "now": clock(), "order_id": "A"}
        assert operator_actions.withhold_rows(connection, account(ledger), "x", **given) == 0
    clock.forward(minutes=1)
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0}
    assert ledger.states() == {"accepted": 1}


def test_an_adjustment_is_not_withheld_alone(ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked) -> None:
    ledger.order(order_id="A")
    ledger.settle(lanes)
    ledger.refund("A", "30.00")
    with ledger.engine.begin() as connection:
        operator_actions.hold_account(connection, account(ledger), "wait", actor=ANNA, now=clock())
    ledger.settle(lanes)
    (row,) = ledger.rows("SELECT created_at, id, state FROM app.conversion_uploads WHERE kind <> 'conversion'")
    reference = single_uploads.reference_of(row.created_at, row.id)
    with ledger.engine.begin() as connection, pytest.raises(NeedsAction, match="hold an adjustment"):
        single_uploads.withhold(connection, reference, "x", actor=ANNA, now=clock())


def test_an_order_an_action_and_a_site_are_withheld(
    ledger: Ledger, lanes: dict[Lane, Any], clock: Clocked, at_google: Callable[..., Any]
) -> None:
    for order in "ABC":
        ledger.order(order_id=order)
    ledger.order(order_id="D", action="7002")
    by = {"actor": ANNA, "now": clock()}
    with ledger.engine.begin() as connection:
        withhold = operator_actions.withhold_rows
        assert withhold(connection, account(ledger), "a test", order_id="B", **by) == 1
        assert withhold(connection, account(ledger), "wrong", action_id="7002", **by) == 1
        with pytest.raises(Permanent, match="no conversion action 9"):
            withhold(connection, account(ledger), "x", action_id="9", **by)
        with pytest.raises(NotFound, match='no conversion of an order "Z"'):
            withhold(connection, account(ledger), "x", order_id="Z", **by)
        assert single_uploads.withhold_of_site(connection, ledger.site, "x", order_id="C", **by) == 1
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0}
    ledger.order(order_id="E")
    with ledger.engine.begin() as connection:
        key = connection.execute(sa.text("SELECT site_key FROM app.sites")).scalar_one()
        assert withhold(connection, account(ledger), "x", site_key=key, **by) == 1
        assert single_uploads.withhold_of_site(connection, ledger.site, "x", **by) == 0, "nothing waits any more"
        assert operator_actions.retry_refused(connection, account(ledger), **by) == 0, "only by its name"
        assert single_uploads.retry_of_site(connection, ledger.site, **by) == 0
        named = by | {"reason": reasons.WITHHELD_BY_HAND}
        assert operator_actions.retry_refused(connection, account(ledger), order_id="B", **named) == 1
        assert single_uploads.retry_of_site(connection, ledger.site, order_id="C", **named) == 1
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0, "B": 100.0, "C": 100.0}


def test_it_stays_withheld_whatever_becomes_of_its_order(
    shop: Shop, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop
    one.happens(one.woo("processing", 12))
    now = one.at(12)
    with one.ledger.engine.begin() as connection:
        assert single_uploads.withhold_of_site(connection, one.site, "x", actor=ANNA, now=now) == 1
    for status in ("cancelled", "processing", "failed", "processing"):
        one.happens(one.woo(status, 11))
        one.settle(lanes)
        assert one.rows()[0][:3] == ("conversion", "withheld", "withheld_by_hand"), status
    assert at_google() == {}
    assert one.agrees()


def test_what_matching_would_not_send_is_not_sent_by_hand(shop: Shop, lanes: dict[Lane, Any]) -> None:
    one = shop
    cash = {"payment_method": "cod"}
    one.happens(one.woo("processing", 12, paid=None, **cash))
    with one.ledger.engine.begin() as connection:
        assert single_uploads.withhold_of_site(connection, one.site, "x", actor=ANNA, now=one.at(12)) == 1
    one.happens(one.woo("failed", 11, paid=None, **cash))
    assert one.standing()[0][1] == "taken_back_by_store"
    (reference,) = references(one.ledger).values()
    with one.ledger.engine.begin() as connection, pytest.raises(NeedsAction, match="and stands"):
        single_uploads.retry(connection, reference, actor=ANNA, now=one.at(11))
