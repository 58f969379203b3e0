"""SQL behind the sums of design section 4, promise 6. psycopg through SQLAlchemy, named parameters."""

from typing import Final

# Oldest week that both the receipts and the raw events still cover: retention drops bodies years before receipts.
COVERED_SINCE: Final = """
SELECT raw.week
FROM (SELECT min(landed_week) AS week FROM landing.raw_events) raw,
     (SELECT min(at) AS at FROM landing.receipts WHERE landed > 0) receipt
WHERE date_trunc('week', receipt.at AT TIME ZONE 'UTC')::date < raw.week
"""

# All figures in one statement and so of one moment: (what, word, count). `since` is a Monday or any moment; null: always.
# The receiver's count of what it answered has no site; for one site the quarantine stands in for it.
SUMS: Final = """
WITH asked AS (SELECT CAST(:since AS timestamptz) AS since, CAST(:site_id AS bigint) AS site_id)
SELECT 'received' AS what, NULL AS word, coalesce(sum(r.received), 0)::bigint AS count FROM landing.receipts r, asked
  WHERE (asked.since IS NULL OR r.at >= asked.since) AND asked.site_id IS NULL
UNION ALL
SELECT 'refused', NULL, coalesce(sum(r.refused), 0)::bigint FROM landing.receipts r, asked
  WHERE (asked.since IS NULL OR r.at >= asked.since) AND asked.site_id IS NULL
UNION ALL
SELECT 'quarantined', q.reason, count(*) FROM landing.refused_events q, asked
  WHERE (asked.since IS NULL OR q.received_at >= asked.since) AND (asked.site_id IS NULL OR q.site_id = asked.site_id)
  GROUP BY q.reason
UNION ALL
SELECT 'raw', NULL, count(*) FROM landing.raw_events e, asked
  WHERE (asked.since IS NULL
         OR e.landed_week >= date_trunc('week', asked.since AT TIME ZONE 'UTC')::date AND e.received_at >= asked.since)
    AND (asked.site_id IS NULL OR e.site_id = asked.site_id)
UNION ALL
SELECT 'duplicates', NULL, count(*) FROM landing.duplicate_deliveries d, asked
  WHERE (asked.since IS NULL OR d.received_at >= asked.since) AND (asked.site_id IS NULL OR d.site_id = asked.site_id)
UNION ALL
SELECT 'to_understand', NULL, count(*) FROM landing.raw_queue q
  JOIN landing.raw_events e ON e.landed_week = q.landed_week AND e.id = q.raw_id, asked
  WHERE (asked.since IS NULL OR e.received_at >= asked.since) AND (asked.site_id IS NULL OR q.site_id = asked.site_id)
UNION ALL
SELECT o.outcome, o.reason, count(*) FROM app.raw_outcomes o, asked
  WHERE (asked.since IS NULL
         OR o.landed_week >= date_trunc('week', asked.since AT TIME ZONE 'UTC')::date AND o.received_at >= asked.since)
    AND (asked.site_id IS NULL OR o.site_id = asked.site_id)
  GROUP BY o.outcome, o.reason
UNION ALL
SELECT 'matched', NULL, count(*) FROM app.custom_events m, asked
  WHERE (asked.since IS NULL OR m.created_at >= asked.since) AND (asked.site_id IS NULL OR m.site_id = asked.site_id)
UNION ALL
SELECT 'withdrawn', m.withdrawn_reason, count(*) FROM app.custom_events m, asked
  WHERE m.withdrawn_at IS NOT NULL AND (asked.since IS NULL OR m.created_at >= asked.since)
    AND (asked.site_id IS NULL OR m.site_id = asked.site_id)
  GROUP BY m.withdrawn_reason
UNION ALL
SELECT 'unheeded', NULL, count(*) FROM app.custom_events m, asked
  WHERE m.withdrawn_at IS NOT NULL AND (asked.since IS NULL OR m.created_at >= asked.since)
    AND (asked.site_id IS NULL OR m.site_id = asked.site_id)
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
    AND NOT EXISTS (SELECT FROM app.standing_changes v WHERE v.custom_event_id = m.id)
UNION ALL
SELECT 'state ' || u.state, CASE WHEN u.state = 'withheld' THEN u.reason END, count(*) FROM app.conversion_uploads u, asked
  WHERE u.kind = 'conversion' AND (asked.since IS NULL OR u.created_at >= asked.since)
    AND (asked.site_id IS NULL OR u.site_id = asked.site_id)
  GROUP BY 1, 2
"""
