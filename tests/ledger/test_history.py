"""What requests keep for their rows. That nothing is missing or told twice, the fixture `ledger` asks after every test."""

from typing import Any

from custom_events.postgres import migrate
from custom_events.values.conversions import Lane
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

KEPT = "SELECT shared_verdict, shared_rows FROM app.upload_requests ORDER BY id"
ATTEMPTS = "SELECT verdict, count(*) FROM app.upload_attempts GROUP BY 1 ORDER BY 1"


def test_what_all_rows_were_told_is_kept_once(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    uploads = ledger.orders(5)
    ledger.do("UPDATE app.conversion_uploads SET click_id = 'EAIaIQobChMIxxxxxxxx' WHERE id = :u", u=uploads[2])
    ledger.settle(lanes)
    assert ledger.rows(KEPT) == [("accepted", 4)]
    assert ledger.rows(ATTEMPTS) == [("rejected", 1)]


def test_a_later_verdict_is_each_row_s_own(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.orders(3, Lane.DATA_MANAGER)
    ledger.settle(lanes)
    assert (ledger.rows(KEPT), ledger.rows(ATTEMPTS)) == ([("pending", 3)], [])
    ledger.clock.forward(minutes=31)
    ledger.settle(lanes)
    assert ledger.rows(ATTEMPTS) == [("accepted", 3)]
    assert ledger.rows("SELECT verdict, count(*) FROM app.upload_answers GROUP BY 1 ORDER BY 1") == [
        ("accepted", 3),
        ("pending", 3),
    ]


def test_what_went_wrong_is_each_row_s_own(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(3)
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=1))
    ledger.settle(lanes)
    ledger.clock.forward(minutes=10)
    ledger.settle(lanes)
    assert ledger.rows(KEPT) == [(None, None), ("accepted", 3)]


def test_going_back_a_version_gives_each_row_its_attempt(ledger: Ledger, lanes: dict[Lane, Any], database: str) -> None:
    ledger.orders(3)
    ledger.orders(2, Lane.DATA_MANAGER)
    ledger.settle(lanes)
    assert ledger.rows(ATTEMPTS) == []
    migrate.downgrade(database, "0012")
    assert ledger.rows(ATTEMPTS) == [("accepted", 3), ("pending", 2)]
    migrate.upgrade(database)
