"""SQL of one site's figures within a stretch of time, :since inclusive to :until exclusive; each reads the partitions of that stretch."""

from typing import Final

import sqlalchemy as sa

_WEEK: Final = "date_trunc('week', CAST(:{at} AS timestamptz) AT TIME ZONE 'UTC')::date"

# What became of its deliveries, by when they came.
DELIVERIES: Final = sa.text(f"""
SELECT o.outcome, count(*) FROM app.raw_outcomes o
WHERE o.site_id = :site AND o.received_at >= :since AND o.received_at < :until
  AND o.landed_week >= {_WEEK.format(at="since")} AND o.landed_week <= {_WEEK.format(at="until")}
GROUP BY 1
""")

# Its commerce events by type, by the store's clock.
COMMERCE_EVENTS: Final = sa.text("""
SELECT e.type, count(*) FROM app.commerce_events e
WHERE e.site_id = :site AND e.occurred_at >= :since AND e.occurred_at < :until GROUP BY 1
""")

# Its custom events, by the store's clock.
CUSTOM_EVENTS: Final = sa.text("""
SELECT CASE WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN c.withheld_reason IS NOT NULL THEN 'withheld' ELSE 'queued' END,
  count(*) FROM app.custom_events c
WHERE c.site_id = :site AND c.occurred_at >= :since AND c.occurred_at < :until GROUP BY 1
""")

# Its rows of the ledger by state, by when they were made; conversions, or (:conversions false) their adjustments.
UPLOADS: Final = sa.text("""
SELECT u.state, count(*) FROM app.conversion_uploads u
WHERE u.site_id = :site AND u.created_at >= :since AND u.created_at < :until AND (u.kind = 'conversion') = :conversions GROUP BY 1
""")
