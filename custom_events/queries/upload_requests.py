"""Calls to Google and the accounts they are made for: whose turn it is, intent, answer, polls, parking and pauses."""

from typing import Final

import sqlalchemy as sa

from custom_events.queries.uploads import CLAIMED_COLUMNS, DUE, IN_ORDER, PAST, TIME_HAS_COME, WAITS

# Conversions of the past leave a share of the quota to those of today.
HISTORY_MAY_GO: Final = (
    "NOT EXISTS (SELECT FROM app.quota_buckets b WHERE b.name = a.lane AND b.history_until > CAST(:now AS timestamptz))"
)

# Who has something to send, of which kind, today's before the past's: whoever was served longest ago comes first. Parked and paused accounts wait. The
# kinds are asked for apart, as each has an index in which the first row answers.
TURNS: Final = sa.text(f"""
SELECT a.id, a.customer_id, a.lane, a.login_customer_id, k.kind, k.history,
  a.capabilities IS NULL OR jsonb_exists(a.capabilities, 'stale') AS unprobed
FROM app.ads_accounts a
CROSS JOIN LATERAL (
  SELECT 'conversions' AS kind, false AS history WHERE EXISTS (SELECT FROM app.conversion_uploads u
    WHERE u.ads_account_id = a.id AND {PAST} = 0 AND {WAITS} AND u.kind = 'conversion' AND {TIME_HAS_COME})
  UNION ALL
  SELECT 'conversions', true WHERE {HISTORY_MAY_GO} AND EXISTS (SELECT FROM app.conversion_uploads u
    WHERE u.ads_account_id = a.id AND {PAST} = 1 AND {WAITS} AND u.kind = 'conversion' AND {TIME_HAS_COME})
  UNION ALL
  SELECT 'adjustments', false WHERE EXISTS (SELECT FROM app.conversion_uploads u
    WHERE u.ads_account_id = a.id AND {WAITS} AND u.kind <> 'conversion' AND {TIME_HAS_COME})) k
WHERE a.parked_reason IS NULL AND (a.paused_until IS NULL OR a.paused_until <= :now)
ORDER BY k.history, (SELECT max(r.intent_at) FROM app.upload_requests r WHERE r.ads_account_id = a.id) NULLS FIRST, a.id, k.kind DESC
LIMIT :accounts
""")

# Intent: committed with the claimed rows, before the call. With its id comes what the claim has to know: the account's parked
# actions, and the oldest request of this kind whose rows go again in smaller parts and may go now; a part that was claimed and
# given back names a request that is no more, and goes again as it was. One statement, as each costs a way to the server and
# back. For the rest of the transaction rows come in the order of their index and are not sorted: left to itself the planner
# sorts the whole backlog of an account for every batch, wherever its statistics are a little old.
INTEND: Final = sa.text("""
WITH intent AS (
  INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at)
  VALUES (:account, :lane, :kind, 0, :now) RETURNING id),
parked AS (
  SELECT ARRAY(SELECT id FROM app.ads_actions WHERE ads_account_id = :account AND parked_reason IS NOT NULL) AS ids),
split AS (
  SELECT u.request_id AS id, count(*) AS rows FROM app.conversion_uploads u, parked p
  WHERE u.ads_account_id = :account AND u.reason = 'split' AND u.state = 'queued'
    AND (u.kind = 'conversion') = (:kind = 'conversions') AND u.ads_action_id <> ALL(p.ids) AND u.not_before <= :now
  GROUP BY 1 ORDER BY 1 LIMIT 1)
SELECT i.id, p.ids AS parked, s.id AS earlier, coalesce(r.rows, s.rows * :parts) AS earlier_rows,
  set_config('enable_sort', 'off', true)
FROM intent i CROSS JOIN parked p LEFT JOIN split s ON true LEFT JOIN app.upload_requests r ON r.id = s.id
""")

# How many rows the request carries, and our job id.
INTEND_ROWS: Final = sa.text("UPDATE app.upload_requests SET rows = :rows, job_id = :job_id WHERE id = :request")

# An intent that came to nothing: no row was left to send.
DROP_INTENT: Final = sa.text("DELETE FROM app.upload_requests WHERE id = :request")

# The answer, or that there was none.
ANSWERED: Final = sa.text("""
UPDATE app.upload_requests
SET answered_at = :now, outcome = :outcome, code = :code, sentence = :sentence, google_request_id = :google_request_id,
  next_poll_at = :next_poll_at, told = :told, told_rows = :told_rows
WHERE id = :request
""")

# Requests whose worker went away before the answer was written.
ABANDONED: Final = sa.text("""
UPDATE app.upload_requests SET outcome = 'unknown', sentence = 'The worker went away before an answer was written'
WHERE id = ANY(CAST(:requests AS bigint[])) AND answered_at IS NULL
""")

# One request whose verdict is due; taken by moving its next poll ahead, so that others leave it alone.
DUE_POLL: Final = sa.text("""
UPDATE app.upload_requests r SET next_poll_at = :lease_until
FROM app.ads_accounts a
WHERE r.id = (SELECT id FROM app.upload_requests WHERE next_poll_at <= :now ORDER BY next_poll_at LIMIT 1
              FOR UPDATE SKIP LOCKED)
  AND a.id = r.ads_account_id
RETURNING r.id, r.rows, r.kind, r.intent_at, r.answered_at, r.google_request_id, a.id AS account_id, a.customer_id, a.lane,
  a.login_customer_id
""")

# Ask again later.
POLL_LATER: Final = sa.text("""
UPDATE app.upload_requests SET next_poll_at = :next_poll_at, code = :code, sentence = :sentence WHERE id = :request
""")

# The verdict came.
POLLED: Final = sa.text("""
UPDATE app.upload_requests SET next_poll_at = NULL, counts = CAST(:counts AS json), code = :code, sentence = :sentence
WHERE id = :request
""")

# Stop an account until a person acts; the first reason stays.
PARK_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = :reason, parked_at = :now, recheck_at = :recheck_at, updated_at = :now
WHERE id = :account AND parked_reason IS NULL
""")

# Stop every account of a lane: the fault is in the project or the credentials they share.
PARK_LANE: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = :reason, parked_at = :now, recheck_at = :recheck_at, updated_at = :now
WHERE lane = :lane AND parked_reason IS NULL
""")

# Stop one conversion action until a person acts.
PARK_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = :reason, parked_at = :now, recheck_at = :recheck_at, updated_at = :now
WHERE id = :action AND parked_reason IS NULL
""")

# Wait, then go on without anybody's doing; a longer pause stays.
PAUSE_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts SET paused_until = greatest(paused_until, :until), paused_reason = :reason, updated_at = :now
WHERE id = :account
""")

# The same for every account of a lane: they share the project's quota.
PAUSE_LANE: Final = sa.text("""
UPDATE app.ads_accounts SET paused_until = greatest(paused_until, :until), paused_reason = :reason, updated_at = :now
WHERE lane = :lane
""")

# Resume an account and its actions after what was wrong is mended.
RELEASE_ACCOUNT: Final = sa.text("""
WITH actions AS (
  UPDATE app.ads_actions SET parked_reason = NULL, parked_at = NULL, recheck_at = NULL, updated_at = :now
  WHERE ads_account_id = :account AND parked_reason IS NOT NULL)
UPDATE app.ads_accounts SET parked_reason = NULL, parked_at = NULL, recheck_at = NULL, paused_until = NULL,
  paused_reason = NULL, updated_at = :now
WHERE id = :account RETURNING customer_id
""")

# A parked account whose recheck is due; taken by moving the next one ahead.
RECHECK_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts a SET recheck_at = :next
WHERE a.id = (SELECT id FROM app.ads_accounts WHERE parked_reason IS NOT NULL AND recheck_at <= :now
              ORDER BY recheck_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING a.id, a.customer_id, a.lane, a.login_customer_id, NULL::bigint AS action
""")

# A parked conversion action of an account that is not parked itself, likewise.
RECHECK_ACTION: Final = sa.text("""
UPDATE app.ads_actions x SET recheck_at = :next
FROM app.ads_accounts a
WHERE x.id = (SELECT y.id FROM app.ads_actions y JOIN app.ads_accounts b ON b.id = y.ads_account_id
              WHERE y.parked_reason IS NOT NULL AND y.recheck_at <= :now AND b.parked_reason IS NULL
              ORDER BY y.recheck_at LIMIT 1 FOR UPDATE OF y SKIP LOCKED)
  AND a.id = x.ads_account_id
RETURNING a.id, a.customer_id, a.lane, a.login_customer_id, x.id AS action
""")

# One row that waits for a parked account or action: what the recheck tries. Where only adjustments wait, their conversion is asked
# about: a validated one leaves nothing behind, and one that is there already is an answer as well.
WAITING_SAMPLE: Final = sa.text(f"""
SELECT {CLAIMED_COLUMNS}
FROM app.conversion_uploads u JOIN app.ads_actions a ON a.id = u.ads_action_id
WHERE u.ads_account_id = :account AND {WAITS}
  AND u.not_before <= :now AND (CAST(:action AS bigint) IS NULL OR u.ads_action_id = :action)
  AND (CAST(:action AS bigint) IS NOT NULL OR a.parked_reason IS NULL)
ORDER BY u.kind <> 'conversion', u.deadline_at LIMIT 1
""")

# The account is mended.
UNPARK_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = NULL, parked_at = NULL, recheck_at = NULL, updated_at = :now WHERE id = :account
""")

# The conversion action is mended.
UNPARK_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = NULL, parked_at = NULL, recheck_at = NULL, updated_at = :now WHERE id = :action
""")

# Held rows of an account may go now; with `reason`, those that are held for it, with `order_id` and `site_key` those of that order
# and site. What waits for a consent goes only when that is the reason named.
RELEASE_HELD: Final = sa.text("""
UPDATE app.conversion_uploads SET not_before = :now, updated_at = :now
WHERE ads_account_id = :account AND waits AND state IN ('held', 'queued') AND not_before > :now
  AND CASE WHEN CAST(:reason AS text) IS NOT NULL THEN reason = :reason
    ELSE reason IS DISTINCT FROM 'consent_unknown_in_europe' END
  AND (CAST(:order_id AS text) IS NULL OR order_id = :order_id)
  AND (CAST(:site_key AS text) IS NULL OR site_id = (SELECT s.id FROM app.sites s WHERE s.site_key = :site_key))
""")

# Refused rows of an account go once more, unless it is too late for them; with `reason`, those with that code, with `order_id`,
# those of that order. Their keys are theirs still, so nothing counts twice.
RETRY_REFUSED: Final = sa.text("""
UPDATE app.conversion_uploads
SET state = 'queued', reason = NULL, not_before = :now, settled_at = NULL, updated_at = :now,
  sentence = 'Sent again by hand; before: ' || coalesce(sentence, reason, 'refused')
WHERE ads_account_id = :account AND state = 'rejected' AND deadline_at > :now
  AND (CAST(:reason AS text) IS NULL OR reason = :reason)
  AND (CAST(:order_id AS text) IS NULL OR order_id = :order_id)
""")

# Stop an account by hand: nothing rechecks it, a person lets it go on. Another reason replaces the one there is.
HOLD_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = :reason, parked_at = coalesce(parked_at, :now), recheck_at = NULL, updated_at = :now
WHERE id = :account
""")

# The same for one conversion action.
HOLD_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = :reason, parked_at = coalesce(parked_at, :now), recheck_at = NULL, updated_at = :now
WHERE ads_account_id = :account AND action_id = :action_id
""")

# It goes on.
RELEASE_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = NULL, parked_at = NULL, recheck_at = NULL, updated_at = :now
WHERE ads_account_id = :account AND action_id = :action_id
""")

# Rows of an account that wait are held by hand, those of an order or of a site; what is at Google, or may be, is not.
HOLD_ROWS: Final = sa.text("""
UPDATE app.conversion_uploads u
SET state = 'held', reason = 'held_by_hand', sentence = :sentence, not_before = u.deadline_at, updated_at = :now
WHERE u.ads_account_id = :account AND u.waits AND u.state <> 'unknown'
  AND (CAST(:order_id AS text) IS NULL OR u.order_id = :order_id)
  AND (CAST(:site_key AS text) IS NULL OR u.site_id = (SELECT s.id FROM app.sites s WHERE s.site_key = :site_key))
""")

# Is there anything to do now: rows due in an account that may send, leases that ran out, polls, changed values?
HAS_WORK: Final = sa.text(f"""
SELECT EXISTS (SELECT FROM app.value_changes) OR EXISTS (SELECT FROM app.standing_changes)
  OR EXISTS (SELECT FROM app.conversion_uploads u
    WHERE u.request_id = ANY(ARRAY(SELECT r.id FROM app.upload_requests r WHERE r.outcome IS NULL)) AND u.state = 'claimed' AND u.lease_until < :now)
  OR EXISTS (SELECT FROM app.upload_requests WHERE next_poll_at <= :now)
  OR EXISTS (SELECT FROM app.ads_accounts WHERE parked_reason IS NOT NULL AND recheck_at <= :now)
  OR EXISTS (SELECT FROM app.ads_actions WHERE parked_reason IS NOT NULL AND recheck_at <= :now)
  OR EXISTS (SELECT FROM app.ads_accounts a
    WHERE a.parked_reason IS NULL AND (a.paused_until IS NULL OR a.paused_until <= :now)
      AND (EXISTS (SELECT FROM app.conversion_uploads u
          WHERE u.ads_account_id = a.id AND u.kind = 'conversion' AND {DUE} AND {PAST} = 0)
        OR ({HISTORY_MAY_GO} AND EXISTS (SELECT FROM app.conversion_uploads u
          WHERE u.ads_account_id = a.id AND u.kind = 'conversion' AND {DUE} AND {PAST} = 1))
        OR EXISTS (SELECT FROM app.conversion_uploads u
          WHERE u.ads_account_id = a.id AND u.kind <> 'conversion' AND {DUE} AND {IN_ORDER})))
""")

# The account of a customer id.
ACCOUNT: Final = sa.text(
    "SELECT id, customer_id, lane, login_customer_id FROM app.ads_accounts WHERE customer_id = :customer_id"
)

# The conversion actions that are configured for an account.
ACTIONS_OF: Final = sa.text("""
SELECT id, action_id, click_window_days, one_per_click, action_created_at FROM app.ads_actions WHERE ads_account_id = :account
ORDER BY id
""")

# Something was refused that a probe may explain: it is run again before the next call. Accounts of a lane, or one.
PROBE_AGAIN: Final = sa.text("""
UPDATE app.ads_accounts SET capabilities = capabilities || '{"stale": true}'
WHERE capabilities IS NOT NULL AND (id = :account OR (lane = :lane AND :whole_lane))
""")

# What a probe found.
KEEP_CAPABILITIES: Final = sa.text("""
UPDATE app.ads_accounts SET capabilities = CAST(:found AS jsonb), updated_at = :now WHERE id = :account
""")

# A conversion action as Google describes it now; only those that are configured.
KEEP_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET action_type = :action_type, one_per_click = :one_per_click, updated_at = :now,
  click_window_days = CASE WHEN :days BETWEEN 1 AND 90 THEN :days ELSE click_window_days END
WHERE ads_account_id = :account AND action_id = :action_id
""")

# How each account stands: its stops, its rows by state, and those that will be too late by `soon`.
OVERVIEW: Final = sa.text("""
SELECT a.customer_id, a.name, a.lane, a.parked_reason, a.parked_at, a.paused_reason,
  CASE WHEN a.paused_until > :now THEN a.paused_until END AS paused_until,
  coalesce((SELECT jsonb_object_agg(c.state, c.rows) FROM (
      SELECT state, count(*) AS rows FROM app.conversion_uploads u WHERE u.ads_account_id = a.id GROUP BY state) c), '{}') AS states,
  (SELECT count(*) FROM app.conversion_uploads u
   WHERE u.ads_account_id = a.id AND u.waits AND u.deadline_at <= :soon) AS expiring
FROM app.ads_accounts a ORDER BY a.customer_id
""")

# Why rows stand where they stand, by account. `next_at`: when the first of those that are held goes on.
STANDING: Final = sa.text("""
SELECT a.customer_id, u.state, u.reason, count(*) AS rows, min(u.sentence) AS sentence,
  min(u.not_before) FILTER (WHERE u.state = 'held' AND u.not_before < u.deadline_at) AS next_at
FROM app.conversion_uploads u JOIN app.ads_accounts a ON a.id = u.ads_account_id
WHERE u.reason IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 3
""")

# Conversion actions that are stopped.
PARKED_ACTIONS: Final = sa.text("""
SELECT a.customer_id, x.action_id, x.name, x.parked_reason, x.parked_at
FROM app.ads_actions x JOIN app.ads_accounts a ON a.id = x.ads_account_id
WHERE x.parked_reason IS NOT NULL ORDER BY a.customer_id, x.action_id
""")
