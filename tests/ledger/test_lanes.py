"""An account that changes its API: what the other one may have, or has, stays with it; what neither has goes by today's."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from custom_events.ledger import send, waiting
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.values.conversions import Lane
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

ADS, DM = Lane.GOOGLE_ADS, Lane.DATA_MANAGER


@pytest.fixture(autouse=True)
def strangers(google: SandboxGoogle) -> None:
    """The two APIs know nothing of each other's order ids: whatever goes by the wrong one counts twice, or is not found."""
    google.state.switches.order_ids_shared_between_apis = False
    google.state.switches.data_manager_conversions_adjustable = False
    google.state.switches.missing_conversion_refused_at_once = True
    for customer in google.state.customers.values():
        customer.allowlisted = True


def switch(ledger: Ledger, lane: Lane) -> None:
    """Let both accounts use `lane` from now on."""
    ledger.do("UPDATE app.ads_accounts SET lane = :lane", lane=lane.value)


def other(lane: Lane) -> Lane:
    return DM if lane is ADS else ADS


def drained(ledger: Ledger, lanes: dict[Lane, Any]) -> UploadFigures:
    return send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=60, lanes=lanes, clock=ledger.clock)


def later(ledger: Ledger, lanes: dict[Lane, Any], times: int = 4, minutes: int = 31) -> None:
    for _ in range(times):
        drained(ledger, lanes)
        ledger.clock.forward(minutes=minutes)
    drained(ledger, lanes)


def lanes_used(ledger: Ledger) -> list[str]:
    return [row.lane for row in ledger.rows("SELECT lane FROM app.upload_requests WHERE rows > 0 ORDER BY id")]


def test_verdicts_are_asked_for_where_their_requests_went(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    ledger.orders(3, DM)
    drained(ledger, lanes)
    switch(ledger, ADS)
    ledger.orders(2)
    ledger.clock.forward(minutes=31)
    figures = drained(ledger, lanes)
    assert (figures.polls, ledger.states()) == (1, {"accepted": 5})
    assert lanes_used(ledger) == ["data_manager", "google_ads"]
    assert len(google.state.conversions) == 5


def test_a_poll_asks_for_the_account_and_the_manager_of_its_request(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    google.state.customers["2345678901"].manager_id = "9999999999"
    ledger.do("UPDATE app.ads_accounts SET login_customer_id = '9999999999'")
    ledger.order(lane=DM)
    asked = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(lanes[DM], name)

        def poll(self, account: int, request_id: str, rows: int, **options: Any) -> Any:
            asked.append(account)
            return lanes[DM].poll(account, request_id, rows, **options)

    ledger.settle(lanes)
    ledger.do("UPDATE app.ads_accounts SET login_customer_id = NULL, lane = 'google_ads'")
    ledger.clock.forward(minutes=31)
    ledger.settle({**lanes, DM: Watched()})
    (account,) = asked
    assert (account.customer_id, account.login_customer_id, account.lane) == ("2345678901", "9999999999", DM)


@pytest.mark.parametrize("first", [ADS, DM])
def test_a_row_without_an_answer_goes_again_by_the_api_that_may_have_it(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any], first: Lane
) -> None:
    uploads = ledger.orders(3, first)
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    drained(ledger, lanes)
    assert ledger.states() == {"unknown": 3}
    switch(ledger, other(first))
    fresh = ledger.orders(2, first)
    later(ledger, lanes)
    assert ledger.states() == {"accepted": 5}
    assert len(google.state.conversions) == 5
    by_row = dict(
        ledger.rows(
            "SELECT u.id, r.lane FROM app.conversion_uploads u JOIN app.upload_requests r ON r.id = u.request_id"
        )
    )
    assert {by_row[upload] for upload in uploads} == {first.value}
    assert {by_row[upload] for upload in fresh} == {other(first).value}


@pytest.mark.parametrize("first", [ADS, DM])
@pytest.mark.parametrize("refunded", ["30.00", "100.00"])
def test_a_refund_goes_where_its_conversion_went(
    ledger: Ledger,
    lanes: dict[Lane, Any],
    google: SandboxGoogle,
    at_google: Callable[..., Any],
    first: Lane,
    refunded: str,
) -> None:
    ledger.order(order_id="A", lane=first)
    later(ledger, lanes, times=1)
    switch(ledger, other(first))
    ledger.refund("A", refunded)
    later(ledger, lanes, times=2)
    assert at_google() == {"A": 100.0 - float(refunded)}
    assert len(google.state.conversions) == 1
    assert ledger.states() == {"accepted": 2}
    assert {*lanes_used(ledger)} == {first.value}


def test_rows_that_failed_in_part_are_looked_for_where_they_are(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    uploads = ledger.orders(20, DM)
    ledger.do("UPDATE app.conversion_uploads SET click_id = 'EAIaIQobChMIxxxxxxxx' WHERE id = :u", u=uploads[4])
    drained(ledger, lanes)
    switch(ledger, ADS)
    later(ledger, lanes, times=8)
    assert ledger.states() == {"accepted": 19, "rejected": 1}
    assert len(google.state.conversions) == 19
    assert {*lanes_used(ledger)} == {"data_manager"}


def test_what_was_refused_goes_by_the_new_api(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    google.state.customers["1234567890"].allowlisted = False
    ledger.orders(2)
    drained(ledger, lanes)
    assert ledger.rows("SELECT count(parked_reason) FROM app.ads_accounts") == [(1,)]
    switch(ledger, DM)
    drained(ledger, lanes)  # the account is looked at again at once, not in a quarter of an hour
    assert ledger.states() == {"sent": 2}
    assert len(at_google()) == 2


def test_a_refusal_by_the_other_api_stops_only_what_has_to_go_there(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.order(order_id="A", lane=ADS)
    drained(ledger, lanes)
    switch(ledger, DM)
    ledger.refund("A", "30.00")
    real = lanes[ADS]

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def send(self, account: int, rows: int, **options: Any) -> Any:
            google.state.customers["1234567890"].status = "CANCELED"
            try:
                return real.send(account, rows, **options)
            finally:
                google.state.customers["1234567890"].status = "ENABLED"

    drained(ledger, {**lanes, ADS: Refusing()})
    assert ledger.rows("SELECT lane, concerns, code FROM app.upload_stops") == [
        ("google_ads", "account", "AuthorizationError.CUSTOMER_NOT_ENABLED")
    ]
    assert ledger.rows("SELECT count(parked_reason) FROM app.ads_accounts") == [(0,)]
    new = ledger.order(lane=ADS)
    with ledger.engine.connect() as connection:
        assert waiting.has_work(connection, ledger.clock())
    drained(ledger, lanes)
    assert ledger.upload(new).state == "sent"
    with ledger.engine.connect() as connection:
        assert not waiting.has_work(connection, ledger.clock())
    ledger.clock.forward(minutes=16)
    drained(ledger, lanes)
    assert ledger.rows("SELECT count(*) FROM app.upload_stops") == [(0,)]
    assert at_google()["A"] == 70.0


def test_a_row_that_is_given_back_still_knows_who_may_have_it(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    """Claimed for the other API behind a call that failed: its request is gone, and what it said is kept."""
    ledger.settings.upload_batch_size = 1
    ledger.orders(4)
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=4))
    for _ in range(4):
        drained(ledger, lanes)
        ledger.clock.forward(minutes=10)
    ledger.do("UPDATE app.conversion_uploads SET not_before = :now", now=ledger.clock())
    switch(ledger, DM)
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=2))
    later(ledger, lanes, times=6)
    assert ledger.states() == {"accepted": 4}
    assert len(google.state.conversions) == 4


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_every_order_ends_once_and_right(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any], seed: int
) -> None:
    chance = random.Random(seed)
    ledger.settings.upload_batch_size = 7
    values = {}
    faults = (FaultKind.APPLY_THEN_DROP, FaultKind.UNAVAILABLE, FaultKind.INTERNAL, FaultKind.UNKNOWN_REASON)
    for step in range(10):
        for number in range(4):
            order = f"o-{step}-{number}"
            ledger.order(order_id=order, lane=chance.choice((ADS, DM)))
            values[order] = 100.0
        for order in chance.sample(sorted(values), 3):
            if values[order] == 100.0:
                ledger.refund(order, "40.00")
                values[order] = 60.0
        if chance.random() < 0.5:
            switch(ledger, chance.choice((ADS, DM)))
        google.state.faults.arm(Fault(kind=chance.choice(faults), count=chance.randint(1, 3)))
        drained(ledger, lanes)
        ledger.clock.forward(minutes=chance.choice((1, 7, 31)))
    google.state.faults.disarm()
    later(ledger, lanes, times=8, minutes=65)
    assert set(ledger.states()) == {"accepted"}
    assert at_google() == values
    assert len(google.state.conversions) == len(values)
