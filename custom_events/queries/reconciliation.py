"""The ledger by account, conversion action and day of the call, laid beside what Google says of the same."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from custom_events.destinations.traits import sql_list
from custom_events.queries.zones import ZONES, local_day

_CALLED_ON: Final = local_day("r.intent_at", "a")
_COUNTS_IN_SUMMARIES: Final = sql_list(lambda traits: traits.keeps_summaries)
_COUNTS_IN_VERDICTS: Final = sql_list(lambda traits: not traits.keeps_summaries)

# The accounts that have sent anything since, with each API that they sent it by; with a customer id, that one.
ACCOUNTS: Final = sa.text("""
SELECT a.id, a.customer_id, a.name, l.lane, a.login_customer_id, a.time_zone FROM app.ads_accounts a
CROSS JOIN LATERAL (SELECT DISTINCT r.lane FROM app.upload_requests r WHERE r.ads_account_id = a.id AND r.intent_at >= :since) l
WHERE CAST(:customer_id AS text) IS NULL OR a.customer_id = :customer_id
ORDER BY a.customer_id, l.lane
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
KEEP_JOB_COUNTS: Final = sa.text(f"""
UPDATE app.upload_requests r SET counts = CAST(g.counts AS json)
FROM unnest(CAST(:job_id AS bigint[]), CAST(:counts AS text[])) AS g(job_id, counts)
WHERE r.ads_account_id = :account AND r.intent_at >= :since AND r.job_id = g.job_id AND r.lane IN ({_COUNTS_IN_SUMMARIES})
  AND r.counts::text IS DISTINCT FROM g.counts
""")

# Days whose retention is over.
FORGET_DAYS: Final = sa.text("DELETE FROM app.reconciliation_days WHERE day < :before")


def forget(connection: sa.Connection, before: datetime) -> int:
    """Delete the days before then. How many rows."""
    return connection.execute(FORGET_DAYS, {"before": before.date()}).rowcount


_OURS: Final = """sent, accepted, pending, refused, unknown, again, ended, unattributable, already_there, without_click, retracted, reasons,
  events, unanswered"""
_GOOGLES: Final = "google_successful, google_failed, google_pending"


def _of(row: str, columns: str) -> str:
    return ", ".join(f"{row}.{column.strip()}" for column in columns.split(","))


# Only what says something else is written, and the newest day of each account of which Google has told: that says when it was read last.
_SAYS_MORE: Final = f"""(d.day IS NULL OR ({_of("d", _OURS)}) IS DISTINCT FROM ({_of("f", _OURS)})
  OR f.google_successful IS NOT NULL AND (f.is_newest OR ({_of("d", _GOOGLES)}) IS DISTINCT FROM ({_of("f", _GOOGLES)})))"""

# For the rest of the transaction rows are found by reading the days of the ledger once: of attempts, which name rows by number alone, the
# planner expects few, and looks each up in every partition.
READ_ONCE: Final = sa.text("SELECT set_config('enable_nestloop', 'off', true)")

# The first call since a moment; of each account the index says it.
FIRST_REQUEST: Final = sa.text("""
SELECT min(r.id) FROM app.ads_accounts a
CROSS JOIN LATERAL (SELECT min(q.id) AS id FROM app.upload_requests q WHERE q.ads_account_id = a.id AND q.intent_at >= :since) r
""")

# Our side of every day since: each row once, on the day of its last call; and what the calls of the day carried. Google's side of a
# day on which the Data Manager was used is what it counted call by call, whichever API a call went by; of others its summary has it.
# A call that failed as a whole left nothing at Google; one without an answer may have. `calls`: attempts, and what requests keep
# for their rows; a row that was sent and has left that state has an attempt that says so.
KEEP_DAYS: Final = sa.text(f"""
WITH zones AS MATERIALIZED ({ZONES}),
accounts AS MATERIALIZED (
  SELECT a.id, z.starts, z.offsets FROM app.ads_accounts a LEFT JOIN zones z ON z.zone = a.time_zone),
requests AS MATERIALIZED (SELECT * FROM app.upload_requests r WHERE r.id >= :first_request AND r.intent_at >= :since),
rows AS MATERIALIZED (  -- that may have been carried by one of them: it is their last, or what came of the last is forgotten
  SELECT id, created_at, ads_account_id, ads_action_id, state, kind, reason, click_kind, attempts, request_id
  FROM app.conversion_uploads u WHERE u.request_id >= :first_request AND u.created_at >= :made_since
  UNION ALL
  SELECT id, created_at, ads_account_id, ads_action_id, state, kind, reason, click_kind, attempts, request_id
  FROM app.conversion_uploads u WHERE u.request_id IS NULL AND u.attempts > 0 AND u.created_at >= :made_since),
calls AS MATERIALIZED (
  SELECT t.upload_id, t.request_id, max(t.at) AS at FROM (
    SELECT upload_id, request_id, at FROM app.upload_attempts WHERE at >= :since
    UNION ALL
    SELECT u.id, r.id, r.answered_at FROM app.upload_requests r JOIN rows u ON u.request_id = r.id
    WHERE r.id >= :first_request AND r.answered_at >= :since
      AND (r.shared_verdict = 'accepted' AND u.state = 'accepted' OR r.shared_verdict = 'pending' AND u.state = 'sent')) t
  GROUP BY 1, 2),
newest AS (SELECT DISTINCT ON (upload_id) upload_id, request_id FROM calls ORDER BY upload_id, at DESC, request_id DESC),
moved AS MATERIALIZED (
  SELECT u.id, u.ads_account_id, x.action_id, u.state, u.kind, u.reason, u.click_kind,
    {_CALLED_ON} AS day
  FROM rows u
  JOIN accounts a ON a.id = u.ads_account_id
  JOIN app.ads_actions x ON x.id = u.ads_action_id
  LEFT JOIN newest n ON n.upload_id = u.id
  JOIN requests r ON r.id = coalesce(n.request_id, u.request_id)
  WHERE u.attempts > 0
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
    count(*) FILTER (WHERE click_kind IS NULL) AS without_click,
    count(*) FILTER (WHERE kind = 'retraction') AS retracted
  FROM moved GROUP BY 1, 2, 3),
reasons AS (
  SELECT ads_account_id, action_id, day, jsonb_object_agg(reason, rows) AS reasons
  FROM (SELECT ads_account_id, action_id, day, reason, count(*) AS rows FROM moved WHERE reason IS NOT NULL GROUP BY 1, 2, 3, 4) c
  GROUP BY 1, 2, 3),
carried AS (
  SELECT u.ads_account_id, x.action_id, {_CALLED_ON} AS day,
    count(*) FILTER (WHERE r.outcome = 'answered') AS events, count(*) FILTER (WHERE r.outcome = 'unknown') AS unanswered
  FROM calls c
  JOIN requests r ON r.id = c.request_id
  JOIN rows u ON u.id = c.upload_id
  JOIN accounts a ON a.id = u.ads_account_id
  JOIN app.ads_actions x ON x.id = u.ads_action_id
  GROUP BY 1, 2, 3),
told AS (
  SELECT r.ads_account_id, c.key AS action_id, {_CALLED_ON} AS day,
    sum((c.value ->> 'successful')::bigint) AS successful, sum((c.value ->> 'failed')::bigint) AS failed,
    sum((c.value ->> 'pending')::bigint) AS pending
  FROM requests r
  JOIN accounts a ON a.id = r.ads_account_id
  CROSS JOIN LATERAL jsonb_each(r.counts::jsonb) AS c
  WHERE jsonb_typeof(c.value) = 'object'
  GROUP BY 1, 2, 3 HAVING bool_or(r.lane IN ({_COUNTS_IN_VERDICTS}))),
found AS MATERIALIZED (
  SELECT ads_account_id, action_id, day, coalesce(o.sent, 0) AS sent, coalesce(o.accepted, 0) AS accepted,
    coalesce(o.pending, 0) AS pending, coalesce(o.refused, 0) AS refused, coalesce(o.unknown, 0) AS unknown,
    coalesce(o.again, 0) AS again, coalesce(o.ended, 0) AS ended, coalesce(o.unattributable, 0) AS unattributable,
    coalesce(o.already_there, 0) AS already_there, coalesce(o.without_click, 0) AS without_click,
    coalesce(o.retracted, 0) AS retracted, coalesce(s.reasons, '{{}}') AS reasons, coalesce(c.events, 0) AS events,
    coalesce(c.unanswered, 0) AS unanswered, CAST(t.successful AS bigint) AS google_successful,
    CAST(t.failed AS bigint) AS google_failed, CAST(t.pending AS bigint) AS google_pending,
    day = max(day) FILTER (WHERE t.successful IS NOT NULL) OVER (PARTITION BY ads_account_id) AS is_newest
  FROM ours o
  FULL JOIN carried c USING (ads_account_id, action_id, day)
  FULL JOIN told t USING (ads_account_id, action_id, day)
  LEFT JOIN reasons s USING (ads_account_id, action_id, day)
  WHERE day >= :first_day),
emptied AS (  -- a row that was sent again has left the day of its earlier call
  UPDATE app.reconciliation_days d
  SET sent = 0, accepted = 0, pending = 0, refused = 0, unknown = 0, again = 0, ended = 0, unattributable = 0, already_there = 0,
    without_click = 0, retracted = 0, reasons = '{{}}', events = 0, unanswered = 0, updated_at = :now
  WHERE d.day >= :first_day AND (d.sent > 0 OR d.events > 0 OR d.unanswered > 0)
    AND NOT EXISTS (SELECT FROM found f WHERE f.ads_account_id = d.ads_account_id AND f.action_id = d.action_id AND f.day = d.day))
INSERT INTO app.reconciliation_days AS d (ads_account_id, action_id, day, {_OURS}, {_GOOGLES}, google_read_at, updated_at)
SELECT f.ads_account_id, f.action_id, f.day, {_of("f", _OURS)}, {_of("f", _GOOGLES)},
  CASE WHEN f.google_successful IS NOT NULL THEN CAST(:now AS timestamptz) END, :now
FROM found f LEFT JOIN app.reconciliation_days d
  ON d.ads_account_id = f.ads_account_id AND d.action_id = f.action_id AND d.day = f.day AND d.day >= :first_day
WHERE {_SAYS_MORE}
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

# Google's daily figures of one account, action by action, beside ours: those that changed, and the newest, which says when it was read.
# Days on which only Google counted are kept as well.
KEEP_GOOGLE_DAYS: Final = sa.text("""
INSERT INTO app.reconciliation_days AS d (ads_account_id, action_id, day, google_successful, google_failed, google_pending,
  google_read_at, updated_at)
SELECT :account, g.action_id, g.day, g.successful, g.failed, g.pending, :now, :now
FROM (SELECT *, max(day) OVER () AS newest FROM unnest(CAST(:action_id AS text[]), CAST(:day AS date[]),
  CAST(:successful AS bigint[]), CAST(:failed AS bigint[]), CAST(:pending AS bigint[])) AS g(action_id, day, successful, failed, pending)) g
LEFT JOIN app.reconciliation_days d ON d.ads_account_id = :account AND d.action_id = g.action_id AND d.day = g.day
WHERE g.day = g.newest OR (d.google_successful, d.google_failed, d.google_pending) IS DISTINCT FROM (g.successful, g.failed, g.pending)
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
