"""A small history with some of everything that lists tell apart, as a year of orders leaves it."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from benchmarks.reading_world import fill

NOW = datetime.now(UTC).replace(microsecond=0)
ORDERS, SITES = 400, 3
VARIETY = """
UPDATE app.custom_events SET withdrawn_at = now(), withdrawn_reason = 'invalidated_by_correction', withdrawn_by = 'x' WHERE id % 31 = 0;
UPDATE app.custom_events SET assignment_id = 99 WHERE id % 5 = 0;
INSERT INTO app.site_custom_events (id, site_id, definition_id, label) OVERRIDING SYSTEM VALUE VALUES (99, 1, 1, 'x');
UPDATE app.conversion_uploads SET state = 'expired', reason = 'deadline_passed' WHERE id % 37 = 0 AND state = 'queued';
UPDATE app.conversion_uploads SET reason = 'split' WHERE id IN (361, 364) AND state = 'queued';
UPDATE app.commerce_events SET is_undone = true WHERE id % 17 = 0;
UPDATE app.commerce_events SET type = 'order.refunded' WHERE id % 7 = 0;
UPDATE app.raw_outcomes SET outcome = 'parked', reason = 'odd_' || raw_id % 2 WHERE raw_id % 13 = 0;
UPDATE app.raw_outcomes SET outcome = 'ignored', reason = 'of_no_use' WHERE raw_id % 11 = 0;
DELETE FROM app.raw_outcomes WHERE raw_id > 330 AND raw_id % 5 = 0;
INSERT INTO landing.raw_queue SELECT id, landed_week, site_id FROM landing.raw_events WHERE id > 330 AND id % 5 = 0;
UPDATE landing.raw_events SET topic = 'orders/edited' WHERE id % 4 = 0;
INSERT INTO landing.refused_events (received_at, site_id, platform, reason, topic, body)
  SELECT now() - interval '7 hours' * g, nullif(g % 4, 0), 'shopify', (ARRAY['too_old', 'wrong_signature'])[1 + g % 2], 't' || g % 3,
    CASE WHEN g % 2 = 0 THEN '\\x00'::bytea END FROM generate_series(1, 90) g;
INSERT INTO app.customers (site_id, customer_key, first_seen_at, email_sha256, phone_sha256) VALUES
  (1, 'c:5', now(), encode(sha256('ada@example.com'), 'hex'), encode(sha256('+4915112345678'), 'hex')),
  (2, 'e:' || encode(sha256('ada@example.com'), 'hex'), now(), encode(sha256('ada@example.com'), 'hex'), NULL);
INSERT INTO app.clicks (seen_at, site_id, kind, click_id, subject, carrier) VALUES
  (now() - interval '100 days', 1, 'gclid', 'Cj0KCQ-one', 'order:12', 'attribute'),
  (now() - interval '10 days', 2, 'gclid', 'Cj0KCQ-one', 'checkout:abc', 'attribute');
UPDATE landing.raw_events SET delivery_id = 'delivery-' || id, dedup_key = substr(sha256(convert_to('id', 'UTF8') || '\\x00'
  || convert_to('delivery-' || id, 'UTF8')), 1, 16);
DELETE FROM app.tallies WHERE what = 'commerce_events';
INSERT INTO app.tally_changes SELECT * FROM app.count_tallies('commerce_events', 'app.commerce_events')
"""


@pytest.fixture
def world(engine: sa.Engine) -> sa.Engine:
    fill(engine, ORDERS, SITES, NOW, open_rows=40)
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql("SET session_replication_role = replica")
        for statement in VARIETY.split(";\n"):
            connection.execution_options(no_parameters=True).exec_driver_sql(statement)
        for table in ("conversion_uploads", "custom_events", "raw_outcomes"):
            whats = {
                "conversion_uploads": "uploads%",
                "custom_events": "custom_events%",
                "raw_outcomes": "raw_outcomes",
            }
            connection.exec_driver_sql(f"DELETE FROM app.tallies WHERE what LIKE '{whats[table].replace('%', '%%')}'")
            connection.exec_driver_sql(
                f"INSERT INTO app.tally_changes SELECT * FROM app.count_tallies('{table}', 'app.{table}')"
            )
    return engine
