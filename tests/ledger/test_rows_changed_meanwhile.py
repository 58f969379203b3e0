"""Rows that somebody changes while another transaction waits to lock them are there for it, as they are then."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import pytest
import sqlalchemy as sa

from custom_events.ledger import adjustments
from custom_events.queries import redaction as redaction_queries
from custom_events.redaction import events
from custom_events.values.conversions import Lane
from tests.ledger.conftest import Ledger

LIMIT_S: Final = 60.0
WAITS: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
TOUCH: Final = "UPDATE app.conversion_uploads SET updated_at = updated_at + interval '1 second' WHERE kind = :kind"
KINDS: Final = ["conversion", "restatement"]
T = TypeVar("T")


def until_somebody_waits(engine: sa.Engine) -> None:
    deadline = time.monotonic() + LIMIT_S
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(sa.text(WAITS)).scalar_one():
            assert time.monotonic() < deadline, "nobody waits for the rows"
            time.sleep(0.01)


def while_changed(engine: sa.Engine, kind: str, work: Callable[[sa.Connection], T]) -> T:
    """What `work` returns, which had to wait for rows of this kind while another transaction changed them."""

    def run() -> T:
        with engine.begin() as connection:
            return work(connection)

    with ThreadPoolExecutor(1) as worker, engine.begin() as writer:
        writer.execute(sa.text(TOUCH), {"kind": kind})
        result = worker.submit(run)
        until_somebody_waits(engine)
        writer.commit()
        return result.result(LIMIT_S)


@pytest.fixture
def order(ledger: Ledger, lanes: dict[Lane, Any]) -> str:
    """An order whose conversion Google has, with a restatement that it has, too."""
    number = ledger.upload(ledger.order()).order_id
    ledger.settle(lanes)
    ledger.refund(number, "30.00", refund_id="r1")
    ledger.settle(lanes)
    ledger.clock.forward(seconds=5)
    return number


@pytest.mark.parametrize("kind", KINDS)
def test_the_adjuster(ledger: Ledger, lanes: dict[Lane, Any], order: str, kind: str) -> None:
    ledger.refund(order, "20.00", refund_id="r2")

    def adjust(connection: sa.Connection) -> int:
        return adjustments.adjust(connection, ledger.clock(), ledger.settings)

    assert while_changed(ledger.engine, kind, adjust) == 1
    ledger.settle(lanes)
    rows = ledger.rows("SELECT kind, sequence, state, value FROM app.conversion_uploads ORDER BY sequence")
    assert [(row.kind, row.sequence, row.state, float(row.value)) for row in rows] == [
        ("conversion", 0, "accepted", 100.0),
        ("restatement", 1, "accepted", 70.0),
        ("restatement", 2, "accepted", 50.0),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_redaction(ledger: Ledger, order: str, kind: str) -> None:
    def page(connection: sa.Connection) -> events.Page:
        asked = {"site": ledger.site, "redacted": redaction_queries.REDACTED_KEY, "orders": [order]}
        return events.page(connection, ledger.site, connection.execute(redaction_queries.EVENTS_OF_ORDERS, asked).all())

    found = while_changed(ledger.engine, kind, page)
    assert sorted(row.sequence for row in found.uploads) == [0, 1]
