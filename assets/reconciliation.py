"""Google's own counts beside the ledger."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from assets.database import opened
from custom_events.destinations.registry import destinations
from custom_events.ledger import differences
from custom_events.ledger.reconcile import reconcile
from custom_events.settings import settings

MOST_LINES = 20  # of a run's table: the newest days


@dg.asset(
    deps=["conversion_uploads", "configuration"],
    group_name="sent",
    kinds={"postgres", "googlecloud"},
    description="What Google counted of our uploads, per account, conversion action and day, beside what the ledger says.",
)
def reconciliation(context: dg.AssetExecutionContext, database_url: dg.ResourceParam[str]) -> dg.MaterializeResult[Any]:
    """Reads Google's summaries and counts our side of the same four weeks; changes no row of the ledger."""
    now = datetime.now(UTC)
    with opened(database_url) as engine:
        reading = reconcile(engine, destinations(settings()), settings(), now)
        with engine.connect() as connection:
            days = differences.all_days(connection, now)
    for customer_id, sentence in reading.not_read.items():
        context.log.warning("%s could not be read: %s", customer_id, sentence)
    return dg.MaterializeResult(
        metadata={
            "accounts_read": dg.MetadataValue.int(len(reading.read)),
            "accounts_not_read": dg.MetadataValue.int(len(reading.not_read)),
            "days": dg.MetadataValue.int(len(days)),
            "newest": table_of_days(days[:MOST_LINES]),
        }
    )


def table_of_days(days: list[differences.Day]) -> dg.MetadataValue:
    """The days as a table for the run's page."""
    lines = [
        "| day | account | action | sent | accepted | Google took | Google did not |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for day in days:
        took, did_not = ("-", "-") if day.google is None else (day.google.successful, day.google.failed)
        lines.append(
            f"| {day.day} | {day.customer_id} | {day.action_id} | {day.sent} | {day.accepted} | {took} | {did_not} |"
        )
    return dg.MetadataValue.md("\n".join(lines))
