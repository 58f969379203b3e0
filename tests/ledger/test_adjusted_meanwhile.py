"""Rows that somebody changes while the adjuster waits for them: it sees all of an order's rows, as they are then."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
import sqlalchemy as sa

from custom_events.ledger import adjustments
from custom_events.values.conversions import Lane
from tests.ledger.conftest import Ledger

LIMIT_S: Final = 60.0
WAITS: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
TOUCH: Final = "UPDATE app.conversion_uploads SET updated_at = updated_at + interval '1 second' WHERE kind = :kind"


def until_somebody_waits(engine: sa.Engine) -> None:
    deadline = time.monotonic() + LIMIT_S
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(sa.text(WAITS)).scalar_one():
            assert time.monotonic() < deadline, "nobody waits for the rows"
            time.sleep(0.01)


@pytest.mark.parametrize("kind", ["conversion", "restatement"])
def test_what_is_written_meanwhile_is_adjusted(ledger: Ledger, lanes: dict[Lane, Any], kind: str) -> None:
    upload = ledger.order()
    order = ledger.upload(upload).order_id
    ledger.settle(lanes)
    ledger.refund(order, "30.00", refund_id="r1")
    ledger.settle(lanes)
    ledger.clock.forward(seconds=5)
    ledger.refund(order, "20.00", refund_id="r2")

    def adjust() -> int:
        with ledger.engine.begin() as connection:
            return adjustments.adjust(connection, ledger.clock(), ledger.settings)

    with ThreadPoolExecutor(1) as worker, ledger.engine.begin() as writer:
        writer.execute(sa.text(TOUCH), {"kind": kind})
        adjusted = worker.submit(adjust)
        until_somebody_waits(ledger.engine)
        writer.commit()
        assert adjusted.result(LIMIT_S) == 1
    ledger.settle(lanes)
    rows = ledger.rows("SELECT kind, sequence, state, value FROM app.conversion_uploads ORDER BY sequence")
    assert [(row.kind, row.sequence, row.state, float(row.value)) for row in rows] == [
        ("conversion", 0, "accepted", 100.0),
        ("restatement", 1, "accepted", 70.0),
        ("restatement", 2, "accepted", 50.0),
    ]
