"""When another draining run is wanted: none alive, or the youngest about to hand over."""

import time

import dagster as dg
import pytest
import sqlalchemy as sa

from orchestration import sensors


@pytest.mark.parametrize(
    ("ages_s", "wanted"),
    [
        ([], True),
        ([0.0], False),
        ([569.0], False),
        ([571.0], True),
        ([599.0, 3.0], False),  # the successor is there already
        ([5_000.0], True),  # a run that hangs does not stop the others
    ],
)
def test_another_run_is_wanted(ages_s: list[float], wanted: bool) -> None:
    assert sensors.is_wanted(ages_s, 600.0) is wanted


def test_the_sensors_ask_for_a_run_only_when_work_waits(
    engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.resources.address", lambda: database)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        assert isinstance(sensors.raw_backlog(context), dg.SkipReason)
        assert isinstance(sensors.upload_backlog(context), dg.SkipReason)
        with engine.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) VALUES (1, '2026-11-16', 1)")
            )
        assert isinstance(sensors.raw_backlog(context), dg.RunRequest)


def test_no_run_starts_beside_a_database_of_another_version(
    engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.resources.address", lambda: database)
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) VALUES (1, '2026-11-16', 1)")
        )
        connection.execute(sa.text("UPDATE public.alembic_version SET version_num = '9999'"))
    with dg.DagsterInstance.ephemeral() as instance:
        answer = sensors.raw_backlog(dg.build_sensor_context(instance=instance))
    assert isinstance(answer, dg.SkipReason)
    assert "it is older, would misunderstand what is there" in (answer.skip_message or "")


def test_a_living_run_is_enough(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.resources.address", lambda: database)
    monkeypatch.setattr(sensors, "ages_of_runs", lambda *_: [1.0])
    with dg.DagsterInstance.ephemeral() as instance:
        answer = sensors.raw_backlog(dg.build_sensor_context(instance=instance))
    assert isinstance(answer, dg.SkipReason)
    assert "draining already" in (answer.skip_message or "")


def test_runs_of_a_code_server_that_has_died_keep_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else reports them: Dagster counts them as alive for minutes, and the queue would wait."""
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.add_run(dg.DagsterRun(job_name="understand_and_match", status=dg.DagsterRunStatus.STARTED))
        (age,) = sensors.ages_of_runs(instance, "understand_and_match")
        assert 0 <= age < 60
        assert sensors.ages_of_runs(instance, "upload_conversions") == []
        monkeypatch.setattr(sensors, "_process_began", lambda: time.time() + 10)
        assert sensors.ages_of_runs(instance, "upload_conversions") == [], "whichever sensor looks first"
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None
        assert ended.status is dg.DagsterRunStatus.FAILURE
        said = [entry.dagster_event.message or "" for entry in instance.all_logs(run.run_id) if entry.dagster_event]
        assert any(sensors.ENDED_WITH_ITS_SERVER in message for message in said), said
        assert sensors.ages_of_runs(instance, "understand_and_match") == []


def test_the_watcher_looks_in_the_daemon_and_counts_the_sums_hourly(
    engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.resources.address", lambda: database)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO landing.receipts VALUES (now(), 5, 0, 0, 0)"))
    context = dg.build_sensor_context()
    answer = sensors.watching(context)
    assert isinstance(answer, dg.SkipReason)
    assert answer.skip_message == "1 alarms are open."
    assert context.cursor
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.alarms SET closed_at = now()"))
    again = sensors.watching(dg.build_sensor_context(cursor=context.cursor))
    assert isinstance(again, dg.SkipReason)
    assert again.skip_message == "0 alarms are open."
