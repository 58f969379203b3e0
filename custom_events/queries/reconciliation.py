"""The ledger by account, conversion action and day of the call, laid beside what Google says of the same."""

from typing import Final

import sqlalchemy as sa

# The accounts that have sent anything since; with a customer id, that one.
ACCOUNTS: Final = sa.text("""
SELECT a.id, a.customer_id, a.name, a.lane, a.login_customer_id, a.time_zone FROM app.ads_accounts a
WHERE (CAST(:customer_id AS text) IS NULL OR a.customer_id = :customer_id)
  AND EXISTS (SELECT FROM app.upload_requests r WHERE r.ads_account_id = a.id AND r.intent_at >= :since)
ORDER BY a.customer_id
""")

# The zone by which Google cuts the account's days, as Google says it.
KEEP_TIME_ZONE: Final = sa.text("""
UPDATE app.ads_accounts SET time_zone = :time_zone, updated_at = :now WHERE id = :account AND time_zone <> :time_zone
""")

# Google's judgement of one account, action and client; the newest replaces the one before.
KEEP_STATUS: Final = sa.text("""
INSERT INTO app.google_upload_status (ads_account_id, action_id, client, status, successful, failed, pending, last_upload_at,
  alerts, read_at)
VALUES (:account, :action_id, :client, :status, :successful, :failed, :pending, :last_upload_at, CAST(:alerts AS jsonb), :now)
ON CONFLICT (ads_account_id, action_id, client) DO UPDATE
SET status = excluded.status, successful = excluded.successful, failed = excluded.failed, pending = excluded.pending,
  last_upload_at = excluded.last_upload_at, alerts = excluded.alerts, read_at = excluded.read_at
""")

# What Google counted in calls of the account, by our job id. Only what changed is written.
KEEP_JOB_COUNTS: Final = sa.text("""
UPDATE app.upload_requests r SET counts = CAST(g.counts AS json)
FROM unnest(CAST(:job_id AS bigint[]), CAST(:counts AS text[])) AS g(job_id, counts)
WHERE r.ads_account_id = :account AND r.intent_at >= :since AND r.job_id = g.job_id AND r.lane = 'google_ads'
  AND r.counts::text IS DISTINCT FROM g.counts
""")

# Our side of the days that are counted anew: a row that was sent again has left the day of its earlier call.
FORGET_OURS: Final = sa.text("""
UPDATE app.reconciliation_days SET sent = 0, accepted = 0, pending = 0, refused = 0, unknown = 0, again = 0, ended = 0,
  unattributable = 0, already_there = 0, without_click = 0, retracted = 0, reasons = '{}', events = 0, unanswered = 0,
  updated_at = :now
WHERE day >= :first_day
""")

# Our side of every day since: each row once, on the day of its last call; and what the calls of the day carried.
# A call that failed as a whole left nothing at Google; one without an answer may have. `calls`: attempts, and what requests keep
# for their rows; a row that was sent and has left that state has an attempt that says so.
KEEP_DAYS: Final = sa.text("""
WITH calls AS MATERIALIZED (
  SELECT t.upload_id, t.request_id, max(t.at) AS at FROM (
    SELECT upload_id, request_id, at FROM app.upload_attempts WHERE at >= :since
    UNION ALL
    SELECT u.id, r.id, r.answered_at FROM app.upload_requests r JOIN app.conversion_uploads u ON u.request_id = r.id
    WHERE r.answered_at >= :since AND u.created_at >= :made_since
      AND (r.told = 'accepted' AND u.state = 'accepted' OR r.told = 'pending' AND u.state = 'sent')) t
  GROUP BY 1, 2),
newest AS (SELECT DISTINCT ON (upload_id) upload_id, request_id FROM calls ORDER BY upload_id, at DESC, request_id DESC),
moved AS MATERIALIZED (
  SELECT u.id, u.ads_account_id, x.action_id, a.time_zone, u.state, u.kind, u.reason, u.click_id,
    (r.intent_at AT TIME ZONE a.time_zone)::date AS day
  FROM app.conversion_uploads u
  JOIN app.ads_accounts a ON a.id = u.ads_account_id
  JOIN app.ads_actions x ON x.id = u.ads_action_id
  LEFT JOIN newest n ON n.upload_id = u.id
  JOIN app.upload_requests r ON r.id = coalesce(n.request_id, u.request_id)
  WHERE u.attempts > 0 AND u.created_at >= :made_since AND r.intent_at >= :since
    AND (n.upload_id IS NOT NULL OR u.state IN ('claimed', 'unknown'))),
ours AS (
  SELECT ads_account_id, action_id, day, count(*) AS sent,
    count(*) FILTER (WHERE state = 'accepted') AS accepted,
    count(*) FILTER (WHERE state IN ('sent', 'claimed')) AS pending,
    count(*) FILTER (WHERE state = 'rejected') AS refused,
    count(*) FILTER (WHERE state = 'unknown') AS unknown,
    count(*) FILTER (WHERE state IN ('new', 'held', 'queued')) AS again,
    count(*) FILTER (WHERE state IN ('expired', 'withheld')) AS ended,
    count(*) FILTER (WHERE state = 'accepted' AND reason = ANY(CAST(:unattributable AS text[]))) AS unattributable,
    count(*) FILTER (WHERE state = 'accepted' AND reason = ANY(CAST(:already_there AS text[]))) AS already_there,
    count(*) FILTER (WHERE click_id IS NULL) AS without_click,
    count(*) FILTER (WHERE kind = 'retraction') AS retracted
  FROM moved GROUP BY 1, 2, 3),
reasons AS (
  SELECT ads_account_id, action_id, day, jsonb_object_agg(reason, rows) AS reasons
  FROM (SELECT ads_account_id, action_id, day, reason, count(*) AS rows FROM moved WHERE reason IS NOT NULL GROUP BY 1, 2, 3, 4) c
  GROUP BY 1, 2, 3),
carried AS (
  SELECT u.ads_account_id, x.action_id, (r.intent_at AT TIME ZONE a.time_zone)::date AS day,
    count(*) FILTER (WHERE r.outcome = 'answered') AS events, count(*) FILTER (WHERE r.outcome = 'unknown') AS unanswered
  FROM calls c
  JOIN app.upload_requests r ON r.id = c.request_id
  JOIN app.conversion_uploads u ON u.id = c.upload_id AND u.created_at >= :made_since
  JOIN app.ads_accounts a ON a.id = u.ads_account_id
  JOIN app.ads_actions x ON x.id = u.ads_action_id
  WHERE r.intent_at >= :since
  GROUP BY 1, 2, 3),
told AS (
  SELECT r.ads_account_id, c.key AS action_id, (r.intent_at AT TIME ZONE a.time_zone)::date AS day,
    sum((c.value ->> 'successful')::bigint) AS successful, sum((c.value ->> 'failed')::bigint) AS failed,
    sum((c.value ->> 'pending')::bigint) AS pending
  FROM app.upload_requests r
  JOIN app.ads_accounts a ON a.id = r.ads_account_id
  CROSS JOIN LATERAL jsonb_each(r.counts::jsonb) AS c
  WHERE r.lane = 'data_manager' AND r.intent_at >= :since AND jsonb_typeof(c.value) = 'object'
  GROUP BY 1, 2, 3)
INSERT INTO app.reconciliation_days AS d (ads_account_id, action_id, day, sent, accepted, pending, refused, unknown, again,
  ended, unattributable, already_there, without_click, retracted, reasons, events, unanswered, google_successful,
  google_failed, google_pending, google_read_at, updated_at)
SELECT ads_account_id, action_id, day, coalesce(o.sent, 0), coalesce(o.accepted, 0), coalesce(o.pending, 0),
  coalesce(o.refused, 0), coalesce(o.unknown, 0), coalesce(o.again, 0), coalesce(o.ended, 0), coalesce(o.unattributable, 0),
  coalesce(o.already_there, 0), coalesce(o.without_click, 0), coalesce(o.retracted, 0), coalesce(s.reasons, '{}'),
  coalesce(c.events, 0), coalesce(c.unanswered, 0), t.successful, t.failed, t.pending,
  CASE WHEN t.successful IS NOT NULL THEN CAST(:now AS timestamptz) END, :now
FROM ours o
FULL JOIN carried c USING (ads_account_id, action_id, day)
FULL JOIN told t USING (ads_account_id, action_id, day)
LEFT JOIN reasons s USING (ads_account_id, action_id, day)
WHERE day >= :first_day
ON CONFLICT (ads_account_id, action_id, day) DO UPDATE
SET sent = excluded.sent, accepted = excluded.accepted, pending = excluded.pending, refused = excluded.refused,
  unknown = excluded.unknown, again = excluded.again, ended = excluded.ended, unattributable = excluded.unattributable,
  already_there = excluded.already_there, without_click = excluded.without_click, retracted = excluded.retracted,
  reasons = excluded.reasons, events = excluded.events, unanswered = excluded.unanswered,
  google_successful = coalesce(excluded.google_successful, d.google_successful),
  google_failed = coalesce(excluded.google_failed, d.google_failed),
  google_pending = coalesce(excluded.google_pending, d.google_pending),
  google_read_at = coalesce(excluded.google_read_at, d.google_read_at), updated_at = excluded.updated_at
""")

# Google's daily figures of one account, action by action, beside ours. Days on which only Google counted are kept as well.
KEEP_GOOGLE_DAYS: Final = sa.text("""
INSERT INTO app.reconciliation_days AS d (ads_account_id, action_id, day, google_successful, google_failed, google_pending,
  google_read_at, updated_at)
SELECT :account, g.action_id, g.day, g.successful, g.failed, g.pending, :now, :now
FROM unnest(CAST(:action_id AS text[]), CAST(:day AS date[]), CAST(:successful AS bigint[]), CAST(:failed AS bigint[]),
  CAST(:pending AS bigint[])) AS g(action_id, day, successful, failed, pending)
ON CONFLICT (ads_account_id, action_id, day) DO UPDATE
SET google_successful = excluded.google_successful, google_failed = excluded.google_failed,
  google_pending = excluded.google_pending, google_read_at = excluded.google_read_at
""")

# The days as they stand, newest first, with what explains a difference.
DAYS: Final = sa.text("""
SELECT a.customer_id, a.name AS account_name, a.lane, a.time_zone, d.*, x.name AS action_name, x.one_per_click, s.status, s.alerts,
  s.last_upload_at
FROM app.reconciliation_days d
JOIN app.ads_accounts a ON a.id = d.ads_account_id
LEFT JOIN app.ads_actions x ON x.ads_account_id = d.ads_account_id AND x.action_id = d.action_id
LEFT JOIN app.google_upload_status s ON s.ads_account_id = d.ads_account_id AND s.action_id = d.action_id
  AND s.client = :client
WHERE d.day >= :first_day AND (CAST(:customer_id AS text) IS NULL OR a.customer_id = :customer_id)
  AND (CAST(:action_id AS text) IS NULL OR d.action_id = :action_id)
ORDER BY d.day DESC, a.customer_id, d.action_id
""")
