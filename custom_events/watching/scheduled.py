"""Jobs that run by the clock: when each ended well last, and when it should have again.

Dagster keeps no tick, run or line of a schedule that was missed while its daemon was down, so this is read from what the jobs say.
"""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from custom_events.queries import watching as queries

HOUR_S: Final = 3_600
# By job: how long after its last good end the next is missed, in seconds. Two of its turns, and the longest it may take itself.
MISSED_AFTER_S: Final = {
    "build_reports": 3 * HOUR_S,
    "watch_shops": 3 * HOUR_S,
    "reconcile_uploads": 50 * HOUR_S,
    "keep_partitions": 50 * HOUR_S,
    "recover_orders": 3 * HOUR_S,
}


def ended(connection: sa.Connection, job: str, now: datetime) -> None:
    """Note that a job ended well."""
    connection.execute(queries.JOB_ENDED, {"name": job, "now": now})


def late_s(connection: sa.Connection, now: datetime) -> dict[str, float]:
    """By job: for how many seconds it has been missed; 0: it has not."""
    ends = {row.name: row.ended_at for row in connection.execute(queries.SCHEDULED_JOBS)}
    return {
        job: max(0.0, (now - ends[job]).total_seconds() - limit_s)
        for job, limit_s in MISSED_AFTER_S.items()
        if job in ends
    }
