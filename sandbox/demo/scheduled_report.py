"""A report of the demo that goes out by itself: what came today, every hour, a while after the marts are built."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from custom_events.errors import NotFound
from custom_events.reports import schedules, specifications
from custom_events.reports.content import ReportContent
from custom_events.reports.periods import PeriodName
from custom_events.reports.rules import Every, ScheduleRule
from custom_events.reports.schedules import ScheduleSettings
from custom_events.settings import Settings

REPORT: Final = "today_by_site"
_ZONE: Final = "Europe/Berlin"
_CONTENT: Final = ReportContent(
    mart="fct_funnel_daily",
    columns=("day", "site_name", "received", "understood", "matched", "sent", "accepted", "rejected", "withheld"),
    added_up=True,
    period=PeriodName.TODAY,
    time_zone=_ZONE,
    format="xlsx",
)


def prepare_report(connection: sa.Connection, settings: Settings, now: datetime) -> None:
    """Make the report and its schedule where they are missing. Dagster builds the marts at seven minutes past the hour."""
    try:
        specifications.get(connection, REPORT)
    except NotFound:
        specifications.create(
            connection, key=REPORT, name="Today, site by site", content=_CONTENT, site_ids=None, actor="custom-events"
        )
        chosen = ScheduleSettings(
            report_key=REPORT,
            name="Today, site by site",
            rule=ScheduleRule(every=Every.HOUR, at="00:20", time_zone=_ZONE),
        )
        schedules.create(connection, chosen, (), settings=settings, actor="custom-events", now=now)
