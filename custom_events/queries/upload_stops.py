"""What is stopped, why, and what lets it go on: accounts, conversion actions, parts of accounts; pauses that end by themselves.

Stops that reach a whole account or action stand in its row. Those that reach a part of an account, or an API that it does not use
today, stand in `app.upload_stops`.
"""

from typing import Final

import sqlalchemy as sa

# Stop an account until a person acts; the first reason stays. Only where the refusal came from the API that it uses today.
PARK_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = :reason, parked_code = :code, parked_scope = :scope, parked_lane = :lane, parked_at = :now,
  recheck_at = :recheck_at, updated_at = :now
WHERE id = :account AND lane = :lane AND parked_reason IS NULL
""")

# Stop every account of a lane: the fault is in the project or the credentials they share.
PARK_LANE: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = :reason, parked_code = :code, parked_scope = :scope, parked_lane = :lane, parked_at = :now,
  recheck_at = :recheck_at, updated_at = :now
WHERE lane = :lane AND parked_reason IS NULL
""")

# Stop one conversion action until a person acts.
PARK_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = :reason, parked_code = :code, parked_at = :now, recheck_at = :recheck_at,
  updated_at = :now
WHERE id = :action AND parked_reason IS NULL
""")

# Stop a part of an account, or an API that it does not use today (`account`); a pause that stood there becomes a stop.
_STOP: Final = """
INSERT INTO app.upload_stops AS s (ads_account_id, lane, concerns, code, reason, since, recheck_at)
SELECT a.id, :lane, :concerns, :code, :reason, :now, :recheck_at FROM app.ads_accounts a WHERE a.id = :account{condition}
ON CONFLICT (ads_account_id, lane, concerns) DO UPDATE
SET code = excluded.code, reason = excluded.reason, since = excluded.since, recheck_at = excluded.recheck_at
WHERE s.recheck_at IS NULL
"""
STOP_PART: Final = sa.text(_STOP.format(condition=""))
STOP_OTHER_LANE: Final = sa.text(_STOP.format(condition=" AND a.lane <> :lane"))

# Wait, then go on without anybody's doing; a longer pause stays.
PAUSE_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts SET paused_until = greatest(paused_until, :until), paused_reason = :reason, updated_at = :now
WHERE id = :account AND lane = :lane
""")

# The same for every account of a lane: they share the project's quota.
PAUSE_LANE: Final = sa.text("""
UPDATE app.ads_accounts SET paused_until = greatest(paused_until, :until), paused_reason = :reason, updated_at = :now
WHERE lane = :lane
""")

# The same for an API that an account does not use today.
PAUSE_OTHER_LANE: Final = sa.text("""
INSERT INTO app.upload_stops AS s (ads_account_id, lane, concerns, code, reason, since, until)
SELECT a.id, :lane, 'account', :reason, 'It goes on by itself', :now, :until FROM app.ads_accounts a
WHERE a.id = :account AND a.lane <> :lane
ON CONFLICT (ads_account_id, lane, concerns) DO UPDATE SET until = greatest(s.until, excluded.until)
""")

# How often in a row, up to now, requests of an account were refused as such with this code.
ALIKE_REFUSALS: Final = sa.text("""
SELECT count(*) FROM (
  SELECT bool_and(r.outcome = 'failed' AND r.code = :code) OVER (ORDER BY r.intent_at DESC, r.id DESC) AS alike FROM (
    SELECT q.* FROM app.upload_requests q
    WHERE q.ads_account_id = :account AND q.lane = :lane AND q.answered_at IS NOT NULL
    ORDER BY q.intent_at DESC, q.id DESC LIMIT :most) r) t
WHERE t.alike
""")

# A parked account whose recheck is due, or that uses another API since; taken by moving the next one ahead.
RECHECK_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts a SET recheck_at = :next, parked_lane = a.lane
WHERE a.id = (SELECT id FROM app.ads_accounts WHERE parked_reason IS NOT NULL AND recheck_at IS NOT NULL
                AND (recheck_at <= :now OR parked_lane <> lane)
              ORDER BY recheck_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING a.id, a.customer_id, a.lane, a.login_customer_id, NULL::bigint AS action, NULL AS action_id, 'account' AS concerns,
  a.parked_code AS code, a.parked_scope AS scope
""")

# A parked conversion action of an account that is not parked itself, likewise.
RECHECK_ACTION: Final = sa.text("""
UPDATE app.ads_actions x SET recheck_at = :next
FROM app.ads_accounts a
WHERE x.id = (SELECT y.id FROM app.ads_actions y JOIN app.ads_accounts b ON b.id = y.ads_account_id
              WHERE y.parked_reason IS NOT NULL AND y.recheck_at <= :now AND b.parked_reason IS NULL
              ORDER BY y.recheck_at LIMIT 1 FOR UPDATE OF y SKIP LOCKED)
  AND a.id = x.ads_account_id
RETURNING a.id, a.customer_id, a.lane, a.login_customer_id, x.id AS action, x.action_id, 'action' AS concerns, x.parked_code AS code,
  'action' AS scope
""")

# A stopped part of an account, or an API that it does not use today, likewise.
RECHECK_PART: Final = sa.text("""
UPDATE app.upload_stops s SET recheck_at = :next
FROM app.ads_accounts a
WHERE (s.ads_account_id, s.lane, s.concerns) = (
    SELECT t.ads_account_id, t.lane, t.concerns FROM app.upload_stops t JOIN app.ads_accounts b ON b.id = t.ads_account_id
    WHERE t.recheck_at <= :now AND b.parked_reason IS NULL ORDER BY t.recheck_at LIMIT 1 FOR UPDATE OF t SKIP LOCKED)
  AND a.id = s.ads_account_id
RETURNING a.id, a.customer_id, s.lane, a.login_customer_id, NULL::bigint AS action, NULL AS action_id,
  CASE WHEN s.concerns = 'account' THEN 'other_lane' ELSE s.concerns END AS concerns, s.code, s.concerns AS scope
""")

# Is a recheck due?
RECHECK_DUE: Final = """EXISTS (SELECT FROM app.ads_accounts
    WHERE parked_reason IS NOT NULL AND recheck_at IS NOT NULL AND (recheck_at <= :now OR parked_lane <> lane))
  OR EXISTS (SELECT FROM app.ads_actions y JOIN app.ads_accounts b ON b.id = y.ads_account_id
    WHERE y.parked_reason IS NOT NULL AND y.recheck_at <= :now AND b.parked_reason IS NULL)
  OR EXISTS (SELECT FROM app.upload_stops t JOIN app.ads_accounts b ON b.id = t.ads_account_id
    WHERE t.recheck_at <= :now AND b.parked_reason IS NULL)"""

# The account is mended; with `whole_lane` every account of the lane that the same refusal had stopped.
UNPARK_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = NULL, parked_code = NULL, parked_scope = NULL, parked_lane = NULL, parked_at = NULL,
  recheck_at = NULL, updated_at = :now
WHERE id = :account OR (:whole_lane AND lane = :lane AND parked_scope = 'project' AND parked_code = :code)
""")

# The conversion action is mended.
UNPARK_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = NULL, parked_code = NULL, parked_at = NULL, recheck_at = NULL, updated_at = :now
WHERE id = :action
""")

# The part is mended.
UNSTOP_PART: Final = sa.text("""
DELETE FROM app.upload_stops WHERE ads_account_id = :account AND lane = :lane AND concerns = :scope
""")

# It is refused still, and for another reason than it was stopped for.
RENAME_ACCOUNT_STOP: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = :reason, parked_code = :new_code, updated_at = :now
WHERE id = :account AND recheck_at IS NOT NULL
""")
RENAME_ACTION_STOP: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = :reason, parked_code = :new_code, updated_at = :now
WHERE id = :action AND recheck_at IS NOT NULL
""")
RENAME_PART_STOP: Final = sa.text("""
UPDATE app.upload_stops SET reason = :reason, code = :new_code
WHERE ads_account_id = :account AND lane = :lane AND concerns = :scope AND recheck_at IS NOT NULL
""")

# Rows that were held with a part of their account go now.
RELEASE_PART: Final = sa.text("""
UPDATE app.conversion_uploads SET not_before = :now, updated_at = :now
WHERE ads_account_id = :account AND waits AND state = 'held' AND reason = ANY(CAST(:codes AS text[]))
""")

# Resume an account, its actions and its parts after what was wrong is mended.
RELEASE_ACCOUNT: Final = sa.text("""
WITH actions AS (
  UPDATE app.ads_actions SET parked_reason = NULL, parked_code = NULL, parked_at = NULL, recheck_at = NULL, updated_at = :now
  WHERE ads_account_id = :account AND parked_reason IS NOT NULL),
parts AS (DELETE FROM app.upload_stops WHERE ads_account_id = :account),
rows AS (
  UPDATE app.conversion_uploads SET not_before = :now, updated_at = :now
  WHERE ads_account_id = :account AND waits AND state = 'held' AND reason = ANY(CAST(:codes AS text[])))
UPDATE app.ads_accounts SET parked_reason = NULL, parked_code = NULL, parked_scope = NULL, parked_lane = NULL, parked_at = NULL,
  recheck_at = NULL, paused_until = NULL, paused_reason = NULL, updated_at = :now
WHERE id = :account RETURNING customer_id
""")

# Stop an account by hand: nothing rechecks it, a person lets it go on. Another reason replaces the one there is.
HOLD_ACCOUNT: Final = sa.text("""
UPDATE app.ads_accounts SET parked_reason = :reason, parked_code = NULL, parked_scope = NULL, parked_lane = NULL,
  parked_at = coalesce(parked_at, :now), recheck_at = NULL, updated_at = :now
WHERE id = :account
""")

# Why nothing is sent for an account (null: it goes on), or for one conversion action of it: as the audit trail has it.
STANDING_OF_ACCOUNT: Final = sa.text("SELECT parked_reason FROM app.ads_accounts WHERE id = :account")
STANDING_OF_ACTION: Final = sa.text(
    "SELECT parked_reason FROM app.ads_actions WHERE ads_account_id = :account AND action_id = :action_id"
)

# The same for one conversion action.
HOLD_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = :reason, parked_code = NULL, parked_at = coalesce(parked_at, :now), recheck_at = NULL,
  updated_at = :now
WHERE ads_account_id = :account AND action_id = :action_id
""")

# It goes on.
RELEASE_ACTION: Final = sa.text("""
UPDATE app.ads_actions SET parked_reason = NULL, parked_code = NULL, parked_at = NULL, recheck_at = NULL, updated_at = :now
WHERE ads_account_id = :account AND action_id = :action_id
""")

# Parts of accounts that are stopped, for people.
PARTS: Final = sa.text("""
SELECT a.customer_id, s.lane, s.concerns, s.lane <> a.lane AS is_other_lane, s.reason, s.since
FROM app.upload_stops s JOIN app.ads_accounts a ON a.id = s.ads_account_id
WHERE s.recheck_at IS NOT NULL ORDER BY a.customer_id, s.lane, s.concerns
""")

# Whether an account, or any, has a conversion action.
KNOWS_ACTION: Final = sa.text("""
SELECT EXISTS (SELECT FROM app.ads_actions
  WHERE action_id = :action_id AND (CAST(:account AS bigint) IS NULL OR ads_account_id = :account))
""")

# Whether what a person named exists: a site, an order and a reason among the rows of an account. What was not named does.
KNOWN_NAMES: Final = sa.text("""
SELECT CAST(:site_key AS text) IS NULL OR EXISTS (SELECT FROM app.sites WHERE site_key = :site_key) AS site,
  CAST(:order_id AS text) IS NULL OR EXISTS (
    SELECT FROM app.conversion_uploads WHERE ads_account_id = :account AND order_id = :order_id) AS order_id,
  CAST(:reason AS text) IS NULL OR EXISTS (
    SELECT FROM app.conversion_uploads WHERE ads_account_id = :account AND reason = :reason) AS reason
""")
