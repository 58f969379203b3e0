"""SQL of matching again: what an event that comes late or is corrected may change, and what is written when it did.

asyncpg, positional parameters; look-ups are index probes in the same way as those of `understanding.py`. Changes go row by
row: they are few, and each names its row by its whole key.
"""

from typing import Final

from custom_events.queries.places import NOT_REDACTED, conversion_of
from custom_events.queries.stored_facts import facts_of
from custom_events.queries.understanding import given
from custom_events.tables.key_places import is_dedup_key, is_event_key, is_transaction

# Which customers have a stored event of these types later than a moment by the store's time (ties by the event's key, by code point as
# everywhere: Python sorts so, a database as its locale says). Whoever
# has a stored event is known as a customer: asked first, since that is one index and the events are one for each week (most
# customers are new ones: 12 us of Postgres an order without this question, 7 with it).
LATER_EVENTS: Final = f"""
SELECT c.place
FROM (
  SELECT c.* FROM {given("place int", "site_id bigint", "customer_key text", "types text", "at timestamptz", "key text")}
  CROSS JOIN LATERAL (
    SELECT FROM app.customers s WHERE s.site_id = c.site_id AND s.customer_key = c.customer_key LIMIT 1
  ) known
  OFFSET 0
) c
CROSS JOIN LATERAL (
  SELECT FROM app.commerce_events o
  WHERE o.site_id = c.site_id AND o.customer_key = c.customer_key AND o.type = ANY (string_to_array(c.types, ','))
    AND o.occurred_at >= c.at AND (o.occurred_at, o.key COLLATE "C") > (c.at, c.key) LIMIT 1
) o
"""

_STRETCH: Final = given(
    "place int", "site_id bigint", "subject text", "types text", "since timestamptz", "until timestamptz"
)
# Types are joined one by one, and the stretch is a relation of its own (see `matching.CUSTOMER_EVENTS`).
_EVENT: Final = f"""SELECT o.id, o.site_id, o.created_at, {facts_of("o")}, o.is_undone
    FROM (SELECT coalesce(c.since, '-infinity') AS since, coalesce(c.until, 'infinity') AS until OFFSET 0) b CROSS JOIN app.commerce_events o
    WHERE o.site_id = c.site_id"""
_TYPES: Final = "CROSS JOIN LATERAL unnest(string_to_array(c.types, ',')) AS t(type)"
_WITHIN: Final = "AND o.type = t.type AND o.occurred_at >= b.since AND o.occurred_at < b.until OFFSET 0"

# Stored events of customers, of the types in a list with commas, from one moment until before another.
EVENTS_OF_CUSTOMERS: Final = f"""
SELECT c.place, e.* FROM {_STRETCH} {_TYPES} CROSS JOIN LATERAL ({_EVENT} AND o.customer_key = c.subject {_WITHIN}) e
"""

# The same of orders.
EVENTS_OF_ORDERS: Final = f"""
SELECT c.place, e.* FROM {_STRETCH} {_TYPES} CROSS JOIN LATERAL ({_EVENT} AND o.order_id = c.subject {_WITHIN}) e
"""

# The same of whole sites; `subject` says nothing.
EVENTS_OF_SITES: Final = f"""
SELECT c.place, e.* FROM {_STRETCH} {_TYPES} CROSS JOIN LATERAL ({_EVENT} AND o.{NOT_REDACTED} {_WITHIN}) e
"""

# Single stored events, by their natural keys.
EVENTS_BY_KEY: Final = f"""
SELECT c.place, e.*
FROM {given("place int", "site_id bigint", "key text")}
CROSS JOIN LATERAL (
  SELECT k.event_id, k.occurred_at FROM app.event_keys k WHERE {is_event_key("k", "c")} LIMIT 1
) k
CROSS JOIN LATERAL (
  SELECT o.id, o.site_id, o.created_at, {facts_of("o")}, o.is_undone FROM app.commerce_events o
  WHERE o.occurred_at = k.occurred_at AND o.id = k.event_id LIMIT 1
) e
"""

# An event that holds no longer, or holds again.
UNDO_EVENT: Final = "UPDATE app.commerce_events SET is_undone = $3 WHERE occurred_at = $1 AND id = $2"

# Whether events of an order are stored that are undone.
HAS_UNDONE: Final = "UPDATE app.orders SET has_undone = $3 WHERE site_id = $1 AND order_id = $2"

_CUSTOM_EVENT: Final = """m.id, m.occurred_at, m.site_id, m.assignment_id, m.definition_revision_id, m.assignment_revision_id,
  m.commerce_event_id, {event_key}, m.dedup_key, m.order_id, m.customer_key, m.value, m.currency, m.withdrawn_at IS NOT NULL,
  m.withheld_reason"""
_UPLOAD_COLUMNS: Final = """v.id, v.created_at, v.state, v.reason, v.attempts, v.ads_account_id, v.ads_action_id,
  v.transaction_id, v.order_id, v.conversion_at, v.value, v.currency, v.click_kind, v.click_id, v.clicked_at, v.email_sha256,
  v.phone_sha256, v.ad_user_data, v.ad_personalization, v.deadline_at, v.new_customer, v.environment, v.cart::text,
  v.other_clicks::text"""

# The conversion of a custom event.
_UPLOAD: Final = f"""
LEFT JOIN LATERAL (
  {conversion_of("m", _UPLOAD_COLUMNS)} LIMIT 1
) u ON true
"""

# Custom events of stored events, withdrawn ones too, each with its conversion.
CUSTOM_EVENTS_OF: Final = f"""
SELECT {_CUSTOM_EVENT.format(event_key="c.key")}, u.*
FROM {given("commerce_event_id bigint", "key text")}
CROSS JOIN LATERAL (
  SELECT e.* FROM app.custom_events e WHERE e.commerce_event_id = c.commerce_event_id OFFSET 0
) m
{_UPLOAD}
"""

# The custom events that hold deduplication keys, each with its conversion.
KEY_HOLDERS: Final = f"""
SELECT {_CUSTOM_EVENT.format(event_key="coalesce(h.key, '')")}, u.*
FROM {given("assignment_id bigint", "dedup_key text")}
CROSS JOIN LATERAL (
  SELECT k.custom_event_id, k.occurred_at FROM app.custom_event_keys k
  WHERE {is_dedup_key("k", "c")} LIMIT 1
) k
CROSS JOIN LATERAL (
  SELECT e.* FROM app.custom_events e WHERE e.occurred_at = k.occurred_at AND e.id = k.custom_event_id LIMIT 1
) m
LEFT JOIN LATERAL (
  SELECT o.key FROM app.commerce_events o WHERE o.occurred_at = m.occurred_at AND o.id = m.commerce_event_id LIMIT 1
) h ON true
{_UPLOAD}
"""

# The conversions that hold transactions of ads actions, each with the natural key of its event.
TRANSACTION_HOLDERS: Final = f"""
SELECT c.ads_action_id, c.transaction_id, v.id, v.created_at, v.custom_event_id, v.conversion_at, v.site_id, v.assignment_id,
  v.state, v.attempts, coalesce(h.key, '')
FROM {given("ads_action_id bigint", "transaction_id text")}
CROSS JOIN LATERAL (
  SELECT k.upload_id, k.created_at FROM app.upload_keys k
  WHERE {is_transaction("k", "c")} AND k.sequence = 0 LIMIT 1
) k
CROSS JOIN LATERAL (
  SELECT u.* FROM app.conversion_uploads u WHERE u.created_at = k.created_at AND u.id = k.upload_id LIMIT 1
) v
LEFT JOIN LATERAL (
  SELECT e.occurred_at, e.commerce_event_id FROM app.custom_events e
  WHERE e.occurred_at = v.conversion_at AND e.id = v.custom_event_id LIMIT 1
) m ON true
LEFT JOIN LATERAL (
  SELECT o.key FROM app.commerce_events o WHERE o.occurred_at = m.occurred_at AND o.id = m.commerce_event_id LIMIT 1
) h ON true
"""

# Published and retired revisions of the definitions that these sites use, and when they applied.
DEFINITION_REVISIONS: Final = """
SELECT r.definition_id, r.id, d.key, r.config, r.published_at, r.retired_at
FROM app.definition_revisions r JOIN app.custom_event_definitions d ON d.id = r.definition_id
WHERE r.state <> 'draft' AND r.definition_id IN (
  SELECT a.definition_id FROM app.site_custom_events a WHERE a.site_id = ANY ($1::bigint[]))
ORDER BY r.id
"""

# The same of these sites' assignments; a paused one, and one of a paused site, makes nothing new, and what it made is still judged.
ASSIGNMENT_REVISIONS: Final = """
SELECT a.id, a.site_id, a.label, a.definition_id, r.id, r.overrides, a.is_active AND s.is_active, r.published_at, r.retired_at
FROM app.site_custom_events a JOIN app.assignment_revisions r ON r.assignment_id = a.id JOIN app.sites s ON s.id = a.site_id
WHERE r.state <> 'draft' AND a.site_id = ANY ($1::bigint[])
ORDER BY a.id, r.id
"""

# A custom event that no longer stands; by which revisions, where others than its own decided that.
WITHDRAW: Final = """
UPDATE app.custom_events SET withdrawn_at = $3, withdrawn_reason = $4, withdrawn_by = $5,
  definition_revision_id = coalesce($6, definition_revision_id), assignment_revision_id = coalesce($7, assignment_revision_id)
WHERE occurred_at = $1 AND id = $2
"""

# A custom event stands by these revisions now, and is otherwise as it was.
REATTRIBUTE: Final = """
UPDATE app.custom_events SET definition_revision_id = $3, assignment_revision_id = $4 WHERE occurred_at = $1 AND id = $2
"""

# Whether the conversion of a custom event is withheld: a worker may have claimed meanwhile what was to be withheld.
_IS_WITHHELD: Final = """EXISTS (SELECT FROM app.conversion_uploads v
    WHERE v.created_at = m.created_at AND v.id = m.upload_id AND v.state = 'withheld')"""

# A custom event as it stands now, also one that was withdrawn before; after its conversion, so that both say the same.
CORRECT: Final = f"""
UPDATE app.custom_events m SET
  occurred_at = $3, definition_revision_id = $4, assignment_revision_id = $5, commerce_event_id = $6, dedup_key = $7,
  order_id = $8, customer_key = $9, value = $10, currency = $11, withheld_reason = CASE WHEN {_IS_WITHHELD} THEN $12::text END,
  withdrawn_at = NULL, withdrawn_reason = NULL, withdrawn_by = NULL
WHERE m.occurred_at = $1 AND m.id = $2
"""

# Its key, free for another one.
DROP_CUSTOM_EVENT_KEY: Final = f"""
DELETE FROM app.custom_event_keys k
USING (SELECT $1::bigint AS assignment_id, $2::text AS dedup_key) c
WHERE {is_dedup_key("k", "c")} AND k.custom_event_id = $3
"""

# A conversion that nobody has sent is not sent.
WITHHOLD_UPLOAD: Final = """
UPDATE app.conversion_uploads SET state = 'withheld', reason = $3, sentence = $4, settled_at = $5, updated_at = $5,
  held_reason = CASE WHEN state = 'held' THEN reason ELSE held_reason END,
  held_sentence = CASE WHEN state = 'held' THEN sentence ELSE held_sentence END,
  held_until = CASE WHEN state = 'held' THEN not_before ELSE held_until END
WHERE created_at = $1 AND id = $2 AND attempts = 0 AND state IN ('new', 'held', 'queued')
"""

# Its transaction, free for another one: only of a conversion that nobody has tried to send. Its row is locked: somebody who claims it
# at this moment is waited for, and keeps the transaction; nobody claims it afterwards.
DROP_UPLOAD_KEY: Final = f"""
WITH unsent AS MATERIALIZED (
  SELECT u.id, $1::bigint AS ads_action_id, $2::text AS transaction_id FROM app.conversion_uploads u
  WHERE u.created_at = $3 AND u.id = $4 AND u.attempts = 0 AND u.state IN ('new', 'held', 'queued', 'withheld') FOR UPDATE)
DELETE FROM app.upload_keys k USING unsent c WHERE {is_transaction("k", "c")} AND k.sequence = 0 AND k.upload_id = c.id
"""

# A conversion that nobody has sent, as its event shows it now.
CORRECT_UPLOAD: Final = """
UPDATE app.conversion_uploads SET
  ads_account_id = $3, ads_action_id = $4, transaction_id = $5, order_id = $6, conversion_at = $7, value = $8, currency = $9,
  click_kind = $10, click_id = $11, clicked_at = $12, email_sha256 = $13, phone_sha256 = $14, ad_user_data = $15,
  ad_personalization = $16, deadline_at = $17, new_customer = $18, environment = $19, cart = CAST($20::text AS json),
  other_clicks = CAST($21::text AS json), updated_at = $22
WHERE created_at = $1 AND id = $2 AND attempts = 0 AND state IN ('new', 'held', 'queued', 'withheld')
"""

# A withheld conversion may go after all, or one that waits waits for something else; what somebody held by hand before stays held.
RELEASE_UPLOAD: Final = """
UPDATE app.conversion_uploads SET settled_at = NULL, updated_at = $7, held_reason = NULL, held_sentence = NULL, held_until = NULL,
  state = CASE WHEN held_reason = 'held_by_hand' THEN 'held' ELSE $3 END,
  reason = CASE WHEN held_reason = 'held_by_hand' THEN held_reason ELSE $4 END,
  sentence = CASE WHEN held_reason = 'held_by_hand' THEN held_sentence ELSE $5 END,
  not_before = CASE WHEN held_reason = 'held_by_hand' THEN held_until ELSE $6 END
WHERE created_at = $1 AND id = $2 AND attempts = 0 AND state IN ('new', 'held', 'queued', 'withheld')
  AND reason IS DISTINCT FROM 'withheld_by_hand'
"""

# What a conversion waits for again once its order is worth something: with another click it may wait for something else, or for nothing.
REDECIDE_HOLD: Final = """
UPDATE app.conversion_uploads SET held_reason = $3, held_sentence = $4, held_until = $5, updated_at = $6
WHERE created_at = $1 AND id = $2 AND attempts = 0 AND state = 'withheld' AND (held_reason IS NULL OR held_reason = ANY ($7::text[]))
"""

# A conversion that is withheld for another reason than before; what a person has withheld stays theirs.
RENAME_REASON: Final = """
UPDATE app.conversion_uploads SET reason = $3, sentence = $4, updated_at = $5
WHERE created_at = $1 AND id = $2 AND attempts = 0 AND state = 'withheld' AND reason IS DISTINCT FROM 'withheld_by_hand'
"""

# What a displaced conversion's custom event says of it, after it.
NAME_WITHHELD: Final = f"""
UPDATE app.custom_events m SET withheld_reason = $3 WHERE m.occurred_at = $1 AND m.id = $2 AND {_IS_WITHHELD}
"""

# Transactions of conversions that go; of two who want one the first has it. One that was claimed meanwhile goes with what it had.
ADD_UPLOAD_KEYS: Final = f"""
INSERT INTO app.upload_keys (ads_action_id, transaction_id, sequence, upload_id, created_at)
SELECT c.ads_action_id, c.transaction_id, 0, c.upload_id, c.created_at
FROM {given("ads_action_id bigint", "transaction_id text", "upload_id bigint", "created_at timestamptz")}
JOIN app.conversion_uploads u ON u.created_at = c.created_at AND u.id = c.upload_id
  AND u.ads_action_id = c.ads_action_id AND u.transaction_id = c.transaction_id
ON CONFLICT DO NOTHING
"""

# Custom events without an order that were withdrawn or corrected; the ledger's adjuster takes them.
MARK_WITHDRAWN_WITHOUT_ORDER: Final = f"""
INSERT INTO app.withdrawn_without_order (custom_event_id, occurred_at, changed_at)
SELECT c.custom_event_id, c.occurred_at, clock_timestamp()
FROM {given("custom_event_id bigint", "occurred_at timestamptz")}
ON CONFLICT (custom_event_id) DO UPDATE SET occurred_at = excluded.occurred_at, changed_at = excluded.changed_at
"""
