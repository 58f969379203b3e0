"""Dagster's own rows and files do not grow for ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.definitions.run_request import InstigatorType

from custom_events.settings import Settings
from orchestration import instance, run_retention

STATUSES = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED)
LATER = timedelta(hours=1)
CHECKS = sa.text("SELECT check_name, run_id FROM dagster.asset_check_executions ORDER BY id")
RUNLESS = sa.text("SELECT count(*) FROM dagster.event_logs WHERE run_id = ''")


@dg.asset
def orders() -> None:
    """Nothing."""


@dg.asset_check(asset=orders)
def is_whole() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


DEFINED = dg.Definitions(assets=[orders], asset_checks=[is_whole])


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


def test_ticks_are_purged_by_dagster_as_long_as_runs_are_kept(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dagster = tmp_path / "dagster"
    for name, value in instance.prepare(dagster, database, kept_days=5).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_config(str(dagster)) as made:
        for kind in (InstigatorType.SENSOR, InstigatorType.SCHEDULE):
            days = {status.value.lower(): days for status, days in made.get_tick_retention_settings(kind).items()}
            assert days == instance.ticks(5)[kind.value.lower()]["purge_after_days"]
    assert Settings.model_fields["dagster_retention_days"].default == instance.KEPT_DAYS


def test_results_of_checks_go_with_their_runs_but_the_last(dagster: Path, engine: sa.Engine) -> None:
    later = datetime.now(UTC) + LATER
    with dg.DagsterInstance.from_config(str(dagster)) as made:
        job = DEFINED.resolve_implicit_global_asset_job_def()
        runs = [job.execute_in_process(instance=made).run_id for _ in range(3)]
        with engine.begin() as connection:
            assert [tuple(row) for row in connection.execute(CHECKS)] == [("is_whole", run) for run in runs]
            assert run_retention.delete_leftovers(connection, later).checks == 0, "their runs are there"
        made.delete_run(runs[0])
        made.delete_run(runs[2])
        with engine.begin() as connection:
            assert run_retention.delete_leftovers(connection, later).checks == 1
            assert [row.run_id for row in connection.execute(CHECKS)] == runs[1:], "the last one stays without its run"


def test_events_of_no_run_go_but_the_last_of_each_asset(dagster: Path, engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    with dg.DagsterInstance.from_config(str(dagster)) as made:
        for name in ("orders", "orders", "customers"):
            made.report_runless_asset_event(dg.AssetMaterialization(name))
        made.report_runless_asset_event(dg.AssetObservation("orders"))
        with engine.begin() as connection:
            assert run_retention.delete_leftovers(connection, now - LATER).events == 0
            assert run_retention.delete_leftovers(connection, now + LATER).events == 1
            assert connection.execute(RUNLESS).scalar_one() == 3
            assert run_retention.delete_leftovers(connection, now + LATER).events == 0
        assert made.get_latest_materialization_event(dg.AssetKey("orders")) is not None


def test_a_check_under_way_does_not_take_the_last_result_with_it(dagster: Path, engine: sa.Engine) -> None:
    with dg.DagsterInstance.from_config(str(dagster)) as made:
        run = DEFINED.resolve_implicit_global_asset_job_def().execute_in_process(instance=made)
        made.delete_run(run.run_id)
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO dagster.asset_check_executions (asset_key, check_name, run_id, execution_status)"
                    " SELECT asset_key, check_name, 'another', 'PLANNED' FROM dagster.asset_check_executions"
                )
            )
            made.add_run(dg.DagsterRun(job_name="any", run_id="another", status=dg.DagsterRunStatus.STARTED))
            assert run_retention.delete_leftovers(connection, datetime.now(UTC) + LATER).checks == 0
