"""Google took the call and has no such click: that is no conversion, and is told apart from one."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.destinations.google_ads.errors import RULES as ADS_RULES
from custom_events.destinations.google_data_manager.codes import RULES as DM_RULES
from custom_events.ledger.overview import overview
from custom_events.queries import status_counts
from custom_events.settings import Settings
from custom_events.values.conversions import UNMATCHED_REASONS, Lane, Verdict
from custom_events.watching.status import Status, status
from sandbox.google_ads.click_ids import ClickFlag, make_click_id
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

ADS, DM = Lane.GOOGLE_ADS, Lane.DATA_MANAGER
CODE = "ProcessingErrorReason.CLICK_NOT_FOUND"
HASH, KNOWN = "b" * 64, "c" * 64
NOBODY = {"click_id": None, "click_kind": None, "clicked_at": None, "email_sha256": HASH}


def settled(ledger: Ledger, lanes: dict[Lane, Any], times: int = 2) -> None:
    for _ in range(times):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=31)
    ledger.settle(lanes)


def seen(ledger: Ledger) -> Status:
    with ledger.engine.connect() as connection:
        return status(connection, Settings(), ledger.clock())


def test_every_reason_that_says_so_is_listed() -> None:
    rules = {**ADS_RULES, **DM_RULES}
    assert set(UNMATCHED_REASONS) <= set(rules)
    assert {code for code, rule in rules.items() if rule.verdict is Verdict.ACCEPTED} <= set(UNMATCHED_REASONS)


@pytest.fixture(params=["grpc", "rest"])
def dm_lanes(request: Any, lanes: dict[Lane, Any], rest_lanes: dict[Lane, Any]) -> dict[Lane, Any]:
    return lanes if request.param == "grpc" else rest_lanes


@pytest.mark.parametrize("rows", [1, 4])
def test_where_it_is_said_of_all_it_is_certain(ledger: Ledger, dm_lanes: dict[Lane, Any], rows: int) -> None:
    uploads = ledger.orders(rows, DM, **NOBODY)
    settled(ledger, dm_lanes)
    assert {(row.state, row.reason) for row in map(ledger.upload, uploads)} == {("accepted", CODE)}
    found = seen(ledger)
    assert found.agree, found.sums.gaps
    assert (found.sums.accepted, found.sums.unmatched, found.uploads) == (0, rows, {"unmatched": rows})
    assert found.reasons == {f"unmatched: {CODE}": rows}
    assert found.unnamed == {}
    with ledger.engine.connect() as connection:
        account = next(one for one in overview(connection, ledger.clock()) if one.lane is DM)
        assert status_counts.value_sent_by_site(connection) == {}
    assert account.conversions == {"unmatched": rows}
    assert [(one.state, one.reason) for one in account.standings] == [("unmatched", CODE)]


def test_where_it_is_said_of_some_the_request_says_how_many(
    ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    google.state.matched_users.add(KNOWN)
    uploads = ledger.orders(3, DM, **NOBODY) + ledger.orders(5, DM)
    settled(ledger, dm_lanes)
    rows = [ledger.upload(upload) for upload in uploads]
    assert {(row.state, row.reason) for row in rows} == {("accepted", None)}
    assert all("3 of the request's 8 rows, not named" in row.sentence for row in rows)
    found = seen(ledger)
    assert (found.sums.accepted, found.sums.unmatched, found.unnamed) == (8, 0, {CODE: 3})
    assert found.agree


@pytest.mark.parametrize("refunded", ["30.00", "100.00"])
def test_a_refund_of_what_google_has_not_is_not_sent(
    ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle, refunded: str
) -> None:
    ledger.order(order_id="A", lane=DM, **NOBODY)
    settled(ledger, dm_lanes)
    calls = google.state.requests["IngestEvents"]
    ledger.refund("A", refunded)
    settled(ledger, dm_lanes)
    _, adjustment = ledger.of_order("A")
    assert (adjustment.state, adjustment.reason) == ("withheld", "no_such_click")
    assert "nothing to adjust" in adjustment.sentence
    assert google.state.requests["IngestEvents"] == calls
    assert seen(ledger).agree


def test_a_refund_that_waited_for_the_verdict_is_not_sent_either(
    ledger: Ledger, dm_lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    ledger.order(order_id="A", lane=DM, **NOBODY)
    ledger.settle(dm_lanes)
    ledger.refund("A", "30.00")
    settled(ledger, dm_lanes)
    assert [(row.state, row.reason) for row in ledger.of_order("A")] == [
        ("accepted", CODE),
        ("withheld", "no_such_click"),
    ]
    assert google.state.requests["IngestEvents"] == 1


def test_a_refund_of_what_google_may_have_is_sent(
    ledger: Ledger, dm_lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=DM)
    ledger.orders(2, DM, **NOBODY)
    settled(ledger, dm_lanes)
    ledger.refund("A", "30.00")
    settled(ledger, dm_lanes)
    assert at_google()["A"] == 70.0


@pytest.mark.parametrize("lane", [ADS, DM])
def test_a_click_that_google_does_not_know(ledger: Ledger, lanes: dict[Lane, Any], lane: Lane) -> None:
    customer = "1234567890" if lane is ADS else "2345678901"
    strange = make_click_id("gclid", customer, ledger.clock(), 99, ClickFlag.UNKNOWN)
    upload = ledger.order(order_id="A", lane=lane, click_id=strange, clicked_at=None)
    ledger.settle(lanes)
    ledger.clock.forward(hours=25)
    settled(ledger, lanes)
    row = ledger.upload(upload)
    assert (row.state, row.reason in UNMATCHED_REASONS) == ("rejected", True)
    found = seen(ledger)
    assert (found.sums.unmatched, found.sums.rejected, found.agree) == (1, 0, True)


def test_the_marts_know_the_same_reasons(engine: sa.Engine) -> None:
    from pathlib import Path

    macro = (Path(__file__).parents[2] / "dbt/macros/is_unmatched.sql").read_text(encoding="utf-8")
    assert all(f"'{reason}'" in macro for reason in UNMATCHED_REASONS)
    assert macro.count("Reason.") + macro.count("UploadError.") == len(UNMATCHED_REASONS)
