"""Requests in a row: what is claimed ahead, what stops it, when a drain ends."""

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from custom_events.ledger import send, send_pipeline
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.values.conversions import Lane
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger


def test_drains_until_idle_and_tells_of_each_batch(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.settings.upload_batch_size = 10
    ledger.orders(35)
    told: list[int] = []
    figures = send.drain(
        ledger.engine,
        ledger.settings,
        until_idle_s=0.1,
        limit_s=30,
        on_batch=lambda batch: told.append(batch.rows),
        lanes=lanes,
        clock=ledger.clock,
    )
    assert told == [10, 10, 10, 5]
    assert (figures.rows, figures.requests) == (35, 4)
    assert figures.seconds > 0


def test_a_drain_ends_at_its_limit(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.settings.upload_batch_size = 1
    ledger.orders(3)
    figures = send.drain(ledger.engine, ledger.settings, until_idle_s=60, limit_s=0, lanes=lanes, clock=ledger.clock)
    assert figures.requests == 1


def test_what_is_claimed_behind_a_refused_request_is_given_back(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.settings.upload_batch_size = 2
    ledger.orders(6)
    google.state.faults.arm(Fault(kind=FaultKind.QUOTA_RATE, seconds=300, count=1))
    figures = send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=30, lanes=lanes, clock=ledger.clock)
    assert figures.requests == 1
    assert ledger.rows("SELECT state, attempts, count(*) FROM app.conversion_uploads GROUP BY 1, 2 ORDER BY 2") == [
        ("queued", 0, 4),
        ("queued", 1, 2),
    ]
    assert ledger.rows("SELECT count(*) FROM app.upload_requests") == [(1,)]
    ledger.clock.forward(minutes=6)
    send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=30, lanes=lanes, clock=ledger.clock)
    assert len(at_google()) == 6


def test_what_google_says_of_one_row_stops_the_account_for_what_is_claimed_behind(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    """A parked action: no request that was claimed before the answer carries another of its conversions."""
    ledger.settings.upload_batch_size = 2
    ledger.orders(8, action="7002")
    google.state.actions["7002"].status = "REMOVED"
    figures = send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=30, lanes=lanes, clock=ledger.clock)
    assert (figures.requests, len(at_google())) == (1, 0)
    assert ledger.rows("SELECT sum(attempts) FROM app.conversion_uploads") == [(2,)]


def drained(ledger: Ledger, lanes: dict[Lane, Any], **options: Callable[..., Any]) -> UploadFigures:
    return send.drain(
        ledger.engine, ledger.settings, until_idle_s=0, limit_s=30, lanes=lanes, clock=ledger.clock, **options
    )


def test_two_calls_are_at_google_at_once(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.settings.upload_batch_size = 1
    ledger.orders(6)
    real = lanes[Lane.GOOGLE_ADS]
    ready, both = threading.Event(), threading.Barrier(2)
    messages, calls = itertools.count(1), itertools.count(1)

    class Watched:
        validate = staticmethod(real.validate)

        def prepare(self, *given: Any, **options: Any) -> Any:
            if next(messages) == 1 + send_pipeline.AHEAD:  # those of the second and third call are made
                ready.set()
            return real.prepare(*given, **options)

        def send(self, *given: Any, **options: Any) -> Any:
            number = next(calls)
            if number == 1:
                assert ready.wait(30)
            elif number in {2, 3}:
                both.wait(30)  # broken unless the other one is there as well
            return real.send(*given, **options)

    figures = drained(ledger, {**lanes, Lane.GOOGLE_ADS: Watched()})
    assert (figures.requests, ledger.states()) == (6, {"accepted": 6})
    assert ledger.rows("SELECT max(attempts) FROM app.conversion_uploads") == [(1,)]


def test_a_claim_of_which_nothing_may_go_does_not_end_a_drain(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.settings.upload_batch_size = 2
    soon = ledger.clock() + timedelta(days=1)
    for _ in range(4):
        ledger.order(click_id="no click id", deadline_at=soon)
    ledger.orders(3)
    figures = drained(ledger, lanes)
    assert ledger.states() == {"withheld": 4, "accepted": 3}
    assert (figures.requests, figures.rows) == (2, 3)
    assert ledger.rows("SELECT rows FROM app.upload_requests ORDER BY id") == [(2,), (1,)]


def test_a_request_counts_the_rows_that_go(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.orders(2)
    ledger.order(click_id="no click id")
    drained(ledger, lanes)
    assert ledger.rows("SELECT rows, shared_rows FROM app.upload_requests") == [(2, 2)]


def test_maintenance_runs_beside_the_calls(
    ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "MAINTENANCE_S", 0.0)
    ledger.settings.upload_batch_size = 2
    order = ledger.upload(ledger.orders(12)[0]).order_id
    refunds = iter([order])

    def refund(_batch: Any) -> None:
        for one in refunds:
            ledger.refund(one, "30.00")

    figures = drained(ledger, lanes, on_batch=refund)
    assert figures.adjusted_orders == 1
    assert at_google()[order] == 70.0


def test_a_message_that_cannot_be_made_ahead_is_made_by_the_call(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.orders(3)
    real = lanes[Lane.GOOGLE_ADS]

    class Unprepared:
        validate, send = staticmethod(real.validate), staticmethod(real.send)

        def prepare(self, *_: Any, **__: Any) -> None:
            raise RuntimeError("a defect")

    drained(ledger, {**lanes, Lane.GOOGLE_ADS: Unprepared()})
    assert ledger.states() == {"accepted": 3}
