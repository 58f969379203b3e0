"""A report of a site with a schedule and a run that was skipped, as people have them."""

from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from custom_events.reports import runs, schedules, specifications
from custom_events.reports.content import ReportContent
from custom_events.reports.rules import Every, ScheduleRule
from custom_events.reports.schedules import ScheduleSettings
from custom_events.settings import Settings

CONTENT = ReportContent(mart="fct_accuracy_daily", columns=("day", "site_name", "orders", "accuracy"))
AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)  # the schedule is not due while tests run
_SKIP = sa.text("""
UPDATE app.report_runs SET state = 'skipped', ended_at = now(), error = '{"kind": "Missed", "sentence": "It was missed."}' WHERE id = :id
""")


class Reports(NamedTuple):
    """A report's key, the id of its schedule, and that of a run."""

    key: str
    schedule_id: int
    run_id: int


def reports_of(connection: sa.Connection, settings: Settings, site_id: int, name: str) -> Reports:
    """A report, a schedule and a skipped run of a site, all of which are called `name`."""
    key = f"{name}_report"
    specifications.create(connection, key=key, name=f"Report {name}", content=CONTENT, site_ids=(site_id,), actor=name)
    chosen = ScheduleSettings(report_key=key, name=f"Schedule {name}", rule=ScheduleRule(every=Every.DAY))
    schedule = schedules.create(connection, chosen, (), settings=settings, actor=name, now=LATER)
    run = runs.ask_of_schedule(connection, schedule, actor=name, now=AT)
    connection.execute(_SKIP, {"id": run.id})
    return Reports(key, schedule.id, run.id)
