"""The receiver's own counts: one for each commit while they are young, one for each hour afterwards."""

from datetime import UTC, datetime, time
from typing import Final

import sqlalchemy as sa

# Receipts of an hour that has more than one, as one; those of today stay as they were written.
BY_HOUR: Final = sa.text("""
WITH many AS MATERIALIZED (
  SELECT date_trunc('hour', at, 'UTC') AS hour FROM landing.receipts WHERE at < :today GROUP BY 1 HAVING count(*) > 1),
gone AS (
  DELETE FROM landing.receipts r USING many m WHERE date_trunc('hour', r.at, 'UTC') = m.hour AND r.at < :today RETURNING r.*)
INSERT INTO landing.receipts (at, received, landed, duplicates, refused)
SELECT date_trunc('hour', at, 'UTC'), sum(received), sum(landed), sum(duplicates), sum(refused) FROM gone GROUP BY 1
""")


def by_hour(connection: sa.Connection, now: datetime) -> int:
    """Add up the receipts of each hour before today. How many hours that were."""
    today = datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
    return connection.execute(BY_HOUR, {"today": today}).rowcount
