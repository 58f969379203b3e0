"""SQL of what a replay on Spark lays its answer beside: read once, row by row, and given to Spark as Parquet."""

from typing import Final

import sqlalchemy as sa

from custom_events.queries.stored_facts import facts_of

# What became of the raw events of these weeks.
OUTCOMES: Final = sa.text("""
SELECT landed_week, raw_id, outcome, reason FROM app.raw_outcomes
WHERE landed_week = ANY(CAST(:weeks AS date[])) AND site_id = ANY(CAST(:sites AS bigint[]))
""")

# The events of these sites by natural key, each with what is stored of it; nothing, where its partition was dropped.
STORED: Final = sa.text(f"""
SELECT k.site_id, k.key, k.occurred_at, k.evidence_at, k.parts, e.facts, e.raw_id, e.raw_landed_week, e.is_undone
FROM app.event_keys k LEFT JOIN LATERAL (
  SELECT {facts_of("c")}, c.raw_id, c.raw_landed_week, c.is_undone FROM app.commerce_events c
  WHERE c.occurred_at = k.occurred_at AND c.id = k.event_id) e ON true
WHERE k.site_id = ANY(CAST(:sites AS bigint[]))
""")

# These raw events wait to be understood again; the outcome that they had goes at the same moment. How many did not wait yet.
REQUEUE: Final = sa.text("""
WITH gone AS (
  DELETE FROM app.raw_outcomes o WHERE o.landed_week = :week AND o.raw_id = ANY(CAST(:ids AS bigint[]))
), queued AS (
  INSERT INTO landing.raw_queue (raw_id, landed_week, site_id, is_again)
  SELECT e.id, e.landed_week, e.site_id, true FROM landing.raw_events e WHERE e.landed_week = :week AND e.id = ANY(CAST(:ids AS bigint[]))
  ON CONFLICT DO NOTHING RETURNING raw_id
)
SELECT count(*) FROM queued
""")
