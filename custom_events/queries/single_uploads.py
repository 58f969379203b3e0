"""SQL of one row of the ledger, and of the rows of one site, as a person looks at them and decides about them.

A row is found by its time and its number, its primary key: no index has the number alone, which every claim would have to write.
"""

from typing import Final

import sqlalchemy as sa

from custom_events.queries import hand_holds
from custom_events.queries.places import NOT_REDACTED_UPLOAD
from custom_events.queries.traces import TOLD_IN
from custom_events.queries.withholding import CERTAINLY_NOT_THERE, MAY_GO_AFTER_ALL

_THIS: Final = "u.created_at = :at AND u.id = :id"

# The site that a row belongs to.
SITE_OF: Final = sa.text(f"SELECT u.site_id FROM app.conversion_uploads u WHERE {_THIS}")

# One row of the ledger with where it goes and its last request; `told_in` as for ANSWERS.
UPLOAD: Final = sa.text(f"""
SELECT u.id, u.created_at, u.site_id, u.assignment_id, u.custom_event_id, c.customer_id, a.action_id, u.kind, u.transaction_id,
  u.sequence, u.order_id, u.conversion_at, u.adjusted_at, u.value, u.currency, u.click_kind, u.state, u.reason, u.sentence,
  u.not_before, u.deadline_at, u.attempts, u.settled_at, u.updated_at, {TOLD_IN}
FROM app.conversion_uploads u
LEFT JOIN app.ads_accounts c ON c.id = u.ads_account_id LEFT JOIN app.ads_actions a ON a.id = u.ads_action_id
LEFT JOIN app.upload_requests q ON q.id = u.request_id
WHERE {_THIS}
""")

# Google's answers to one row (:id), the oldest first: its attempts, and what its last request (:told_in) keeps for all its rows.
ANSWERS: Final = sa.text("""
WITH attempts AS MATERIALIZED (
  SELECT at, verdict, code, sentence, request_id FROM app.upload_attempts WHERE upload_id = :id)
SELECT t.at, t.verdict, t.code, t.sentence, q.google_request_id, q.intent_at, q.answered_at FROM (
  SELECT * FROM attempts
  UNION ALL
  SELECT r.answered_at, r.shared_verdict, NULL, NULL, r.id FROM app.upload_requests r
  WHERE r.id = CAST(:told_in AS bigint) AND NOT EXISTS (SELECT FROM attempts a WHERE a.request_id = r.id)
  UNION ALL
  SELECT DISTINCT r.answered_at, r.shared_verdict, NULL, NULL, r.id
  FROM attempts a JOIN app.upload_requests r ON r.id = a.request_id AND a.at > r.answered_at
  WHERE r.shared_verdict = 'pending' AND NOT EXISTS (SELECT FROM attempts b WHERE b.request_id = r.id AND b.at = r.answered_at)) t
LEFT JOIN app.upload_requests q ON q.id = t.request_id
ORDER BY t.at
""")

# What of the ledger is meant: one row, or those of a site, of an order of it where one is given.
_OF_SITE: Final = "u.site_id = :site AND (CAST(:order_id AS text) IS NULL OR u.order_id = :order_id)"

_RETRY: Final = f"""
UPDATE app.conversion_uploads u
SET state = 'queued', reason = NULL, not_before = :now, settled_at = NULL, updated_at = :now,
  sentence = 'Sent again by hand; before: ' || coalesce(u.sentence, u.reason, 'refused')
WHERE {{chosen}} AND u.deadline_at > :now AND u.{NOT_REDACTED_UPLOAD} AND (CAST(:reason AS text) IS NULL OR u.reason = :reason)
  AND (u.state = 'rejected' OR {{by_hand}} AND {MAY_GO_AFTER_ALL})
"""
_HOLD: Final = f"""
UPDATE app.conversion_uploads u
SET {hand_holds.HOLD}
WHERE {{chosen}} AND {CERTAINLY_NOT_THERE}
"""
_RELEASE: Final = f"""
UPDATE app.conversion_uploads u SET {hand_holds.RELEASE}
WHERE {{chosen}} AND u.waits AND u.state IN ('held', 'queued') AND u.not_before > :now AND {hand_holds.OF_REASON}
"""

# What was refused goes once more, unless it is too late; of what a person has withheld one row, or those of a site by its reason. Its
# key is its own still, so nothing counts twice.
RETRY_ONE: Final = sa.text(_RETRY.format(chosen=_THIS, by_hand="true"))
RETRY_OF_SITE: Final = sa.text(_RETRY.format(chosen=_OF_SITE, by_hand="CAST(:reason AS text) IS NOT NULL"))

# What waits is held by hand; what is at Google, or may be, is not.
HOLD_ONE: Final = sa.text(_HOLD.format(chosen=_THIS))
HOLD_OF_SITE: Final = sa.text(_HOLD.format(chosen=_OF_SITE))

# What is held goes now. What waits for a customer's consent goes only where that is the reason named.
RELEASE_ONE: Final = sa.text(_RELEASE.format(chosen=_THIS))
RELEASE_OF_SITE: Final = sa.text(_RELEASE.format(chosen=_OF_SITE))
