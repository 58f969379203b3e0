"""Raw events go back into the queue: after a fix, what was parked is understood after all."""

from datetime import datetime

from custom_events.pipeline.bulk_rows import Connection
from custom_events.queries import understanding as sql
from custom_events.values.deliveries import Outcome


async def requeue(
    connection: Connection,
    *,
    outcome: Outcome = Outcome.PARKED,
    reason: str | None = None,
    site_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Queue raw events again, and forget their outcome until the next batch has made a new one. Returns how many.

    Parked ones by default; of one `reason`, one site, received from `since` and before `until` where given. Bodies that
    retention dropped stay as they are. Nothing is doubled by it: events that are known are dropped by their natural keys.
    """
    answer = await connection.execute(sql.REQUEUE, outcome, reason, site_id, since, until)
    return int(answer.rpartition(" ")[2])
