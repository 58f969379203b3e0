"""Reports that are due: written as files and brought where people want them."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dagster as dg

from assets.database import opened
from custom_events.reports.running import Exporter
from custom_events.reports.runs import Run
from custom_events.settings import settings
from custom_events.values.marts import MARTS

MOST_LINES: Final = 50  # of a run's table


@dg.asset(
    deps=sorted(MARTS),
    group_name="reports",
    kinds={"postgres", "file"},
    description="Files of the reports that were due: written once for each schedule and period, delivered once to each target.",
)
def report_exports(context: dg.AssetExecutionContext, database_url: dg.ResourceParam[str]) -> dg.MaterializeResult[Any]:
    """Plans what is due by the schedules in the database, then does runs until none waits or its time is up."""
    until = datetime.now(UTC) + timedelta(seconds=settings().drain_limit_s)
    done: list[Run] = []
    with opened(database_url) as engine:
        for run in Exporter(engine, settings()).run_due(until=until):
            reason = "" if run.error is None else f": {run.error.sentence}"
            context.log.info("report run %s, %s of %s: %s%s", run.id, run.report_key, run.period, run.state, reason)
            done.append(run)
    states = Counter(run.state.value for run in done)
    return dg.MaterializeResult(
        metadata={
            "runs": dg.MetadataValue.int(len(done)),
            **{state: dg.MetadataValue.int(count) for state, count in sorted(states.items())},
            "newest": table_of_runs(done[-MOST_LINES:]),
        }
    )


def table_of_runs(done: list[Run]) -> dg.MetadataValue:
    """The runs as a table for the page of Dagster's run."""
    lines = ["| run | report | period | state | rows | digest |", "|--:|---|---|---|--:|---|"]
    for run in done:
        rows = "-" if run.rows is None else f"{run.rows:,}"
        digest = "-" if run.sha256 is None else f"`{run.sha256[:12]}`"
        lines.append(f"| {run.id} | {run.report_key} | {run.period} | {run.state} | {rows} | {digest} |")
    return dg.MetadataValue.md("\n".join(lines))
