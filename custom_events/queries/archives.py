"""SQL of the archive of raw events: which weeks are due, what is in them, what became of each, and rows that come back.

psycopg through SQLAlchemy, named parameters.
"""

from typing import Final

import sqlalchemy as sa

LOCK_KEY: Final = 7_105_006  # of the advisory lock of whoever changes the archive: one at a time

# Held until the transaction ends; waited for at most `limit` milliseconds (text).
LOCK: Final = sa.text("SELECT set_config('lock_timeout', :limit, true), pg_advisory_xact_lock(:key)")

# Weeks with raw events that ended on or before a day and are not in the archive, oldest first; each by one probe of the index.
UNARCHIVED: Final = sa.text("""
WITH RECURSIVE weeks AS (
  (SELECT landed_week FROM landing.raw_events ORDER BY landed_week LIMIT 1)
  UNION ALL
  SELECT (SELECT e.landed_week FROM landing.raw_events e WHERE e.landed_week > w.landed_week ORDER BY e.landed_week LIMIT 1)
  FROM weeks w WHERE w.landed_week IS NOT NULL
)
SELECT w.landed_week FROM weeks w
WHERE w.landed_week + 7 <= CAST(:until AS date)
  AND NOT EXISTS (SELECT FROM app.raw_archives a WHERE a.landed_week = w.landed_week AND a.written_at IS NOT NULL)
ORDER BY 1
""")

# How many raw events of a week nobody has understood yet.
WAITING: Final = sa.text("SELECT count(*) FROM landing.raw_queue WHERE landed_week = :week")

# A week's raw events by id, as they are archived. `waits`: nobody has understood it, so nobody has looked whether it tells of somebody
# who was forgotten.
WEEK: Final = sa.text("""
SELECT e.landed_week, e.id, e.received_at, e.site_id, e.topic, e.dedup_key, e.delivery_id, e.event_id, e.triggered_at, e.api_version,
  e.signature, e.headers::text AS headers, e.body, e.body_bytes, q.raw_id IS NOT NULL AS waits
FROM landing.raw_events e LEFT JOIN landing.raw_queue q ON q.raw_id = e.id AND q.landed_week = e.landed_week
WHERE e.landed_week = :week ORDER BY e.id
""")

# All of a week is in the archive.
WRITTEN: Final = sa.text("""
INSERT INTO app.raw_archives (landed_week, written_at, rows, bytes) VALUES (:week, :now, :rows, :bytes)
ON CONFLICT (landed_week) DO UPDATE SET written_at = excluded.written_at, rows = excluded.rows, bytes = excluded.bytes,
  problem = NULL, problem_since = NULL
""")

# A week could not be archived.
FAILED: Final = sa.text("""
INSERT INTO app.raw_archives AS a (landed_week, problem, problem_since) VALUES (:week, :problem, :now)
ON CONFLICT (landed_week) DO UPDATE SET problem = excluded.problem, problem_since = coalesce(a.problem_since, excluded.problem_since)
""")

# What became of each week, oldest first.
STATES: Final = sa.text(
    "SELECT landed_week, written_at, rows, bytes, problem, problem_since, restored_until FROM app.raw_archives ORDER BY 1"
)

# Whether anything was archived, and how many weeks could not be.
FIGURES: Final = sa.text("""
SELECT count(*) FILTER (WHERE written_at IS NOT NULL) AS weeks, count(*) FILTER (WHERE problem IS NOT NULL) AS problems
FROM app.raw_archives
""")

# Rows of a week come back as they had landed, with their numbers and times, and wait where nothing says what became of them. Those that
# are there stay as they are.
RESTORE: Final = sa.text("""
WITH landed AS (
  INSERT INTO landing.raw_events (landed_week, id, received_at, site_id, topic, dedup_key, delivery_id, event_id, triggered_at, api_version,
    signature, headers, body, body_bytes)
  SELECT CAST(:week AS date), g.* FROM unnest(CAST(:id AS bigint[]), CAST(:received_at AS timestamptz[]), CAST(:site_id AS bigint[]),
    CAST(:topic AS text[]), CAST(:dedup_key AS bytea[]), CAST(:delivery_id AS text[]), CAST(:event_id AS text[]),
    CAST(:triggered_at AS timestamptz[]), CAST(:api_version AS text[]), CAST(:signature AS text[]), CAST(:headers AS json[]),
    CAST(:body AS bytea[]), CAST(:body_bytes AS int[])) AS g
  ON CONFLICT DO NOTHING
  RETURNING landed_week, id, site_id
), queued AS (
  INSERT INTO landing.raw_queue (raw_id, landed_week, site_id, is_again)
  SELECT l.id, l.landed_week, l.site_id, true FROM landed l
  WHERE NOT EXISTS (SELECT FROM app.raw_outcomes o WHERE o.landed_week = l.landed_week AND o.raw_id = l.id)
  RETURNING raw_id
)
SELECT (SELECT count(*) FROM landed) AS landed, (SELECT count(*) FROM queued) AS queued
""")

# Restored rows of a week are kept until then. A week that was archived by another database is known from now on.
RESTORED: Final = sa.text("""
INSERT INTO app.raw_archives AS a (landed_week, written_at, rows, bytes, restored_until) VALUES (:week, :written_at, :rows, :bytes, :until)
ON CONFLICT (landed_week) DO UPDATE SET restored_until = greatest(a.restored_until, excluded.restored_until),
  written_at = coalesce(a.written_at, excluded.written_at), rows = greatest(a.rows, excluded.rows), bytes = greatest(a.bytes, excluded.bytes)
""")
