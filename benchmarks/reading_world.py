"""What the benchmark `reading` reads: a year of orders of many shops, each with its delivery, event, match and conversion, made in SQL.

The work that waits, and what happened in the last days beside orders, is the same at every size: only history grows.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from benchmarks import bulk_load
from benchmarks.backtest_world import MARK, template
from custom_events.postgres import partitions
from custom_events.queries import tallies
from custom_events.values.events import CommerceEvent, Customer, EventType, Order, to_json
from custom_events.watching import sums

DAYS = 365
OPEN_ROWS = 1_000  # of the ledger: the newest ones wait
RAW_DAYS = 90
_AT = "(CAST(:now AS timestamptz) - interval '1 hour' - (:orders - n) * (interval '1 day' * :days / :orders))"

_TALLIES = "INSERT INTO app.tally_changes SELECT * FROM app.count_tallies(:name, CAST(:of_table AS regclass))"
_CATALOG = """
INSERT INTO app.sites (id, site_key, platform, name, currency, time_zone) OVERRIDING SYSTEM VALUE
  SELECT n, 'shop-' || n, 'shopify', 'Shop ' || n, 'EUR', 'Europe/Berlin' FROM generate_series(1, :sites) n;
INSERT INTO app.ads_accounts (id, customer_id, name, lane) OVERRIDING SYSTEM VALUE
  SELECT n, 1000000000 + n, 'Account ' || n, CASE WHEN n % 2 = 0 THEN 'google_ads' ELSE 'data_manager' END FROM generate_series(1, :sites) n;
INSERT INTO app.ads_actions (id, ads_account_id, action_id, name) OVERRIDING SYSTEM VALUE
  SELECT n, n, 7000 + n, 'Purchase' FROM generate_series(1, :sites) n;
INSERT INTO app.custom_event_definitions (id, key, name) OVERRIDING SYSTEM VALUE VALUES (1, 'bought', 'Bought');
INSERT INTO app.definition_revisions (id, definition_id, number, state, config, author, published_at) OVERRIDING SYSTEM VALUE
  VALUES (1, 1, 1, 'published', '{"trigger": ["order.paid"]}', 'bench', '2020-01-01');
INSERT INTO app.site_custom_events (id, site_id, definition_id, label) OVERRIDING SYSTEM VALUE
  SELECT n, n, 1, '' FROM generate_series(1, :sites) n;
INSERT INTO app.assignment_revisions (id, assignment_id, number, state, overrides, author, published_at) OVERRIDING SYSTEM VALUE
  SELECT n, n, 1, 'published', '{}', 'bench', '2020-01-01' FROM generate_series(1, :sites) n
"""
_WORLD = f"""
CREATE UNLOGGED TABLE world AS
  SELECT n, 1 + n % :sites AS site, {_AT} AS at, CAST(20 + n * 37 % 400 AS numeric(20, 2)) AS total,
    CASE WHEN n > :orders - :open THEN CASE WHEN n % 20 = 0 THEN 'held' ELSE 'queued' END
      WHEN n % 97 = 0 THEN 'rejected' WHEN n % 89 = 0 THEN 'withheld' ELSE 'accepted' END AS state,
    CASE WHEN n > :orders - :open THEN CASE WHEN n % 20 = 0 THEN 'consent_unknown_in_europe' END
      WHEN n % 97 = 0 THEN 'ConversionUploadError.EXPIRED_EVENT' WHEN n % 89 = 0 THEN 'consent_denied'
      WHEN n % 9 = 0 THEN 'ConversionUploadError.CLICK_NOT_FOUND' END AS reason
  FROM generate_series(1, :orders) n;
ANALYZE world
"""
# Each of these reads the world alone, so that they may run in any order.
_ORDERS = """
INSERT INTO landing.raw_events (id, landed_week, received_at, site_id, topic, dedup_key, delivery_id, signature, headers, body, body_bytes)
  OVERRIDING SYSTEM VALUE
  SELECT n, CAST(date_trunc('week', at, 'UTC') AS date), at, site, 'orders/paid', decode(md5(CAST(n AS text)), 'hex'), 'd-' || n, 'verified', '{}',
    convert_to(repeat('x', 400), 'UTF8'), 800 FROM world
  WHERE at >= date_trunc('week', CAST(:now AS timestamptz) - interval '1 day' * :raw_days, 'UTC');
INSERT INTO landing.receipts SELECT date_trunc('hour', at), count(*), count(*), 0, 0 FROM world GROUP BY 1;
INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, reason, new_events, processed_at)
  SELECT CAST(date_trunc('week', at, 'UTC') AS date), n, at, site, 'understood', NULL, 1, at FROM world;
INSERT INTO app.commerce_events (id, occurred_at, site_id, type, key, evidence_at, order_id, customer_key, amount, currency, is_test, facts,
    created_at, raw_id, raw_landed_week)
  OVERRIDING SYSTEM VALUE
  SELECT n, at, site, 'order.paid', 'order.paid:' || n, at, n, 'c:' || n / 3, total, 'EUR', false,
    CAST(replace(:facts, :mark, CAST(n AS text)) AS json), at, n, CAST(date_trunc('week', at, 'UTC') AS date) FROM world;
INSERT INTO app.event_keys (site_id, key, event_id, occurred_at, evidence_at) SELECT site, 'order.paid:' || n, n, at, at FROM world;
INSERT INTO app.orders (site_id, order_id, number, ordered_at, state_at, paid_at, currency, total, customer_key)
  SELECT site, n, n, at, at, at, 'EUR', total, 'c:' || n / 3 FROM world;
INSERT INTO app.custom_events (id, occurred_at, site_id, assignment_id, definition_revision_id, assignment_revision_id, commerce_event_id,
    dedup_key, order_id, customer_key, value, currency, withheld_reason, created_at, upload_id)
  OVERRIDING SYSTEM VALUE
  SELECT n, at, site, site, 1, site, n, 'o:' || n, n, 'c:' || n / 3, total, 'EUR', CASE WHEN state = 'withheld' THEN reason END, at, n FROM world;
INSERT INTO app.custom_event_keys SELECT site, 'o:' || n, n, at FROM world;
INSERT INTO app.upload_requests (id, ads_account_id, lane, kind, rows, job_id, intent_at, answered_at, outcome, shared_verdict, shared_rows, counts)
  OVERRIDING SYSTEM VALUE
  SELECT n, site, CASE WHEN site % 2 = 0 THEN 'google_ads' ELSE 'data_manager' END, 'conversions', 1, n, at + interval '10 minutes',
    at + interval '11 minutes', 'answered', CASE WHEN state = 'accepted' AND reason IS NULL THEN 'accepted' END, 1,
    CASE WHEN site % 2 = 1 THEN CAST('{"' || 7000 + site || '": {"successful": 1, "failed": 0, "pending": 0}}' AS json) END
  FROM world WHERE state IN ('accepted', 'rejected');
INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code)
  SELECT at + interval '11 minutes', n, n, state, reason FROM world WHERE state IN ('accepted', 'rejected') AND reason IS NOT NULL;
INSERT INTO app.conversion_uploads (id, created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind, transaction_id,
    sequence, order_id, conversion_at, value, currency, click_kind, click_id, email_sha256, ad_user_data, ad_personalization, state, reason,
    sentence, not_before, deadline_at, attempts, request_id, settled_at)
  OVERRIDING SYSTEM VALUE
  SELECT n, at, site, site, n, site, site, 'conversion', n, 0, n, at, total, 'EUR', 'gclid', 'Cj0KCQ' || repeat('y', 60) || n, repeat('a', 64),
    'granted', 'granted', state, reason, NULL, CASE WHEN state IN ('held', 'queued') THEN at + interval '2 days' ELSE at END,
    at + interval '60 days', CASE WHEN state IN ('accepted', 'rejected') THEN 1 ELSE 0 END,
    CASE WHEN state IN ('accepted', 'rejected') THEN n END, CASE WHEN state NOT IN ('held', 'queued') THEN at END FROM world;
INSERT INTO app.conversion_uploads (created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind, transaction_id,
    sequence, order_id, conversion_at, adjusted_at, value, currency, ad_user_data, ad_personalization, state, not_before, deadline_at)
  SELECT at + interval '1 minute', site, site, n, site, site, 'restatement', n, 1, n, at, at + interval '1 minute', total / 2, 'EUR', 'granted',
    'granted', 'accepted', at, at + interval '60 days' FROM world WHERE n % 40 = 0 AND state = 'accepted';
INSERT INTO app.upload_keys SELECT site, n, 0, n, at FROM world WHERE state <> 'withheld';
INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, events, google_successful, google_failed, google_pending,
    google_read_at, updated_at)
  SELECT a, 7000 + a, d, 1, 1, 1, 1, 0, 0, d + interval '30 hours', d + interval '30 hours'
  FROM generate_series(1, :sites) a, generate_series(CAST(:now AS date) - :days, CAST(:now AS date) - 1, interval '1 day') d ORDER BY d, a
"""


# What is large, the largest first, and keys that nothing refers to: built when all rows are there.
_LARGE = (
    "app.commerce_events",
    "app.conversion_uploads",
    "app.custom_events",
    "app.raw_outcomes",
    "app.upload_requests",
    "app.orders",
    "landing.raw_events",
    "app.reconciliation_days",
    "app.upload_attempts",
)
_KEYED = ("app.event_keys", "app.custom_event_keys", "app.upload_keys")
BULK_FROM = 100_000  # orders: to build indexes afterwards takes longer where there are fewer


def fill(
    engine: sa.Engine,
    orders: int,
    sites: int,
    now: datetime,
    open_rows: int = OPEN_ROWS,
    *,
    is_bulk: bool | None = None,
) -> None:
    """The whole world, with the partitions that a year of running would have made. `is_bulk`: indexes are built at the end, and
    facts of orders are short, so that five million fit into 20 GB; None: where there are many."""
    is_bulk = orders >= BULK_FROM if is_bulk is None else is_bulk
    values: dict[str, Any] = {
        "orders": orders,
        "sites": sites,
        "now": now,
        "days": DAYS,
        "open": open_rows,
        "raw_days": RAW_DAYS,
    }
    values |= {"facts": short_facts() if is_bulk else template(), "mark": str(MARK)}

    def with_values(statements: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            (statement, {name: value for name, value in values.items() if f":{name}" in statement})
            for statement in statements.split(";\n")
        ]

    with engine.begin() as connection:
        for weeks in range(DAYS // 7 + 1, 0, -2):
            partitions.ensure(connection, now.astimezone(UTC) - timedelta(weeks=weeks))
    with engine.begin() as connection:
        for statement, used in with_values(f"{_CATALOG};{_WORLD}"):
            connection.execute(sa.text(statement), used)
    with bulk_load.without_indexes(engine, *((_LARGE, _KEYED) if is_bulk else ((), ()))):
        bulk_load.run_all(engine, bulk_load.by_table(with_values(_ORDERS), is_bulk=is_bulk))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE world"))
    # As the triggers would have, which were off; then as every minute, and as every night.
    bulk_load.run_all(engine, [[(_TALLIES, {"name": table, "of_table": f"app.{table}"})] for table in tallies.TABLES])
    with engine.begin() as connection:
        tallies.fold(connection)
    with engine.begin() as connection:
        wrong = [gap for site_sums in sums.check(connection, now) for gap in site_sums.gaps if "received" not in gap]
        if wrong:
            raise AssertionError("; ".join(wrong))
    bulk_load.vacuum(engine)


def short_facts() -> str:
    """The facts of a paid order without lines, addresses and campaign: a quarter of `template()`."""
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    order = Order(
        id=str(MARK),
        number=f"#{MARK}",
        created_at=at,
        updated_at=at,
        paid_at=at,
        currency="EUR",
        total=Decimal("111.11"),
    )
    event = CommerceEvent(
        type=EventType.ORDER_PAID,
        key=f"order.paid:{MARK}",
        occurred_at=at,
        evidence_at=at,
        order=order,
        customer=Customer(key="c:7"),
    )
    return to_json(event).decode()
