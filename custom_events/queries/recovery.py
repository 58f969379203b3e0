"""SQL of the recovery of orders: keys of stores' APIs, how far each is read, what is stored of the orders that a store shows."""

from typing import Final

import sqlalchemy as sa

from custom_events.queries.landing import land_as
from custom_events.tables.key_places import is_event_key
from custom_events.values.deliveries import ORDER_READ, ORDER_TO_BE_READ
from custom_events.values.events import EventType
from custom_events.values.recovery import FETCHED

# ---------------------------------------------------------------- keys
# The key of a site's store, encrypted.
API_KEY: Final = sa.text(
    "SELECT site_id, store_url, key_ending, key_encrypted, created_at, updated_at FROM app.store_api_keys WHERE site_id = :site"
)

# A key takes the place of the one before.
SET_API_KEY: Final = sa.text("""
INSERT INTO app.store_api_keys (site_id, store_url, key_ending, key_encrypted) VALUES (:site, :url, :ending, :token)
ON CONFLICT (site_id) DO UPDATE SET store_url = EXCLUDED.store_url, key_ending = EXCLUDED.key_ending,
  key_encrypted = EXCLUDED.key_encrypted, updated_at = now()
""")

REMOVE_API_KEY: Final = sa.text("DELETE FROM app.store_api_keys WHERE site_id = :site")

# Sites whose orders can be read, the one that has waited longest first.
_IS_READABLE: Final = """s.removed_at IS NULL AND (EXISTS (SELECT FROM app.store_api_keys k WHERE k.site_id = s.id)
  OR EXISTS (SELECT FROM app.shopify_installations i WHERE i.site_id = s.id AND i.tokens_encrypted IS NOT NULL))"""
READABLE_SITES: Final = sa.text(f"""
SELECT s.id FROM app.sites s LEFT JOIN app.order_recoveries r ON r.site_id = s.id
WHERE {_IS_READABLE}
ORDER BY r.updated_at NULLS FIRST, s.id
""")

# ---------------------------------------------------------------- how far
# One reading of a site at a time, whoever asks: released with the connection.
TAKE_SITE: Final = sa.text("SELECT pg_try_advisory_lock(1919247983, CAST(:site AS integer))")
END_SITE: Final = sa.text("SELECT pg_advisory_unlock(1919247983, CAST(:site AS integer))")

PROGRESS: Final = sa.text(
    "SELECT site_id, read_until, refunds_read_at, problem, problem_since, updated_at FROM app.order_recoveries WHERE site_id = :site"
)

# What a run leaves behind. A problem's beginning stays; a moment only rises.
KEEP_PROGRESS: Final = sa.text("""
INSERT INTO app.order_recoveries (site_id, read_until, refunds_read_at, problem, problem_since, updated_at)
VALUES (:site, :read_until, :refunds_read_at, CAST(:problem AS text), CASE WHEN CAST(:problem AS text) IS NOT NULL THEN CAST(:now AS timestamptz) END, :now)
ON CONFLICT (site_id) DO UPDATE SET read_until = greatest(order_recoveries.read_until, EXCLUDED.read_until),
  refunds_read_at = greatest(order_recoveries.refunds_read_at, EXCLUDED.refunds_read_at), problem = EXCLUDED.problem,
  problem_since = CASE WHEN EXCLUDED.problem IS NOT NULL THEN coalesce(order_recoveries.problem_since, EXCLUDED.updated_at) END,
  updated_at = EXCLUDED.updated_at
""")

KEEP_RUN: Final = sa.text("""
INSERT INTO app.order_recovery_runs (site_id, started_at, ended_at, since, until, orders_read, orders_missing, orders_landed, problem)
VALUES (:site, :started_at, :ended_at, :since, :until, :orders_read, :orders_missing, :orders_landed, :problem)
""")

# Runs that nobody asks for any more.
FORGET_RUNS: Final = sa.text("DELETE FROM app.order_recovery_runs WHERE site_id = :site AND started_at < :before")

RUNS: Final = sa.text("""
SELECT id, site_id, started_at, ended_at, since, until, orders_read, orders_missing, orders_landed, problem
FROM app.order_recovery_runs WHERE site_id = :site ORDER BY started_at DESC, id DESC LIMIT :limit
""")

# When the oldest delivery of the site that nobody has understood yet came: what is stored of its orders is older than that.
WAITING_SINCE: Final = sa.text("""
SELECT min(e.received_at) FROM landing.raw_queue q
JOIN landing.raw_events e ON e.landed_week = q.landed_week AND e.id = q.raw_id WHERE q.site_id = :site
""")

# The oldest delivery since the last reading that held an error in place of an order.
ERRORS_SINCE: Final = sa.text("""
SELECT min(o.received_at) FROM app.raw_outcomes o
WHERE o.outcome = 'parked' AND o.site_id = :site AND o.reason = 'rest_forbidden' AND o.received_at > :after
""")

# ---------------------------------------------------------------- orders that deliveries only name
# Sites of these platforms whose orders can be read and are to be, by deliveries since a moment; after a problem not before `again`.
HINTED_SITES: Final = sa.text(f"""
SELECT s.id FROM app.sites s LEFT JOIN app.order_recoveries r ON r.site_id = s.id
WHERE s.removed_at IS NULL AND s.platform = ANY(CAST(:platforms AS text[]))
  AND EXISTS (SELECT FROM app.store_api_keys k WHERE k.site_id = s.id) AND (r.problem IS NULL OR r.updated_at < :again)
  AND EXISTS (SELECT FROM app.raw_outcomes o WHERE o.site_id = s.id AND o.received_at >= :since
    AND o.landed_week >= date_trunc('week', CAST(:since AS timestamptz) AT TIME ZONE 'UTC')::date AND o.reason = '{ORDER_TO_BE_READ}')
ORDER BY s.id
""")

# Deliveries of a site that only name an order, which was not read since; the oldest first.
HINTS: Final = sa.text(f"""
SELECT o.landed_week, o.raw_id, r.body FROM app.raw_outcomes o
JOIN landing.raw_events r ON r.landed_week = o.landed_week AND r.id = o.raw_id
WHERE o.site_id = :site AND o.received_at >= :since
  AND o.landed_week >= date_trunc('week', CAST(:since AS timestamptz) AT TIME ZONE 'UTC')::date AND o.reason = '{ORDER_TO_BE_READ}'
ORDER BY o.received_at, o.raw_id LIMIT :limit
""")

# Their orders were read after these deliveries had come.
HINTS_READ: Final = sa.text(f"""
UPDATE app.raw_outcomes o SET reason = '{ORDER_READ}'
FROM unnest(CAST(:weeks AS date[]), CAST(:raw_ids AS bigint[])) AS h(landed_week, raw_id)
WHERE o.landed_week = h.landed_week AND o.raw_id = h.raw_id AND o.reason = '{ORDER_TO_BE_READ}'
""")

# ---------------------------------------------------------------- what is stored
# Orders by id, with the refunds that count and all that are known, and whether it is known that they were shipped.
STORED: Final = sa.text(f"""
SELECT o.order_id, o.state_at, o.status, o.financial_status, o.total, o.current_total, o.deleted_at IS NOT NULL AS is_deleted,
  EXISTS (SELECT FROM app.event_keys k
    CROSS JOIN LATERAL (SELECT o.site_id, '{EventType.ORDER_FULFILLED}:' || o.order_id AS key) f WHERE {is_event_key("k", "f")}) AS is_fulfilled,
  ARRAY(SELECT r.refund_id FROM app.order_refunds r WHERE r.site_id = o.site_id AND r.order_id = o.order_id
    AND r.amount > 0 AND coalesce(r.seen_at, '-infinity') >= coalesce(o.refunds_listed_at, '-infinity')) AS refunds,
  ARRAY(SELECT r.refund_id FROM app.order_refunds r WHERE r.site_id = o.site_id AND r.order_id = o.order_id) AS known_refunds
FROM app.orders o WHERE o.site_id = :site AND o.order_id = ANY(CAST(:orders AS text[]))
""")

# Orders with refunds that count, the newest refund first: a store deletes refunds without a word.
REFUNDED: Final = sa.text("""
SELECT r.order_id FROM app.order_refunds r JOIN app.orders o ON o.site_id = r.site_id AND o.order_id = r.order_id
WHERE r.site_id = :site AND r.refunded_at >= :since AND r.amount > 0 AND o.deleted_at IS NULL
  AND coalesce(r.seen_at, '-infinity') >= coalesce(o.refunds_listed_at, '-infinity')
GROUP BY 1 ORDER BY max(r.refunded_at) DESC LIMIT :limit
""")

# The key of the hashes of forgotten people, encrypted; and which of these orders were forgotten.
FORGETTING_KEY: Final = sa.text("SELECT secret_encrypted FROM app.forgetting_keys")
FORGOTTEN: Final = sa.text("""
SELECT digest FROM app.forgotten_subjects WHERE site_id = :site AND kind IN ('order', 'site') AND digest = ANY(CAST(:digests AS bytea[]))
""")

# ---------------------------------------------------------------- landing, by asyncpg
# As the receiver lands deliveries, beside the same keys of the neighbouring weeks; the verdict says that we fetched them.
LAND_FETCHED: Final = land_as(FETCHED)

# Ids of what landed, by their keys ($1: site, $2: hexadecimal keys).
LANDED: Final = """
SELECT encode(dedup_key, 'hex') AS key, id FROM landing.raw_events
WHERE landed_week = date_trunc('week', now() AT TIME ZONE 'UTC')::date AND site_id = $1
  AND dedup_key = ANY(SELECT decode(k, 'hex') FROM unnest($2::text[]) k)
"""

# What was missing, added to what is known of that day: $1 site, $2 days, $3 kinds, $4 orders, $5 samples, $6 now.
ADD_MISSING: Final = """
INSERT INTO app.missing_orders AS m (site_id, day, kind, orders, sample_raw_id, found_at)
SELECT $1, g.day, g.kind, g.orders, g.sample, $6
FROM unnest($2::date[], $3::text[], $4::integer[], $5::bigint[]) AS g(day, kind, orders, sample)
ON CONFLICT (site_id, day, kind) DO UPDATE SET orders = m.orders + EXCLUDED.orders, sample_raw_id = EXCLUDED.sample_raw_id,
  found_at = EXCLUDED.found_at
"""

# ---------------------------------------------------------------- what is shown
MISSING: Final = sa.text("""
SELECT m.site_id, s.site_key, m.day, m.kind, m.orders, m.sample_raw_id, m.found_at
FROM app.missing_orders m JOIN app.sites s ON s.id = m.site_id
WHERE m.found_at >= :since AND (CAST(:site AS bigint) IS NULL OR m.site_id = :site) ORDER BY m.found_at DESC, m.day DESC, m.kind
LIMIT :limit
""")

# Sites of which something was missing, since a moment.
MISSING_BY_SITE: Final = sa.text("""
SELECT s.site_key, m.kind, sum(m.orders) AS orders, (array_agg(m.sample_raw_id ORDER BY m.found_at DESC))[1] AS sample_raw_id
FROM app.missing_orders m JOIN app.sites s ON s.id = m.site_id WHERE m.found_at >= :since GROUP BY 1, 2
""")

# Sites whose store cannot be read, and since when it was not.
UNREAD: Final = sa.text(f"""
SELECT s.site_key, r.problem_since FROM app.order_recoveries r JOIN app.sites s ON s.id = r.site_id
WHERE {_IS_READABLE}
""")
