"""SQL of the explanation: one order's or event's way from the delivery to Google's answer. asyncpg; only reads, by index."""

from typing import Final

from custom_events.queries.stored_facts import facts_of
from custom_events.tables.key_places import is_event_key

# A site for people.
SITE: Final = "SELECT id, site_key, name, platform FROM app.sites WHERE id = $1"

# Orders by id: one probe for each site ($1 NULL: every site).
ORDERS_BY_ID: Final = """
SELECT o.site_id, o.order_id
FROM app.sites s
CROSS JOIN LATERAL (
  SELECT p.site_id, p.order_id FROM app.orders p WHERE p.site_id = s.id AND p.order_id = $2 LIMIT 1
) o
WHERE $1::bigint IS NULL OR s.id = $1
LIMIT 10
"""

# Orders by number; several sites have the same numbers.
ORDERS_BY_NUMBER: Final = """
SELECT p.site_id, p.order_id FROM app.orders p
WHERE p.number = ANY ($2::text[]) AND ($1::bigint IS NULL OR p.site_id = $1) LIMIT 10
"""

# How many deliveries wait to be understood, up to a limit.
WAITING: Final = "SELECT count(*) FROM (SELECT FROM landing.raw_queue LIMIT $1) w"

# An order's state.
ORDER: Final = """
SELECT order_id, number, ordered_at, state_at, status, financial_status, paid_at, cancelled_at,
  CASE WHEN status = 'trash' THEN state_at ELSE deleted_at END AS deleted_at, currency, total,
  refunded, is_test, current_total, payment_lost_at
FROM app.orders WHERE site_id = $1 AND order_id = $2
"""

# Its refunds.
REFUNDS: Final = """
SELECT r.refund_id, r.amount, r.currency, r.refunded_at, r.amount > 0
  AND coalesce(r.seen_at, '-infinity') >= coalesce(o.refunds_listed_at, '-infinity') AS counts
FROM app.order_refunds r LEFT JOIN app.orders o ON o.site_id = r.site_id AND o.order_id = r.order_id
WHERE r.site_id = $1 AND r.order_id = $2
ORDER BY r.refunded_at NULLS LAST, r.refund_id
"""

_EVENT: Final = (
    f"SELECT e.id, e.key, e.occurred_at, e.created_at, e.raw_id, e.raw_landed_week, {facts_of('e')}, e.is_undone"
    " FROM app.commerce_events e"
)

# The events of an order.
EVENTS_OF_ORDER: Final = f"{_EVENT} WHERE e.site_id = $1 AND e.order_id = $2 ORDER BY e.occurred_at, e.key"

# An event by its natural key.
EVENTS_OF_KEYS: Final = f"""
{_EVENT} JOIN app.event_keys k ON e.occurred_at = k.occurred_at AND e.id = k.event_id
JOIN (SELECT DISTINCT $1::bigint AS site_id, unnest($2::text[]) AS key) c ON {is_event_key("k", "c")} ORDER BY e.occurred_at, e.key
"""

# Which sites have an event of this key.
SITES_WITH_KEY: Final = f"""
SELECT c.site_id AS id FROM (SELECT id AS site_id, $1::text AS key FROM app.sites) c
WHERE EXISTS (SELECT FROM app.event_keys k WHERE {is_event_key("k", "c")}) ORDER BY 1 LIMIT 10
"""

# Where an event lies, by its natural key.
PLACE_OF_KEY: Final = f"""
SELECT k.occurred_at, k.event_id FROM app.event_keys k JOIN (SELECT $1::bigint AS site_id, $2::text AS key) c ON {is_event_key("k", "c")}
"""

# An event by its place: one partition, also for the planner.
EVENT_AT: Final = f"{_EVENT} WHERE e.occurred_at = $1 AND e.id = $2 AND e.site_id = $3"

# Raw events of a week by id, with what became of them.
DELIVERIES: Final = """
SELECT r.id, r.landed_week, r.site_id, r.received_at, r.topic, r.delivery_id, r.triggered_at, r.signature, r.body_bytes,
  o.outcome, o.reason, o.detail, o.new_events, o.processed_at,
  EXISTS (SELECT FROM landing.raw_queue q WHERE q.raw_id = r.id) AS is_waiting
FROM landing.raw_events r LEFT JOIN app.raw_outcomes o ON o.landed_week = r.landed_week AND o.raw_id = r.id
WHERE r.landed_week = $1 AND r.id = ANY ($2::text[]::bigint[])
ORDER BY r.received_at, r.id
"""

# In which of these weeks a raw event landed.
WEEK_OF_RAW: Final = """
SELECT r.landed_week FROM unnest($2::text[]::date[]) AS g(week)
CROSS JOIN LATERAL (
  SELECT e.landed_week FROM landing.raw_events e WHERE e.landed_week = g.week AND e.id = $1 LIMIT 1
) r
"""

# A raw event's body, for understanding it again.
BODY: Final = """
SELECT landed_week, id, received_at, site_id, topic, triggered_at, headers, body, body_bytes
FROM landing.raw_events WHERE landed_week = $1 AND id = $2
"""

# What became of an event: custom events, standing or withdrawn, with the revisions that decided.
CUSTOM_EVENTS: Final = """
SELECT c.id, c.occurred_at, c.assignment_id, c.dedup_key, c.value, c.currency, c.withheld_reason, c.withdrawn_at,
  c.withdrawn_reason, c.created_at, c.upload_id, f.key AS definition, a.label, d.id AS definition_revision_id, d.number AS definition_revision, d.definition_id,
  d.config, r.id AS assignment_revision_id, r.number AS assignment_revision, r.overrides
FROM app.custom_events c
LEFT JOIN app.definition_revisions d ON d.id = c.definition_revision_id
LEFT JOIN app.assignment_revisions r ON r.id = c.assignment_revision_id
LEFT JOIN app.site_custom_events a ON a.id = c.assignment_id
LEFT JOIN app.custom_event_definitions f ON f.id = d.definition_id
WHERE c.occurred_at = $1 AND c.commerce_event_id = $2
ORDER BY c.assignment_id, c.withdrawn_at NULLS LAST, c.id
"""

# The last request of a row, if it keeps the answer: rows in another state were told otherwise, or not sent with it.
TOLD_IN: Final = "CASE WHEN q.shared_verdict = 'accepted' AND u.state = 'accepted' OR q.shared_verdict = 'pending' AND u.state = 'sent' THEN q.id END AS told_in"

_UPLOAD: Final = f"""
SELECT u.custom_event_id, u.id, u.created_at, u.kind, u.sequence, u.state, u.reason, u.sentence, u.value, u.currency,
  u.transaction_id, u.click_kind, u.conversion_at, u.adjusted_at, u.not_before, u.deadline_at, u.settled_at, u.attempts,
  c.customer_id || '/' || a.action_id AS ads_action, q.google_request_id, q.intent_at, q.answered_at,
  {TOLD_IN}
FROM app.conversion_uploads u
LEFT JOIN app.ads_actions a ON a.id = u.ads_action_id LEFT JOIN app.ads_accounts c ON c.id = a.ads_account_id
LEFT JOIN app.upload_requests q ON q.id = u.request_id
"""

_IN_TIME: Final = "u.created_at >= $4 AND u.created_at < $5"

# The ledger's rows of custom events ($1): the conversions that these name ($2, of the times $3), and the adjustments of those; none
# was written before the first of these custom events was, or after a time to come: each partition less is a millisecond less for
# a new connection. Two statements in one, as each has its index: with OR the planner reads every row of the time.
UPLOADS: Final = f"""
{_UPLOAD} WHERE {_IN_TIME} AND u.created_at = ANY ($3::text[]::timestamptz[]) AND u.id = ANY ($2::text[]::bigint[])
  AND u.kind = 'conversion'
UNION ALL
{_UPLOAD} WHERE {_IN_TIME} AND u.custom_event_id = ANY ($1::text[]::bigint[]) AND u.kind <> 'conversion'
ORDER BY sequence, id
"""

# Google's answers to rows of the ledger ($1), with the calls that carried them. As the view app.upload_answers, which has no index
# by row: attempts; what the last request ($3, `told_in`) keeps for some of the rows ($2); and what an earlier one did.
ANSWERS: Final = """
WITH attempts AS MATERIALIZED (
  SELECT upload_id, at, verdict, code, sentence, request_id FROM app.upload_attempts
  WHERE upload_id = ANY ($1::text[]::bigint[]))
SELECT t.upload_id, t.at, t.verdict, t.code, t.sentence, q.google_request_id, q.intent_at, q.answered_at FROM (
  SELECT * FROM attempts
  UNION ALL
  SELECT g.upload_id, r.answered_at, r.shared_verdict, NULL, NULL, r.id
  FROM unnest($2::text[]::bigint[], $3::text[]::bigint[]) AS g(upload_id, request_id)
  JOIN app.upload_requests r ON r.id = g.request_id
  WHERE NOT EXISTS (SELECT FROM attempts a WHERE a.upload_id = g.upload_id AND a.request_id = r.id)
  UNION ALL
  SELECT DISTINCT a.upload_id, r.answered_at, r.shared_verdict, NULL, NULL, r.id
  FROM attempts a JOIN app.upload_requests r ON r.id = a.request_id AND a.at > r.answered_at
  WHERE r.shared_verdict = 'pending'
    AND NOT EXISTS (SELECT FROM attempts b WHERE b.upload_id = a.upload_id AND b.request_id = r.id AND b.at = r.answered_at)) t
LEFT JOIN app.upload_requests q ON q.id = t.request_id
ORDER BY t.at, t.upload_id
"""

# The numbers of revisions, for people.
REVISION_NUMBERS: Final = """
SELECT 'definition', id, number FROM app.definition_revisions WHERE id = ANY ($1::text[]::bigint[])
UNION ALL
SELECT 'assignment', id, number FROM app.assignment_revisions WHERE id = ANY ($2::text[]::bigint[])
"""

# Assignments of a site that decide nothing: paused, of a paused site, or with nothing published.
SILENT_ASSIGNMENTS: Final = """
SELECT a.id, d.key, a.label, a.is_active, s.is_active
FROM app.site_custom_events a JOIN app.custom_event_definitions d ON d.id = a.definition_id JOIN app.sites s ON s.id = a.site_id
WHERE a.site_id = $1 AND a.id <> ALL ($2::text[]::bigint[]) ORDER BY a.id
"""
