"""Calls to Google and the accounts they are made for: whose turn it is, intent, answer, polls, parking and pauses."""

from typing import Final

import sqlalchemy as sa

from custom_events.queries import hand_holds
from custom_events.queries.places import NOT_REDACTED_UPLOAD
from custom_events.queries.upload_stops import RECHECK_DUE
from custom_events.queries.uploads import (
    CLAIMED_COLUMNS,
    IS_BACKFILL,
    IS_CLAIMABLE,
    IS_DUE,
    IS_READY,
    goes_by,
    in_order,
)
from custom_events.queries.withholding import CERTAINLY_NOT_THERE, MAY_GO_AFTER_ALL
from custom_events.tables.key_places import is_transaction
from custom_events.values.conversions import Lane

# Conversions of the past leave a share of the quota to those of today.
HISTORY_MAY_GO: Final = (
    "NOT EXISTS (SELECT FROM app.quota_buckets b WHERE b.name = a.lane AND b.history_until > CAST(:now AS timestamptz))"
)

# The account's API of today is not paused.
_MAY_CALL: Final = "(a.paused_until IS NULL OR a.paused_until <= :now)"
_MAY_ADJUST: Final = """NOT EXISTS (SELECT FROM app.upload_stops s
    WHERE s.ads_account_id = a.id AND s.lane = {lane} AND s.concerns = 'adjustments' AND s.recheck_at IS NOT NULL)"""

# APIs that an account has used and does not use today: what may have come to Google by them, and adjustments of what did, go there.
_LANES: Final = ", ".join(f"('{lane.value}')" for lane in Lane)
_OTHER_LANES: Final = f"""(VALUES {_LANES}) l(lane)
  WHERE l.lane <> a.lane AND EXISTS (SELECT FROM app.upload_requests r WHERE r.ads_account_id = a.id AND r.lane = l.lane)
    AND NOT EXISTS (SELECT FROM app.upload_stops s WHERE s.ads_account_id = a.id AND s.lane = l.lane AND s.concerns = 'account'
      AND (s.recheck_at IS NOT NULL OR s.until > :now))"""
_ADJUSTED: Final = (
    "AND o.created_at >= :adjusted_since AND o.created_at < :until"  # their conversions, and earlier adjustments
)
_UNSETTLED: Final = f"u.kind = 'conversion' AND {IS_BACKFILL} IN (0, 1) AND u.unsettled_lane = l.lane"

# Who has something to send, of which kind, today's before the past's: whoever was served longest ago comes first. Parked and paused accounts wait. The
# kinds are asked for apart, as each has an index in which the first row answers.
TURNS: Final = sa.text(f"""
SELECT a.id, a.customer_id, k.lane, a.login_customer_id, k.kind, k.history, k.lane <> a.lane AS is_other_lane,
  a.capabilities IS NULL OR jsonb_exists(a.capabilities, 'stale') AS unprobed
FROM app.ads_accounts a
CROSS JOIN LATERAL (
  SELECT a.lane, 'conversions' AS kind, false AS history WHERE {_MAY_CALL} AND EXISTS (SELECT FROM app.conversion_uploads u
    WHERE u.ads_account_id = a.id AND {IS_BACKFILL} = 0 AND {IS_CLAIMABLE} AND u.kind = 'conversion' AND {IS_DUE}
      AND {goes_by("a.lane", "a.lane")})
  UNION ALL
  SELECT a.lane, 'conversions', true WHERE {_MAY_CALL} AND {HISTORY_MAY_GO} AND EXISTS (SELECT FROM app.conversion_uploads u
    WHERE u.ads_account_id = a.id AND {IS_BACKFILL} = 1 AND {IS_CLAIMABLE} AND u.kind = 'conversion' AND {IS_DUE}
      AND {goes_by("a.lane", "a.lane")})
  UNION ALL
  SELECT a.lane, 'adjustments', false WHERE {_MAY_CALL} AND {_MAY_ADJUST.format(lane="a.lane")}
    AND EXISTS (SELECT FROM app.conversion_uploads u
      WHERE u.ads_account_id = a.id AND {IS_CLAIMABLE} AND u.kind <> 'conversion' AND {IS_DUE})
  UNION ALL
  SELECT l.lane, 'conversions', false FROM {_OTHER_LANES} AND EXISTS (SELECT FROM app.conversion_uploads u
    WHERE u.ads_account_id = a.id AND {IS_CLAIMABLE} AND {IS_DUE} AND {_UNSETTLED})
  UNION ALL
  SELECT l.lane, 'adjustments', false FROM {_OTHER_LANES} AND {_MAY_ADJUST.format(lane="l.lane")}
    AND EXISTS (SELECT FROM app.conversion_uploads u
      WHERE u.ads_account_id = a.id AND {IS_CLAIMABLE} AND u.kind <> 'conversion' AND {IS_DUE} AND {in_order("l.lane")})) k
WHERE a.parked_reason IS NULL
ORDER BY k.history, (SELECT max(r.intent_at) FROM app.upload_requests r WHERE r.ads_account_id = a.id) NULLS FIRST, a.id, k.kind DESC, k.lane
LIMIT :accounts
""")

# Intent: committed with the claimed rows, before the call. With its id comes what the claim has to know: the account's parked
# actions, why nothing with hashed e-mail or phone may go, and the oldest request of this kind and API whose rows go again in smaller
# parts and may go now; a part that was claimed and given back names a request that is no more, and goes again as it was. One
# statement, as each costs a way to the server and back. What a poll needs is kept with the request: the account may go through another
# API or manager by then. For the rest of the transaction rows come in the order of their index and are not sorted: left to itself
# the planner sorts the whole backlog of an account for every batch, wherever its statistics are a little old. A claim moves rows among
# states that are all `open` in the tallies, whose trigger need not look at them. What transactions from
# `horizon` on write about consent the claim may not see: it is looked for before the call.
CREATE_REQUEST: Final = sa.text(f"""
WITH intent AS (
  INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at, customer_id, login_customer_id)
  VALUES (:account, :lane, :kind, 0, :now, :customer_id, :login_customer_id) RETURNING id),
parked AS (
  SELECT ARRAY(SELECT id FROM app.ads_actions WHERE ads_account_id = :account AND parked_reason IS NOT NULL) AS ids),
split AS (
  SELECT u.request_id AS id, count(*) AS rows FROM app.conversion_uploads u, parked p
  WHERE u.ads_account_id = :account AND u.reason = 'split' AND u.state = 'queued'
    AND (u.kind = 'conversion') = (:kind = 'conversions') AND u.ads_action_id <> ALL(p.ids) AND u.not_before <= :now
    AND {goes_by("CAST(:lane AS text)", ":own_lane")}
  GROUP BY 1 ORDER BY 1 LIMIT 1)
SELECT i.id, p.ids AS parked, s.id AS earlier, coalesce(r.rows, s.rows * :parts) AS earlier_rows,
  d.code AS no_user_data_code, d.reason AS no_user_data_reason,
  CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS horizon,
  set_config('enable_sort', 'off', true), set_config('custom_events.tallied', 'on', true)
FROM intent i CROSS JOIN parked p LEFT JOIN split s ON true LEFT JOIN app.upload_requests r ON r.id = s.id
LEFT JOIN app.upload_stops d ON d.ads_account_id = :account AND d.lane = :lane AND d.concerns = 'user_data'
""")

# How many rows the request carries, and our job id.
FILL_REQUEST: Final = sa.text("UPDATE app.upload_requests SET rows = :rows, job_id = :job_id WHERE id = :request")

# An intent that came to nothing: no row was left to send.
DROP_REQUEST: Final = sa.text("DELETE FROM app.upload_requests WHERE id = :request")

# The answer, or that there was none.
ANSWERED: Final = sa.text("""
UPDATE app.upload_requests
SET answered_at = :now, outcome = :outcome, code = :code, sentence = :sentence, google_request_id = :google_request_id,
  next_poll_at = :next_poll_at, shared_verdict = :shared_verdict, shared_rows = :shared_rows
WHERE id = :request
""")

# Requests whose worker went away before the answer was written.
ABANDONED: Final = sa.text("""
UPDATE app.upload_requests SET outcome = 'unknown', sentence = 'The worker went away before an answer was written'
WHERE id = ANY(CAST(:requests AS bigint[])) AND answered_at IS NULL
""")

# One request whose verdict is due; taken by moving its next poll ahead, so that others leave it alone. It is asked about as it was
# sent: by the API, the account and the manager of that time (those made before migration 0021 have the account's of today).
DUE_POLL: Final = sa.text("""
UPDATE app.upload_requests r SET next_poll_at = :lease_until
FROM app.ads_accounts a
WHERE r.id = (SELECT id FROM app.upload_requests WHERE next_poll_at <= :now ORDER BY next_poll_at LIMIT 1
              FOR UPDATE SKIP LOCKED)
  AND a.id = r.ads_account_id
RETURNING r.id, r.rows, r.kind, r.intent_at, r.answered_at, r.google_request_id, a.id AS account_id, r.lane,
  coalesce(r.customer_id, a.customer_id) AS customer_id,
  CASE WHEN r.customer_id IS NULL THEN a.login_customer_id ELSE r.login_customer_id END AS login_customer_id
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

_CONSENT: Final = """LEFT JOIN LATERAL (
  SELECT s.ad_user_data, s.ad_personalization FROM app.order_consents s
  WHERE s.site_id = u.site_id AND s.order_id = u.order_id LIMIT 1) c ON true"""
_NOBODY_REFUSED: Final = (
    "'denied' NOT IN (u.ad_user_data, coalesce(c.ad_user_data, ''), coalesce(c.ad_personalization, ''))"
)

# One row that waits for what was stopped: what is tried. First one that was refused with the very code, then any that the stop
# concerns and that is due. Nobody who refused is asked about.
WAITING_SAMPLE: Final = sa.text(f"""
(SELECT {CLAIMED_COLUMNS} FROM app.conversion_uploads u {_CONSENT}
 WHERE u.ads_account_id = :account AND {IS_CLAIMABLE} AND u.reason = ANY(CAST(:codes AS text[])) AND {_NOBODY_REFUSED}
   AND (CAST(:action AS bigint) IS NULL OR u.ads_action_id = :action) LIMIT 1)
UNION ALL
(SELECT {CLAIMED_COLUMNS} FROM app.conversion_uploads u JOIN app.ads_actions a ON a.id = u.ads_action_id {_CONSENT}
 WHERE u.ads_account_id = :account AND {IS_CLAIMABLE} AND u.not_before <= :now AND NOT :only_codes AND {_NOBODY_REFUSED}
   AND (CAST(:action AS bigint) IS NULL AND a.parked_reason IS NULL OR u.ads_action_id = :action)
   AND (:concerns <> 'adjustments' OR u.kind <> 'conversion')
   AND (:concerns <> 'user_data' OR u.email_sha256 IS NOT NULL OR u.phone_sha256 IS NOT NULL)
 ORDER BY u.kind <> 'conversion', u.deadline_at LIMIT 1)
LIMIT 1
""")

# Held rows of an account may go now; with `reason`, those that are held for it, with `order_id` and `site_key` those of that order
# and site. What waits for a consent goes only when that is the reason named.
RELEASE_HELD: Final = sa.text(f"""
UPDATE app.conversion_uploads u SET {hand_holds.RELEASE}
WHERE u.ads_account_id = :account AND u.waits AND u.state IN ('held', 'queued') AND u.not_before > :now AND {hand_holds.OF_REASON}
  AND (CAST(:order_id AS text) IS NULL OR u.order_id = :order_id)
  AND (CAST(:site_key AS text) IS NULL OR u.site_id = (SELECT s.id FROM app.sites s WHERE s.site_key = :site_key))
""")

# Refused rows of an account go once more, unless it is too late for them; with `reason`, those with that code, or what a person has
# withheld, with `order_id`, those of that order. Their keys are theirs still, so nothing counts twice.
RETRY_REFUSED: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET state = 'queued', reason = NULL, not_before = :now, settled_at = NULL, updated_at = :now,
  sentence = 'Sent again by hand; before: ' || coalesce(u.sentence, u.reason, 'refused')
WHERE u.ads_account_id = :account AND u.deadline_at > :now AND u.{NOT_REDACTED_UPLOAD}
  AND (u.state = 'rejected' OR CAST(:reason AS text) IS NOT NULL AND {MAY_GO_AFTER_ALL})
  AND (CAST(:reason AS text) IS NULL OR u.reason = :reason)
  AND (CAST(:order_id AS text) IS NULL OR u.order_id = :order_id)
""")

# Rows of an account that wait are held by hand, those of an order or of a site; what is at Google, or may be, is not.
HOLD_ROWS: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET {hand_holds.HOLD}
WHERE u.ads_account_id = :account AND {CERTAINLY_NOT_THERE}
  AND (CAST(:order_id AS text) IS NULL OR u.order_id = :order_id)
  AND (CAST(:site_key AS text) IS NULL OR u.site_id = (SELECT s.id FROM app.sites s WHERE s.site_key = :site_key))
""")

# Is there anything to do now that no row of the ledger has to be looked at for: polls, changed values, stops to be tried again?
OTHER_WORK: Final = sa.text(f"""
SELECT EXISTS (SELECT FROM app.value_changes) OR EXISTS (SELECT FROM app.withdrawn_without_order)
  OR EXISTS (SELECT FROM app.upload_requests WHERE next_poll_at <= :now)
  OR {RECHECK_DUE}
""")

# Partitions in which nothing is open are not even planned for, which is most of what asking costs. No row is made in a time to come.
_OPEN: Final = "u.created_at >= :since AND u.created_at < :until"

# Accounts are asked about one by one, so only those that have something due.
_DUE_ACCOUNTS: Final = f"""WITH due AS MATERIALIZED (
  SELECT DISTINCT u.ads_account_id FROM app.conversion_uploads u WHERE {IS_CLAIMABLE} AND {IS_DUE} AND {_OPEN})"""

# Leases that ran out, and conversions that are due in an account that may send.
CONVERSIONS_WAIT: Final = sa.text(f"""
{_DUE_ACCOUNTS}
SELECT EXISTS (SELECT FROM app.conversion_uploads u
    WHERE u.request_id = ANY(ARRAY(SELECT r.id FROM app.upload_requests r WHERE r.outcome IS NULL)) AND u.state = 'claimed'
      AND u.lease_until < :now AND {_OPEN})
  OR EXISTS (SELECT FROM due JOIN app.ads_accounts a ON a.id = due.ads_account_id
    WHERE a.parked_reason IS NULL AND ({_MAY_CALL}
      AND (EXISTS (SELECT FROM app.conversion_uploads u
          WHERE u.ads_account_id = a.id AND u.kind = 'conversion' AND {IS_READY} AND {IS_BACKFILL} = 0 AND {goes_by("a.lane", "a.lane")} AND {_OPEN})
        OR ({HISTORY_MAY_GO} AND EXISTS (SELECT FROM app.conversion_uploads u
          WHERE u.ads_account_id = a.id AND u.kind = 'conversion' AND {IS_READY} AND {IS_BACKFILL} = 1 AND {goes_by("a.lane", "a.lane")}
            AND {_OPEN})))
      OR EXISTS (SELECT FROM {_OTHER_LANES}
        AND EXISTS (SELECT FROM app.conversion_uploads u WHERE u.ads_account_id = a.id AND {IS_READY} AND {_UNSETTLED} AND {_OPEN}))))
""")

# When the oldest conversion was made to which an adjustment belongs that is due; null: none is due.
ADJUSTED_SINCE: Final = sa.text(f"""
SELECT min(k.created_at) FROM app.conversion_uploads u
JOIN app.upload_keys k ON {is_transaction("k", "u")}
WHERE u.kind <> 'conversion' AND {IS_READY} AND {_OPEN}
""")

# Adjustments whose turn it is, in an account that may send them.
ADJUSTMENTS_WAIT: Final = sa.text(f"""
{_DUE_ACCOUNTS}
SELECT EXISTS (SELECT FROM due JOIN app.ads_accounts a ON a.id = due.ads_account_id
  WHERE a.parked_reason IS NULL AND ({_MAY_CALL}
    AND ({_MAY_ADJUST.format(lane="a.lane")} AND EXISTS (SELECT FROM app.conversion_uploads u
      WHERE u.ads_account_id = a.id AND u.kind <> 'conversion' AND {IS_READY} AND {in_order("a.lane", _ADJUSTED)} AND {_OPEN}))
    OR EXISTS (SELECT FROM {_OTHER_LANES} AND {_MAY_ADJUST.format(lane="l.lane")}
      AND EXISTS (SELECT FROM app.conversion_uploads u
        WHERE u.ads_account_id = a.id AND u.kind <> 'conversion' AND {IS_READY} AND {in_order("l.lane", _ADJUSTED)} AND {_OPEN}))))
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

# How each account stands, or those of some customer ids.
OVERVIEW: Final = sa.text("""
SELECT a.id, a.customer_id, a.name, a.lane, a.parked_reason, a.parked_at, a.paused_reason,
  CASE WHEN a.paused_until > :now THEN a.paused_until END AS paused_until
FROM app.ads_accounts a
WHERE CAST(:customer_ids AS text[]) IS NULL OR a.customer_id = ANY (CAST(:customer_ids AS text[]))
ORDER BY a.customer_id
""")

# How many rows of some accounts, or of every one, stand where, and why: those that are settled or at Google from the tallies (tallies.py),
# those that wait from their index, in one statement and so of one moment. Account 0: rows that go to none. `next_at`: when the first of
# those that are held goes on; `expiring`: those that will be too late by `soon`.
STANDING: Final = sa.text("""
SELECT t.subject AS account, false AS waiting, t.kind = 'conversion' AS is_conversion, t.state, t.reason,
  CAST(sum(t.count) AS bigint) AS rows, max(t.sentence) AS sentence, CAST(NULL AS timestamptz) AS next_at, 0 AS expiring
FROM (
  SELECT subject, kind, state, reason, count, sentence FROM app.tallies WHERE what = 'uploads_of_account' AND week = '1970-01-01'
  UNION ALL
  SELECT subject, kind, state, reason, change, sentence FROM app.tally_changes WHERE what = 'uploads_of_account') t
WHERE CAST(:accounts AS bigint[]) IS NULL OR t.subject = ANY (CAST(:accounts AS bigint[]))
GROUP BY 1, 3, 4, 5 HAVING sum(t.count) <> 0
UNION ALL
SELECT coalesce(u.ads_account_id, 0), true, u.kind = 'conversion', u.state, coalesce(u.reason, ''), count(*), min(u.sentence),
  min(u.not_before) FILTER (WHERE u.state = 'held' AND u.not_before < u.deadline_at),
  count(*) FILTER (WHERE u.deadline_at <= :soon)
FROM app.conversion_uploads u
WHERE u.waits AND (CAST(:accounts AS bigint[]) IS NULL OR coalesce(u.ads_account_id, 0) = ANY (CAST(:accounts AS bigint[]))) GROUP BY 1, 3, 4, 5
""")

# Conversion actions that are stopped.
PARKED_ACTIONS: Final = sa.text("""
SELECT a.customer_id, x.action_id, x.name, x.parked_reason, x.parked_at
FROM app.ads_actions x JOIN app.ads_accounts a ON a.id = x.ads_account_id
WHERE x.parked_reason IS NOT NULL ORDER BY a.customer_id, x.action_id
""")
