"""Backtests and replays as operations: how far they are, and their end when they are to stop."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.backtest.backtest import Backtest
from custom_events.backtest.result import Counts, Progress
from custom_events.history.drafts import PUBLISHED
from custom_events.operations import looking_back
from custom_events.operations.operation import State
from tests.operations.conftest import Make, ask, read

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=29, hours=1)


def request(**more: Any) -> dict[str, Any]:
    return {"since": SINCE.isoformat(), "until": UNTIL.isoformat(), "samples": 1, **more}


def test_a_backtest_says_how_far_it_is_and_one_that_is_stopped_has_no_result(
    engine: sa.Engine, runner_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backtest(_url: str, _draft: Any, **how: Any) -> Backtest:
        how["on_progress"](Progress(events=5, site_id=1, sites_done=0, sites=2, reached=SINCE, share=0.5))
        (work,) = runner._works
        work.stop(cancelled=True)
        assert how["stop"]()
        return Backtest(
            draft=PUBLISHED, since=SINCE, until=UNTIL, sites=(1, 2), events=5, seconds=0.0, is_complete=False,
            counts=Counts(), assignments=(), days=(), effects=(), samples=(),
        )  # fmt: skip

    monkeypatch.setattr(looking_back, "backtest_sync", backtest)
    number = ask(engine, request=request())
    runner = runner_of(looking_back.run_backtest)
    assert runner.run_next()
    found = read(engine, number)
    assert (found.state, found.result_type, found.done, found.total, found.unit) == (
        State.CANCELLED,
        None,
        30,
        60,
        "days",
    )


@pytest.mark.parametrize("reason", [None, "the parser was mended"])
def test_a_replay_that_writes_and_is_cancelled_says_what_it_did(
    engine: sa.Engine, runner_of: Make, monkeypatch: pytest.MonkeyPatch, reason: str | None
) -> None:
    whole = looking_back.replay_sync

    def replay(*args: Any, **how: Any) -> Any:
        found = whole(*args, **how)
        (work,) = runner._works
        work.stop(cancelled=True)
        return found

    monkeypatch.setattr(looking_back, "replay_sync", replay)
    number = ask(engine, request=request(actor="ana", **({} if reason is None else {"reason": reason})))
    runner = runner_of(looking_back.run_replay)
    assert runner.run_next()
    found = read(engine, number)
    assert (found.state, found.result_type is not None) == (State.CANCELLED, reason is not None)


def test_what_a_process_that_ends_has_not_finished_waits_again(
    engine: sa.Engine, runner_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = looking_back.replay_sync

    def replay(*args: Any, **how: Any) -> Any:
        (work,) = runner._works
        work.stop(cancelled=False)
        return whole(*args, **how)

    monkeypatch.setattr(looking_back, "replay_sync", replay)
    number = ask(engine, request=request(actor="ana", reason="again"))
    runner = runner_of(looking_back.run_replay)
    assert runner.run_next()
    assert read(engine, number).state is State.WAITING


def test_a_request_is_read_as_it_was_kept() -> None:
    asked = looking_back.BacktestRequest(since=SINCE, until=UNTIL, samples=3, site_ids=(1,), stopped=True)
    assert msgspec.convert(msgspec.to_builtins(asked), looking_back.BacktestRequest) == asked
