"""kill -9 at every step: one conversion, the right value, nothing lost. Real processes, killed by themselves."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.ledger import claim
from custom_events.values.conversions import Lane, RequestKind
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

WORKER = Path(__file__).with_name("worker.py")


def run_worker(ledger: Ledger, google: SandboxGoogle, database: str, stop_at: str, lane: Lane = "google_ads") -> None:
    """A worker process of its own that dies by SIGKILL at `stop_at`: intent, call or answer."""
    variables = os.environ | {
        "WORKER_DATABASE": database,
        "WORKER_STOP_AT": stop_at,
        "WORKER_NOW": ledger.clock().isoformat(),
        "WORKER_GRPC": google.grpc_endpoint,
    }
    done = subprocess.run(
        [sys.executable, str(WORKER)], check=False, env=variables, timeout=120, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.usefixtures("untraced_processes")
@pytest.mark.parametrize("stop_at", ["intent", "call", "answer"])
def test_a_killed_worker_loses_and_doubles_nothing(
    ledger: Ledger,
    lanes: dict[Lane, Any],
    google: SandboxGoogle,
    database: str,
    at_google: Callable[..., Any],
    stop_at: str,
) -> None:
    uploads = ledger.orders(4)
    run_worker(ledger, google, database, stop_at)
    assert ledger.states() == {"claimed": 4}
    request = ledger.rows("SELECT * FROM app.upload_requests")[0]
    assert (request.rows, request.answered_at) == (4, None)
    assert len(at_google()) == (0 if stop_at == "intent" else 4)
    ledger.refund(ledger.upload(uploads[0]).order_id, "30.00")
    ledger.clock.forward(seconds=59)
    ledger.settle(lanes)
    assert ledger.states()["claimed"] == 4  # the lease still stands
    ledger.clock.forward(seconds=2)
    figures = ledger.settle(lanes)
    assert figures.recovered == 4
    assert len(google.state.conversions) == 4
    values = at_google()
    assert values[ledger.upload(uploads[0]).order_id] == 70.0
    assert sorted(values.values()) == [70.0, 100.0, 100.0, 100.0]
    assert ledger.states() == {"accepted": 5}
    assert ledger.rows("SELECT outcome FROM app.upload_requests ORDER BY id")[0].outcome == "unknown"


def test_two_workers_never_claim_the_same_row(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.settings.upload_batch_size = 3
    ledger.orders(5)
    turn = claim.next_accounts(ledger.engine.connect(), ledger.clock())[0]
    lane = lanes[Lane.GOOGLE_ADS]
    first = claim.claim(ledger.engine, turn, lane, ledger.settings, ledger.clock())
    second = claim.claim(ledger.engine, turn, lane, ledger.settings, ledger.clock())
    third = claim.claim(ledger.engine, turn, lane, ledger.settings, ledger.clock())
    assert (turn.kind, len(first.rows), len(second.rows), third) == (RequestKind.CONVERSIONS, 3, 2, None)
    ids = {row.conversion.upload_id for row in first.rows + second.rows}
    assert len(ids) == 5


def test_a_late_answer_changes_nothing_that_another_worker_has(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker's call outlives its lease; the rows were taken and settled by a second one meanwhile."""
    upload = ledger.order()
    real = lanes[Lane.GOOGLE_ADS]

    class Slow:
        validate, prepare = staticmethod(real.validate), staticmethod(real.prepare)

        def send(self, account: int, rows: int, **options: Any) -> Any:
            answer = real.send(account, rows, **options)
            ledger.clock.forward(seconds=61)
            ledger.settle(lanes)  # the second worker
            assert ledger.upload(upload).state == "accepted"
            return answer

    ledger.once({**lanes, Lane.GOOGLE_ADS: Slow()})
    row = ledger.upload(upload)
    assert (row.state, row.attempts, row.reason) == ("accepted", 2, "ConversionUploadError.ORDER_ID_ALREADY_IN_USE")
    assert len(google.state.conversions) == 1
    assert ledger.rows("SELECT count(*) FROM app.upload_answers") == [(2,)]


def test_a_defect_of_ours_is_a_call_without_answer(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    upload = ledger.order()
    real = lanes[Lane.GOOGLE_ADS]

    class Broken:
        validate, prepare = staticmethod(real.validate), staticmethod(real.prepare)

        def send(self, account: int, rows: int, **options: Any) -> None:
            real.send(account, rows, **options)
            raise RuntimeError("a defect")

    ledger.once({**lanes, Lane.GOOGLE_ADS: Broken()})
    assert (ledger.upload(upload).state, ledger.upload(upload).reason) == ("unknown", "no_answer")
    ledger.clock.forward(seconds=10)
    ledger.settle(lanes)
    assert ledger.upload(upload).state == "accepted"
    assert len(at_google()) == 1


def test_unknown_stays_unknown_while_google_cannot_be_reached(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    """A pause or a parked account between must not make us forget that the row may be delivered."""
    upload = ledger.order(deadline_at=ledger.clock() + timedelta(minutes=3))
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    google.state.faults.arm(Fault(kind=FaultKind.QUOTA_RATE, seconds=600, count=1))
    ledger.settle(lanes)
    ledger.clock.forward(seconds=10)
    ledger.settle(lanes)
    assert ledger.upload(upload).state == "unknown"
    ledger.clock.forward(minutes=11)
    ledger.settle(lanes)
    assert ledger.upload(upload).state == "accepted"


def claims_keep_their_order(engine: sa.Engine) -> None:
    """Which of two equal rows stands first in a request is not promised: it is the order in which the server's plan returns what it
    claimed. Nested loops return it as it was picked, nearest deadline first; PostgreSQL 15 with its defaults hashes so few rows."""
    with engine.begin() as connection:
        name = connection.engine.url.database
        for setting in ("enable_hashjoin", "enable_mergejoin"):
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET {setting} = off")
    engine.dispose()


def test_a_row_that_is_kept_back_is_not_told_what_the_others_of_its_request_are(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    """It may be there by an earlier call, and this one does not carry it: its answer says nothing about it."""
    claims_keep_their_order(ledger.engine)
    lost = ledger.order(click_id=(click := ledger.gclid()), clicked_at=None)
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=1))
    ledger.settle(lanes)
    assert ledger.upload(lost).state == "unknown"
    at = ledger.upload(lost).conversion_at
    first = ledger.order(click_id=click, conversion_at=at, deadline_at=ledger.clock() + timedelta(days=1))
    ledger.clock.forward(minutes=5)
    ledger.once(lanes)
    assert (ledger.upload(first).state, ledger.upload(lost).state) == ("accepted", "unknown")
    assert len(google.state.conversions) == 1
    ledger.clock.forward(minutes=5)
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 2}
    assert len(google.state.conversions) == 2
