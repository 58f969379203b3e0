"""SQL by which people are forgotten: what the drain asks, and what the carrying out finds, blanks and deletes.

The first statements are asyncpg's, with positional parameters; the others psycopg's through SQLAlchemy. Those of the carrying out
read by index where there is one; a site's whole past is read once for each request, in the background.
"""

from typing import Final

import sqlalchemy as sa

from custom_events.queries.places import rows_of
from custom_events.queries.stored_facts import facts_of
from custom_events.queries.understanding import given
from custom_events.tables.key_places import is_dedup_key, is_event_key, is_transaction
from custom_events.values.forgotten import BLANK_HEADERS, PSEUDONYM

BLANK_BODY: Final = r"'\x28b52ffd2000010000'"  # nothing, compressed by zstd
_BLANK: Final = f"body = {BLANK_BODY}, body_bytes = 0, headers = '{BLANK_HEADERS}', delivery_id = NULL, event_id = NULL"
# LIKE patterns, in which our pseudonyms have no sign of their own.
REDACTED_KEY: Final = f"%:{PSEUDONYM}%"
REDACTED_ID: Final = f"{PSEUDONYM}%"

# ---------------------------------------------------------------- the drain's (asyncpg)
# Which of these sites have forgotten people.
SITES_WITH_FORGOTTEN: Final = f"""
SELECT c.site_id FROM {given("site_id bigint")}
WHERE EXISTS (SELECT FROM app.forgotten_subjects f WHERE f.site_id = c.site_id)
"""

# The key of the hashes, encrypted.
KEY: Final = "SELECT secret_encrypted FROM app.forgetting_keys"

# Which of these were forgotten, and until when.
FORGOTTEN: Final = f"""
SELECT c.place, f.until
FROM {given("place int", "site_id bigint", "kind text", "digest text")}
CROSS JOIN LATERAL (
  SELECT s.until FROM app.forgotten_subjects s
  WHERE s.site_id = c.site_id AND s.kind = c.kind AND s.digest = decode(c.digest, 'hex') LIMIT 1
) f
"""

# Bytes, headers and ids of deliveries go; the rows stay, so that the sums agree and the same delivery is known again.
BLANK_RAW: Final = f"""
UPDATE landing.raw_events r SET {_BLANK}
FROM {given("landed_week date", "id bigint")} WHERE r.landed_week = c.landed_week AND r.id = c.id
"""

# ---------------------------------------------------------------- the key
KEEP_KEY: Final = sa.text(
    "INSERT INTO app.forgetting_keys (secret_encrypted) VALUES (:token) ON CONFLICT (is_only) DO NOTHING"
)
READ_KEY: Final = sa.text(KEY)

# ---------------------------------------------------------------- a request
# Open requests that the installation carries out by itself, what is due first first.
OPEN: Final = sa.text("""
SELECT raw_id FROM app.privacy_requests WHERE done_at IS NULL AND kind <> 'data_request' ORDER BY due_at, raw_id
""")

# One request.
REQUEST: Final = sa.text("""
SELECT r.raw_id, r.landed_week, r.site_id, r.kind, r.received_at, r.done_at, r.person_encrypted, r.counts, s.site_key, s.platform,
  s.settings ->> 'default_country' AS country
FROM app.privacy_requests r JOIN app.sites s ON s.id = r.site_id WHERE r.raw_id = :raw_id
""")

# The delivery that brought it.
DELIVERY: Final = sa.text("""
SELECT e.body, e.body_bytes FROM landing.raw_events e WHERE e.landed_week = :week AND e.id = :raw_id
""")

# A request that came another way than by a delivery: its number is drawn from that of the deliveries.
ASK: Final = sa.text("""
INSERT INTO app.privacy_requests (raw_id, landed_week, site_id, kind, received_at, due_at, person_encrypted)
VALUES (nextval(pg_get_serial_sequence('landing.raw_events', 'id')), date_trunc('week', CAST(:now AS timestamptz) AT TIME ZONE 'UTC')::date,
  :site, :kind, :now, :due, :person)
RETURNING raw_id
""")

# The site, as understanding knows it (`matching.SITES`).
SITE: Final = sa.text("""
SELECT id, platform, shop_domain, currency, time_zone, settings::text, is_active FROM app.sites WHERE id = :site
""")

# It has begun.
BEGIN: Final = sa.text(
    "UPDATE app.privacy_requests SET started_at = coalesce(started_at, now()) WHERE raw_id = :raw_id"
)

# What was done so far; each count is added to what stands there.
COUNT: Final = sa.text("""
UPDATE app.privacy_requests SET counts = counts || (
  SELECT jsonb_object_agg(n.name, n.rows + coalesce((counts ->> n.name)::bigint, 0))
  FROM unnest(CAST(:names AS text[]), CAST(:rows AS bigint[])) AS n(name, rows))
WHERE raw_id = :raw_id
""")

# How many events wait for Google's answer.
WAIT: Final = sa.text("UPDATE app.privacy_requests SET waiting = :waiting WHERE raw_id = :raw_id")

# It was carried out.
DONE: Final = sa.text("""
UPDATE app.privacy_requests SET done_at = now(), done_by = :actor, note = :note, person_encrypted = NULL, waiting = 0
WHERE raw_id = :raw_id AND done_at IS NULL
""")

# The delivery of a request that was carried out says no more who it was.
BLANK_REQUEST: Final = sa.text(f"UPDATE landing.raw_events SET {_BLANK} WHERE landed_week = :week AND id = :raw_id")

# Nothing of the site is drained meanwhile, and what comes afterwards sees what is committed here.
LOCK_SHARD: Final = sa.text(
    "SELECT pg_advisory_xact_lock(:lock, CAST(CAST(:site AS bigint) % CAST(:shards AS bigint) AS int))"
)

# ---------------------------------------------------------------- who it is
# The customers that are known by these keys or addresses.
CUSTOMERS: Final = sa.text("""
SELECT customer_key, email_sha256, phone_sha256 FROM app.customers
WHERE site_id = :site AND (customer_key = ANY(CAST(:keys AS text[])) OR email_sha256 = ANY(CAST(:emails AS text[])))
""")

# Their orders.
ORDERS: Final = sa.text("""
SELECT order_id FROM app.orders WHERE site_id = :site AND customer_key = ANY(CAST(:keys AS text[])) AND order_id NOT LIKE :redacted
  AND (ordered_at IS NULL OR ordered_at <= :until)
""")

# Remember hashes; what was remembered for longer stays.
REMEMBER: Final = sa.text("""
INSERT INTO app.forgotten_subjects AS f (site_id, kind, digest, until, raw_id)
SELECT :site, g.kind, g.digest, g.until, :raw_id
FROM unnest(CAST(:kinds AS text[]), CAST(:digests AS bytea[]), CAST(:untils AS timestamptz[])) AS g(kind, digest, until)
ON CONFLICT (site_id, kind, digest) DO UPDATE SET until = excluded.until WHERE f.until < excluded.until
""")

# All that a site has forgotten.
SUBJECTS: Final = sa.text("SELECT kind, digest, until FROM app.forgotten_subjects WHERE site_id = :site")
FORGETFUL_SITES: Final = sa.text("SELECT DISTINCT site_id FROM app.forgotten_subjects ORDER BY 1")

# ---------------------------------------------------------------- events
_EVENT: Final = f"e.occurred_at, e.id, e.key, e.order_id, {facts_of('e')}, e.is_undone"
_AFTER: Final = "e.site_id = :site AND e.key NOT LIKE :redacted AND (e.occurred_at, e.id) > (:at, :id)"

# A person's events, page by page: by customer, by order, and by number where nothing else is known of them.
EVENTS_OF_PERSON: Final = sa.text(f"""
SELECT {_EVENT} FROM app.commerce_events e
WHERE {_AFTER} AND (
  e.order_id = ANY(CAST(:orders AS text[])) OR e.customer_key = ANY(CAST(:keys AS text[])) AND e.occurred_at <= :until
  OR e.customer_key IS NULL AND e.occurred_at <= :until AND e.facts -> 'customer' ->> 'phone_sha256' = ANY(CAST(:phones AS text[])))
ORDER BY e.occurred_at, e.id LIMIT :rows
""")

# Everybody's.
EVENTS_OF_SITE: Final = sa.text(f"""
SELECT {_EVENT} FROM app.commerce_events e WHERE {_AFTER} AND e.occurred_at <= :until ORDER BY e.occurred_at, e.id LIMIT :rows
""")

# All events of these orders, and those of these carts and subscriptions.
EVENTS_OF_ORDERS: Final = sa.text(f"""
SELECT {_EVENT} FROM app.commerce_events e
WHERE e.site_id = :site AND e.key NOT LIKE :redacted AND e.order_id = ANY(CAST(:orders AS text[]))
""")
EVENTS_OF_PARTS: Final = sa.text(f"""
SELECT {_EVENT} FROM app.commerce_events e
WHERE e.site_id = :site AND e.key NOT LIKE :redacted AND (
  e.type IN ('checkout.started', 'cart.item_added') AND e.facts -> 'cart' ->> 'token' = ANY(CAST(:tokens AS text[]))
  OR e.type LIKE 'subscription.%' AND e.facts -> 'subscription' ->> 'id' = ANY(CAST(:subscriptions AS text[])))
""")

# The custom events of these events, withdrawn ones too.
CUSTOM_EVENTS: Final = sa.text("""
SELECT c.occurred_at, c.id, c.assignment_id, c.commerce_event_id, c.dedup_key, c.order_id
FROM app.custom_events c WHERE c.commerce_event_id = ANY(CAST(:ids AS bigint[]))
""")

_UPLOADS: Final = f"""
FROM app.custom_events c
CROSS JOIN LATERAL ({rows_of("c", "v.created_at, v.id")}) v
JOIN app.conversion_uploads u ON u.created_at = v.created_at AND u.id = v.id
WHERE c.id = ANY(CAST(:ids AS bigint[]))
ORDER BY u.created_at, u.id
"""

# Lock the ledger's rows of these custom events. What it returns may be incomplete (`adjustments.LOCK_LEDGER_ROWS` says why).
LOCK_UPLOADS: Final = sa.text(f"SELECT u.id {_UPLOADS} FOR UPDATE OF u")

# The ledger's rows of these custom events.
UPLOADS: Final = sa.text(
    f"SELECT u.created_at, u.id, u.custom_event_id, u.state, u.ads_action_id, u.transaction_id, u.sequence, u.order_id {_UPLOADS}"
)

_ROWS: Final = "unnest(CAST(:ats AS timestamptz[]), CAST(:ids AS bigint[])"

REDACT_EVENTS: Final = sa.text(f"""
UPDATE app.commerce_events e SET key = g.key, order_id = g.order_id, customer_key = NULL, facts = g.facts::json, packed = NULL
FROM {_ROWS}, CAST(:keys AS text[]), CAST(:orders AS text[]), CAST(:facts AS text[])) AS g(at, id, key, order_id, facts)
WHERE e.occurred_at = g.at AND e.id = g.id
""")

_RENAMED: Final = "unnest(CAST(:old AS text[]), CAST(:new AS text[])) AS g(old, new)"

REDACT_EVENT_KEYS: Final = sa.text(f"""
UPDATE app.event_keys k SET key = c.new FROM (SELECT CAST(:site AS bigint) AS site_id, g.old AS key, g.new FROM {_RENAMED}) c
WHERE {is_event_key("k", "c")}
""")

REDACT_CUSTOM_EVENTS: Final = sa.text(f"""
UPDATE app.custom_events c SET dedup_key = g.dedup_key, order_id = g.order_id, customer_key = NULL
FROM {_ROWS}, CAST(:keys AS text[]), CAST(:orders AS text[])) AS g(at, id, dedup_key, order_id)
WHERE c.occurred_at = g.at AND c.id = g.id
""")

REDACT_CUSTOM_EVENT_KEYS: Final = sa.text(f"""
UPDATE app.custom_event_keys k SET dedup_key = g.new
FROM unnest(CAST(:assignments AS bigint[]), CAST(:old AS text[]), CAST(:new AS text[]), CAST(:ids AS bigint[]))
  AS g(assignment_id, dedup_key, new, id)
WHERE {is_dedup_key("k", "g")} AND k.custom_event_id = g.id
""")

# Whatever one of these events has withdrawn.
REDACT_WITHDRAWN_BY: Final = sa.text(f"""
UPDATE app.custom_events c SET withdrawn_by = g.new
FROM {_RENAMED} WHERE c.site_id = :site AND c.withdrawn_at IS NOT NULL AND c.withdrawn_by = g.old
""")

# The row, its value and its state stay for the sums. What was not sent never is; what may be at Google is not sent once more.
REDACT_UPLOADS: Final = sa.text(f"""
UPDATE app.conversion_uploads u SET
  transaction_id = g.transaction_id, order_id = g.order_id, click_id = NULL, clicked_at = NULL, email_sha256 = NULL,
  phone_sha256 = NULL, other_clicks = NULL, cart = NULL, held_reason = NULL, held_sentence = NULL, held_until = NULL,
  state = CASE WHEN u.state IN ('new', 'held', 'queued') THEN 'withheld' WHEN u.state = 'unknown' THEN 'expired' ELSE u.state END,
  reason = CASE WHEN u.state IN ('new', 'held', 'queued', 'unknown') THEN :reason ELSE u.reason END,
  sentence = CASE WHEN u.state IN ('new', 'held', 'queued') THEN :unsent WHEN u.state = 'unknown' THEN :unsure ELSE u.sentence END,
  lease_until = NULL, settled_at = coalesce(u.settled_at, :now), updated_at = :now
FROM {_ROWS}, CAST(:transactions AS text[]), CAST(:orders AS text[])) AS g(at, id, transaction_id, order_id)
WHERE u.created_at = g.at AND u.id = g.id
""")

REDACT_UPLOAD_KEYS: Final = sa.text(f"""
UPDATE app.upload_keys k SET transaction_id = g.new
FROM unnest(CAST(:actions AS bigint[]), CAST(:old AS text[]), CAST(:sequences AS integer[]), CAST(:ids AS bigint[]), CAST(:new AS text[]))
  AS g(ads_action_id, transaction_id, sequence, id, new)
WHERE {is_transaction("k", "g")} AND k.sequence = g.sequence AND k.upload_id = g.id
""")

REDACT_COUNTED: Final = sa.text(f"""
UPDATE app.counted_events n SET key = g.new, customer_key = NULL
FROM {_RENAMED}, app.threshold_counters t, app.site_custom_events a
WHERE a.site_id = :site AND t.assignment_id = a.id AND n.counter_id = t.id AND n.key = g.old
""")

# What was counted of single customers; the next batch that reads many events of one counts them anew.
DELETE_CUSTOMER_COUNTERS: Final = sa.text("""
WITH gone AS (
  DELETE FROM app.threshold_counters t USING app.site_custom_events a
  WHERE a.site_id = :site AND t.assignment_id = a.id AND t.customer_key <> ''
    AND (CAST(:everybody AS boolean) OR t.customer_key = ANY(CAST(:keys AS text[]))) RETURNING t.id),
events AS (DELETE FROM app.counted_events n USING gone WHERE n.counter_id = gone.id)
DELETE FROM app.counted_days d USING gone WHERE d.counter_id = gone.id
""")

# By what carried them, within the times of the events.
DELETE_CLICKS: Final = sa.text("""
DELETE FROM app.clicks c WHERE c.site_id = :site AND c.subject = ANY(CAST(:subjects AS text[])) AND c.seen_at >= :since AND c.seen_at <= :until
""")

# What browsers told of these orders and carts.
DELETE_BEACONS: Final = sa.text("""
DELETE FROM app.beacons b WHERE b.site_id = :site AND b.subject = ANY(CAST(:subjects AS text[]))
""")

DELETE_WITHDRAWN_WITHOUT_ORDER: Final = sa.text(
    "DELETE FROM app.withdrawn_without_order WHERE custom_event_id = ANY(CAST(:ids AS bigint[]))"
)

# ---------------------------------------------------------------- orders
REDACT_ORDERS: Final = sa.text(f"""
UPDATE app.orders o SET order_id = g.new, number = NULL, customer_key = NULL, said_digest = NULL
FROM {_RENAMED} WHERE o.site_id = :site AND o.order_id = g.old
""")

REFUNDS: Final = sa.text("""
SELECT order_id, refund_id, items::text AS items FROM app.order_refunds WHERE site_id = :site AND order_id = ANY(CAST(:orders AS text[]))
""")

REDACT_REFUNDS: Final = sa.text("""
UPDATE app.order_refunds r SET order_id = g.new_order, refund_id = g.new_refund, items = g.items::json
FROM unnest(CAST(:old_orders AS text[]), CAST(:old_refunds AS text[]), CAST(:new_orders AS text[]), CAST(:new_refunds AS text[]),
  CAST(:items AS text[])) AS g(old_order, old_refund, new_order, new_refund, items)
WHERE r.site_id = :site AND r.order_id = g.old_order AND r.refund_id = g.old_refund
""")

_OF_ORDERS: Final = "WHERE site_id = :site AND order_id = ANY(CAST(:orders AS text[]))"
DELETE_CONSENTS: Final = sa.text(f"DELETE FROM app.order_consents {_OF_ORDERS}")
DELETE_VALUE_CHANGES: Final = sa.text(f"DELETE FROM app.value_changes {_OF_ORDERS}")

# Orders that no event tells of any more, or ever did.
ORDERS_LEFT: Final = sa.text("""
SELECT o.order_id FROM app.orders o
WHERE o.site_id = :site AND o.order_id > :after AND o.order_id NOT LIKE :redacted
  AND (CAST(:everybody AS boolean) AND (o.ordered_at IS NULL OR o.ordered_at <= :until)
    OR o.order_id = ANY(CAST(:orders AS text[]))
    OR o.customer_key = ANY(CAST(:keys AS text[])) AND (o.ordered_at IS NULL OR o.ordered_at <= :until))
  AND NOT EXISTS (SELECT FROM app.commerce_events e WHERE e.site_id = o.site_id AND e.order_id = o.order_id)
ORDER BY o.order_id LIMIT :rows
""")

# ---------------------------------------------------------------- subscriptions and customers
SUBSCRIPTIONS: Final = sa.text("""
SELECT subscription_id, origin_order_id FROM app.subscriptions
WHERE site_id = :site AND subscription_id NOT LIKE :redacted AND (started_at IS NULL OR started_at <= :until)
  AND (CAST(:everybody AS boolean) OR customer_key = ANY(CAST(:keys AS text[])) OR origin_order_id = ANY(CAST(:orders AS text[])))
LIMIT :rows
""")

REDACT_SUBSCRIPTIONS: Final = sa.text("""
UPDATE app.subscriptions s SET subscription_id = g.new, customer_key = NULL, origin_order_id = g.origin
FROM unnest(CAST(:old AS text[]), CAST(:new AS text[]), CAST(:origins AS text[])) AS g(old, new, origin)
WHERE s.site_id = :site AND s.subscription_id = g.old
""")

DELETE_CUSTOMERS: Final = sa.text("""
DELETE FROM app.customers c WHERE ctid = ANY (ARRAY (
  SELECT k.ctid FROM app.customers k
  WHERE k.site_id = :site AND (CAST(:everybody AS boolean) AND k.first_seen_at <= :until OR k.customer_key = ANY(CAST(:keys AS text[])))
    AND NOT EXISTS (SELECT FROM app.orders o WHERE o.site_id = k.site_id AND o.customer_key = k.customer_key)
    AND NOT EXISTS (SELECT FROM app.commerce_events e WHERE e.site_id = k.site_id AND e.customer_key = k.customer_key)
  LIMIT :rows))
""")

# ---------------------------------------------------------------- deliveries
# A site's deliveries that still say something, week by week; requests that are open keep what they are about.
FIRST_WEEK: Final = sa.text("SELECT min(landed_week) FROM landing.raw_events")
RAW_PAGE: Final = sa.text("""
SELECT e.landed_week, e.id, e.topic, e.triggered_at, e.received_at, e.headers::text AS headers, e.body, e.body_bytes
FROM landing.raw_events e
WHERE e.landed_week = :week AND e.id > :after AND e.site_id = :site
  AND NOT EXISTS (
    SELECT FROM app.privacy_requests r WHERE r.raw_id = e.id AND r.done_at IS NULL AND r.kind <> 'data_request')
ORDER BY e.id LIMIT :rows
""")
BLANK_THESE: Final = sa.text(f"""
UPDATE landing.raw_events r SET {_BLANK} WHERE r.landed_week = :week AND r.id = ANY(CAST(:ids AS bigint[]))
""")

# Quarantine: of the site, and of nobody's address.
REFUSED_PAGE: Final = sa.text("""
SELECT q.received_at, q.id, q.topic, q.headers::text AS headers, q.body, q.body_bytes
FROM landing.refused_events q
WHERE (q.received_at, q.id) > (:at, :id) AND (q.site_id = :site OR q.site_id IS NULL) AND (q.body IS NOT NULL OR q.headers IS NOT NULL)
ORDER BY q.received_at, q.id LIMIT :rows
""")
BLANK_REFUSED: Final = sa.text(f"""
UPDATE landing.refused_events q SET body = NULL, headers = NULL
FROM {_ROWS}) AS g(at, id) WHERE q.received_at = g.at AND q.id = g.id
""")

# ---------------------------------------------------------------- what is stored of somebody
_THEIRS: Final = (
    "t.site_id = :site AND (t.customer_key = ANY(CAST(:keys AS text[])) OR t.order_id = ANY(CAST(:orders AS text[])))"
)
_THEIR_EVENTS: Final = f"""FROM app.commerce_events t WHERE {_THEIRS}
  OR t.site_id = :site AND t.customer_key IS NULL AND t.facts -> 'customer' ->> 'phone_sha256' = ANY(CAST(:phones AS text[]))"""
_THEIR_CUSTOM_EVENTS: Final = f"""FROM app.custom_events c JOIN (SELECT t.occurred_at, t.id {_THEIR_EVENTS}) e
  ON c.occurred_at = e.occurred_at AND c.commerce_event_id = e.id"""

# Each as one JSON value a row, by the name of the table.
EXPORT: Final = {
    "customers": sa.text(
        "SELECT to_jsonb(t) FROM app.customers t WHERE t.site_id = :site AND t.customer_key = ANY(CAST(:keys AS text[])) ORDER BY t.customer_key"
    ),
    "orders": sa.text(f"SELECT to_jsonb(t) FROM app.orders t WHERE {_THEIRS} ORDER BY t.order_id"),
    "order_refunds": sa.text(
        "SELECT to_jsonb(t) FROM app.order_refunds t WHERE t.site_id = :site AND t.order_id = ANY(CAST(:orders AS text[])) ORDER BY t.order_id, t.refund_id"
    ),
    "subscriptions": sa.text(
        "SELECT to_jsonb(t) FROM app.subscriptions t WHERE t.site_id = :site"
        " AND (t.customer_key = ANY(CAST(:keys AS text[])) OR t.origin_order_id = ANY(CAST(:orders AS text[]))) ORDER BY t.subscription_id"
    ),
    "commerce_events": sa.text(
        f"SELECT to_jsonb(t) - 'packed', {facts_of('t')} {_THEIR_EVENTS} ORDER BY t.occurred_at, t.id"
    ),
    "clicks": sa.text(f"""SELECT to_jsonb(k) FROM app.clicks k WHERE k.site_id = :site AND k.subject IN (
  SELECT 'order:' || o.id FROM unnest(CAST(:orders AS text[])) AS o(id) UNION ALL SELECT t.key {_THEIR_EVENTS}
  UNION ALL SELECT 'cart:' || (t.facts -> 'cart' ->> 'token') {_THEIR_EVENTS}) ORDER BY k.seen_at, k.click_id"""),
    "custom_events": sa.text(f"SELECT to_jsonb(c) {_THEIR_CUSTOM_EVENTS} ORDER BY c.occurred_at, c.id"),
    "conversion_uploads": sa.text(f"""SELECT to_jsonb(u) FROM (SELECT c.id, c.created_at, c.upload_id {_THEIR_CUSTOM_EVENTS}) c
CROSS JOIN LATERAL ({rows_of("c", "v.created_at, v.id")}) v
JOIN app.conversion_uploads u ON u.created_at = v.created_at AND u.id = v.id ORDER BY u.created_at, u.id"""),
}
