"""What is due is computed from schedules, not from ticks: whoever was away, each period has one run."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.errors import InvalidConfiguration
from custom_events.queries import report_runs
from custom_events.reports import planning, runs, schedules, specifications
from custom_events.reports.periods import PeriodName
from custom_events.reports.rules import Every, ScheduleRule
from custom_events.reports.runs import Run, RunState
from custom_events.reports.schedules import CatchUp, Schedule, ScheduleSettings
from custom_events.settings import Settings
from tests.reports.conftest import CONTENT, DAILY, FOLDER, NOW, Clock, Make


def all_runs(engine: sa.Engine) -> list[Run]:
    with engine.connect() as connection:
        return list(reversed(runs.search(connection, limit=500)))


def days(engine: sa.Engine, state: RunState = RunState.QUEUED) -> list[date]:
    return [run.first_day for run in all_runs(engine) if run.state is state]


def test_nothing_is_due_before_its_time(engine: sa.Engine, make: Make, clock: Clock) -> None:
    schedule = make()
    assert schedule.next_due_at == datetime(2026, 12, 1, 5, tzinfo=UTC)
    with engine.connect() as connection:
        assert not planning.has_work(connection, clock.now)
    assert planning.plan(engine, clock.now) == planning.Planned()
    clock.now = schedule.next_due_at
    with engine.connect() as connection:
        assert planning.has_work(connection, clock.now)
    assert planning.plan(engine, clock.now) == planning.Planned(made=1)
    assert planning.plan(engine, clock.now) == planning.Planned()
    (run,) = all_runs(engine)
    assert (run.period, run.time_zone, run.due_at, run.content.format) == (
        "2026-11-30",
        "Europe/Berlin",
        clock.now,
        "csv",
    )


@pytest.mark.parametrize(
    ("catch_up", "made", "skipped"),
    [(CatchUp.NEWEST, [9], [5, 6, 7, 8]), (CatchUp.ALL, [5, 6, 7, 8, 9], []), (CatchUp.NONE, [], [5, 6, 7, 8, 9])],
)
def test_what_was_missed_is_made_up_for_by_choice(
    engine: sa.Engine, make: Make, clock: Clock, catch_up: CatchUp, made: list[int], skipped: list[int]
) -> None:
    clock.now = datetime(2026, 12, 6, 0, tzinfo=UTC)
    make(catch_up=catch_up)
    planning.plan(engine, datetime(2026, 12, 10, 12, tzinfo=UTC))
    assert [day.day for day in days(engine)] == made
    assert [day.day for day in days(engine, RunState.SKIPPED)] == skipped
    assert all(run.error is not None for run in all_runs(engine) if run.state is RunState.SKIPPED)


def test_who_makes_up_for_none_still_runs_in_time(engine: sa.Engine, make: Make, clock: Clock) -> None:
    make(catch_up=CatchUp.NONE)
    planning.plan(engine, datetime(2026, 12, 2, 5, 30, tzinfo=UTC))
    assert [day.day for day in days(engine)] == [1]
    assert [day.day for day in days(engine, RunState.SKIPPED)] == [30]


def test_a_long_absence_is_planned_in_pieces(
    engine: sa.Engine, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "AT_ONCE", 3)
    make(catch_up=CatchUp.ALL)
    assert planning.plan(engine, NOW + timedelta(days=8)).made == 8
    make(name="second", catch_up=CatchUp.NONE, rule=DAILY)
    assert planning.plan(engine, NOW + timedelta(days=20)).skipped == 3  # the newest of them are noted


def test_a_daily_report_runs_once_in_both_nights_of_a_changed_clock(
    engine: sa.Engine, make: Make, clock: Clock
) -> None:
    """Planned every quarter of an hour, 02:30 in Berlin."""
    rule = ScheduleRule(every=Every.DAY, at="02:30", time_zone="Europe/Berlin")
    for night in (datetime(2027, 3, 27, 22, tzinfo=UTC), datetime(2027, 10, 30, 22, tzinfo=UTC)):
        clock.now = night
        schedule = make(rule=rule, name=str(night))
        for quarter in range(20):
            planning.plan(engine, night + timedelta(minutes=15 * quarter))
        with engine.connect() as connection:
            assert len(runs.search(connection, schedule_id=schedule.id, limit=10)) == 1


def test_one_run_for_each_schedule_and_period(engine: sa.Engine, make: Make, clock: Clock) -> None:
    """Also where its moment is moved within the day, and where somebody writes beside the services."""
    schedule = make()
    clock.now = schedule.next_due_at
    planning.plan(engine, clock.now)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.report_schedules SET next_due_at = next_due_at - interval '1 day'"))
    assert planning.plan(engine, clock.now).made == 0
    assert len(all_runs(engine)) == 1
    with engine.begin() as connection:
        values = runs.values_of(schedule, specifications.get(connection, schedule.report_key), clock.now)
        assert report_runs.add_scheduled(connection, [values]) == 0
        assert report_runs.add_scheduled(connection, []) == 0
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(
                sa.text(
                    "INSERT INTO app.report_runs (schedule_id, report_key, name, content, period, first_day, last_day, time_zone, due_at,"
                    " retries, not_before, delivery_key) SELECT schedule_id, report_key, name, content, period, first_day, last_day,"
                    " time_zone, due_at, retries, not_before, 'x' FROM app.report_runs"
                )
            )


def test_each_hour_has_its_run(engine: sa.Engine, make: Make, clock: Clock, settings: Settings) -> None:
    from custom_events.reports import specifications
    from custom_events.reports.periods import PeriodName
    from tests.reports.conftest import CONTENT

    with engine.begin() as connection:
        import msgspec

        today = msgspec.structs.replace(CONTENT, period=PeriodName.TODAY)
        specifications.create(connection, key="today", name="Today", content=today, site_ids=None, actor="ana")
    make(report_key="today", rule=ScheduleRule(every=Every.HOUR, at="00:05"), catch_up=CatchUp.ALL)
    planning.plan(engine, NOW + timedelta(hours=3))
    assert [run.period for run in all_runs(engine)] == [f"2026-11-30@2026-11-30T{hour}:05Z" for hour in (12, 13, 14)]


def test_a_paused_schedule_makes_nothing_and_goes_on_from_now(
    engine: sa.Engine, make: Make, clock: Clock, settings: Settings
) -> None:
    schedule = make()
    changed = {name: getattr(schedule, name) for name in ScheduleSettings.__struct_fields__}
    with engine.begin() as connection:
        paused = ScheduleSettings(**{**changed, "is_active": False})
        schedules.replace(connection, schedule.id, paused, (), settings=settings, actor="ana", now=clock.now)
    clock.forward(days=5)
    assert planning.plan(engine, clock.now).made == 0
    with engine.begin() as connection:
        resumed = schedules.replace(
            connection, schedule.id, ScheduleSettings(**changed), (), settings=settings, actor="ana", now=clock.now
        )
    assert resumed.next_due_at == datetime(2026, 12, 6, 5, tzinfo=UTC)


def test_a_schedule_whose_target_is_gone_can_be_paused_and_not_be_resumed(
    engine: sa.Engine, make: Make, clock: Clock, settings: Settings
) -> None:
    schedule = make(targets=(FOLDER,))
    top = settings.report_folder
    assert top is not None
    (top / "a").symlink_to("/")  # leads out of what is allowed, as a host that moved into a private network would

    def changed(**changes: Any) -> Schedule:
        same: dict[str, Any] = {name: getattr(schedule, name) for name in ScheduleSettings.__struct_fields__}
        chosen = ScheduleSettings(**{**same, **changes})
        with engine.begin() as connection:
            return schedules.replace(
                connection, schedule.id, chosen, (None,), settings=settings, actor="ana", now=clock.now
            )

    assert not changed(is_active=False).is_active
    for changes in ({"is_active": True}, {"is_active": False, "name": "Other"}):
        with pytest.raises(InvalidConfiguration, match="leads out"):
            changed(**changes)


def test_new_time_zones_move_what_is_to_come(engine: sa.Engine, make: Make, clock: Clock) -> None:
    schedule = make()
    with engine.begin() as connection:
        assert schedules.recompute(connection, clock.now) == 0
        connection.execute(sa.text("UPDATE app.report_schedules SET next_due_at = next_due_at + interval '1 hour'"))
        assert schedules.recompute(connection, clock.now) == 1
        assert schedules.get(connection, schedule.id).next_due_at == schedule.next_due_at


def test_a_schedule_that_cannot_be_planned_keeps_no_other_from_its_own(
    engine: sa.Engine, make: Make, clock: Clock
) -> None:
    gone, of_no_zone = make(name="Gone"), make(name="Of no zone")
    good = make(name="Good")
    due_at = good.next_due_at
    with engine.begin() as connection:
        change = sa.text(
            "UPDATE app.report_schedules SET report_key = coalesce(:key, report_key), rule = :rule WHERE id = :id"
        )
        rule = '{"every": "day", "time_zone": "Mars/Olympus"}'
        plain = '{"every": "day", "time_zone": "Europe/Berlin"}'
        connection.execute(change, {"id": gone.id, "key": "of_an_older_version", "rule": plain})
        connection.execute(change, {"id": of_no_zone.id, "key": None, "rule": rule})
        assert schedules.recompute(connection, clock.now) == 0
        assert planning.has_work(connection, due_at)
    assert planning.plan(engine, due_at) == planning.Planned(made=1)
    assert [run.schedule_id for run in all_runs(engine)] == [good.id]
    with engine.connect() as connection:
        assert schedules.get(connection, gone.id).next_due_at == gone.next_due_at, "it is due still, and late"
        assert planning.problems(connection, due_at) == {
            gone.id: 'There is no report "of_an_older_version": `custom-events report list` has them.',
            of_no_zone.id: "KeyError: 'Mars/Olympus'",
        }
        connection.execute(sa.text("UPDATE app.report_runs SET state = 'delivered'"))
        assert not planning.has_work(connection, due_at), "no run is started that would leave them as they are"
        connection.execute(sa.text("UPDATE app.report_schedules SET report_key = 'funnel'"))
        assert planning.has_work(connection, due_at), "a version that knows its report plans it"
        connection.rollback()


def test_of_two_moments_of_one_period_the_one_that_runs_has_it(engine: sa.Engine, make: Make, clock: Clock) -> None:
    """A report whose period became longer than its schedule's turns."""
    with engine.begin() as connection:
        content = msgspec.structs.replace(CONTENT, period=PeriodName.YESTERDAY)
        specifications.create(connection, key="mine", name="Mine", content=content, site_ids=None, actor="ana")
    schedule = make(report_key="mine")
    with engine.begin() as connection:
        content = msgspec.structs.replace(CONTENT, period=PeriodName.LAST_MONTH)
        specifications.replace(connection, "mine", name="Mine", content=content, site_ids=None, actor="ana")
    planning.plan(engine, schedule.next_due_at + timedelta(days=1, hours=1))
    assert [run.state for run in all_runs(engine)] == [RunState.QUEUED]
