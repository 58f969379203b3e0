"""Reports that are due, from Dagster's sensor to the file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from assets.report_exports import report_exports, table_of_runs
from custom_events.reports import runs, schedules
from custom_events.reports.runs import RunState
from custom_events.reports.schedules import ScheduleSettings
from custom_events.settings import settings
from custom_events.watching.watch import look
from orchestration import jobs, sensors
from tests import marts
from tests.reports.conftest import DAILY


@pytest.fixture
def schedule(engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> schedules.Schedule:
    """One that was due yesterday and today; nobody looked since."""
    monkeypatch.setenv("CUSTOM_EVENTS_LOCAL_DIRECTORY", str(tmp_path))
    settings.cache_clear()
    with engine.begin() as connection:
        marts.make(connection)
        chosen = ScheduleSettings(report_key="daily_accuracy", name="Accuracy", rule=DAILY, format="csv")
        since = datetime.now(UTC) - timedelta(days=2)
        made = schedules.create(connection, chosen, (), settings=settings(), actor="ana", now=since)
    yield made
    settings.cache_clear()


def test_the_sensor_starts_a_run_where_one_is_due_which_makes_it_once(
    engine: sa.Engine, database: str, schedule: schedules.Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.resources.address", lambda: database)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        assert isinstance(sensors.scheduled_reports(context), dg.RunRequest)
        resources = {"database_url": dg.ResourceDefinition.hardcoded_resource(database)}
        result = dg.materialize([report_exports], resources=resources, instance=instance)
        (event,) = result.asset_materializations_for_node("report_exports")
        assert event.metadata["delivered"].value == 1
        assert isinstance(sensors.scheduled_reports(context), dg.SkipReason)
        again = dg.materialize([report_exports], resources=resources, instance=instance)
        (event,) = again.asset_materializations_for_node("report_exports")
        assert event.metadata["runs"].value == 0
    with engine.connect() as connection:
        states = [run.state for run in runs.search(connection, limit=5)]
        assert sorted(states) == [RunState.DELIVERED, RunState.SKIPPED]
        delivered = [run for run in runs.search(connection, limit=5) if run.state is RunState.DELIVERED]
    assert runs.path_of(settings(), delivered[0]).is_file()
    assert delivered[0].sha256 is not None
    assert delivered[0].sha256[:12] in str(table_of_runs(delivered).value)


def test_what_is_late_or_has_failed_is_an_alarm(engine: sa.Engine, schedule: schedules.Schedule) -> None:
    now = datetime.now(UTC)
    assert "ReportLate" in {alarm.name for alarm in look(engine, (), settings(), now).open}
    with engine.begin() as connection:
        run = runs.ask_of_schedule(connection, schedule, actor="ana", now=now)
        schedules.recompute(connection, now)
        connection.execute(
            sa.text("UPDATE app.report_schedules SET next_due_at = now() + interval '1 day'"),
        )
        connection.execute(sa.text("UPDATE app.report_runs SET state = 'failed' WHERE id = :id"), {"id": run.id})
    names = {alarm.name for alarm in look(engine, (), settings(), now + timedelta(hours=1)).open}
    assert "ReportFailed" in names
    assert "ReportLate" not in names


def test_the_nightly_job_sweeps_files(database: str, schedule: schedules.Schedule) -> None:
    resources = {"database_url": dg.ResourceDefinition.hardcoded_resource(database)}

    @dg.job(resource_defs=resources)
    def sweep() -> None:
        jobs.sweep_reports()

    assert sweep.execute_in_process().success
