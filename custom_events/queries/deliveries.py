"""What came to a site's address lately, landed or refused, and one raw event whole. psycopg through SQLAlchemy."""

from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa

WEEKS_PROBED: Final = (
    160  # three years of landing weeks, for a raw event of which only the number is known; each costs microseconds
)


def probed_weeks(today: date) -> list[date]:
    """The Mondays of the weeks in which a raw event may have landed, from the next one back."""
    monday = today - timedelta(days=today.weekday())
    return [monday + timedelta(weeks=1 - ago) for ago in range(WEEKS_PROBED)]


# The site of a raw event; likewise.
SITE_OF_RAW: Final = sa.text("""
SELECT r.site_id FROM unnest(CAST(:weeks AS date[])) AS g(week)
CROSS JOIN LATERAL (SELECT e.site_id FROM landing.raw_events e WHERE e.landed_week = g.week AND e.id = :id LIMIT 1) r
""")

# What a raw event was and what became of it, without its headers and its body.
RAW_FATE: Final = sa.text("""
SELECT r.*, o.outcome, o.reason, o.detail, o.new_events, o.processed_at,
  EXISTS (SELECT FROM landing.raw_queue q WHERE q.raw_id = r.id) AS is_waiting
FROM unnest(CAST(:weeks AS date[])) AS g(week)
CROSS JOIN LATERAL (
  SELECT e.id, e.landed_week, e.received_at, e.site_id, e.topic, e.delivery_id, e.triggered_at, e.api_version, e.signature, e.body_bytes
  FROM landing.raw_events e WHERE e.landed_week = g.week AND e.id = :id LIMIT 1
) r
LEFT JOIN app.raw_outcomes o ON o.landed_week = r.landed_week AND o.raw_id = r.id
""")

# Why deliveries of a site that came since a moment are parked, the most frequent reason first.
PARKED_OF_SITE: Final = sa.text("""
SELECT coalesce(o.reason, '') AS reason, count(*) AS rows, min(o.received_at) AS first_at, max(o.received_at) AS last_at
FROM app.raw_outcomes o
WHERE o.outcome = 'parked' AND o.site_id = :site AND o.received_at >= :since
  AND o.landed_week >= date_trunc('week', CAST(:since AS timestamptz) AT TIME ZONE 'UTC')::date
GROUP BY 1 ORDER BY 2 DESC, 1
""")

# The newest delivery of a site that landed since a moment; its week finds the partition.
LANDED_SINCE: Final = sa.text("""
SELECT r.id, r.received_at, r.topic
FROM landing.raw_events r
WHERE r.landed_week >= date_trunc('week', CAST(:since AS timestamptz) AT TIME ZONE 'UTC')::date
  AND r.received_at >= :since AND r.site_id = :site
ORDER BY r.received_at DESC LIMIT 1
""")

# Refusals since a moment that concern a site: its own, and those of its platform whose address names no site at all.
REFUSED_SINCE: Final = sa.text("""
SELECT q.reason, count(*) AS refusals, max(q.received_at) AS newest
FROM landing.refused_events q
WHERE q.received_at >= :since AND (q.site_id = :site OR q.site_id IS NULL AND q.platform = :platform)
GROUP BY q.reason ORDER BY max(q.received_at) DESC
""")

# When each of some sites (null: all) last sent something that landed, among the weeks from `week` on: the first entry of an index for a site, and
# the newest of those that nobody has understood yet. Raw events have no index by site and moment, and are not read.
LAST_LANDED: Final = sa.text("""
WITH waiting AS (
  SELECT DISTINCT ON (q.site_id) q.site_id, q.landed_week, q.raw_id FROM landing.raw_queue q ORDER BY q.site_id, q.raw_id DESC
)
SELECT l.site_id, l.received_at FROM (
  SELECT s.id AS site_id, greatest(
    (SELECT o.received_at FROM app.raw_outcomes o
     WHERE o.site_id = s.id AND o.landed_week >= :week ORDER BY o.received_at DESC, o.raw_id DESC LIMIT 1),
    (SELECT r.received_at FROM landing.raw_events r
     WHERE r.landed_week = w.landed_week AND r.id = w.raw_id AND r.landed_week >= :week LIMIT 1)) AS received_at
  FROM app.sites s LEFT JOIN waiting w ON w.site_id = s.id
  WHERE CAST(:only AS bigint[]) IS NULL OR s.id = ANY(CAST(:only AS bigint[]))) l
WHERE l.received_at IS NOT NULL
""")

# A raw event by its number: the weeks of the landing are probed one by one.
RAW_EVENT: Final = sa.text("""
SELECT r.* FROM unnest(CAST(:weeks AS date[])) AS g(week)
CROSS JOIN LATERAL (
  SELECT e.landed_week, e.id, e.received_at, e.site_id, e.topic, e.delivery_id, e.triggered_at, e.api_version, e.signature,
         e.headers::text AS headers, e.body, e.body_bytes
  FROM landing.raw_events e WHERE e.landed_week = g.week AND e.id = :id LIMIT 1
) r
""")

# Parked raw events whose bodies are still there: one, or those of a site and of a reason where they are given, which were parked before a
# moment where it is given. What a person asks about their own data is none of them.
_REPLAYABLE: Final = """
  FROM app.raw_outcomes o
  JOIN landing.raw_events r ON r.landed_week = o.landed_week AND r.id = o.raw_id
  WHERE o.outcome = 'parked' AND (CAST(:raw_id AS bigint) IS NULL OR o.raw_id = :raw_id)
    AND (CAST(:site AS bigint) IS NULL OR o.site_id = :site) AND (CAST(:reason AS text) IS NULL OR o.reason = :reason)
    AND (CAST(:before AS timestamptz) IS NULL OR o.processed_at < :before)
    AND NOT EXISTS (SELECT FROM app.privacy_requests p WHERE p.landed_week = o.landed_week AND p.raw_id = o.raw_id)
"""

# How many there are.
COUNT_REPLAYABLE: Final = sa.text(f"SELECT count(*) {_REPLAYABLE}")

# Put them back into the queue, the oldest first. Their outcome goes at the same moment, so that the sums agree while they wait.
REQUEUE_PARKED: Final = sa.text(f"""
WITH chosen AS (
  SELECT o.landed_week, o.raw_id {_REPLAYABLE}
  ORDER BY o.received_at, o.raw_id LIMIT :rows
), gone AS (
  DELETE FROM app.raw_outcomes o USING chosen c WHERE o.landed_week = c.landed_week AND o.raw_id = c.raw_id
  RETURNING o.raw_id, o.landed_week, o.site_id
)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id, is_again) SELECT raw_id, landed_week, site_id, true FROM gone
ON CONFLICT DO NOTHING
""")
