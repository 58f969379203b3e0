"""Dagster's own rows and files do not grow for ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.definitions.run_request import InstigatorType

from orchestration import instance, run_retention

STATUSES = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED)


@pytest.fixture
def dagster(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in instance.prepare(tmp_path / "dagster", database).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "dagster"


def test_old_finished_runs_go_with_their_events_and_files(dagster: Path, engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    with dg.DagsterInstance.from_config(str(dagster)) as made:
        runs = {status: made.add_run(dg.DagsterRun(job_name="build_reports", status=status)) for status in STATUSES}
        for run in runs.values():
            made.report_engine_event("something happened", run)
            (Path(made.storage_directory()) / run.run_id / "compute_logs").mkdir(parents=True)
        assert run_retention.delete_old_runs(made, now - timedelta(hours=1)) == 0
        assert run_retention.delete_old_runs(made, now + timedelta(hours=1)) == 2
        assert run_retention.delete_old_runs(made, now + timedelta(hours=1)) == 0
        left = runs[dg.DagsterRunStatus.STARTED].run_id
        assert [run.run_id for run in made.get_runs()] == [left]
        assert [folder.name for folder in Path(made.storage_directory()).iterdir()] == [left]
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT DISTINCT run_id FROM dagster.event_logs")).scalars().all() == [left]


def test_ticks_are_purged_by_dagster(dagster: Path) -> None:
    with dg.DagsterInstance.from_config(str(dagster)) as made:
        for kind in (InstigatorType.SENSOR, InstigatorType.SCHEDULE):
            days = {status.value.lower(): days for status, days in made.get_tick_retention_settings(kind).items()}
            assert days == instance.TICKS[kind.value.lower()]["purge_after_days"]
