"""SQL of the drain, first half: from the queue of raw events to commerce events and state. asyncpg, positional parameters.

Rows are written by COPY; what is here claims, reads, looks up and changes. Look-ups join `unnest` of the batch's keys with
the table's primary key, so each key costs one index probe; the drain's connections use generic plans, since a planner that
knows the batch's size prefers to read the whole table.
"""

from typing import Final

# Waiting rows per shard, by one pass over the queue: decides which shards a worker asks for.
BACKLOG: Final = """
SELECT site_id % $1::bigint AS shard, count(*) AS waiting FROM landing.raw_queue GROUP BY 1
"""

# For a drain's connection: plans that do not know how many keys a batch has.
GENERIC_PLANS: Final = "SET plan_cache_mode = force_generic_plan"

# Whether anything waits at all; the idle worker's poll.
ANYTHING_WAITING: Final = "SELECT EXISTS (SELECT FROM landing.raw_queue)"

# The transaction's time, by the database's clock.
NOW: Final = "SELECT now()"

# Take a shard for this transaction, if nobody has it.
LOCK_SHARD: Final = "SELECT pg_try_advisory_xact_lock($1::int, $2::int)"

# Claim rows of the shards in $2, oldest first, and at most $5 of shard $3: the last one taken, that is larger than the batch.
CLAIM: Final = """
WITH taken AS (
  (SELECT raw_id FROM landing.raw_queue WHERE site_id % $1::bigint = ANY ($2::bigint[]) ORDER BY raw_id LIMIT $4::bigint)
  UNION ALL
  (SELECT raw_id FROM landing.raw_queue WHERE site_id % $1::bigint = $3::bigint ORDER BY raw_id LIMIT $5::bigint)
)
DELETE FROM landing.raw_queue q USING taken t WHERE q.raw_id = t.raw_id RETURNING q.landed_week, q.raw_id, q.site_id
"""

# Bodies of the claimed rows; the week finds the partition.
READ_BODIES: Final = """
SELECT r.landed_week, r.id, r.received_at, r.site_id, r.topic, r.triggered_at, r.headers, r.body, r.body_bytes
FROM unnest($1::date[], $2::bigint[]) AS c(landed_week, id)
JOIN landing.raw_events r ON r.landed_week = c.landed_week AND r.id = c.id
"""

# Surrogate keys for rows that refer to each other before they are written.
RESERVE_IDS: Final = "SELECT nextval($1::text::regclass) FROM generate_series(1, $2::bigint)"

# Somebody queued raw events that have an outcome already: the new one takes its place.
FORGET_OUTCOMES: Final = """
DELETE FROM app.raw_outcomes o USING unnest($1::date[], $2::bigint[]) AS c(landed_week, raw_id)
WHERE o.landed_week = c.landed_week AND o.raw_id = c.raw_id
"""

# Natural keys that are known, with the clock of the evidence behind each.
KNOWN_EVENTS: Final = """
SELECT k.site_id, k.key, k.event_id, k.occurred_at, k.evidence_at
FROM unnest($1::bigint[], $2::text[]) AS c(site_id, key)
JOIN app.event_keys k ON k.site_id = c.site_id AND k.key = c.key
"""

# The stored content of events for which an equally old or older evidence came.
STORED_EVENTS: Final = """
SELECT e.id, e.facts
FROM unnest($1::timestamptz[], $2::bigint[]) AS c(occurred_at, id)
JOIN app.commerce_events e ON e.occurred_at = c.occurred_at AND e.id = c.id
"""

# Older evidence replaces an event's content; its id and its natural key stay.
REVISE_EVENTS: Final = """
UPDATE app.commerce_events e SET
  occurred_at = c.occurred_at, evidence_at = c.evidence_at, order_id = c.order_id, customer_key = c.customer_key,
  amount = c.amount, currency = c.currency, is_test = c.is_test, facts = c.facts,
  raw_id = c.raw_id, raw_landed_week = c.raw_landed_week
FROM unnest($1::timestamptz[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::numeric[],
            $8::text[], $9::bool[], $10::json[], $11::bigint[], $12::date[])
  AS c(stored_at, id, occurred_at, evidence_at, order_id, customer_key, amount, currency, is_test, facts, raw_id, raw_landed_week)
WHERE e.occurred_at = c.stored_at AND e.id = c.id
"""

# The key follows its event: where it is now, and how old its evidence is.
REVISE_KEYS: Final = """
UPDATE app.event_keys k SET occurred_at = c.occurred_at, evidence_at = c.evidence_at
FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS c(site_id, key, occurred_at, evidence_at)
WHERE k.site_id = c.site_id AND k.key = c.key
"""

# State of the batch's orders.
KNOWN_ORDERS: Final = """
SELECT o.site_id, o.order_id, o.number, o.ordered_at, o.state_at, o.status, o.financial_status, o.paid_at, o.cancelled_at,
       o.deleted_at, o.currency, o.total, o.refunded, o.customer_key, o.is_test
FROM unnest($1::bigint[], $2::text[]) AS c(site_id, order_id)
JOIN app.orders o ON o.site_id = c.site_id AND o.order_id = c.order_id
"""

# Orders whose merged state differs from the stored one.
CHANGE_ORDERS: Final = """
UPDATE app.orders o SET
  number = c.number, ordered_at = c.ordered_at, state_at = c.state_at, status = c.status,
  financial_status = c.financial_status, paid_at = c.paid_at, cancelled_at = c.cancelled_at, deleted_at = c.deleted_at,
  currency = c.currency, total = c.total, refunded = c.refunded, customer_key = c.customer_key, is_test = c.is_test,
  updated_at = now()
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
            $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::numeric[], $13::numeric[],
            $14::text[], $15::bool[])
  AS c(site_id, order_id, number, ordered_at, state_at, status, financial_status, paid_at, cancelled_at, deleted_at,
       currency, total, refunded, customer_key, is_test)
WHERE o.site_id = c.site_id AND o.order_id = c.order_id
"""

# All refunds of the orders that the batch's refunds are about.
KNOWN_REFUNDS: Final = """
SELECT r.site_id, r.order_id, r.refund_id, r.amount, r.currency, r.refunded_at
FROM unnest($1::bigint[], $2::text[]) AS c(site_id, order_id)
JOIN app.order_refunds r ON r.site_id = c.site_id AND r.order_id = c.order_id
"""

# Refunds that are told of in another way than before.
CHANGE_REFUNDS: Final = """
UPDATE app.order_refunds r SET amount = c.amount, currency = c.currency, refunded_at = c.refunded_at
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::numeric[], $5::text[], $6::timestamptz[])
  AS c(site_id, order_id, refund_id, amount, currency, refunded_at)
WHERE r.site_id = c.site_id AND r.order_id = c.order_id AND r.refund_id = c.refund_id
"""

# State of the batch's subscriptions.
KNOWN_SUBSCRIPTIONS: Final = """
SELECT s.site_id, s.subscription_id, s.state_at, s.status, s.started_at, s.cancelled_at, s.customer_key, s.origin_order_id
FROM unnest($1::bigint[], $2::text[]) AS c(site_id, subscription_id)
JOIN app.subscriptions s ON s.site_id = c.site_id AND s.subscription_id = c.subscription_id
"""

# Subscriptions whose merged state differs from the stored one.
CHANGE_SUBSCRIPTIONS: Final = """
UPDATE app.subscriptions s SET
  state_at = c.state_at, status = c.status, started_at = c.started_at, cancelled_at = c.cancelled_at,
  customer_key = c.customer_key, origin_order_id = c.origin_order_id, updated_at = now()
FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[],
            $8::text[])
  AS c(site_id, subscription_id, state_at, status, started_at, cancelled_at, customer_key, origin_order_id)
WHERE s.site_id = c.site_id AND s.subscription_id = c.subscription_id
"""

# The batch's customers, as far as they are known.
KNOWN_CUSTOMERS: Final = """
SELECT u.site_id, u.customer_key, u.first_seen_at, u.email_sha256, u.phone_sha256
FROM unnest($1::bigint[], $2::text[]) AS c(site_id, customer_key)
JOIN app.customers u ON u.site_id = c.site_id AND u.customer_key = c.customer_key
"""

# Customers that were seen earlier than we knew, or whose hashes we learned.
CHANGE_CUSTOMERS: Final = """
UPDATE app.customers u SET
  first_seen_at = c.first_seen_at, email_sha256 = c.email_sha256, phone_sha256 = c.phone_sha256, updated_at = now()
FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
  AS c(site_id, customer_key, first_seen_at, email_sha256, phone_sha256)
WHERE u.site_id = c.site_id AND u.customer_key = c.customer_key
"""

# Captured click ids; the same click on the same carrier is one row.
ADD_CLICKS: Final = """
INSERT INTO app.clicks (seen_at, site_id, kind, click_id, subject, carrier, clicked_at, consent)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                     $8::json[])
ON CONFLICT DO NOTHING
"""

# Orders whose conversions may need another value; the ledger's adjuster takes them.
MARK_VALUE_CHANGES: Final = """
INSERT INTO app.value_changes (site_id, order_id, changed_at)
SELECT c.site_id, c.order_id, clock_timestamp() FROM unnest($1::bigint[], $2::text[]) AS c(site_id, order_id)
ON CONFLICT (site_id, order_id) DO UPDATE SET changed_at = excluded.changed_at
"""

# Put raw events back into the queue: those with this outcome, of this reason, site and period where given, whose body is
# still there. Their outcome goes at the same moment, so that the sums agree while they wait.
REQUEUE: Final = """
WITH gone AS (
  DELETE FROM app.raw_outcomes o USING landing.raw_events r
  WHERE o.outcome = $1 AND ($2::text IS NULL OR o.reason = $2) AND ($3::bigint IS NULL OR o.site_id = $3)
    AND ($4::timestamptz IS NULL OR o.received_at >= $4) AND ($5::timestamptz IS NULL OR o.received_at < $5)
    AND r.landed_week = o.landed_week AND r.id = o.raw_id
  RETURNING o.raw_id, o.landed_week, o.site_id
)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT raw_id, landed_week, site_id FROM gone
ON CONFLICT DO NOTHING
"""
