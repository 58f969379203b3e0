"""SQL of the drain, first half: from the queue of raw events to commerce events and state. asyncpg, positional parameters.

Rows are written by COPY; what is here claims, reads, looks up and changes. Two rules keep every statement's cost at one index
probe per key, whatever the planner knows or believes:
- Keys come as JSON arrays, one for each column (`given`): asyncpg takes about a microsecond to encode an element of an
  array, json.encode 0.05; with some dozen elements an order that adds up.
- A look-up is LATERAL ... LIMIT 1, a change is ON CONFLICT or by ctid, and the drain's connections have sequential scans off.
  A plan made while a table is empty reads the whole table for ever after: measured 600 us a row instead of 6.
"""

from typing import Final

from custom_events.queries.places import conversion_of
from custom_events.queries.stored_facts import facts_of
from custom_events.tables.key_places import is_event_key, of_event_key


def given(*columns: str, first: int = 1) -> str:
    """A FROM item `c` with these columns ("name type"), each from a JSON array, in the parameters from `first` on."""
    names = [column.split()[0] for column in columns]
    arrays = ", ".join(f"json_array_elements_text(${place}::json)" for place in range(first, first + len(columns)))
    casts = ", ".join(f"g.{name}::{column.split()[1]} AS {name}" for name, column in zip(names, columns, strict=True))
    return f"(SELECT {casts} FROM ROWS FROM ({arrays}) AS g({', '.join(names)}) OFFSET 0) c"


def upsert(table: str, keys: tuple[str, ...], columns: tuple[str, ...], *, unique: str = "") -> str:
    """Replace rows that are known to be there. Columns are "name type", the keys first. `unique`: what the unique index has, where that is not the keys
    alone."""
    names = [column.split()[0] for column in (*keys, *columns)]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[len(keys) :])
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(f'c.{name}' for name in names)}"
        f" FROM {given(*keys, *columns)} ON CONFLICT ({unique or ', '.join(names[: len(keys)])}) DO UPDATE SET {changes}"
    )


def change(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    """Change rows that are known to be there. One that somebody else changes at this very moment may be left out: count them. Against
    `upsert` it saves the try to insert, and locking the row first. Columns are "name type", the keys first."""
    key_names = [column.split()[0] for column in keys]
    changes = ", ".join(f"{name} = c.{name}" for name in (column.split()[0] for column in columns))
    by_key = " AND ".join(f"s.{name} = c.{name}" for name in key_names)
    return (
        f"UPDATE {table} t SET {changes} FROM (SELECT c.*, r.place FROM {given(*keys, *columns)}"
        f" CROSS JOIN LATERAL (SELECT s.ctid AS place FROM {table} s WHERE {by_key} LIMIT 1) r OFFSET 0) c WHERE t.ctid = c.place"
    )


# For a drain's connection: index probes whatever the statistics say, one plan for all batches.
SESSION: Final = """
SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off
"""

# Whether the planner has looked at orders. Before, it knows an empty table only, and looks for an order of a site among all of the site's.
KNOWS_ORDERS: Final = "SELECT reltuples > 0 FROM pg_class WHERE oid = 'app.orders'::regclass"

# Plans are made anew when their statements run next.
FORGET_PLANS: Final = "DISCARD PLANS"

# Waiting rows per shard, by one pass over the queue: decides which shards a worker asks for.
BACKLOG: Final = """
SELECT site_id % $1::bigint AS shard, count(*) AS waiting FROM landing.raw_queue GROUP BY 1
"""

# Whether anything waits at all; the idle worker's poll.
ANYTHING_WAITING: Final = "SELECT EXISTS (SELECT FROM landing.raw_queue)"

# The transaction's time, by the database's clock.
NOW: Final = "SELECT now()"

# Take a shard for this transaction, if nobody has it.
LOCK_SHARD: Final = "SELECT pg_try_advisory_xact_lock($1::int, $2::int)"

# Claim rows of the shards in $2, oldest first, and at most $5 of shard $3: the last one taken, that is larger than the batch.
CLAIM: Final = """
DELETE FROM landing.raw_queue WHERE ctid = ANY (ARRAY (
  (SELECT ctid FROM landing.raw_queue WHERE site_id % $1::bigint = ANY ($2::text[]::bigint[]) ORDER BY raw_id LIMIT $4::bigint)
  UNION ALL
  (SELECT ctid FROM landing.raw_queue WHERE site_id % $1::bigint = $3::bigint ORDER BY raw_id LIMIT $5::bigint)
)) RETURNING landed_week, raw_id, site_id, coalesce(is_again, false)
"""

# Bodies of the claimed rows; the week finds the partition.
READ_BODIES: Final = f"""
SELECT r.*
FROM {given("landed_week date", "id bigint")}
CROSS JOIN LATERAL (
  SELECT e.landed_week, e.id, e.received_at, e.site_id, e.topic, e.triggered_at, e.headers, e.body, e.body_bytes
  FROM landing.raw_events e WHERE e.landed_week = c.landed_week AND e.id = c.id LIMIT 1
) r
"""

# Surrogate keys for rows that refer to each other before they are written, as text with commas: of an array of numbers asyncpg asks
# the database what it is, on every new connection. The name is looked up once, not once for each.
RESERVE_IDS: Final = """
SELECT string_agg(nextval(s.sequence)::text, ',') FROM (SELECT $1::text::regclass AS sequence OFFSET 0) s, generate_series(1, $2::bigint)
"""

# Somebody queued raw events that have an outcome already: the new one takes its place.
FORGET_OUTCOME: Final = "DELETE FROM app.raw_outcomes WHERE landed_week = $1 AND raw_id = $2"

# Natural keys that are known, with the clock of the evidence behind each and the parts that the event has.
KNOWN_EVENTS: Final = f"""
SELECT c.site_id, c.key, k.event_id, k.occurred_at, k.evidence_at, k.parts
FROM {given("site_id bigint", "key text")}
CROSS JOIN LATERAL (
  SELECT e.event_id, e.occurred_at, e.evidence_at, e.parts FROM app.event_keys e
  WHERE {is_event_key("e", "c")} LIMIT 1
) k
"""

# The stored content of events of which a body may say something else, and the raw event it is from.
STORED_EVENTS: Final = f"""
SELECT c.id, e.facts, e.raw_id, e.raw_landed_week, e.is_undone
FROM {given("occurred_at timestamptz", "id bigint")}
CROSS JOIN LATERAL (
  SELECT {facts_of("s")}, s.raw_id, s.raw_landed_week, s.is_undone FROM app.commerce_events s WHERE s.occurred_at = c.occurred_at AND s.id = c.id LIMIT 1
) e
"""

# What more bodies say replaces an event's content; its id and its natural key stay.
REVISE_EVENT: Final = """
UPDATE app.commerce_events SET
  occurred_at = $3, evidence_at = $4, order_id = $5, customer_key = $6, amount = $7, currency = $8, is_test = $9, facts = $10,
  raw_id = $11, raw_landed_week = $12, is_undone = $13, packed = $14
WHERE occurred_at = $1 AND id = $2
"""

# The key follows its event: where it is now, how old its evidence is, and which parts it has.
REVISE_KEYS: Final = upsert(
    "app.event_keys",
    ("site_id bigint", "key text"),
    ("event_id bigint", "occurred_at timestamptz", "evidence_at timestamptz", "parts bigint"),
    unique=f"{of_event_key()}, key, site_id",
)

# State of the batch's orders.
KNOWN_ORDERS: Final = f"""
SELECT c.site_id, c.order_id, o.*
FROM {given("site_id bigint", "order_id text")}
CROSS JOIN LATERAL (
  SELECT s.number, s.ordered_at, s.state_at, s.status, s.financial_status, s.paid_at, s.cancelled_at, s.deleted_at, s.currency,
         s.total, s.refunded, s.customer_key, s.is_test, s.current_total, s.payment_lost_at, s.payment_state_at,
         s.cancellation_state_at, s.refunds_listed_at, s.shown_at, s.ad_user_data, s.ad_personalization, s.has_undone, s.said_digest
  FROM app.orders s WHERE s.site_id = c.site_id AND s.order_id = c.order_id LIMIT 1
) o
"""

# Orders whose merged state differs from the stored one.
CHANGE_ORDERS: Final = change(
    "app.orders",
    ("site_id bigint", "order_id text"),
    (
        "number text",
        "ordered_at timestamptz",
        "state_at timestamptz",
        "status text",
        "financial_status text",
        "paid_at timestamptz",
        "cancelled_at timestamptz",
        "deleted_at timestamptz",
        "currency text",
        "total numeric",
        "refunded numeric",
        "customer_key text",
        "is_test boolean",
        "current_total numeric",
        "payment_lost_at timestamptz",
        "payment_state_at timestamptz",
        "cancellation_state_at timestamptz",
        "refunds_listed_at timestamptz",
        "shown_at timestamptz",
        "ad_user_data text",
        "ad_personalization text",
        "has_undone boolean",
        "said_digest bytea",
        "updated_at timestamptz",
    ),
)

# Orders of which a body says nothing new but that it is newer: their clocks.
MOVE_ORDERS: Final = change(
    "app.orders",
    ("site_id bigint", "order_id text"),
    (
        "state_at timestamptz",
        "payment_state_at timestamptz",
        "cancellation_state_at timestamptz",
        "refunds_listed_at timestamptz",
        "shown_at timestamptz",
        "said_digest bytea",
        "updated_at timestamptz",
    ),
)

# All refunds of the orders that the batch may change the refunds of.
KNOWN_REFUNDS: Final = f"""
SELECT c.site_id, c.order_id, r.*
FROM {given("site_id bigint", "order_id text")}
CROSS JOIN LATERAL (
  SELECT s.refund_id, s.amount, s.currency, s.refunded_at, s.seen_at, s.items, s.shipping, s.has_failed
  FROM app.order_refunds s WHERE s.site_id = c.site_id AND s.order_id = c.order_id OFFSET 0
) r
"""

# Refunds that are told of in another way than before.
CHANGE_REFUNDS: Final = upsert(
    "app.order_refunds",
    ("site_id bigint", "order_id text", "refund_id text"),
    (
        "amount numeric",
        "currency text",
        "refunded_at timestamptz",
        "seen_at timestamptz",
        "items json",
        "shipping numeric",
        "has_failed boolean",
    ),
)

# State of the batch's subscriptions.
KNOWN_SUBSCRIPTIONS: Final = f"""
SELECT c.site_id, c.subscription_id, u.*
FROM {given("site_id bigint", "subscription_id text")}
CROSS JOIN LATERAL (
  SELECT s.state_at, s.status, s.started_at, s.cancelled_at, s.customer_key, s.origin_order_id
  FROM app.subscriptions s WHERE s.site_id = c.site_id AND s.subscription_id = c.subscription_id LIMIT 1
) u
"""

# Subscriptions whose merged state differs from the stored one.
CHANGE_SUBSCRIPTIONS: Final = upsert(
    "app.subscriptions",
    ("site_id bigint", "subscription_id text"),
    (
        "state_at timestamptz",
        "status text",
        "started_at timestamptz",
        "cancelled_at timestamptz",
        "customer_key text",
        "origin_order_id text",
        "updated_at timestamptz",
    ),
)

# The batch's customers, as far as they are known.
KNOWN_CUSTOMERS: Final = f"""
SELECT c.site_id, c.customer_key, u.*
FROM {given("site_id bigint", "customer_key text")}
CROSS JOIN LATERAL (
  SELECT s.first_seen_at, s.email_sha256, s.phone_sha256
  FROM app.customers s WHERE s.site_id = c.site_id AND s.customer_key = c.customer_key LIMIT 1
) u
"""

# Customers that were seen earlier than we knew, or whose hashes we learned.
CHANGE_CUSTOMERS: Final = upsert(
    "app.customers",
    ("site_id bigint", "customer_key text"),
    ("first_seen_at timestamptz", "email_sha256 text", "phone_sha256 text", "updated_at timestamptz"),
)

# Captured click ids, as far as they are not there; the same click on the same carrier is one row.
ADD_CLICKS: Final = f"""
INSERT INTO app.clicks (seen_at, site_id, kind, click_id, subject, carrier, clicked_at, consent)
SELECT c.seen_at, c.site_id, c.kind, c.click_id, c.subject, c.carrier, c.clicked_at, c.consent
FROM {
    given(
        "seen_at timestamptz",
        "site_id bigint",
        "kind text",
        "click_id text",
        "subject text",
        "carrier text",
        "clicked_at timestamptz",
        "consent json",
    )
}
ON CONFLICT DO NOTHING
"""

# Orders whose conversions may need another value; the ledger's adjuster takes them.
MARK_VALUE_CHANGES: Final = f"""
INSERT INTO app.value_changes (site_id, order_id, changed_at)
SELECT c.site_id, c.order_id, clock_timestamp() FROM {given("site_id bigint", "order_id text")}
ON CONFLICT (site_id, order_id) DO UPDATE SET changed_at = excluded.changed_at
"""

# Consent of orders whose bodies do not all say the same. What stands is written anew only where the answers are others.
KEEP_CONSENTS: Final = f"""
INSERT INTO app.order_consents AS t (site_id, order_id, ad_user_data, ad_personalization, said_at, source, written_by)
SELECT c.site_id, c.order_id, c.ad_user_data, c.ad_personalization, c.said_at, c.source, pg_current_xact_id()::text::bigint
FROM {
    given(
        "site_id bigint",
        "order_id text",
        "ad_user_data text",
        "ad_personalization text",
        "said_at timestamptz",
        "source text",
    )
}
ON CONFLICT (site_id, order_id) DO UPDATE SET
  ad_user_data = excluded.ad_user_data, ad_personalization = excluded.ad_personalization, said_at = excluded.said_at,
  source = excluded.source, written_by = excluded.written_by, updated_at = now()
WHERE (t.ad_user_data, t.ad_personalization) <> (excluded.ad_user_data, excluded.ad_personalization)
"""

# Orders of which custom events are there.
MATCHED_ORDERS: Final = f"""
SELECT c.site_id, c.order_id FROM {given("site_id bigint", "order_id text")}
WHERE EXISTS (SELECT FROM app.custom_events e WHERE e.site_id = c.site_id AND e.order_id = c.order_id OFFSET 0)
"""

# What all bodies of an order said together, whether they agree or not.
ANSWERS_OF_ORDERS: Final = f"""
SELECT c.site_id, c.order_id, o.ad_user_data, o.ad_personalization
FROM {given("site_id bigint", "order_id text")}
CROSS JOIN LATERAL (
  SELECT s.ad_user_data, s.ad_personalization FROM app.orders s
  WHERE s.site_id = c.site_id AND s.order_id = c.order_id LIMIT 1
) o
"""

# Conversions that wait of orders whose consent is another by now, with their event and the rules that decided.
HEARD_OF_CONSENT: Final = f"""
SELECT v.*, c.ad_user_data, c.ad_personalization, e.facts, d.config, r.overrides
FROM {given("site_id bigint", "order_id text", "ad_user_data text", "ad_personalization text")}
CROSS JOIN LATERAL (
  SELECT e.* FROM app.custom_events e WHERE e.site_id = c.site_id AND e.order_id = c.order_id OFFSET 0
) m
CROSS JOIN LATERAL (
  {
    conversion_of(
        "m",
        "v.created_at, v.id, v.state, v.reason, v.sentence, v.attempts, v.conversion_at, v.ads_action_id,"
        " CASE WHEN v.click_id IS NOT NULL AND v.click_dropped IS NULL THEN v.clicked_at END AS clicked_at,"
        " v.email_sha256, v.phone_sha256, v.ad_user_data AS own_user_data, v.ad_personalization AS own_personalization",
    )
}
    AND v.state IN ('new', 'held', 'queued')
  LIMIT 1
) v
LEFT JOIN LATERAL (
  SELECT {
    facts_of("o")
} FROM app.commerce_events o WHERE o.occurred_at = m.occurred_at AND o.id = m.commerce_event_id LIMIT 1
) e ON true
CROSS JOIN LATERAL (SELECT s.config FROM app.definition_revisions s WHERE s.id = m.definition_revision_id LIMIT 1) d
CROSS JOIN LATERAL (SELECT s.overrides FROM app.assignment_revisions s WHERE s.id = m.assignment_revision_id LIMIT 1) r
"""

# What the order's consent makes of a conversion that waits. Where somebody has held it, or let it go, meanwhile, its state stays, and
# the claim decides by the consent; where somebody has claimed it, the look before the call, or the next claim, sees what is kept.
_AS_READ: Final = "u.state = $3 AND u.reason IS NOT DISTINCT FROM $4"
ANSWER_CONSENT: Final = f"""
UPDATE app.conversion_uploads u SET
  ad_user_data = $5, ad_personalization = $6, email_sha256 = $7, phone_sha256 = $8,
  state = CASE WHEN {_AS_READ} THEN $9 ELSE u.state END,
  reason = CASE WHEN {_AS_READ} THEN $10 ELSE u.reason END,
  sentence = CASE WHEN {_AS_READ} THEN $11 ELSE u.sentence END,
  not_before = CASE WHEN {_AS_READ} THEN coalesce($12, u.not_before) ELSE u.not_before END,
  settled_at = CASE WHEN {_AS_READ} THEN $13 ELSE u.settled_at END, updated_at = $14
WHERE u.created_at = $1 AND u.id = $2 AND u.state IN ('new', 'held', 'queued')
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
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id, is_again) SELECT raw_id, landed_week, site_id, true FROM gone
ON CONFLICT DO NOTHING
"""
