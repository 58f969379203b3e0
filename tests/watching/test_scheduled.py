"""Jobs that run by the clock and did not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from custom_events.settings import Settings
from custom_events.watching import scheduled
from custom_events.watching.alarms import raised
from custom_events.watching.measure import measure
from orchestration import jobs, schedules

NOW = datetime.now(UTC)


def missed(engine: sa.Engine, now: datetime) -> dict[str, Any]:
    with engine.connect() as connection:
        alarms = raised(measure(connection, Settings(), now))
        return {alarm.where["job"]: alarm.sentence for alarm in alarms if alarm.name == "ScheduledJobMissed"}


def test_every_schedule_has_a_limit_longer_than_its_turn() -> None:
    by_job = {schedule.job_name for schedule in vars(schedules).values() if hasattr(schedule, "cron_schedule")}
    assert by_job == set(scheduled.MISSED_AFTER_S)


def test_a_new_installation_has_missed_nothing_and_is_told_when_it_does(engine: sa.Engine) -> None:
    assert missed(engine, NOW) == {}
    later = NOW + timedelta(hours=4)
    assert set(missed(engine, later)) == {"build_reports", "recover_orders", "watch_shops"}
    with engine.begin() as connection:
        scheduled.ended(connection, "recover_orders", later)
        scheduled.ended(connection, "watch_shops", later)
        scheduled.ended(connection, "build_reports", later)
        scheduled.ended(connection, "build_reports", NOW)  # an older end that is noted late changes nothing
    assert missed(engine, later) == {}
    assert set(missed(engine, NOW + timedelta(hours=51))) == set(scheduled.MISSED_AFTER_S)


@pytest.fixture
def defs() -> Any:
    pytest.importorskip("dagster_dbt")
    from orchestration.definitions import defs

    return defs


def test_the_jobs_note_their_end(engine: sa.Engine, database: str, defs: Any) -> None:
    assert jobs.reconcile_uploads.hooks == jobs.build_reports.hooks == {jobs.note_end}
    assert {jobs.note_end} == set(jobs.recover_orders.hook_defs)
    with engine.begin() as connection:
        long_ago = NOW - timedelta(days=9)
        connection.exec_driver_sql("UPDATE app.scheduled_jobs SET ended_at = %s", (long_ago,))
    job = defs.resolve_job_def("keep_partitions")
    job.execute_in_process(resources={"database_url": dg.ResourceDefinition.hardcoded_resource(database)})
    assert set(missed(engine, datetime.now(UTC))) == {
        "build_reports",
        "reconcile_uploads",
        "recover_orders",
        "watch_shops",
    }
