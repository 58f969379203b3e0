"""From schedules that are due to runs that wait: computed from what schedules say, not from ticks, so that nothing is lost while no
daemon looks. One run for each schedule and period, however often and by how many this is done at once."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.errors import CustomEventsError
from custom_events.logs import frames_of
from custom_events.queries import report_runs, report_schedules
from custom_events.reports import rules, runs, schedules, specifications
from custom_events.reports.report import Report
from custom_events.reports.rules import Every
from custom_events.reports.schedules import CatchUp, Schedule

AT_ONCE: Final = 200  # moments in one transaction; what is due beyond is planned in the next one
MISSED_AFTER: Final = timedelta(hours=1)  # a run that is later was missed, for schedules that make up for none
_JUST_AFTER: Final = timedelta(microseconds=1)
_SKIPPED: Final = {
    CatchUp.NEWEST: "It was missed, and a newer one was due as well: the schedule makes up for the newest alone.",
    CatchUp.NONE: "It was missed, and the schedule makes up for none.",
}
# What a version meets that does not know a schedule's report, its zone or a word of its rule.
_UNKNOWN: Final = (CustomEventsError, msgspec.ValidationError, LookupError, ValueError)
_LOG = structlog.get_logger(__name__)


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs were made, and how many were skipped since they were missed."""

    made: int = 0
    skipped: int = 0


class _Plan(NamedTuple):
    """What a schedule that is due comes to: rows of runs, those that run first; how many of them are skipped; when it is due next."""

    rows: list[dict[str, Any]]
    skipped: int
    next_due_at: datetime


def plan(engine: sa.Engine, now: datetime) -> Planned:
    """Make the runs of every schedule that is due, each schedule in a transaction of its own. One that cannot be planned, since a newer version
    does not know its report or its zone, keeps no other from its own: the log has it, it stays due, and the alarm ReportLate says so.

    Why it cannot be planned says `problems`, and so does `custom-events report list`."""
    planned = Planned()
    broken: list[int] = []
    while True:
        try:
            with engine.begin() as connection:
                row = report_schedules.due(connection, now, but=broken)
                if row is None:
                    return planned
                broken.append(row.id)  # until it is planned
                made, skipped = _write(connection, row.id, _plan_of(connection, row, now))
        except _UNKNOWN as error:
            _LOG.error(
                "report_schedule_not_planned", schedule=broken[-1], error=type(error).__name__, where=frames_of(error)
            )
            continue
        broken.pop()
        planned = Planned(made=planned.made + made, skipped=planned.skipped + skipped)


def has_work(connection: sa.Connection, now: datetime) -> bool:
    """Whether a schedule is due that can be planned, or a run waits for a worker. One that cannot be planned is no work: a run that was
    started for it would leave it as it is."""
    return report_runs.is_claimable(connection, now) or any(
        _problem(connection, row, now) is None for row in report_schedules.all_due(connection, now)
    )


def problems(connection: sa.Connection, now: datetime) -> dict[int, str]:
    """Why this version cannot plan schedules that are due, by their ids; those that it can plan are left out."""
    by_row = {row.id: _problem(connection, row, now) for row in report_schedules.all_due(connection, now)}
    return {schedule_id: sentence for schedule_id, sentence in by_row.items() if sentence is not None}


def _problem(connection: sa.Connection, row: report_schedules.Row, now: datetime) -> str | None:
    try:
        _plan_of(connection, row, now)
    except _UNKNOWN as error:
        return str(error) if isinstance(error, CustomEventsError) else f"{type(error).__name__}: {error}"
    return None


def _plan_of(connection: sa.Connection, row: report_schedules.Row, now: datetime) -> _Plan:
    """What it comes to; nothing is written. Raises one of `_UNKNOWN`."""
    schedule = schedules.schedule_of(row)
    report = specifications.get(connection, schedule.report_key)
    moments = rules.occurrences(schedule.rule, schedule.next_due_at, now)
    if schedule.catch_up is CatchUp.ALL:
        due = list(islice(moments, AT_ONCE))
        run, skipped = due, []
    else:
        due = list(moments)
        is_late = bool(due) and schedule.catch_up is CatchUp.NONE and now - due[-1] > MISSED_AFTER
        run, skipped = ([], due) if is_late else (due[-1:], due[:-1])
    skipped = skipped[-AT_ONCE:]  # of a schedule that nobody looked at for months the newest ones are noted
    rows = [  # what runs comes first: of two moments of one period the first has it
        *(_row(schedule, report, moment) for moment in run),
        *(_skipped(schedule, report, moment, now) for moment in skipped),
    ]
    last = due[-1] if due else now
    return _Plan(rows, len(skipped), rules.next_times(schedule.rule, last + _JUST_AFTER, 1)[0])


def _write(connection: sa.Connection, schedule_id: int, due_plan: _Plan) -> tuple[int, int]:
    made = report_runs.add_scheduled(connection, due_plan.rows)
    report_schedules.move(connection, schedule_id, due_plan.next_due_at)
    return max(0, made - due_plan.skipped), due_plan.skipped


def _row(schedule: Schedule, report: Report, due_at: datetime) -> dict[str, Any]:
    values = runs.values_of(schedule, report, due_at)
    if schedule.rule.every is Every.HOUR:
        values["period"] = f"{values['period']}@{due_at:%Y-%m-%dT%H:%MZ}"
    return {**values, "state": "queued", "error": None, "ended_at": None}


def _skipped(schedule: Schedule, report: Report, due_at: datetime, now: datetime) -> dict[str, Any]:
    error = {"kind": "Missed", "sentence": _SKIPPED[schedule.catch_up]}
    return {**_row(schedule, report, due_at), "state": "skipped", "error": error, "ended_at": now}
