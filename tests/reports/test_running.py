"""A run from its claim to its end: written, delivered to each target, tried again, ended."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.errors import NeedsAction, Transient
from custom_events.queries import report_runs
from custom_events.report_delivery.targets import (
    DeliveryMessage,
    DeliveryReceipt,
    DeliverySecrets,
)
from custom_events.report_files.table import WrittenFile
from custom_events.reports import planning, retention, running, runs, schedules, specifications
from custom_events.reports.running import Exporter
from custom_events.reports.runs import Run, RunState
from custom_events.settings import Settings
from tests.reports.conftest import CONTENT, DAY, FOLDER, MAIL, Clock, Make, Outside, add_day, only_run


def test_a_run_is_written_and_delivered_to_each_target(
    due: Run, exporter: Exporter, outside: Outside, settings: Settings, engine: sa.Engine
) -> None:
    (run,) = exporter.run_due()
    assert (run.state, run.rows, run.attempt, run.error) == (RunState.DELIVERED, 1, 1, None)
    path = runs.path_of(settings, run)
    assert path.name == "daily_accuracy_2026-11-30.csv"
    assert path.stat().st_mode & 0o077 == 0
    assert hashlib.sha256(path.read_bytes()).hexdigest() == run.sha256
    assert b"".join(runs.parts(path)) == path.read_bytes()
    line = path.read_text().splitlines()[1]
    assert line.startswith("2026-11-30,")
    assert line.endswith(",10,5,2,0,0,0,0.700000")
    assert len(outside.got) == len(run.receipts) == 2
    assert {receipt.where for receipt in run.receipts.values()} == {
        f"FolderTarget:{path.name}",
        f"EmailTarget:{path.name}",
    }
    assert list(exporter.run_due()) == []
    with engine.connect() as connection:
        assert not planning.has_work(connection, due.due_at)


def test_what_passes_by_itself_is_tried_again_later_and_later(
    due: Run, exporter: Exporter, outside: Outside, clock: Clock, engine: sa.Engine
) -> None:
    outside.before = [Transient("the disk is full"), Transient("busy", retry_after_s=500.0)]
    run = exporter.run_next()
    assert run is not None
    assert (run.state, run.error) == (RunState.QUEUED, runs.ReportRunError(kind="Transient", sentence="busy"))
    assert run.not_before == clock.now + timedelta(seconds=500)
    assert len(run.receipts) == 1, "the other target has it"
    assert exporter.run_next() is None
    clock.forward(seconds=500)
    run = exporter.run_next()
    assert run is not None
    assert run.not_before == clock.now + timedelta(seconds=2 * running.FIRST_RETRY_S)
    clock.forward(seconds=120)
    run = exporter.run_next()
    assert run is not None
    assert (run.state, len(outside.got)) == (RunState.DELIVERED, 2)


def test_what_was_tried_often_enough_has_failed_and_may_be_done_again(
    due: Run, exporter: Exporter, outside: Outside, clock: Clock, engine: sa.Engine
) -> None:
    outside.before = [Transient("away")] * 3
    for _ in range(3):
        run = exporter.run_next()
        clock.forward(hours=2)
    assert run is not None
    assert (run.state, run.attempt) == (RunState.FAILED, 3)
    with engine.begin() as connection:
        again = runs.rerun(connection, run.id, actor="ana", now=clock.now)
        assert again.asked_by is None
    run = exporter.run_next()
    assert run is not None
    assert (run.state, len(outside.got)) == (RunState.DELIVERED, 2)
    with engine.begin() as connection, pytest.raises(NeedsAction, match="is delivered"):
        runs.rerun(connection, run.id, actor="ana", now=clock.now)


def test_what_needs_a_person_fails_at_once(due: Run, exporter: Exporter, outside: Outside) -> None:
    outside.before = [NeedsAction("the folder may not be written: mend its permissions")]
    run = exporter.run_next()
    assert run is not None
    assert (run.state, run.error and run.error.kind) == (RunState.FAILED, "NeedsAction")


def test_what_a_version_before_took_fails_and_says_what_to_change(
    due: Run, exporter: Exporter, outside: Outside, engine: sa.Engine
) -> None:
    content = {"mart": "fct_orders", "columns": ["site_name", "net_total"], "added_up": True}
    with engine.begin() as connection:
        statement = sa.text("UPDATE app.report_runs SET content = CAST(:content AS jsonb) WHERE id = :id")
        connection.execute(statement, {"id": due.id, "content": json.dumps(content)})
    failed = exporter.run_next()
    assert failed is not None
    assert failed.error is not None
    assert failed.state is RunState.FAILED
    assert "currency among the columns" in failed.error.sentence
    assert outside.got == []


def test_an_error_of_our_own_is_tried_again_and_says_nothing_private(
    due: Run, exporter: Exporter, outside: Outside
) -> None:
    outside.before = [RuntimeError("a secret")]
    run = exporter.run_next()
    assert run is not None
    assert run.state is RunState.QUEUED
    assert run.error is not None
    assert "secret" not in run.error.sentence


def test_an_empty_report_after_one_with_rows_is_a_warning(
    due: Run, exporter: Exporter, clock: Clock, engine: sa.Engine
) -> None:
    exporter.run_next()
    clock.forward(days=1)
    (run,) = exporter.run_due()
    assert (run.state, run.rows) == (RunState.DELIVERED, 0)
    assert "the run before had 1" in run.warnings[0]
    clock.forward(days=1)
    (run,) = exporter.run_due()
    assert run.warnings == ()


def test_a_mart_that_is_not_built_is_waited_for(
    make: Make, clock: Clock, exporter: Exporter, engine: sa.Engine
) -> None:
    clock.now = make().next_due_at
    (run,) = exporter.run_due()
    assert run.state is RunState.QUEUED
    assert run.error is not None
    assert "not built" in run.error.sentence
    assert run.not_before == clock.now + timedelta(seconds=900)


def test_a_report_that_would_be_too_large_fails_and_leaves_nothing(
    due: Run, engine: sa.Engine, settings: Settings, clock: Clock, site_id: int
) -> None:
    with engine.begin() as connection:
        add_day(connection, site_id, DAY + timedelta(days=1), orders=1)
    small = settings.model_copy(update={"report_rows_limit": 1})
    run = Exporter(engine, small, clock=clock).run_next()
    assert run is not None
    assert run.state is RunState.FAILED
    assert run.error is not None
    assert "more than 1 rows" in run.error.sentence
    assert list(runs.folder_of(settings, run.id).glob("*")) == []


def test_who_reads_long_says_that_it_is_alive(due: Run, exporter: Exporter, clock: Clock, engine: sa.Engine) -> None:
    claimed = report_runs
    with engine.begin() as connection:
        row = claimed.claim(connection, now=clock.now, lease=timedelta(seconds=30))
    assert row is not None
    run = runs.run_of(row)

    def batches() -> Any:
        for _ in range(2):
            clock.forward(seconds=20)
            yield [("x",)]

    assert len(list(exporter._renewing(run, batches()))) == 2
    with engine.connect() as connection:
        row = claimed.by_id(connection, run.id)
        assert row is not None
        assert row.lease_until > clock.now
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.report_runs SET attempt = 7"))
    with pytest.raises(running.LostError):
        list(exporter._renewing(run, batches()))


def test_runs_by_hand_have_a_file_and_no_targets(
    site_id: int, exporter: Exporter, engine: sa.Engine, clock: Clock, settings: Settings, outside: Outside
) -> None:
    with engine.begin() as connection:
        report = specifications.create(
            connection, key="mine", name="Mine", content=CONTENT, site_ids=(site_id,), actor="ana"
        )
        asked = runs.ask(connection, report, site_ids=None, actor="ana", now=clock.now)
    run = exporter.run_next(asked.id)
    assert run is not None
    assert (run.state, run.rows, run.site_ids, run.receipts, outside.got) == (RunState.DELIVERED, 1, (site_id,), {}, [])
    with engine.begin() as connection:
        with pytest.raises(NeedsAction):
            runs.ask(connection, report, site_ids=(site_id + 1,), actor="ana", now=clock.now)
        schedule_run = runs.ask(
            connection, report, site_ids=(site_id,), actor="ana", now=clock.now, as_of=clock.now - timedelta(days=3)
        )
    assert schedule_run.first_day == date(2026, 11, 26)


def test_a_schedule_is_run_by_hand_beside_its_own_runs(
    due: Run, exporter: Exporter, engine: sa.Engine, clock: Clock, outside: Outside
) -> None:
    with engine.begin() as connection:
        assert due.schedule_id is not None
        schedule = schedules.get(connection, due.schedule_id)
        asked = runs.ask_of_schedule(connection, schedule, actor="ana", now=clock.now)
    assert asked.period == due.period
    assert [run.state for run in exporter.run_due()] == [RunState.DELIVERED, RunState.DELIVERED]
    assert len({key for key, _ in outside.got}) == 4


def test_a_schedule_that_is_removed_takes_its_open_runs_with_it(
    due: Run, exporter: Exporter, engine: sa.Engine, clock: Clock
) -> None:
    with engine.begin() as connection:
        assert due.schedule_id is not None
        schedules.remove(connection, due.schedule_id, actor="ana")
    run = only_run(engine)
    assert (run.state, run.schedule_id) == (RunState.SKIPPED, None)
    assert exporter.run_next() is None
    with engine.begin() as connection, pytest.raises(NeedsAction, match="was removed"):
        runs.rerun(connection, run.id, actor="ana", now=clock.now)


def test_files_end_with_their_retention_and_the_log_much_later(
    due: Run, exporter: Exporter, engine: sa.Engine, clock: Clock, settings: Settings
) -> None:
    run = exporter.run_next()
    assert run is not None
    stray = runs.folder_of(settings, 999)
    stray.mkdir(parents=True)
    folder = runs.folder_of(settings, run.id)
    assert retention.sweep(engine, settings, clock.now + timedelta(days=29)).files == 1
    assert folder.exists()
    assert not stray.exists()
    swept = retention.sweep(engine, settings, clock.now + timedelta(days=31))
    assert (swept.files, swept.runs, folder.exists()) == (1, 0, False)
    kept = only_run(engine)
    assert (kept.sha256, kept.file_name) == (run.sha256, None)
    with pytest.raises(Exception, match="has no file here"):
        runs.path_of(settings, kept)
    assert retention.sweep(engine, settings, clock.now + timedelta(days=401)).runs == 1
    assert (
        retention.sweep(engine, settings.model_copy(update={"local_directory": Path("/nowhere")}), clock.now).files == 0
    )


def test_it_works_no_longer_than_it_is_told(due: Run, exporter: Exporter, clock: Clock) -> None:
    assert list(exporter.run_due(until=clock.now)) == []


def test_secrets_are_stored_encrypted_and_reach_their_target(
    site_id: int, make: Make, clock: Clock, engine: sa.Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "check", lambda *_: None)
    schedule = make(targets=(FOLDER, MAIL), secrets=(DeliverySecrets(signing_secret="hush"), None))
    with engine.begin() as connection:
        stored = connection.execute(sa.text("SELECT secrets_encrypted, targets::text FROM app.report_schedules")).one()
        assert b"hush" not in bytes(stored.secrets_encrypted)
        assert "hush" not in stored.targets
        assert (
            "hush"
            not in connection.execute(sa.text("SELECT string_agg(after::text, '') FROM app.audit_entries")).scalar_one()
        )
    seen: list[str | None] = []

    def deliver(
        target: Any, file: WrittenFile, message: DeliveryMessage, secrets: DeliverySecrets, _: Settings
    ) -> DeliveryReceipt:
        seen.append(secrets.signing_secret)
        return DeliveryReceipt(where="x", digest=file.sha256)

    clock.now = schedule.next_due_at
    list(Exporter(engine, settings, clock=clock, deliver=deliver).run_due())
    assert seen == ["hush", None]
    with engine.begin() as connection:  # a change of something else keeps them, for the targets that stay
        chosen = msgspec.convert(
            {
                name: getattr(schedule, name)
                for name in schedules.ScheduleSettings.__struct_fields__
                if name != "targets"
            }
            | {"targets": (FOLDER,)},
            schedules.ScheduleSettings,
            from_attributes=True,
        )
        changed = schedules.replace(
            connection, schedule.id, chosen, (None,), settings=settings, actor="ana", now=clock.now
        )
        assert schedules.secrets_of(connection, changed, settings) == (DeliverySecrets(signing_secret="hush"),)
