"""What refunds and cancellations make of conversions that are in the ledger already."""

from typing import Final

import sqlalchemy as sa

from custom_events.destinations.traits import sql_list
from custom_events.queries.places import rows_of
from custom_events.queries.stored_facts import facts_of
from custom_events.queries.uploads import lane_of
from custom_events.tables.key_places import of_transaction

# Orders whose conversions may need another value, oldest change first; taken in the transaction that adjusts them.
TAKE_CHANGES: Final = sa.text("""
DELETE FROM app.value_changes v
USING (SELECT site_id, order_id FROM app.value_changes ORDER BY changed_at LIMIT :orders FOR UPDATE SKIP LOCKED) t
WHERE v.site_id = t.site_id AND v.order_id = t.order_id
RETURNING v.site_id, v.order_id
""")

# Custom events without an order that were withdrawn or corrected, likewise.
TAKE_WITHDRAWN_WITHOUT_ORDER: Final = sa.text("""
DELETE FROM app.withdrawn_without_order v
USING (SELECT custom_event_id FROM app.withdrawn_without_order ORDER BY changed_at LIMIT :events FOR UPDATE SKIP LOCKED) t
WHERE v.custom_event_id = t.custom_event_id
RETURNING v.custom_event_id, v.occurred_at
""")

_ORDERS = "unnest(CAST(:sites AS bigint[]), CAST(:orders AS text[])) AS g(site_id, order_id)"
_ALONE = "unnest(CAST(:ids AS bigint[]), CAST(:occurred_at AS timestamptz[])) AS g(id, occurred_at)"


_ROW: Final = """u.created_at, u.id, u.custom_event_id, u.site_id, c.order_id, u.kind, u.sequence, u.state, u.reason, u.attempts, u.value,
  u.conversion_at, u.adjusted_at, u.ads_action_id, u.transaction_id, u.currency, a.lane"""


def _ledger_rows(columns: str, source: str, condition: str) -> str:
    return f"""
SELECT {columns}
FROM {source}
JOIN app.custom_events c ON {condition}
CROSS JOIN LATERAL ({rows_of("c", "v.created_at, v.id")}) v
JOIN app.conversion_uploads u ON u.created_at = v.created_at AND u.id = v.id
JOIN app.ads_accounts a ON a.id = u.ads_account_id
ORDER BY u.created_at, u.id
"""


def _locked(source: str, condition: str) -> sa.TextClause:
    return sa.text(f"{_ledger_rows('u.id', source, condition)} FOR UPDATE OF u")


_OF_ORDERS: Final = "c.site_id = g.site_id AND c.order_id = g.order_id"
_OF_EVENTS: Final = "c.occurred_at = g.occurred_at AND c.id = g.id AND c.order_id IS NULL"

# Lock every ledger row of these orders. What it returns is incomplete: PostgreSQL leaves out, though it locks, rows that somebody changed
# while it waited for them, as their place comes from a union (EvalPlanQual). A statement after it, with a snapshot of its own, reads them.
LOCK_LEDGER_ROWS: Final = _locked(_ORDERS, _OF_ORDERS)

# Every ledger row of these orders: conversions (sequence 0) and their adjustments, with the account's lane.
LEDGER_ROWS: Final = sa.text(_ledger_rows(_ROW, _ORDERS, _OF_ORDERS))

# Both of custom events without an order.
LOCK_LEDGER_ROWS_ALONE: Final = _locked(_ALONE, _OF_EVENTS)
LEDGER_ROWS_ALONE: Final = sa.text(_ledger_rows(_ROW, _ALONE, _OF_EVENTS))


def _origins(source: str, condition: str) -> sa.TextClause:
    return sa.text(f"""
SELECT c.id AS custom_event_id, c.value, c.withdrawn_at, c.withdrawn_reason, {facts_of("e")}, d.config, r.overrides,
  o.total, o.currency, o.current_total, o.refunded, o.state_at, o.cancelled_at, o.payment_lost_at,
  CASE WHEN o.status = 'trash' THEN o.state_at ELSE o.deleted_at END AS gone_at, s.settings ->> 'payment_lost' AS payment_lost
FROM {source}
JOIN app.custom_events c ON {condition}
JOIN app.commerce_events e ON e.occurred_at = c.occurred_at AND e.id = c.commerce_event_id
JOIN app.definition_revisions d ON d.id = c.definition_revision_id
JOIN app.assignment_revisions r ON r.id = c.assignment_revision_id
LEFT JOIN app.orders o ON o.site_id = c.site_id AND o.order_id = c.order_id
LEFT JOIN app.sites s ON s.id = c.site_id
""")


# What gave these orders' conversions their value: the event, the configuration that decided, and how the order stands now.
ORIGINS: Final = _origins(_ORDERS, "c.site_id = g.site_id AND c.order_id = g.order_id")

# The same of custom events without an order.
ORIGINS_ALONE: Final = _origins(_ALONE, "c.occurred_at = g.occurred_at AND c.id = g.id")

# Every refund of these orders that counts, whichever delivery told of it: not those that failed, or that are gone from the newest
# list. One without money may have taken items out of the order.
REFUNDS: Final = sa.text(f"""
SELECT r.site_id, r.order_id, r.refund_id, r.amount, r.currency, r.refunded_at, r.items, r.shipping
FROM {_ORDERS} JOIN app.order_refunds r ON r.site_id = g.site_id AND r.order_id = g.order_id
LEFT JOIN app.orders o ON o.site_id = g.site_id AND o.order_id = g.order_id
WHERE (r.amount > 0 OR r.items IS NOT NULL AND r.has_failed IS NULL) AND coalesce(r.seen_at, '-infinity') >= coalesce(o.refunds_listed_at, '-infinity')
""")

# Another value for rows that were never sent.
SET_VALUE: Final = sa.text("""
UPDATE app.conversion_uploads u
SET value = g.value, kind = g.kind, adjusted_at = coalesce(g.adjusted_at, u.adjusted_at), updated_at = :now
FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[]), CAST(:value AS numeric[]), CAST(:kind AS text[]),
  CAST(:adjusted_at AS timestamptz[])) AS g(created_at, id, value, kind, adjusted_at)
WHERE u.created_at = g.created_at AND u.id = g.id AND u.attempts = 0
""")

# What a row is held for, and until when, so that it can be held again. What the adjuster itself holds it for is none of that.
_IS_HELD: Final = "u.state = 'held' AND u.reason <> ALL(CAST(:own AS text[]))"
_KEEP_HOLD: Final = f"""held_reason = CASE WHEN {_IS_HELD} THEN u.reason ELSE u.held_reason END,
  held_sentence = CASE WHEN {_IS_HELD} THEN u.sentence ELSE u.held_sentence END,
  held_until = CASE WHEN {_IS_HELD} THEN u.not_before ELSE u.held_until END"""
_HOLD_AGAIN: Final = """state = CASE WHEN u.held_reason IS NULL THEN 'queued' ELSE 'held' END, reason = u.held_reason,
  sentence = u.held_sentence, not_before = coalesce(u.held_until, {otherwise}), updated_at = :now, held_reason = NULL,
  held_sentence = NULL, held_until = NULL"""

# Rows that Google does not have and that need not be sent, or are not for another reason than before.
WITHHOLD: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET state = 'withheld', reason = g.reason, sentence = g.sentence, settled_at = :now, updated_at = :now, {_KEEP_HOLD},
  not_before = CASE WHEN u.state = 'held' AND u.reason = ANY(CAST(:own AS text[])) THEN :now ELSE u.not_before END
FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[]), CAST(:reason AS text[]), CAST(:sentence AS text[]))
  AS g(created_at, id, reason, sentence)
WHERE u.created_at = g.created_at AND u.id = g.id
  AND (u.state IN ('new', 'held', 'queued') OR u.state = 'withheld' AND u.attempts = 0 AND u.reason IS DISTINCT FROM 'withheld_by_hand')
""")

# Conversions that were withheld before they were sent and go after all, or are held again as before; unless another one has taken
# their transaction meanwhile.
RELEASE: Final = sa.text(f"""
WITH given AS MATERIALIZED (
  SELECT u.created_at, u.id, u.ads_action_id, u.transaction_id, g.value
  FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[]), CAST(:value AS numeric[])) AS g(created_at, id, value)
  JOIN app.conversion_uploads u ON u.created_at = g.created_at AND u.id = g.id AND u.state = 'withheld' AND u.attempts = 0
    AND u.reason IS DISTINCT FROM 'withheld_by_hand'),
keyed AS (
  INSERT INTO app.upload_keys AS k (ads_action_id, transaction_id, sequence, upload_id, created_at)
  SELECT ads_action_id, transaction_id, 0, id, created_at FROM given
  ON CONFLICT ({of_transaction()}, transaction_id, ads_action_id, sequence) DO UPDATE SET created_at = k.created_at
  WHERE k.upload_id = excluded.upload_id
  RETURNING k.upload_id)
UPDATE app.conversion_uploads u
SET value = g.value, settled_at = NULL, {_HOLD_AGAIN.format(otherwise="u.not_before")}
FROM given g JOIN keyed k ON k.upload_id = g.id
WHERE u.created_at = g.created_at AND u.id = g.id
""")

# Rows that wait for something of ours.
HOLD: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET {_KEEP_HOLD}, state = 'held', reason = g.reason, sentence = g.sentence, not_before = coalesce(g.until, u.deadline_at),
  updated_at = :now
FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[]), CAST(:reason AS text[]), CAST(:sentence AS text[]),
  CAST(:until AS timestamptz[])) AS g(created_at, id, reason, sentence, until)
WHERE u.created_at = g.created_at AND u.id = g.id AND u.state IN ('new', 'held', 'queued')
""")

# Rows that waited for something of ours, and go on as they were before.
GO_ON: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET {_HOLD_AGAIN.format(otherwise=":now")}
FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[])) AS g(created_at, id)
WHERE u.created_at = g.created_at AND u.id = g.id AND u.state = 'held'
""")

# Until when Google takes an adjustment of the conversion `c`. Some lanes take it as the event once more, click and all, so that the
# click's own age counts as well (conversion_rules.OLDEST_CLICK); the others ask for the order id alone.
DEADLINE: Final = f"""least(c.conversion_at + CAST(:adjustable AS interval),
      CASE WHEN c.click_dropped IS NULL AND coalesce({lane_of("c")}, a.lane) IN ({sql_list(lambda traits: traits.adjusts_with_click)})
        THEN c.clicked_at + CAST(:oldest_click AS interval) END)"""

# New adjustments of conversions; `created_at` and `id` name the conversion, whose identifiers each claim takes anew. The deadline is
# that of the conversion, and of its click where that is known and goes along. Withheld ones need no key.
APPEND: Final = sa.text(f"""
WITH made AS (
  INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind,
    transaction_id, sequence, order_id, conversion_at, adjusted_at, value, currency, click_kind, click_id, clicked_at, click_dropped,
    email_sha256, phone_sha256, ad_user_data, ad_personalization, new_customer, environment, state, reason, sentence, not_before,
    deadline_at, settled_at)
  SELECT :now, c.site_id, c.assignment_id, c.custom_event_id, c.ads_account_id, c.ads_action_id, g.kind, c.transaction_id,
    g.sequence, c.order_id, c.conversion_at, g.adjusted_at, g.value, c.currency, c.click_kind, c.click_id, c.clicked_at, c.click_dropped,
    c.email_sha256, c.phone_sha256, c.ad_user_data, c.ad_personalization, c.new_customer, c.environment, g.state, g.reason, g.sentence,
    coalesce(g.until, :now), {DEADLINE}, CASE WHEN g.state = 'withheld' THEN CAST(:now AS timestamptz) END
  FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[]), CAST(:kind AS text[]), CAST(:value AS numeric[]),
    CAST(:sequence AS integer[]), CAST(:adjusted_at AS timestamptz[]), CAST(:state AS text[]), CAST(:reason AS text[]),
    CAST(:sentence AS text[]), CAST(:until AS timestamptz[]))
    AS g(created_at, id, kind, value, sequence, adjusted_at, state, reason, sentence, until)
  JOIN app.conversion_uploads c ON c.created_at = g.created_at AND c.id = g.id
  LEFT JOIN app.ads_accounts a ON a.id = c.ads_account_id
  RETURNING ads_action_id, transaction_id, sequence, id, created_at, state)
INSERT INTO app.upload_keys (ads_action_id, transaction_id, sequence, upload_id, created_at)
SELECT ads_action_id, transaction_id, sequence, id, created_at FROM made WHERE state <> 'withheld'
""")
