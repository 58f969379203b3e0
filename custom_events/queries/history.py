"""SQL of the look back: stored events in the store's order, what they became, and the rules of another moment.

asyncpg, positional parameters; only reads. The look-ups are index probes in the same way as those of `understanding.py`.
"""

from typing import Final

from custom_events.queries.matching import ADS_ACTIONS
from custom_events.queries.places import NOT_REDACTED, conversion_of, rows_of
from custom_events.queries.stored_facts import facts_of
from custom_events.queries.understanding import given
from custom_events.tables.key_places import is_dedup_key
from custom_events.values.forgotten import BLANK_HEADERS
from custom_events.values.reasons import SAME_TRANSACTION

# After `understanding.SESSION`: statements that run once are planned for their values.
PLANNED_FOR_VALUES: Final = "; SET plan_cache_mode = force_custom_plan"

# A page of a site's events of some types in the order of (the store's time, key), after the last one of the page before. The
# facts are fetched last, so that what is sorted is small. Those of forgotten people stay as they are.
EVENTS_PAGE: Final = f"""
SELECT k.occurred_at, k.key, k.id, f.facts, f.is_undone
FROM (
  SELECT o.occurred_at, o.key, o.id
  FROM unnest($2::text[]) AS t(type)
  CROSS JOIN LATERAL (
    SELECT s.occurred_at, s.key, s.id FROM app.commerce_events s
    WHERE s.site_id = $1 AND s.type = t.type AND s.occurred_at >= $3 AND s.occurred_at < $5
      AND (s.occurred_at, s.key COLLATE "C") > ($3, $4::text) AND s.{NOT_REDACTED}
    ORDER BY s.occurred_at, s.key COLLATE "C" LIMIT $6::bigint
  ) o
  ORDER BY o.occurred_at, o.key COLLATE "C" LIMIT $6::bigint
) k
CROSS JOIN LATERAL (
  SELECT {facts_of("e")}, e.is_undone FROM app.commerce_events e WHERE e.occurred_at = k.occurred_at AND e.id = k.id LIMIT 1
) f
ORDER BY k.occurred_at, k.key COLLATE "C"
"""

# A site's newest events of some types, up to one of them by (the store's time, key), and not before a moment.
NEWEST_EVENTS: Final = f"""
SELECT o.facts
FROM unnest($2::text[]) AS t(type)
CROSS JOIN LATERAL (
  SELECT s.occurred_at, s.key, {facts_of("s")} FROM app.commerce_events s
  WHERE s.site_id = $1 AND s.type = t.type AND NOT s.is_undone AND s.occurred_at >= $3 AND s.occurred_at <= $4
    AND (s.occurred_at, s.key COLLATE "C") <= ($4, $5::text)
  ORDER BY s.occurred_at DESC, s.key COLLATE "C" DESC LIMIT $6::bigint
) o
ORDER BY o.occurred_at, o.key COLLATE "C"
"""

# A site's newest events of some types, newest first; without what was undone, and without those of forgotten people.
RECENT_EVENTS: Final = f"""
SELECT k.id, k.key, f.facts
FROM (
  SELECT o.occurred_at, o.key, o.id
  FROM unnest($2::text[]) AS t(type)
  CROSS JOIN LATERAL (
    SELECT s.occurred_at, s.key, s.id FROM app.commerce_events s
    WHERE s.site_id = $1 AND s.type = t.type AND NOT s.is_undone AND s.{NOT_REDACTED}
    ORDER BY s.occurred_at DESC, s.key COLLATE "C" DESC LIMIT $3::bigint
  ) o
  ORDER BY o.occurred_at DESC, o.key COLLATE "C" DESC LIMIT $3::bigint
) k
CROSS JOIN LATERAL (
  SELECT {facts_of("e")} FROM app.commerce_events e WHERE e.occurred_at = k.occurred_at AND e.id = k.id LIMIT 1
) f
ORDER BY k.occurred_at DESC, k.key COLLATE "C" DESC
"""

# The first event that is kept, of a site and some types.
FIRST_EVENT: Final = """
SELECT min(o.occurred_at)
FROM unnest($2::text[]) AS t(type)
CROSS JOIN LATERAL (
  SELECT s.occurred_at FROM app.commerce_events s WHERE s.site_id = $1 AND s.type = t.type ORDER BY s.occurred_at LIMIT 1
) o
"""

# What became of these events: custom events that stand.
STANDING: Final = f"""
SELECT c.place, u.assignment_id, u.id, u.occurred_at, u.dedup_key, u.value, u.currency, u.withheld_reason, u.created_at,
  u.order_id, u.upload_id
FROM {given("place int", "occurred_at timestamptz", "event_id bigint")}
CROSS JOIN LATERAL (
  SELECT e.* FROM app.custom_events e
  WHERE e.occurred_at = c.occurred_at AND e.commerce_event_id = c.event_id AND e.withdrawn_at IS NULL OFFSET 0
) u
"""

# Who has these deduplication keys: a custom event, and the commerce event it was made from.
KEY_HOLDERS: Final = f"""
SELECT h.*
FROM {given("assignment_id bigint", "dedup_key text")}
CROSS JOIN LATERAL (
  SELECT s.custom_event_id, s.occurred_at FROM app.custom_event_keys s
  WHERE {is_dedup_key("s", "c")} LIMIT 1
) k
CROSS JOIN LATERAL (
  SELECT u.assignment_id, u.id, u.occurred_at, u.dedup_key, u.value, u.currency, u.withheld_reason, u.created_at, u.order_id, u.upload_id,
    e.id AS event_id, e.key
  FROM app.custom_events u JOIN app.commerce_events e ON e.occurred_at = u.occurred_at AND e.id = u.commerce_event_id
  WHERE u.occurred_at = k.occurred_at AND u.id = k.custom_event_id LIMIT 1
) h
"""

_LEDGER: Final = """v.created_at, v.id, v.kind, v.sequence, v.state, v.reason, v.value, v.currency, v.ads_action_id, v.attempts,
    v.transaction_id"""

# The ledger's rows of custom events: conversions and their adjustments.
LEDGER: Final = f"""
SELECT c.id AS custom_event_id, u.*
FROM {given("id bigint", "created_at timestamptz", "upload_id bigint")}
CROSS JOIN LATERAL (
  {rows_of("c", _LEDGER)}
) u
ORDER BY c.id, u.sequence, u.id
"""

# Who has an order's transaction next: custom events that stand and are withheld for its sake, first by the store's time.
SUCCESSORS: Final = f"""
SELECT c.ads_action_id, c.transaction_id, e.id, e.value, e.currency
FROM {given("site_id bigint", "order_id text", "ads_action_id bigint", "transaction_id text")}
CROSS JOIN LATERAL (
  SELECT s.* FROM app.custom_events s
  WHERE s.site_id = c.site_id AND s.order_id = c.order_id AND s.withdrawn_at IS NULL AND s.value IS NOT NULL
    AND s.withheld_reason = '{SAME_TRANSACTION}' OFFSET 0
) e
CROSS JOIN LATERAL (
  {conversion_of("e", "v.ads_action_id, v.transaction_id, v.conversion_at")} LIMIT 1
) v
WHERE v.ads_action_id = c.ads_action_id AND v.transaction_id = c.transaction_id
ORDER BY v.conversion_at, e.id
"""

# Orders as they stand now, as far as the value of their conversions follows from them (see `queries/adjustments.py`).
ORDERS_NOW: Final = f"""
SELECT c.site_id, c.order_id, o.*
FROM {given("site_id bigint", "order_id text")}
CROSS JOIN LATERAL (
  SELECT s.currency, s.total, s.current_total, s.refunded, s.state_at, s.cancelled_at,
    CASE WHEN s.status = 'trash' THEN s.state_at ELSE s.deleted_at END AS gone_at, s.payment_lost_at,
    t.settings ->> 'payment_lost' AS payment_lost
  FROM app.orders s JOIN app.sites t ON t.id = s.site_id
  WHERE s.site_id = c.site_id AND s.order_id = c.order_id LIMIT 1
) o
"""

# Their refunds that count.
REFUNDS_NOW: Final = f"""
SELECT c.site_id, c.order_id, r.*
FROM {given("site_id bigint", "order_id text")}
CROSS JOIN LATERAL (
  SELECT s.refund_id, s.amount, s.currency, s.items::text AS items, s.shipping
  FROM app.order_refunds s LEFT JOIN app.orders o ON o.site_id = s.site_id AND o.order_id = s.order_id
  WHERE s.site_id = c.site_id AND s.order_id = c.order_id AND (s.amount > 0 OR s.items IS NOT NULL AND s.has_failed IS NULL)
    AND coalesce(s.seen_at, '-infinity') >= coalesce(o.refunds_listed_at, '-infinity') OFFSET 0
) r
"""

# ---------------------------------------------------------------- rules
# Sites by id; all of them without one.
SITES: Final = """
SELECT id, platform, shop_domain, currency, time_zone, settings, is_active FROM app.sites
WHERE $1::text[]::bigint[] IS NULL OR id = ANY ($1::text[]::bigint[]) ORDER BY id
"""

# Active sites that have a definition assigned and active.
SITES_WITH: Final = (
    "SELECT DISTINCT a.site_id FROM app.site_custom_events a JOIN app.sites s ON s.id = a.site_id"
    " WHERE a.definition_id = $1 AND a.is_active AND s.is_active ORDER BY 1"
)

# A site by what people call it: id, key or shop domain.
SITE_CALLED: Final = """
SELECT id FROM app.sites WHERE site_key = $1 OR shop_domain = lower($1) OR id::text = $1 ORDER BY id LIMIT 1
"""

# Sites there are, by key: what an error lists.
SITE_KEYS: Final = "SELECT site_key FROM app.sites ORDER BY site_key LIMIT 20"

# Definitions with what applied at a moment (NULL: what applies now).
DEFINITIONS: Final = """
SELECT DISTINCT ON (r.definition_id) r.definition_id, r.id, d.key, r.config
FROM app.definition_revisions r JOIN app.custom_event_definitions d ON d.id = r.definition_id
WHERE CASE WHEN $1::timestamptz IS NULL THEN r.state = 'published'
           ELSE r.published_at <= $1 AND (r.retired_at IS NULL OR r.retired_at > $1) END
ORDER BY r.definition_id, r.number DESC
"""

# Assignments of sites with what of them applied at a moment (NULL: what applies now), and whether they and their sites are active.
ASSIGNMENTS: Final = """
SELECT DISTINCT ON (a.id) a.id, a.site_id, a.label, a.definition_id, r.id AS revision_id, r.overrides, a.is_active AND s.is_active
FROM app.site_custom_events a JOIN app.sites s ON s.id = a.site_id
LEFT JOIN app.assignment_revisions r ON r.assignment_id = a.id
  AND CASE WHEN $2::timestamptz IS NULL THEN r.state = 'published'
           ELSE r.published_at <= $2 AND (r.retired_at IS NULL OR r.retired_at > $2) END
WHERE $1::text[]::bigint[] IS NULL OR a.site_id = ANY ($1::text[]::bigint[])
ORDER BY a.id, r.number DESC
"""

# A definition's revisions, newest first.
DEFINITION_REVISIONS: Final = """
SELECT d.id, d.key, r.id, r.number, r.state, r.config
FROM app.custom_event_definitions d LEFT JOIN app.definition_revisions r ON r.definition_id = d.id
WHERE d.key = $1 ORDER BY r.number DESC
"""

# An assignment's revisions, newest first.
ASSIGNMENT_REVISIONS: Final = """
SELECT a.id, a.site_id, r.id, r.number, r.state, r.overrides
FROM app.site_custom_events a LEFT JOIN app.assignment_revisions r ON r.assignment_id = a.id
WHERE a.id = $1 ORDER BY r.number DESC
"""

# Keys of definitions: what an error lists.
DEFINITION_KEYS: Final = "SELECT key FROM app.custom_event_definitions ORDER BY key"

# The ads actions that rules of these sites name, in any revision, and those in $2; columns as of ADS_ACTIONS.
ACTIONS_OF_SITES: Final = f"""
{ADS_ACTIONS}
WHERE (c.customer_id, a.action_id) IN (
  SELECT split_part(n.name, '/', 1), split_part(n.name, '/', 2)
  FROM (
    SELECT r.overrides ->> 'ads_action' AS name
    FROM app.site_custom_events s JOIN app.assignment_revisions r ON r.assignment_id = s.id
    WHERE s.site_id = ANY ($1::text[]::bigint[])
    UNION SELECT r.config ->> 'ads_action' FROM app.definition_revisions r
    UNION SELECT unnest($2::text[])
  ) n
  WHERE n.name IS NOT NULL
)
"""

# Every trigger that a revision of these assignments, or of their definitions, has ever had: what their custom events came from.
TRIGGERS_EVER: Final = """
SELECT DISTINCT jsonb_array_elements_text(r.config -> 'trigger')
FROM app.site_custom_events a JOIN app.definition_revisions r ON r.definition_id = a.definition_id
WHERE a.id = ANY ($1::text[]::bigint[]) AND r.published_at IS NOT NULL AND jsonb_typeof(r.config -> 'trigger') = 'array'
UNION
SELECT DISTINCT jsonb_array_elements_text(r.overrides -> 'trigger')
FROM app.assignment_revisions r
WHERE r.assignment_id = ANY ($1::text[]::bigint[]) AND r.published_at IS NOT NULL
  AND jsonb_typeof(r.overrides -> 'trigger') = 'array'
"""

# Assignments of sites, each with every group that it is in or was in: by the revisions of it and of its definition that have applied
# at the same time. Paused and retired ones, too.
GROUPS_EVER: Final = """
SELECT a.id, a.site_id, d.key, a.label, coalesce(array_agg(DISTINCT g.name) FILTER (WHERE g.name IS NOT NULL), '{}')
FROM app.site_custom_events a
JOIN app.custom_event_definitions d ON d.id = a.definition_id
LEFT JOIN LATERAL (
  SELECT CASE WHEN r.overrides ? 'group' THEN r.overrides ->> 'group' ELSE f.config ->> 'group' END AS name
  FROM app.assignment_revisions r
  JOIN app.definition_revisions f ON f.definition_id = a.definition_id
    AND coalesce(f.published_at, '-infinity') < coalesce(r.retired_at, 'infinity')
    AND coalesce(r.published_at, '-infinity') < coalesce(f.retired_at, 'infinity')
  WHERE r.assignment_id = a.id AND r.state <> 'draft' AND f.state <> 'draft'
) g ON true
WHERE a.site_id = ANY ($1::text[]::bigint[])
GROUP BY a.id, d.key
ORDER BY a.id
"""

# ---------------------------------------------------------------- replay
# A page of a site's raw events of one landing week, received in a period, with what became of them; by their deduplication keys,
# which is the order of the index (understanding does not ask for any). Those that tell of forgotten people have nothing to say.
RAW_PAGE: Final = f"""
SELECT r.dedup_key, r.landed_week, r.id, r.received_at, r.site_id, r.topic, r.triggered_at, r.headers, r.body, r.body_bytes,
  o.outcome, o.reason
FROM landing.raw_events r
LEFT JOIN app.raw_outcomes o ON o.landed_week = r.landed_week AND o.raw_id = r.id
WHERE r.landed_week = $1 AND r.site_id = $2 AND r.dedup_key > $3 AND r.received_at >= $4 AND r.received_at < $5
  AND NOT (r.body_bytes = 0 AND r.headers::text = '{BLANK_HEADERS}')
ORDER BY r.dedup_key LIMIT $6
"""

# Every event of these orders of a site, by key: between them a custom event may move.
KEYS_OF_ORDERS: Final = "SELECT key FROM app.commerce_events WHERE site_id = $1 AND order_id = ANY ($2::text[])"

# Put these raw events back into the queue; their outcome goes at the same moment, so that the sums agree while they wait.
REQUEUE_THESE: Final = f"""
WITH gone AS (
  DELETE FROM app.raw_outcomes o
  USING (SELECT c.landed_week, c.id FROM {given("landed_week date", "id bigint")}) c
  WHERE o.landed_week = c.landed_week AND o.raw_id = c.id
  RETURNING o.raw_id, o.landed_week, o.site_id
)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id, is_again) SELECT raw_id, landed_week, site_id, true FROM gone
ON CONFLICT DO NOTHING
"""

# Hold a shard until the end of the transaction, waiting for whoever has it.
HOLD_SHARD: Final = "SELECT pg_advisory_xact_lock($1::int, $2::int)"

# Since when fields are named by revisions that are published, or were. $1: names of fields.
NAMED_SINCE: Final = """
SELECT field #>> '{}', min(at) FROM (
  SELECT jsonb_path_query(config, '$.**.field') AS field, coalesce(published_at, created_at) AS at
  FROM app.definition_revisions WHERE state <> 'draft'
  UNION ALL
  SELECT jsonb_path_query(overrides, '$.**.field'), coalesce(published_at, created_at)
  FROM app.assignment_revisions WHERE state <> 'draft'
) named WHERE field #>> '{}' = ANY($1::text[]) GROUP BY 1
"""
