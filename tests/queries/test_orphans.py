"""Rows that refer to nothing are found."""

import sqlalchemy as sa

from custom_events.queries import orphans

ROWS = """
INSERT INTO app.sites (id, site_key, platform, name) VALUES (1, 'one', 'shopify', 'One');
INSERT INTO app.orders (site_id, order_id, customer_key) VALUES (1, '7', 'c:1');
INSERT INTO app.order_refunds VALUES (1, '7', 'r1', 5, 'EUR', now());
"""


def test_found_where_there_are_any(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        plain = connection.execution_options(no_parameters=True)
        plain.exec_driver_sql(ROWS)
        assert orphans.orphans(connection) == {}
        plain.exec_driver_sql(
            "INSERT INTO app.order_refunds VALUES (2, '7', 'r1', 5, 'EUR', now()), (1, '8', 'r2', 1, 'EUR', now())"
        )
        plain.exec_driver_sql("INSERT INTO app.customers VALUES (3, 'c:1', now())")
        plain.exec_driver_sql("INSERT INTO landing.raw_queue VALUES (1, '2026-11-16', 1)")
        assert orphans.orphans(connection) == {
            "app.order_refunds.order_id": 2,
            "app.customers.site_id": 1,
            "landing.raw_queue.raw_id": 1,
        }
        # The doctor's look: bounded, and only at what an index finds.
        assert orphans.orphans(connection, newest=100) == {"app.order_refunds.order_id": 2, "app.customers.site_id": 1}
        assert orphans.orphans(connection, newest=1)["app.order_refunds.order_id"] == 1
