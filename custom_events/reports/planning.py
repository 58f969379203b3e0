"""From schedules that are due to runs that wait: computed from what schedules say, not from ticks, so that nothing is lost while no
daemon looks. One run for each schedule and period, however often and by how many this is done at once."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.errors import CustomEventsError
from custom_events.logs import frames_of
from custom_events.queries import report_runs, report_schedules
from custom_events.reports import rules, runs, schedules
from custom_events.reports.rules import Every
from custom_events.reports.schedules import CatchUp, Schedule

AT_ONCE: Final = 200  # moments in one transaction; what is due beyond is planned in the next one
MISSED_AFTER: Final = timedelta(hours=1)  # a run that is later was missed, for schedules that make up for none
_JUST_AFTER: Final = timedelta(microseconds=1)
_SKIPPED: Final = {
    CatchUp.NEWEST: "It was missed, and a newer one was due as well: the schedule makes up for the newest alone.",
    CatchUp.NONE: "It was missed, and the schedule makes up for none.",
}
_LOG = structlog.get_logger(__name__)


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs were made, and how many were skipped since they were missed."""

    made: int = 0
    skipped: int = 0


def plan(engine: sa.Engine, now: datetime) -> Planned:
    """Make the runs of every schedule that is due, each schedule in a transaction of its own. One that cannot be planned, since a newer version
    does not know its report or its zone, keeps no other from its own: the log has it, it stays due, and the alarm ReportLate says so."""
    planned = Planned()
    broken: list[int] = []
    while True:
        try:
            with engine.begin() as connection:
                row = report_schedules.due(connection, now, but=broken)
                if row is None:
                    return planned
                broken.append(row.id)  # until it is planned
                made, skipped = _plan(connection, schedules.schedule_of(row), now)
        except (CustomEventsError, msgspec.ValidationError, LookupError, ValueError) as error:
            _LOG.error(
                "report_schedule_not_planned", schedule=broken[-1], error=type(error).__name__, where=frames_of(error)
            )
            continue
        broken.pop()
        planned = Planned(made=planned.made + made, skipped=planned.skipped + skipped)


def has_work(connection: sa.Connection, now: datetime) -> bool:
    """Whether a schedule is due, or a run waits for a worker."""
    return report_schedules.is_due(connection, now) or report_runs.is_claimable(connection, now)


def _plan(connection: sa.Connection, schedule: Schedule, now: datetime) -> tuple[int, int]:
    moments = rules.occurrences(schedule.rule, schedule.next_due_at, now)
    if schedule.catch_up is CatchUp.ALL:
        due = list(islice(moments, AT_ONCE))
        run, skipped = due, []
    else:
        due = list(moments)
        is_late = bool(due) and schedule.catch_up is CatchUp.NONE and now - due[-1] > MISSED_AFTER
        run, skipped = ([], due) if is_late else (due[-1:], due[:-1])
    skipped = skipped[-AT_ONCE:]  # of a schedule that nobody looked at for months the newest ones are noted
    values = [  # what runs comes first: of two moments of one period the first has it
        *(_row(connection, schedule, moment) for moment in run),
        *(_skipped(connection, schedule, moment, now) for moment in skipped),
    ]
    made = report_runs.add_scheduled(connection, values)
    last = due[-1] if due else now
    following = rules.next_times(schedule.rule, last + _JUST_AFTER, 1)[0]
    report_schedules.move(connection, schedule.id, following)
    return max(0, made - len(skipped)), len(skipped)


def _row(connection: sa.Connection, schedule: Schedule, due_at: datetime) -> dict[str, Any]:
    values = runs.values_of(connection, schedule, due_at)
    if schedule.rule.every is Every.HOUR:
        values["period"] = f"{values['period']}@{due_at:%Y-%m-%dT%H:%MZ}"
    return {**values, "state": "queued", "error": None, "ended_at": None}


def _skipped(connection: sa.Connection, schedule: Schedule, due_at: datetime, now: datetime) -> dict[str, Any]:
    error = {"kind": "Missed", "sentence": _SKIPPED[schedule.catch_up]}
    return {**_row(connection, schedule, due_at), "state": "skipped", "error": error, "ended_at": now}
