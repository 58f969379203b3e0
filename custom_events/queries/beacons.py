"""SQL of what browsers told: kept by what it is about, added to the orders that stores tell of. Positional parameters are asyncpg's."""

from typing import Final

import sqlalchemy as sa

from custom_events.queries.landing import land_as
from custom_events.queries.understanding import given
from custom_events.values.beacons import UNSIGNED

# As the receiver lands deliveries; the verdict says that nobody signed it.
LAND_BEACONS: Final = land_as(UNSIGNED)

KEEP: Final = f"""
INSERT INTO app.beacons (site_id, subject, raw_id, received_at, evidence)
SELECT c.site_id, c.subject, c.raw_id, c.received_at, c.evidence
FROM {given("site_id bigint", "subject text", "raw_id bigint", "received_at timestamptz", "evidence json")}
ON CONFLICT DO NOTHING
"""

# Which of these sites have any.
SITES: Final = f"""
SELECT c.site_id FROM {given("site_id bigint")} WHERE EXISTS (SELECT FROM app.beacons b WHERE b.site_id = c.site_id)
"""

# What was told of these subjects, the newest first, as much as is read of each.
OF_SUBJECTS: Final = f"""
SELECT c.site_id, c.subject, b.received_at, b.evidence
FROM {given("site_id bigint", "subject text")}
CROSS JOIN LATERAL (
  SELECT o.received_at, o.raw_id, o.evidence FROM app.beacons o WHERE o.site_id = c.site_id AND o.subject = c.subject
  ORDER BY o.received_at DESC, o.raw_id DESC LIMIT 20) b
ORDER BY c.site_id, c.subject, b.received_at DESC, b.raw_id DESC
"""

# Bodies of orders that were understood before a browser told of them go back into the queue, where their events know no click or no
# answer about consent. Those that retention has taken are gone.
REQUEUE_ORDERS: Final = f"""
WITH open_orders AS MATERIALIZED (
  SELECT DISTINCT e.raw_id, e.raw_landed_week AS landed_week
  FROM {given("site_id bigint", "order_id text")} JOIN app.commerce_events e ON e.site_id = c.site_id AND e.order_id = c.order_id
  WHERE e.type LIKE 'order.%' AND (json_array_length(coalesce(e.facts -> 'clicks', '[]')) = 0
    OR coalesce(e.facts -> 'consent' ->> 'ad_user_data', 'unknown') = 'unknown')),
gone AS (
  DELETE FROM app.raw_outcomes o USING open_orders t, landing.raw_events r
  WHERE o.landed_week = t.landed_week AND o.raw_id = t.raw_id AND r.landed_week = t.landed_week AND r.id = t.raw_id AND r.body_bytes > 0
  RETURNING o.raw_id, o.landed_week, o.site_id)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id, is_again) SELECT raw_id, landed_week, site_id, true FROM gone ON CONFLICT DO NOTHING
"""

FORGET: Final = sa.text("DELETE FROM app.beacons WHERE received_at < :before")
