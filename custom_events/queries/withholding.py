"""SQL of conversions that a person withholds, and of what they send after all: one row, those of a site, those of an account."""

from typing import Final

import sqlalchemy as sa

# Google does not have it, and no call that may have brought it there is without an answer (ledger/states.py, MAYBE_APPLIED).
CERTAINLY_NOT_THERE: Final = """u.waits AND u.state IN ('new', 'held', 'queued') AND u.unsettled_lane IS NULL
  AND (u.attempts = 0 OR u.reason IS NULL OR NOT (u.reason IN ('no_answer', 'split') OR u.reason LIKE 'InternalError.%'
    OR u.reason LIKE 'ProcessingErrorReason.INTERNAL_ERROR%'))"""

# A person has withheld it, its custom event stands, and matching would send it.
MAY_GO_AFTER_ALL: Final = """u.state = 'withheld' AND u.reason = 'withheld_by_hand' AND EXISTS (SELECT FROM app.custom_events m
    WHERE m.occurred_at = u.conversion_at AND m.id = u.custom_event_id AND m.withdrawn_at IS NULL AND m.withheld_reason IS NULL)"""

_WITHHOLD: Final = f"""
UPDATE app.conversion_uploads u
SET state = 'withheld', reason = 'withheld_by_hand', sentence = :sentence, settled_at = :now, updated_at = :now
WHERE {{chosen}} AND u.kind = 'conversion' AND {CERTAINLY_NOT_THERE}
"""
_OF_SITE: Final = "u.site_id = :site AND (CAST(:order_id AS text) IS NULL OR u.order_id = :order_id)"

# A conversion that Google does not have is not sent until a person says otherwise. What adjusts it follows.
WITHHOLD_ONE: Final = sa.text(_WITHHOLD.format(chosen="u.created_at = :at AND u.id = :id"))
WITHHOLD_OF_SITE: Final = sa.text(_WITHHOLD.format(chosen=_OF_SITE))
WITHHOLD_OF_ACCOUNT: Final = sa.text(
    _WITHHOLD.format(
        chosen="""u.ads_account_id = :account AND (CAST(:order_id AS text) IS NULL OR u.order_id = :order_id)
  AND (CAST(:site_key AS text) IS NULL OR u.site_id = (SELECT s.id FROM app.sites s WHERE s.site_key = :site_key))
  AND (CAST(:action_id AS text) IS NULL OR u.ads_action_id = (
    SELECT a.id FROM app.ads_actions a WHERE a.ads_account_id = :account AND a.action_id = :action_id))"""
    )
)
