"""SQL of the drain, second half: the published configuration, customer history, and the keys of what was matched before.

asyncpg, positional parameters. The look-ups are index probes in the same way as those of `understanding.py`.
"""

from typing import Final

from custom_events.queries.stored_facts import facts_of
from custom_events.queries.understanding import given
from custom_events.tables.key_places import is_dedup_key, is_transaction

# The tables that the configuration is made of; all small.
_CONFIGURATION_TABLES: Final = (
    "app.sites",
    "app.custom_event_definitions",
    "app.definition_revisions",
    "app.site_custom_events",
    "app.assignment_revisions",
    "app.ads_accounts",
    "app.ads_actions",
)

# A fingerprint of the configuration: changes with every committed change, in whatever order transactions commit, and needs
# nobody to remember a version number. A row's xmin is the transaction that wrote it and younger than all before, so with as
# many rows as before the sum can only have grown.
CONFIGURATION_VERSION: Final = " UNION ALL ".join(
    f"SELECT {place}, count(*), coalesce(sum(xmin::text::bigint), 0)::text FROM {table}"
    for place, table in enumerate(_CONFIGURATION_TABLES)
)

# Every site, also a paused one: what has landed is understood.
SITES: Final = "SELECT id, platform, shop_domain, currency, time_zone, settings, is_active FROM app.sites"

# Published revisions of definitions.
DEFINITIONS: Final = """
SELECT r.definition_id, r.id, d.key, r.config
FROM app.definition_revisions r JOIN app.custom_event_definitions d ON d.id = r.definition_id
WHERE r.state = 'published'
"""

# Every field that a revision names which is published, or was: conditions, values and thresholds name one as "field".
NAMED_FIELDS: Final = """
SELECT DISTINCT field #>> '{}' FROM (
  SELECT jsonb_path_query(config, '$.**.field') AS field FROM app.definition_revisions WHERE state <> 'draft'
  UNION ALL
  SELECT jsonb_path_query(overrides, '$.**.field') FROM app.assignment_revisions WHERE state <> 'draft'
) named WHERE jsonb_typeof(field) = 'string'
"""

# Active assignments of active sites, with their published revision.
ASSIGNMENTS: Final = """
SELECT a.id, a.site_id, a.label, a.definition_id, r.id, r.overrides
FROM app.site_custom_events a JOIN app.assignment_revisions r ON r.assignment_id = a.id JOIN app.sites s ON s.id = a.site_id
WHERE a.is_active AND s.is_active AND r.state = 'published'
ORDER BY a.id
"""

# Ads actions by the name that configurations use: "<customer id>/<action id>".
ADS_ACTIONS: Final = """
SELECT c.customer_id || '/' || a.action_id, a.id, a.ads_account_id, a.click_window_days, a.one_per_click, a.action_created_at
FROM app.ads_actions a JOIN app.ads_accounts c ON c.id = a.ads_account_id
"""

# Paid orders of a customer before a moment by the store's time; the order's id breaks ties (by code point, whatever the database
# sorts by, as Python does), test orders and the order itself
# do not count. The total is in the currency asked for; orders in another one make it unknown.
CUSTOMER_HISTORY: Final = f"""
SELECT c.place, h.orders, CASE WHEN h.others = 0 THEN h.spent END, u.first_seen_at
FROM {given("place int", "site_id bigint", "customer_key text", "at timestamptz", "order_id text", "currency text")}
CROSS JOIN LATERAL (
  SELECT count(*) AS orders, coalesce(sum(o.total), 0) AS spent,
         count(*) FILTER (WHERE o.currency IS DISTINCT FROM c.currency) AS others
  FROM app.orders o
  WHERE o.site_id = c.site_id AND o.customer_key = c.customer_key AND o.ordered_at <= c.at AND NOT o.is_test
    AND o.order_id <> c.order_id AND (o.paid_at, o.order_id COLLATE "C") < (c.at, c.order_id)
) h
LEFT JOIN LATERAL (
  SELECT s.first_seen_at FROM app.customers s WHERE s.site_id = c.site_id AND s.customer_key = c.customer_key LIMIT 1
) u ON true
"""

# The same of customers about whom many events ask: their paid orders until the last one, one by one (`was_paid` 0: ordered after it was
# paid, so from then on); those before all of these events, which are about none of them, together by currency.
CUSTOMER_ORDERS: Final = f"""
SELECT c.place, u.first_seen_at, h.currency, h.orders, h.spent, h.at, h.was_paid, h.order_id
FROM {
    given(
        "place int",
        "site_id bigint",
        "customer_key text",
        "first timestamptz",
        "last timestamptz",
        "own jsonb",
    )
}
LEFT JOIN LATERAL (
  SELECT s.first_seen_at FROM app.customers s WHERE s.site_id = c.site_id AND s.customer_key = c.customer_key LIMIT 1
) u ON true
LEFT JOIN LATERAL (
  SELECT p.currency, count(*) AS orders, coalesce(sum(p.total), 0) AS spent, p.at, p.was_paid, p.order_id
  FROM (
    SELECT o.currency, o.total, CASE WHEN k.is_single THEN greatest(o.ordered_at, o.paid_at) END AS at,
      CASE WHEN k.is_single THEN (o.ordered_at <= o.paid_at)::int END AS was_paid, CASE WHEN k.is_single THEN o.order_id END AS order_id
    FROM app.orders o
    CROSS JOIN LATERAL (SELECT greatest(o.ordered_at, o.paid_at) >= c.first OR c.own ? o.order_id AS is_single) k
    WHERE o.site_id = c.site_id AND o.customer_key = c.customer_key AND o.ordered_at <= c.last AND o.paid_at <= c.last AND NOT o.is_test
  ) p GROUP BY p.currency, p.at, p.was_paid, p.order_id
) h ON true
"""

# Dedup keys of assignments that have their custom event already, with its time.
KNOWN_CUSTOM_EVENTS: Final = f"""
SELECT c.assignment_id, c.dedup_key, k.occurred_at
FROM {given("assignment_id bigint", "dedup_key text")}
CROSS JOIN LATERAL (
  SELECT k.occurred_at FROM app.custom_event_keys k WHERE {is_dedup_key("k", "c")} LIMIT 1
) k
"""

# Transactions that an ads action has its conversion for already, with its time.
KNOWN_TRANSACTIONS: Final = f"""
SELECT c.ads_action_id, c.transaction_id, u.conversion_at
FROM {given("ads_action_id bigint", "transaction_id text")}
CROSS JOIN LATERAL (
  SELECT k.upload_id, k.created_at FROM app.upload_keys k
  WHERE {is_transaction("k", "c")} AND k.sequence = 0 LIMIT 1
) k
LEFT JOIN LATERAL (
  SELECT v.conversion_at FROM app.conversion_uploads v WHERE v.created_at = k.created_at AND v.id = k.upload_id LIMIT 1
) u ON true
"""

_REACH: Final = given(
    "place int", "site_id bigint", "customer_key text", "types text", "since timestamptz", "until timestamptz"
)

# Stored events of customers, of the types in a list with commas, within a stretch of the store's time. Nothing of a customer
# happened before it was first seen, so partitions before that are not probed. The types are joined one by one: with `= ANY` the
# planner takes a scan of the whole stretch for cheaper (it expects 0.5 % of a range), and reads every customer's events. For the same reason the
# stretch is a relation of its own: of a range between two parameters it expects so little that, with statistics of a year, it took the smaller index
# of a site's types for as good as the customer's (the 11 % of a join are enough), and read what the whole site had in the stretch.
CUSTOMER_EVENTS: Final = f"""
SELECT c.place, e.facts
FROM {_REACH}
LEFT JOIN LATERAL (
  SELECT s.first_seen_at FROM app.customers s WHERE s.site_id = c.site_id AND s.customer_key = c.customer_key LIMIT 1
) u ON true
CROSS JOIN LATERAL unnest(string_to_array(c.types, ',')) AS t(type)
CROSS JOIN LATERAL (
  SELECT {facts_of("o")} FROM (
    SELECT greatest(coalesce(c.since, '-infinity'), coalesce(u.first_seen_at, '-infinity')) AS since, c.until AS until OFFSET 0
  ) b CROSS JOIN app.commerce_events o
  WHERE o.site_id = c.site_id AND o.customer_key = c.customer_key AND o.type = t.type AND NOT o.is_undone
    AND o.occurred_at >= b.since AND o.occurred_at <= b.until OFFSET 0
) e
"""

# The same over whole sites.
SITE_EVENTS: Final = f"""
SELECT c.place, e.facts
FROM {_REACH}
CROSS JOIN LATERAL unnest(string_to_array(c.types, ',')) AS t(type)
CROSS JOIN LATERAL (
  SELECT {facts_of("o")} FROM app.commerce_events o
  WHERE o.site_id = c.site_id AND o.type = t.type AND NOT o.is_undone
    AND o.occurred_at >= coalesce(c.since, '-infinity') AND o.occurred_at <= c.until OFFSET 0
) e
"""
