"""What a kept table promises to those who read it: nobody waits, nothing of theirs is lost; and to those who build it: no row is lost."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.warehouse import Warehouse
from tests.world import NOON, World, paid_order

pytestmark = [pytest.mark.long, pytest.mark.untraced]
WAIT_S = 120.0  # far more than anything here takes
SEEN = "SELECT count(*) FROM reporting.fct_orders"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('kept_table reporting.fct_orders', 0))"
RATE = sa.text(
    "INSERT INTO app.exchange_rates (currency, reporting_currency, day, rate, source) VALUES ('USD', 'EUR', :day, 0.9, 'x')"
)
ORDERS = ("run", "--select", "+fct_orders,config.materialized:kept_table")


@pytest.fixture
def world(database: str, engine: sa.Engine) -> World:
    return World(database, engine)


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def until(condition: Callable[[], Any]) -> None:
    """Wait for it. Raises AssertionError where it does not come."""
    for _ in range(int(WAIT_S / 0.05)):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not happen")


def test_readers_and_what_they_made_of_it(world: World, warehouse: Warehouse) -> None:
    """One world, for a start of dbt costs seconds: each part ends with a build and what must be true after it."""
    site = world.site()
    world.rule(site, ads_action=world.action())
    for number in range(1, 3):
        world.land(site, "orders/paid", paid_order(number, customer_id=number))
    dollars = paid_order(5, customer_id=5, currency="USD", total_price="33.35")
    world.land(site, "orders/paid", dollars | {"created_at": NOON.isoformat()})
    world.land(site, "orders/paid", paid_order(6, customer_id=6, currency="JPY"))
    world.drain()
    with warehouse.engine.begin() as connection:
        connection.execute(RATE, {"day": (NOON - timedelta(days=3)).date()})
    everything = warehouse.run("build")
    assert {str(result.status) for result in everything} <= {"success", "pass", "no-op"}  # exposures are only named
    assert sum(result.node.resource_type == "unit_test" for result in everything) >= 4

    # Amounts at the rate of some days before, and none where there is no rate.
    amounts = "SELECT order_id, total_in_reporting::text, lacks_rate FROM reporting.fct_orders WHERE order_id IN ('1', '5', '6') ORDER BY 1"
    assert warehouse.rows(amounts) == [("1", "100.00", False), ("5", "30.02", False), ("6", None, True)]

    # What others made of a table, and a reader in the midst of a transaction.
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW reporting.mine AS SELECT order_id, total FROM reporting.fct_orders")
        connection.exec_driver_sql("CREATE INDEX fct_orders_mine ON reporting.fct_orders (total)")
        connection.exec_driver_sql("GRANT SELECT ON reporting.fct_orders TO PUBLIC")
    facts = "SELECT c.oid, c.relacl::text, (SELECT array_agg(indexrelid::regclass::text ORDER BY 1) FROM pg_index WHERE indrelid = c.oid) FROM pg_class c WHERE c.oid = 'reporting.fct_orders'::regclass"
    before = warehouse.rows(facts)
    reader = warehouse.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    assert reader.execute(sa.text(SEEN)).scalar_one() == 4
    world.land(site, "orders/paid", paid_order(7, customer_id=7))
    world.drain()
    warehouse.run(*ORDERS)
    assert warehouse.marks()["fct_orders"][5:8] == (False, 1, 0)
    assert reader.execute(sa.text(SEEN)).scalar_one() == 4, "as it was when the reader began"
    warehouse.run(*ORDERS, "--full-refresh")
    assert reader.execute(sa.text(SEEN)).scalar_one() == 4
    reader.close()
    assert warehouse.rows(SEEN) == [(5,)]
    assert warehouse.rows(facts) == before
    assert warehouse.rows("SELECT count(*) FROM reporting.mine") == [(5,)]

    # Somebody else builds at the same time, and has not committed: this one waits for its turn, and finds what came meanwhile.
    other = warehouse.engine.connect()
    other.execute(sa.text(LOCK))
    builder = in_thread(lambda: warehouse.run(*ORDERS))
    until(lambda: warehouse.rows(WAITING) == [(1,)])
    world.land(site, "orders/paid", paid_order(8, customer_id=8))
    world.drain()
    other.rollback()
    other.close()
    builder.join(WAIT_S)
    warehouse.run(*ORDERS)
    assert warehouse.rows("SELECT count(*), count(DISTINCT order_id) FROM reporting.fct_orders") == [(6, 6)]

    # What a transaction wrote that commits after a build began is seen by the next one.
    late = warehouse.engine.connect()
    late.execute(sa.text("UPDATE app.orders SET status = 'late' WHERE order_id = '1'"))
    warehouse.run(*ORDERS)
    late.commit()
    late.close()
    warehouse.run(*ORDERS)
    assert warehouse.rows("SELECT order_id FROM reporting.fct_orders WHERE status = 'late'") == [("1",)]

    # Columns as an older or a newer release had them.
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW reporting.mine")
        connection.exec_driver_sql(
            "ALTER TABLE reporting.fct_orders DROP COLUMN campaign, DROP COLUMN kept_by, ADD COLUMN gone text, ALTER COLUMN total TYPE text"
        )
    warehouse.run(*ORDERS)
    assert warehouse.marks()["fct_orders"].was_whole
    columns = dict(
        warehouse.rows(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'reporting.fct_orders'::regclass "
            "AND attnum > 0 AND NOT attisdropped"
        )
    )
    assert (columns["campaign"], columns["total"], columns["kept_by"]) == ("text", "numeric(20,6)", "bigint")
    assert "gone" not in columns

    # Another server, or one that counts its transactions anew: nothing is known to be old.
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE reporting.kept_marks SET server = 'another' WHERE model = 'fct_orders'")
        connection.exec_driver_sql("DELETE FROM reporting.fct_orders WHERE order_id = '2'")
    warehouse.run(*ORDERS)
    assert warehouse.marks()["fct_orders"][5:8] == (True, 1, 0)
