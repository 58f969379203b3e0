"""What Dagster keeps of its own runs: 28 rows and 26 kB of events each (measured), which nothing else ever deletes. Its ticks it deletes
itself (orchestration/instance.py)."""

import contextlib
from datetime import UTC, datetime
from typing import Final

import dagster as dg
import msgspec
import sqlalchemy as sa

from custom_events.queries import dagster_records as sql

PAGE: Final = 200  # runs read at a time
MOST: Final = 5_000  # runs deleted at a time: the rest follows the next day
MOST_RECORDS: Final = 50_000  # rows of each kind deleted at a time beside runs
FINISHED: Final = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def delete_old_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete finished runs that were made before then, with their events and the files of their output. How many.

    What exists (the catalog of assets, their latest materialization) stays.
    """
    filters = dg.RunsFilter(statuses=FINISHED, created_before=before)
    deleted = 0
    while deleted < MOST and (runs := instance.get_runs(filters, limit=PAGE)):
        for run in runs:
            with contextlib.suppress(OSError, NotImplementedError):  # of another machine, or in nobody's files
                instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            instance.delete_run(run.run_id)
        deleted += len(runs)
    return deleted


class Leftovers(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were deleted: results of checks, and events of no run."""

    checks: int
    events: int


def delete_leftovers(connection: sa.Connection, before: datetime) -> Leftovers:
    """Delete what no run takes with it: results of checks whose run is deleted, and events of no run from before then. How many.

    The last of each check and asset stays. Call it after `delete_old_runs`, which Dagster lets leave the results of its checks. Nothing is
    deleted where Dagster keeps its records elsewhere.
    """
    if not connection.execute(sql.HAS_RECORDS).scalar_one():
        return Leftovers(checks=0, events=0)
    stored = before.astimezone(UTC).replace(tzinfo=None)
    checks = connection.execute(sql.DELETE_CHECKS, {"most": MOST_RECORDS}).rowcount
    events = connection.execute(sql.DELETE_EVENTS, {"before": stored, "most": MOST_RECORDS}).rowcount
    return Leftovers(checks=checks, events=events)
