"""EXPLAIN shows that the hot statements find their rows by index, with as many rows as make reading a table the worse choice."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.postgres import connect
from custom_events.queries import (
    adjustments,
    history,
    landing,
    matching,
    recovery,
    redaction,
    rematch,
    traces,
    understanding,
    upload_requests,
    uploads,
)

NOW = datetime.now(UTC)
WEEK = NOW.date() - timedelta(days=NOW.weekday())
SITES, ROWS = 10, 10_000
FILL = f"""
INSERT INTO app.sites (site_key, platform, name) SELECT 's' || g, 'shopify', 'x' FROM generate_series(1, {SITES}) g;
INSERT INTO app.ads_accounts (customer_id, name, lane) SELECT 1000000000 + g, 'x', 'google_ads' FROM generate_series(1, 50) g;
INSERT INTO app.ads_actions (ads_account_id, action_id, name) SELECT id, id::text, 'x' FROM app.ads_accounts;
INSERT INTO landing.raw_events (landed_week, site_id, dedup_key, signature, headers, body, body_bytes)
  SELECT week, 1 + g % {SITES}, decode(md5(g::text), 'hex'), 'verified', '{{}}', '\\x00', 1
  FROM generate_series(1, {ROWS}) g, (VALUES ('{WEEK}'::date), ('{WEEK}'::date - 7)) w(week);
INSERT INTO landing.raw_queue SELECT id, landed_week, site_id FROM landing.raw_events;
INSERT INTO app.event_keys SELECT 1 + g % {SITES}, 'order.paid:' || g, g, now(), now() FROM generate_series(1, {ROWS}) g;
INSERT INTO app.commerce_events (occurred_at, site_id, type, key, evidence_at, order_id, customer_key, is_test, facts)
  SELECT now() - interval '1 minute' * g, 1 + g % {SITES}, (ARRAY['order.paid', 'cart.item_added', 'checkout.started'])[1 + g % 3], g, now(), g, 'c:' || g % 5000,
    false, '{{}}'
  FROM generate_series(1, {ROWS}) g;
INSERT INTO app.orders (site_id, order_id, ordered_at, paid_at, total, customer_key)
  SELECT 1 + g % {SITES}, g, now(), now(), 1, 'c:' || g % 5000 FROM generate_series(1, {ROWS}) g;
INSERT INTO app.order_refunds SELECT 1 + g % {SITES}, g, g, 1, 'EUR', now() FROM generate_series(1, {ROWS}) g;
INSERT INTO app.customers (site_id, customer_key, first_seen_at)
  SELECT 1 + g % {SITES}, 'c:' || g, now() FROM generate_series(1, {ROWS}) g;
INSERT INTO app.custom_events (occurred_at, site_id, assignment_id, definition_revision_id, assignment_revision_id,
    commerce_event_id, dedup_key, order_id, created_at, upload_id)
  SELECT now(), 1 + g % {SITES}, 1 + g % 5, 1, 1, g, g, g, now() - interval '1 minute' * g, g FROM generate_series(1, {ROWS}) g;
INSERT INTO app.custom_event_keys SELECT 1 + g % 5, g, g, now() FROM generate_series(1, {ROWS}) g;
INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at, next_poll_at, outcome)
  SELECT 1 + g % 50, 'google_ads', 'conversions', 1, now(), CASE WHEN g % 100 = 0 THEN now() END,
    CASE WHEN g % 100 > 0 THEN 'answered' END FROM generate_series(1, 5000) g;
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind,
    transaction_id, sequence, order_id, conversion_at, ad_user_data, ad_personalization, state, not_before, deadline_at,
    request_id, lease_until)
  SELECT now() - interval '1 minute' * g, 1 + g % {SITES}, 1 + g % 5, g, 1 + g % 50, 1 + g % 50,
    CASE WHEN g % 50 = 7 THEN 'restatement' ELSE 'conversion' END, g, CASE WHEN g % 50 = 7 THEN 1 ELSE 0 END, g, now(),
    'granted', 'granted', (ARRAY['queued', 'claimed', 'sent', 'unknown'])[1 + g % 4], now(), now() + interval '1 day', g % 5000, now()
  FROM generate_series(1, 2000) g;
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind,
    transaction_id, sequence, order_id, conversion_at, ad_user_data, ad_personalization, state, not_before, deadline_at, request_id)
  SELECT now() - interval '1 minute' * g, 1 + g % {SITES}, 1 + g % 5, g, 1 + g % 50, 1 + g % 50, 'conversion', g, 0, g, now(),
    'granted', 'granted', 'accepted', now(), now() + interval '1 day', g % 5000
  FROM generate_series(2001, {ROWS * 2}) g;
INSERT INTO app.upload_keys SELECT 1 + g % 50, g, 0, g, now() FROM generate_series(1, {ROWS}) g;
INSERT INTO app.upload_attempts SELECT now(), g, g, 'accepted' FROM generate_series(1, {ROWS}) g;
"""
PARENT_INDEX = """
WITH RECURSIVE up AS (
  SELECT i.relname AS leaf, i.oid FROM pg_class i WHERE i.relname = ANY(:names)
  UNION ALL SELECT up.leaf, h.inhparent FROM up JOIN pg_inherits h ON h.inhrelid = up.oid)
SELECT DISTINCT c.relname FROM up JOIN pg_class c ON c.oid = up.oid
WHERE NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = up.oid)
"""
SOLID_STATE = "SET random_page_cost = 1.1"
MANY = "SELECT relname FROM pg_class WHERE reltuples >= 2000 AND relname = ANY(:names)"

BATCH = list(range(1, 4))  # few keys into some thousand rows, as a batch has thousands into many millions
KEYS = [1 + place % SITES for place in BATCH]
TEXTS = [str(place) for place in BATCH]
TIMES = [NOW] * len(BATCH)

# Statements of asyncpg with the indexes that they must use; planned for any arguments, with the drain's settings.
POSITIONAL: dict[str, tuple[str, set[str]]] = {
    "land": (landing.LAND_AROUND, {"uq_raw_events_delivery"}),
    "claim": (understanding.CLAIM, {"pk_raw_queue"}),
    "bodies": (understanding.READ_BODIES, {"pk_raw_events"}),
    "event keys": (understanding.KNOWN_EVENTS, {"uq_event_keys"}),
    "stored events": (understanding.STORED_EVENTS, {"pk_commerce_events"}),
    "orders": (understanding.KNOWN_ORDERS, {"pk_orders"}),
    "refunds": (understanding.KNOWN_REFUNDS, {"pk_order_refunds"}),
    "customers": (understanding.KNOWN_CUSTOMERS, {"pk_customers"}),
    "customer history": (matching.CUSTOMER_HISTORY, {"ix_orders_customer", "pk_customers"}),
    "customer events": (matching.CUSTOMER_EVENTS, {"ix_commerce_events_customer"}),
    "site events": (matching.SITE_EVENTS, {"ix_commerce_events_site_id_type_occurred_at"}),
    "orders by number": (traces.ORDERS_BY_NUMBER, {"ix_orders_number"}),
    "events of keys": (rematch.EVENTS_BY_KEY, {"uq_event_keys"}),
    "events of keys, for people": (traces.EVENTS_OF_KEYS, {"uq_event_keys"}),
    "sites with a key": (traces.SITES_WITH_KEY, {"uq_event_keys"}),
    "places of keys": (traces.PLACE_OF_KEY, {"uq_event_keys"}),
    "dedup keys": (matching.KNOWN_CUSTOM_EVENTS, {"uq_custom_event_keys"}),
    "successors": (history.SUCCESSORS, {"ix_custom_events_site_id_order_id", "pk_conversion_uploads"}),
    "transactions": (matching.KNOWN_TRANSACTIONS, {"uq_upload_keys"}),
    "holders of dedup keys": (rematch.KEY_HOLDERS, {"uq_custom_event_keys"}),
    "holders of dedup keys, for replays": (history.KEY_HOLDERS, {"uq_custom_event_keys"}),
    "holders of transactions": (rematch.TRANSACTION_HOLDERS, {"uq_upload_keys"}),
    "dedup keys set free": (rematch.DROP_CUSTOM_EVENT_KEY, {"uq_custom_event_keys"}),
    "transactions set free": (rematch.DROP_UPLOAD_KEY, {"uq_upload_keys"}),
}

ONE = {"now": NOW, "account": 1, "rows": 10, "request": 1, "lease_until": NOW, "kind": "conversions", "earlier": 1}
ONE |= dict.fromkeys(("reason", "sentence", "not_before", "code")) | {"state": "accepted", "verdict": "accepted"}
ONE |= {
    "parked": [],
    "lane": "google_ads",
    "own_lane": "google_ads",
    "unsettled": None,
    "others": [],
    "standing": ["claimed"],
    "earliest": NOW - timedelta(days=2),
    "accounts": 5,
    "site": 1,
    "sites": KEYS,
    "orders": TEXTS,
    "since": NOW - timedelta(days=2),
    "until": NOW,
    "occurred_at": TIMES,
    "assignments": KEYS,
    "actions": KEYS,
    "sequences": [0] * len(BATCH),
    "old": TEXTS,
    "new": TEXTS,
    "id": BATCH,
    "ids": BATCH,
}


def claimed(statement: str) -> sa.TextClause:
    """A claim in SQLAlchemy's spelling."""
    return sa.text(re.sub(r"%\((\w+)\)s(::\w+\[\])?", r":\1", statement))


PLACES = {"pk_conversion_uploads", "ix_conversion_uploads_adjusts"}

# Statements of SQLAlchemy: name -> (statement, indexes that must be used).
NAMED: dict[str, tuple[sa.TextClause, set[str]]] = {
    "due conversions": (claimed(uploads.CLAIM_CONVERSIONS), {"ix_conversion_uploads_due"}),
    "due adjustments": (claimed(uploads.CLAIM_ADJUSTMENTS), {"ix_conversion_uploads_adjustments", "uq_upload_keys"}),
    "conversions of adjustments": (upload_requests.ADJUSTED_SINCE, {"uq_upload_keys"}),
    "orphans": (uploads.WITHHOLD_ORPHANS, {"uq_upload_keys"}),
    "event keys of people": (redaction.REDACT_EVENT_KEYS, {"uq_event_keys"}),
    "orders at their store": (recovery.STORED, {"uq_event_keys", "pk_orders"}),
    "dedup keys of people": (redaction.REDACT_CUSTOM_EVENT_KEYS, {"uq_custom_event_keys"}),
    "transactions of people": (redaction.REDACT_UPLOAD_KEYS, {"uq_upload_keys"}),
    "parts": (claimed(uploads.CLAIM_PART), {"ix_conversion_uploads_split"}),
    "verdicts": (uploads.PENDING_ROWS, {"ix_conversion_uploads_request"}),
    "answers": (uploads.SETTLE_REST, {"ix_conversion_uploads_request"}),
    "answers that requests keep": (uploads.SETTLE_SHARED, {"ix_conversion_uploads_request"}),
    "lost leases": (
        uploads.RECOVER,
        {"ix_conversion_uploads_request"},
    ),  # the open requests are read whole: they are few
    "turns": (upload_requests.TURNS, {"ix_upload_requests_ads_account_id_intent_at", "ix_conversion_uploads_due"}),
    "due polls": (upload_requests.DUE_POLL, {"ix_upload_requests_poll"}),
    "rows of orders": (adjustments.LEDGER_ROWS, PLACES | {"ix_custom_events_site_id_order_id"}),
    "rows without orders": (adjustments.LEDGER_ROWS_ALONE, PLACES | {"pk_custom_events"}),
    "refunds of orders": (adjustments.REFUNDS, {"pk_order_refunds"}),
    "origins": (adjustments.ORIGINS, {"ix_custom_events_site_id_order_id", "pk_commerce_events", "pk_orders"}),
    "origins without orders": (adjustments.ORIGINS_ALONE, {"pk_custom_events", "pk_commerce_events"}),
}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def faults(connection: sa.Connection, explained: str | list[Any], wanted: set[str]) -> str:
    """What is wrong with a plan, nothing if all is well."""
    document = json.loads(explained) if isinstance(explained, str) else explained
    found = list(nodes(document[0]["Plan"]))
    # Without a condition an index is read whole, which only the queue's is: in its order, up to a limit.
    names = [node["Index Name"] for node in found if "Index Cond" in node or node.get("Index Name") == "pk_raw_queue"]
    used = set(connection.execute(sa.text(PARENT_INDEX), {"names": names}).scalars())
    read = [node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"]
    read = connection.execute(sa.text(MANY), {"names": read}).scalars().all()
    return "; ".join(
        [f"does not use {name}, but {sorted(used)}" for name in sorted(wanted - used)]
        + [f"reads all of {name}" for name in sorted(read)]
    )


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(FILL)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
        connection.execute(sa.text("VACUUM"))
    return engine


def test_hot_statements_use_their_indexes(filled: sa.Engine, database: str) -> None:
    async def explain(statement: str) -> str:
        connection = await connect.asyncpg_connect(database)
        nulls = ", ".join(["NULL"] * max(int(number) for number in re.findall(r"\$(\d+)", statement)))
        try:
            settings = SOLID_STATE if statement == landing.LAND_AROUND else understanding.SESSION
            await connection.execute(
                f"{settings}; SET plan_cache_mode = force_generic_plan; PREPARE hot AS {statement}"
            )
            return await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE hot ({nulls})")
        finally:
            await connection.close()

    plans = {name: asyncio.run(explain(statement)) for name, (statement, _) in POSITIONAL.items()}
    with filled.connect() as connection:
        connection.execute(sa.text(SOLID_STATE))
        found = {name: faults(connection, plan, POSITIONAL[name][1]) for name, plan in plans.items()}
        for name, (statement, wanted) in NAMED.items():
            given = {key: value for key, value in ONE.items() if f":{key}" in statement.text}
            plan = connection.execute(sa.text(f"EXPLAIN (FORMAT JSON) {statement.text}"), given).scalar_one()
            found[name] = faults(connection, plan, wanted)
    wrong = [f"{name}: {fault}" for name, fault in found.items() if fault]
    assert not wrong, "\n" + "\n".join(wrong)
    landing_reads = {node.get("Relation Name", "") for node in nodes(json.loads(plans["land"])[0]["Plan"])}
    weeks = {name for name in landing_reads if name.startswith("raw_events_")}
    assert len(weeks) <= 3  # the week before, the week after, DEFAULT
