"""Killed anywhere, or overtaken: a run's file is the same, and each target has it once under one key."""

from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.report_delivery.targets import (
    DeliveryReceipt,
)
from custom_events.report_files.table import WrittenFile
from custom_events.reports import running, runs
from custom_events.reports.running import Exporter
from custom_events.reports.runs import Run, RunState
from custom_events.settings import Settings
from tests.reports.conftest import Clock, KilledError, Outside, only_run


def kill(exporter: Exporter) -> None:
    with pytest.raises(KilledError):
        exporter.run_next()


def test_killed_between_writing_and_delivering_the_same_file_goes_out_once(
    due: Run, exporter: Exporter, outside: Outside, clock: Clock, engine: sa.Engine, settings: Settings
) -> None:
    outside.before.append(KilledError())
    kill(exporter)
    left = only_run(engine)
    assert (left.state, left.receipts) == (RunState.DELIVERING, {})
    written = runs.path_of(settings, left).stat().st_mtime_ns
    assert exporter.run_next() is None, "its lease has not ended"
    clock.forward(seconds=settings.report_lease_s + 1)
    run = exporter.run_next()
    assert run is not None
    assert (run.state, run.attempt, run.sha256) == (RunState.DELIVERED, 2, left.sha256)
    assert runs.path_of(settings, run).stat().st_mtime_ns == written, "it is not written anew"
    assert len({key for key, _ in outside.got}) == len(outside.got) == 2


def test_killed_between_delivering_and_noting_it_goes_again_under_the_same_key(
    due: Run, exporter: Exporter, outside: Outside, clock: Clock, engine: sa.Engine, settings: Settings
) -> None:
    outside.after.append(KilledError())
    kill(exporter)
    clock.forward(seconds=settings.report_lease_s + 1)
    run = exporter.run_next()
    assert run is not None
    assert run.state is RunState.DELIVERED
    keys = [key for key, _ in outside.got]
    assert keys[0] == keys[1] != keys[2]
    assert {digest for _, digest in outside.got} == {run.sha256}


def test_killed_while_it_writes_another_attempt_writes_it_whole(
    due: Run, exporter: Exporter, clock: Clock, engine: sa.Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(running, "write", lambda *_: (_ for _ in ()).throw(KilledError()))
        kill(exporter)
    assert only_run(engine).state is RunState.WRITING
    clock.forward(seconds=settings.report_lease_s + 1)
    run = exporter.run_next()
    assert run is not None
    assert run.state is RunState.DELIVERED
    assert [path.name for path in runs.folder_of(settings, run.id).iterdir()] == [run.file_name]


def test_a_worker_that_was_taken_for_dead_delivers_nothing(
    due: Run, exporter: Exporter, outside: Outside, clock: Clock, engine: sa.Engine, settings: Settings
) -> None:
    """A Dagster step may live on beside its successor: it finds that the run is not its own, before it delivers and before it moves a file."""
    ghost = Exporter(engine, settings, clock=clock, deliver=outside.deliver)
    write = running.write

    def overtaken(*arguments: Any) -> WrittenFile:
        made = write(*arguments)
        clock.forward(seconds=settings.report_lease_s + 1)
        running.write = write
        assert exporter.run_next() is not None
        return made

    running.write = overtaken
    try:
        seen = ghost.run_next()
    finally:
        running.write = write
    assert seen is not None
    assert seen.state is RunState.DELIVERED, "by the other one"
    assert len(outside.got) == 2
    assert only_run(engine).attempt == 2


def test_nobody_claims_a_run_while_its_file_goes_out(
    due: Run, exporter: Exporter, outside: Outside, clock: Clock, engine: sa.Engine, settings: Settings
) -> None:
    """Whatever the lease says: the row is held."""
    others: list[Run | None] = []
    deliver = outside.deliver

    def slow(*arguments: Any) -> DeliveryReceipt:
        clock.forward(seconds=settings.report_lease_s + 1)
        others.append(Exporter(engine, settings, clock=clock, deliver=deliver).run_next())
        return deliver(*arguments)

    run = Exporter(engine, settings, clock=clock, deliver=slow).run_next()
    assert run is not None
    assert run.state is RunState.DELIVERED
    assert others == [None, None]


def test_a_run_that_ends_its_worker_each_time_is_given_up(
    due: Run, exporter: Exporter, outside: Outside, clock: Clock, settings: Settings
) -> None:
    outside.before = [KilledError() for _ in range(3)]
    for _ in range(3):
        kill(exporter)
        clock.forward(seconds=settings.report_lease_s + 1)
    run = exporter.run_next()
    assert run is not None
    assert run.state is RunState.FAILED
    assert run.error is not None
    assert "ended 3 times" in run.error.sentence


def test_a_file_that_was_changed_since_is_written_anew(
    due: Run, exporter: Exporter, outside: Outside, clock: Clock, engine: sa.Engine, settings: Settings
) -> None:
    outside.before.append(KilledError())
    kill(exporter)
    left = only_run(engine)
    runs.path_of(settings, left).write_text("something else")
    clock.forward(seconds=settings.report_lease_s + 1)
    run = exporter.run_next()
    assert run is not None
    assert (run.state, run.sha256) == (RunState.DELIVERED, left.sha256)
