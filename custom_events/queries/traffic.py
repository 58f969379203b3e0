"""SQL of the watch of traffic: whole hours counted once, by place and subject, and what is quiet."""

from typing import Final

import sqlalchemy as sa

_WEEK: Final = "CAST(date_trunc('week', CAST(:{at} AS timestamptz) AT TIME ZONE 'UTC') AS date)"

COUNTED: Final = sa.text("SELECT since, until FROM app.traffic_counted")

SET_COUNTED: Final = sa.text("""
INSERT INTO app.traffic_counted (since, until) VALUES (:since, :until)
ON CONFLICT (is_only) DO UPDATE SET until = EXCLUDED.until
""")

# When the oldest delivery that nobody has understood yet came: an hour is counted when all of it is understood.
WAITING_SINCE: Final = sa.text("""
SELECT e.received_at FROM (SELECT raw_id, landed_week FROM landing.raw_queue ORDER BY raw_id LIMIT 1) q
JOIN landing.raw_events e ON e.landed_week = q.landed_week AND e.id = q.raw_id
""")

# One hour of what stores sent (by topic, and all of it), of orders with clicks and with an answer about consent, and of rows sent to
# ads accounts. What we fetched ourselves, or a browser told, is no sign of life of a store.
COUNT_HOUR: Final = sa.text(f"""
WITH sent AS (
  SELECT o.site_id, coalesce(r.topic, '') AS topic, count(*) AS events, max(o.raw_id) AS sample
  FROM app.raw_outcomes o JOIN landing.raw_events r ON r.landed_week = o.landed_week AND r.id = o.raw_id
  WHERE o.received_at >= :begin AND o.received_at < :end AND r.signature = 'verified'
    AND o.landed_week >= {_WEEK.format(at="begin")} AND o.landed_week <= {_WEEK.format(at="end")}
  GROUP BY 1, 2),
ordered AS (
  SELECT s.id AS site_id, count(*) FILTER (WHERE json_array_length(coalesce(e.facts -> 'clicks', '[]')) > 0) AS clicks,
    max(e.raw_id) FILTER (WHERE json_array_length(coalesce(e.facts -> 'clicks', '[]')) > 0) AS clicks_sample,
    count(*) FILTER (WHERE e.facts -> 'consent' ->> 'ad_user_data' IN ('granted', 'denied')) AS consent,
    max(e.raw_id) FILTER (WHERE e.facts -> 'consent' ->> 'ad_user_data' IN ('granted', 'denied')) AS consent_sample
  FROM app.sites s CROSS JOIN LATERAL (
    SELECT c.facts, c.raw_id FROM app.commerce_events c
    WHERE c.site_id = s.id AND c.type = 'order.created' AND c.occurred_at >= :begin AND c.occurred_at < :end) e
  GROUP BY 1),
uploaded AS (
  SELECT a.customer_id, q.lane, sum(q.rows) AS events FROM app.ads_accounts a CROSS JOIN LATERAL (
    SELECT r.lane, r.rows FROM app.upload_requests r
    WHERE r.ads_account_id = a.id AND r.intent_at >= :begin AND r.intent_at < :end) q GROUP BY 1, 2)
INSERT INTO app.traffic_hours (place, subject, hour, events, sample_raw_id)
SELECT 'site:' || site_id, 'store', :begin, sum(events), max(sample) FROM sent GROUP BY site_id
UNION ALL SELECT 'site:' || site_id, 'topic:' || topic, :begin, events, sample FROM sent WHERE topic <> ''
UNION ALL SELECT 'site:' || site_id, 'clicks', :begin, clicks, clicks_sample FROM ordered WHERE clicks > 0
UNION ALL SELECT 'site:' || site_id, 'consent', :begin, consent, consent_sample FROM ordered WHERE consent > 0
UNION ALL SELECT 'account:' || customer_id, 'lane:' || lane, :begin, events, NULL FROM uploaded WHERE events > 0
ON CONFLICT DO NOTHING
""")

FORGET_HOURS: Final = sa.text("DELETE FROM app.traffic_hours WHERE hour < :before")

# All counted hours, place by place. Sites that are paused or removed are not judged, nor accounts to which nothing may be sent.
HOURS: Final = sa.text("""
SELECT t.place, t.subject, t.hour, t.events, t.sample_raw_id, s.time_zone
FROM app.traffic_hours t
LEFT JOIN app.sites s ON t.place = 'site:' || s.id
LEFT JOIN app.ads_accounts a ON t.place = 'account:' || a.customer_id
WHERE s.is_active OR (a.parked_reason IS NULL AND a.id IS NOT NULL)
ORDER BY t.place, t.subject, t.hour
""").execution_options(stream_results=True, max_row_buffer=5_000)

# What is quiet now takes the place of what was; since when it has been so stays.
KEEP_QUIET: Final = sa.text("""
INSERT INTO app.quiet_traffic (place, subject, found_at, hours, events, usual, last_at, sample_raw_id)
VALUES (:place, :subject, :now, :hours, :events, :usual, :last_at, :sample_raw_id)
ON CONFLICT (place, subject) DO UPDATE SET hours = EXCLUDED.hours, events = EXCLUDED.events, usual = EXCLUDED.usual,
  last_at = EXCLUDED.last_at, sample_raw_id = EXCLUDED.sample_raw_id
""")
FORGET_QUIET: Final = sa.text("""
DELETE FROM app.quiet_traffic q
WHERE NOT EXISTS (SELECT FROM unnest(CAST(:places AS text[]), CAST(:subjects AS text[])) AS g(place, subject)
  WHERE g.place = q.place AND g.subject = q.subject)
""")

# What is quiet, by the names that people know. Where nothing comes of a whole site, its parts are no news.
QUIET: Final = sa.text("""
SELECT q.place, q.subject, s.id AS site_id, s.site_key, s.name, substring(q.place FROM '^account:(.*)$') AS customer_id, q.found_at, q.hours,
  q.events, q.usual, q.last_at, q.sample_raw_id
FROM app.quiet_traffic q LEFT JOIN app.sites s ON q.place = 'site:' || s.id
WHERE (s.id IS NULL OR s.is_active) AND (CAST(:site AS bigint) IS NULL OR s.id = :site)
  AND (q.subject = 'store' OR NOT EXISTS (SELECT FROM app.quiet_traffic w WHERE w.place = q.place AND w.subject = 'store'))
ORDER BY q.found_at, q.place, q.subject
""")
