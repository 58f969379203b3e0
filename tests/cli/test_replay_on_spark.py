"""`custom-events replay --engine spark`: what it takes, and what it says."""

from datetime import date, datetime
from typing import Any

import pytest

from custom_events.backtest.replay import Order
from custom_events.backtest.rereading import Reread
from custom_events.spark import replay as spark_replay
from custom_events.spark.replay import SparkReplay
from tests.cli.conftest import Run


def test_only_raw_events_and_only_what_is_archived(run: Run, database: str, tmp_path: Any) -> None:
    both = run("replay", "--engine", "spark", "--definition", "vip", DATABASE_URL=database)
    assert both.exit_code == 2
    assert "leave out --definition and --assignment" in both.output
    unset = run("replay", "--engine", "spark", DATABASE_URL=database)
    assert unset.exit_code == 1
    assert "no archive is set" in unset.output
    empty = run("replay", "--engine", "spark", DATABASE_URL=database, CUSTOM_EVENTS_ARCHIVE_URL=str(tmp_path))
    assert empty.exit_code == 1
    assert "No week of this period is in the archive" in empty.output


def test_what_it_says(run: Run, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark itself: tests/spark."""
    orders: list[Order | None] = []

    def replayed(*_: Any, since: datetime, until: datetime, order: Order | None, **__: Any) -> SparkReplay:
        orders.append(order)
        reread = Reread(
            raw_events=1_200, would_change=3, new_events={"order.paid": 2}, outcomes={"parked to understood": 1}
        )
        weeks = (date(2026, 6, 1), date(2026, 6, 8))
        return SparkReplay(since=since, until=until, sites=(1,), weeks=weeks, is_written=order is not None, reread=reread,
            queued=0 if order is None else 3, seconds=61.2)  # fmt: skip

    monkeypatch.setattr(spark_replay, "replay", replayed)
    dry = run("replay", "--engine", "spark", "--since", "2026-06-01", DATABASE_URL=database)
    assert dry.output.splitlines() == [
        "1,200 raw events of 2 archived weeks (2026-06-01 to 2026-06-08) in 61 s",
        "  new: order.paid 2",
        "  outcomes: parked to understood 1",
        "3 would say something else.",
    ]
    written = run(
        *("replay", "--engine", "spark", "--write", "--reason", "a new parser", "--by", "ana"), DATABASE_URL=database
    )
    assert written.output.splitlines()[-1] == "3 were brought back, and understood and matched again."
    assert orders == [None, Order(actor="ana", reason="a new parser")]
    assert '"raw_events":1200' in run("replay", "--engine", "spark", "--json", DATABASE_URL=database).output
