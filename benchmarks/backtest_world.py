"""What the backtest's benchmark looks back at: stored paid orders of some sites over 80 days, with the custom events of a published
definition. Made in SQL from one order's facts, so that a million take a minute."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg

from custom_events.values.clicks import Click, ClickCarrier, ClickKind
from custom_events.values.events import CommerceEvent, Customer, EventType, LineItem, Order, to_json

DAYS = 80
CUSTOMERS_PER_SITE = 5_000
ORDERS_OF_A_SITE = 50_000
MARK = 987_654_321  # stands for the order's number in the template
NOW = datetime.now(UTC).replace(microsecond=0)
SINCE, UNTIL = NOW - timedelta(days=DAYS), NOW

_EVENTS = """
INSERT INTO app.commerce_events
  (id, occurred_at, site_id, type, key, evidence_at, order_id, customer_key, amount, currency, is_test, facts)
SELECT n, at, site, 'order.paid', 'order.paid:' || n, at, n::text, customer, total, 'EUR', false,
  replace(replace(replace(replace(%(facts)s, %(mark)s, n::text), '"2026-01-02T03:04:05Z"', '"' || moment || '"'),
    '"total":"111.11"', '"total":"' || total || '"'), '"key":"c:7"', '"key":"' || customer || '"')::json
FROM (
  SELECT n, 1 + n %% %(sites)s AS site, 'c:' || (n / %(sites)s) %% %(customers)s AS customer,
    (20 + n * 37 %% 400)::numeric(20, 2) AS total, at, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS moment
  FROM (SELECT n, %(since)s + n * (%(until)s - %(since)s - interval '1 hour') / %(events)s::float AS exact,
          date_trunc('second', %(since)s + n * (%(until)s - %(since)s - interval '1 hour') / %(events)s::float) AS at
        FROM generate_series(0, %(events)s - 1) n) o
) o
"""

# What the published definition (every paid order, sent nowhere) has made of them.
_MADE = """
WITH made AS (
  INSERT INTO app.custom_events (id, occurred_at, site_id, assignment_id, definition_revision_id, assignment_revision_id,
    commerce_event_id, dedup_key, order_id, customer_key, value, currency, withheld_reason)
  SELECT id, occurred_at, site_id, site_id, 1, site_id, id, 'o:' || order_id, order_id, customer_key, amount, currency,
    'no_ads_action' FROM app.commerce_events
  RETURNING assignment_id, dedup_key, id, occurred_at)
INSERT INTO app.custom_event_keys (assignment_id, dedup_key, custom_event_id, occurred_at)
SELECT assignment_id, dedup_key, id, occurred_at FROM made
"""


def fill(url: str, events: int) -> int:
    """The whole world; how many sites it has."""
    sites = max(events // ORDERS_OF_A_SITE, 2)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO app.sites (id, site_key, platform, name, currency, time_zone) OVERRIDING SYSTEM VALUE"
            " SELECT n, 'shop-key-' || n, 'shopify', 'Shop ' || n, 'EUR', 'Europe/Berlin' FROM generate_series(1, %s) n",
            [sites],
        )
        cursor.execute(
            "INSERT INTO app.custom_event_definitions (id, key, name) OVERRIDING SYSTEM VALUE VALUES (1, 'bought', 'Bought');"
            " INSERT INTO app.definition_revisions (id, definition_id, number, state, config, author, published_at)"
            """ OVERRIDING SYSTEM VALUE VALUES (1, 1, 1, 'published', '{"trigger": ["order.paid"]}', 'bench', '2020-01-01')"""
        )
        cursor.execute(
            "INSERT INTO app.site_custom_events (id, site_id, definition_id, label) OVERRIDING SYSTEM VALUE"
            " SELECT n, n, 1, '' FROM generate_series(1, %s) n",
            [sites],
        )
        cursor.execute(
            "INSERT INTO app.assignment_revisions (id, assignment_id, number, state, overrides, author, published_at)"
            " OVERRIDING SYSTEM VALUE SELECT n, n, 1, 'published', '{}', 'bench', '2020-01-01' FROM generate_series(1, %s) n",
            [sites],
        )
        values = {"facts": template(), "mark": str(MARK), "sites": sites, "customers": CUSTOMERS_PER_SITE,
                  "since": SINCE, "until": UNTIL, "events": events}  # fmt: skip
        cursor.execute(_EVENTS, values)
        cursor.execute(
            "INSERT INTO app.event_keys (site_id, key, event_id, occurred_at, evidence_at)"
            " SELECT site_id, key, id, occurred_at, evidence_at FROM app.commerce_events"
        )
        cursor.execute(_MADE)
        cursor.execute(
            "INSERT INTO app.orders (site_id, order_id, number, ordered_at, state_at, paid_at, currency, total, customer_key)"
            " SELECT site_id, order_id, order_id, occurred_at, occurred_at, occurred_at, currency, amount, customer_key"
            " FROM app.commerce_events"
        )
        cursor.execute(
            "INSERT INTO app.customers (site_id, customer_key, first_seen_at)"
            " SELECT site_id, customer_key, min(occurred_at) FROM app.commerce_events GROUP BY 1, 2"
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return sites


def template() -> str:
    """The facts of a paid order as shops have them, two lines, a click, a customer."""
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    items = tuple(
        LineItem(product_id=f"{MARK}{n}", sku=f"SKU-{n}", title="A thing with a name", vendor="Maker", quantity=n,
                 price=Decimal("37.03"), total=Decimal("37.03") * n, categories=("Things", "New"))
        for n in (1, 2)
    )  # fmt: skip
    order = Order(
        id=str(MARK), number=f"#{MARK}", created_at=at, updated_at=at, paid_at=at, currency="EUR", total=Decimal("111.11"),
        subtotal=Decimal("100.00"), tax=Decimal("11.11"), shipping=Decimal("4.90"), discount=Decimal(0), status="open",
        financial_status="paid", items=items, payment_methods=("card",), shipping_methods=("Standard",),
        billing_country="DE", billing_postcode="10115", shipping_country="DE", shipping_postcode="10115",
        source_name="web", landing_site="/products/thing?utm_source=google", cart_token=f"{MARK}",
    )  # fmt: skip
    event = CommerceEvent(
        type=EventType.ORDER_PAID, key=f"order.paid:{MARK}", occurred_at=at, evidence_at=at, order=order,
        customer=Customer(key="c:7", id="7", email_sha256="0" * 64, phone_sha256="1" * 64, country="DE"),
        clicks=(Click(kind=ClickKind.GCLID, id=f"Cj0KCQ-{MARK}", carrier=ClickCarrier.ATTRIBUTE),),
        utm={"source": "google", "medium": "cpc", "campaign": "autumn"},
        note_attributes={"gclid": f"Cj0KCQ-{MARK}"},
    )  # fmt: skip
    return to_json(event).decode()
