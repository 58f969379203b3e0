"""SQL behind the sums of promise 6 (docs/architecture.md 5). psycopg through SQLAlchemy, named parameters."""

from typing import Final

from custom_events.queries.uploads import OUTCOME
from custom_events.values.conversions import UNMATCHED_REASONS

# What a custom event that stands (m) says, and its conversion (u) denies. A reason of matching is written to both; what becomes of a
# queued conversion afterwards (refunded or refused before it was sent, our checks before a call) stands with the conversion alone.
# Values may differ by what became of the order, which the adjuster tells Google; that is asked of the few that differ, one by one, and
# what is dearest last (adjustments have no index over all partitions).
_CONTRADICTION: Final = """CASE
    WHEN m.withheld_reason IS NOT NULL AND u.state <> 'withheld' THEN 'withheld'
    WHEN m.withheld_reason IS NULL AND u.state = 'withheld' AND u.request_id IS NULL
      AND u.reason = ANY (CAST(:of_matching AS text[])) THEN 'queued'
    WHEN u.state IN ('withheld', 'rejected', 'expired') THEN NULL
    WHEN m.currency IS DISTINCT FROM u.currency THEN 'currency'
    WHEN m.value IS NOT DISTINCT FROM u.value THEN NULL
    WHEN EXISTS (SELECT FROM app.orders o WHERE o.site_id = m.site_id AND o.order_id = m.order_id
        AND (o.refunded <> 0 OR o.cancelled_at IS NOT NULL OR o.deleted_at IS NOT NULL OR o.payment_lost_at IS NOT NULL
          OR o.current_total <> o.total)) THEN NULL
    WHEN EXISTS (SELECT FROM app.orders o, app.commerce_events e WHERE o.site_id = m.site_id AND o.order_id = m.order_id
        AND e.occurred_at = m.occurred_at AND e.id = m.commerce_event_id AND o.total IS DISTINCT FROM e.amount) THEN NULL
    WHEN EXISTS (SELECT FROM app.value_changes v WHERE v.site_id = m.site_id AND v.order_id = m.order_id) THEN NULL
    WHEN EXISTS (SELECT FROM app.withdrawn_without_order v WHERE v.custom_event_id = m.id) THEN NULL
    WHEN EXISTS (SELECT FROM app.conversion_uploads a WHERE a.custom_event_id = m.id AND a.kind <> 'conversion') THEN NULL
    ELSE 'value' END"""
# What may be one: for nearly all nothing more is asked.
_DIFFERS: Final = """(m.withheld_reason IS NOT NULL OR u.state = 'withheld' OR m.currency IS DISTINCT FROM u.currency
    OR m.value IS DISTINCT FROM u.value)"""

# Oldest week that both the receipts and the raw events still cover: retention drops bodies years before receipts. Restored weeks do not
# count: those between them and the others are missing.
COVERED_SINCE: Final = """
SELECT raw.week FROM (SELECT min(landed_week) AS week FROM landing.raw_events
  WHERE landed_week <> ALL (ARRAY(SELECT a.landed_week FROM app.raw_archives a WHERE a.restored_until IS NOT NULL))) raw
WHERE EXISTS (SELECT FROM landing.receipts r WHERE r.landed > 0 AND r.at < CAST(raw.week AS timestamp) AT TIME ZONE 'UTC')
"""

# All figures in one statement and so of one moment: (what, word, count). `since` is a Monday or any moment; null: always.
# Both stand where they are compared, in no common table expression: so the planner knows them, and leaves older partitions alone.
# The receiver's count of what it answered has no site; for one site the quarantine stands in for it.
_STAGES: Final = f"""
SELECT 'received' AS what, NULL AS word, coalesce(sum(r.received), 0)::bigint AS count FROM landing.receipts r
  WHERE (CAST(:since AS timestamptz) IS NULL OR r.at >= :since) AND CAST(:site_id AS bigint) IS NULL
UNION ALL
SELECT 'refused', NULL, coalesce(sum(r.refused), 0)::bigint FROM landing.receipts r
  WHERE (CAST(:since AS timestamptz) IS NULL OR r.at >= :since) AND CAST(:site_id AS bigint) IS NULL
UNION ALL
SELECT 'quarantined', q.reason, count(*) FROM landing.refused_events q
  WHERE (CAST(:since AS timestamptz) IS NULL OR q.received_at >= :since) AND (CAST(:site_id AS bigint) IS NULL OR q.site_id = :site_id)
  GROUP BY q.reason
UNION ALL
SELECT 'raw', NULL, count(*) FROM landing.raw_events e
  WHERE (CAST(:since AS timestamptz) IS NULL
         OR e.landed_week >= date_trunc('week', CAST(:since AS timestamptz) AT TIME ZONE 'UTC')::date AND e.received_at >= :since)
    AND (CAST(:site_id AS bigint) IS NULL OR e.site_id = :site_id)
UNION ALL
SELECT 'duplicates', NULL, count(*) FROM landing.duplicate_deliveries d
  WHERE (CAST(:since AS timestamptz) IS NULL OR d.received_at >= :since) AND (CAST(:site_id AS bigint) IS NULL OR d.site_id = :site_id)
UNION ALL
SELECT 'to_understand', NULL, count(*) FROM landing.raw_queue q
  JOIN landing.raw_events e ON e.landed_week = q.landed_week AND e.id = q.raw_id
  WHERE (CAST(:since AS timestamptz) IS NULL OR e.received_at >= :since) AND (CAST(:site_id AS bigint) IS NULL OR q.site_id = :site_id)
UNION ALL
SELECT o.outcome, o.reason, count(*) FROM app.raw_outcomes o
  WHERE (CAST(:since AS timestamptz) IS NULL
         OR o.landed_week >= date_trunc('week', CAST(:since AS timestamptz) AT TIME ZONE 'UTC')::date AND o.received_at >= :since)
    AND (CAST(:site_id AS bigint) IS NULL OR o.site_id = :site_id)
  GROUP BY o.outcome, o.reason
UNION ALL
SELECT 'matched', NULL, count(*) FROM app.custom_events m
  WHERE (CAST(:since AS timestamptz) IS NULL OR m.created_at >= :since) AND (CAST(:site_id AS bigint) IS NULL OR m.site_id = :site_id)
UNION ALL
SELECT 'withdrawn', m.withdrawn_reason, count(*) FROM app.custom_events m
  WHERE m.withdrawn_at IS NOT NULL AND (CAST(:since AS timestamptz) IS NULL OR m.created_at >= :since)
    AND (CAST(:site_id AS bigint) IS NULL OR m.site_id = :site_id)
  GROUP BY m.withdrawn_reason
UNION ALL
SELECT 'state ' || {OUTCOME}, CASE WHEN u.state = 'withheld' THEN u.reason END, count(*) FROM app.conversion_uploads u
  WHERE u.kind = 'conversion' AND (CAST(:since AS timestamptz) IS NULL OR u.created_at >= :since)
    AND (CAST(:site_id AS bigint) IS NULL OR u.site_id = :site_id)
  GROUP BY 1, 2
"""

# Custom events that their conversions deny, or that were withdrawn and are at Google all the same.
CONTRADICTIONS: Final = f"""
SELECT 'unretracted', NULL, count(*) FROM app.custom_events m
  WHERE m.withdrawn_at IS NOT NULL AND (CAST(:since AS timestamptz) IS NULL OR m.created_at >= :since)
    AND (CAST(:site_id AS bigint) IS NULL OR m.site_id = :site_id)
    AND EXISTS (SELECT FROM app.conversion_uploads u WHERE u.created_at = m.created_at AND u.id = m.upload_id
      AND u.state NOT IN ('withheld', 'rejected', 'expired'))
    AND NOT EXISTS (SELECT FROM app.conversion_uploads u  -- `<> 'conversion'` as its index says, which the planner does not infer
      WHERE u.custom_event_id = m.id AND u.kind <> 'conversion' AND u.kind = 'retraction')
    AND NOT EXISTS (  -- another assignment's custom event stands for the same transaction: Google keeps it with that one's value
      SELECT FROM app.conversion_uploads u
      JOIN app.custom_events s ON s.site_id = m.site_id AND s.order_id = m.order_id AND s.withdrawn_at IS NULL
      JOIN app.conversion_uploads o ON o.created_at = s.created_at AND o.id = s.upload_id AND o.ads_action_id = u.ads_action_id
        AND o.transaction_id = u.transaction_id AND o.reason = 'same_transaction_other_assignment'
      WHERE u.created_at = m.created_at AND u.id = m.upload_id)
    AND NOT EXISTS (SELECT FROM app.value_changes v WHERE v.site_id = m.site_id AND v.order_id = m.order_id)
    AND NOT EXISTS (SELECT FROM app.withdrawn_without_order v WHERE v.custom_event_id = m.id)
UNION ALL
SELECT 'contradiction', c.what, count(*) FROM (
  SELECT {_CONTRADICTION} AS what
  FROM app.custom_events m JOIN app.conversion_uploads u ON u.created_at = m.created_at AND u.id = m.upload_id
  WHERE m.withdrawn_at IS NULL AND {_DIFFERS} AND (CAST(:since AS timestamptz) IS NULL OR m.created_at >= :since AND u.created_at >= :since)
    AND (CAST(:site_id AS bigint) IS NULL OR m.site_id = :site_id)
  OFFSET 0) c
  WHERE c.what IS NOT NULL GROUP BY c.what
"""

# The whole, counted.
SUMS: Final = f"{_STAGES}UNION ALL{CONTRADICTIONS}"

_TALLIES: Final = """(
  SELECT what, week, kind, state, reason, count FROM app.tallies
  UNION ALL SELECT what, week, kind, state, reason, change FROM app.tally_changes) t"""
_SINCE: Final = "(CAST(:since AS date) IS NULL OR t.week >= :since)"
_UNKNOWN: Final = (
    "FROM app.conversion_uploads u WHERE u.waits AND u.state = 'unknown' AND u.kind = 'conversion'"
    " AND (CAST(:since AS date) IS NULL OR u.created_at >= CAST(CAST(:since AS date) AS timestamp) AT TIME ZONE 'UTC')"
)

_WEEK_COUNTED: Final = (
    "coalesce((SELECT max(c.week) FROM app.tallies c WHERE c.what = '{what}'), CAST('1970-01-01' AS date))"
)

# The same, where no more is counted than the deliveries of the last weeks: what the receiver says of itself, the queue, the index of what
# waits, and the tallies (tallies.py). `since` is a Monday; null: always.
TALLIED: Final = f"""
SELECT what, word, CAST(sum(count) AS bigint) FROM (
  SELECT v.what, NULL AS word, v.count FROM (
    SELECT coalesce(sum(r.received), 0) AS received, coalesce(sum(r.refused), 0) AS refused FROM landing.receipts r
    WHERE CAST(:since AS date) IS NULL OR r.at >= CAST(CAST(:since AS date) AS timestamp) AT TIME ZONE 'UTC') r
  CROSS JOIN LATERAL (VALUES ('received', r.received), ('refused', r.refused)) v(what, count)
  UNION ALL
  SELECT CASE t.what WHEN 'raw_events' THEN 'raw' ELSE 'duplicates' END, NULL, t.count FROM {_TALLIES}
    WHERE t.what IN ('raw_events', 'duplicate_deliveries') AND {_SINCE}
  UNION ALL
  SELECT 'raw', NULL, count(*) FROM landing.raw_events e
    WHERE e.landed_week > {_WEEK_COUNTED.format(what="raw_events")} AND (CAST(:since AS date) IS NULL OR e.landed_week >= :since)
  UNION ALL
  SELECT 'duplicates', NULL, count(*) FROM landing.duplicate_deliveries d
    WHERE d.received_at >= CAST({_WEEK_COUNTED.format(what="duplicate_deliveries")} + 7 AS timestamp) AT TIME ZONE 'UTC'
      AND (CAST(:since AS date) IS NULL OR d.received_at >= CAST(CAST(:since AS date) AS timestamp) AT TIME ZONE 'UTC')
  UNION ALL
  SELECT 'quarantined', q.reason, count(*) FROM landing.refused_events q
    WHERE CAST(:since AS date) IS NULL OR q.received_at >= CAST(CAST(:since AS date) AS timestamp) AT TIME ZONE 'UTC' GROUP BY q.reason
  UNION ALL
  SELECT 'to_understand', NULL, count(*) FROM landing.raw_queue q WHERE CAST(:since AS date) IS NULL OR q.landed_week >= :since
  UNION ALL
  SELECT t.state, nullif(t.reason, ''), t.count FROM {_TALLIES} WHERE t.what = 'raw_outcomes' AND {_SINCE}
  UNION ALL
  SELECT 'matched', NULL, t.count FROM {_TALLIES} WHERE t.what = 'custom_events' AND {_SINCE}
  UNION ALL
  SELECT 'withdrawn', nullif(t.reason, ''), t.count FROM {_TALLIES} WHERE t.what = 'custom_events' AND t.state = 'withdrawn' AND {_SINCE}
  UNION ALL
  SELECT 'state ' || CASE WHEN t.state = 'open' THEN 'queued' WHEN t.state IN ('accepted', 'rejected')
      AND t.reason IN ({", ".join(map(repr, UNMATCHED_REASONS))}) THEN 'unmatched' ELSE t.state END,
    CASE WHEN t.state = 'withheld' THEN nullif(t.reason, '') END, t.count
  FROM {_TALLIES} WHERE t.what = 'uploads' AND t.kind = 'conversion' AND {_SINCE}
  UNION ALL
  SELECT 'state unknown', NULL, count(*) {_UNKNOWN}
  UNION ALL
  SELECT 'state queued', NULL, -count(*) {_UNKNOWN}) c
GROUP BY what, word HAVING sum(count) <> 0
"""

# What of it is parked or withheld, by reason: nothing is counted.
REASONS: Final = f"""
SELECT t.state, nullif(t.reason, ''), CAST(sum(t.count) AS bigint) FROM {_TALLIES}
WHERE (t.what = 'raw_outcomes' AND t.state = 'parked' OR t.what = 'uploads' AND t.kind = 'conversion' AND t.state = 'withheld') AND {_SINCE}
GROUP BY t.state, t.reason HAVING sum(t.count) <> 0
"""

# Deliveries of weeks that have ended: nothing lands in them any more, so each is counted once. Those that retention has dropped are
# forgotten.
COUNT_WEEKS: Final = f"""
INSERT INTO app.tallies (what, week, subject, kind, state, reason, count)
SELECT 'raw_events', e.landed_week, 0, '', '', '', count(*) FROM landing.raw_events e
WHERE e.landed_week > {_WEEK_COUNTED.format(what="raw_events")} AND e.landed_week < CAST(:until AS date) GROUP BY 2
UNION ALL
SELECT 'duplicate_deliveries', CAST(date_trunc('week', d.received_at AT TIME ZONE 'UTC') AS date), 0, '', '', '', count(*)
FROM landing.duplicate_deliveries d
WHERE d.received_at >= CAST({_WEEK_COUNTED.format(what="duplicate_deliveries")} + 7 AS timestamp) AT TIME ZONE 'UTC'
  AND d.received_at < CAST(CAST(:until AS date) AS timestamp) AT TIME ZONE 'UTC' GROUP BY 2
"""
FORGET_WEEKS: Final = """
DELETE FROM app.tallies WHERE what IN ('raw_events', 'duplicate_deliveries') AND week < CAST(:until AS date) - 7
  AND week < coalesce((SELECT min(landed_week) FROM landing.raw_events), CAST(:until AS date))
"""

# What the last exact count found.
CHECKED: Final = "SELECT name, checked_at, gaps FROM app.tally_checks ORDER BY name"
KEEP_CHECK: Final = """
INSERT INTO app.tally_checks (name, checked_at, gaps) VALUES (:name, :now, CAST(:gaps AS jsonb))
ON CONFLICT (name) DO UPDATE SET checked_at = excluded.checked_at, gaps = excluded.gaps
"""

# Some of those that contradict their conversions, for people.
CONTRADICTING: Final = f"""
SELECT c.what, c.id FROM (
  SELECT {_CONTRADICTION} AS what, m.id
  FROM app.custom_events m JOIN app.conversion_uploads u ON u.created_at = m.created_at AND u.id = m.upload_id
  WHERE m.withdrawn_at IS NULL AND {_DIFFERS} AND (CAST(:since AS timestamptz) IS NULL OR m.created_at >= :since AND u.created_at >= :since)
    AND (CAST(:site_id AS bigint) IS NULL OR m.site_id = :site_id)
  OFFSET 0) c
WHERE c.what IS NOT NULL ORDER BY c.id LIMIT :limit
"""
