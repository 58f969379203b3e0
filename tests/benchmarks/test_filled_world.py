"""Rows that a build has drained are multiplied into a year of other orders, with all their indexes; rounds become ratios."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from benchmarks import filled, filled_bodies, filled_world
from custom_events.postgres import connect, migrate, partitions
from custom_events.queries.stored_facts import facts_of
from custom_events.values.events import from_json
from tests.benchmarks.test_reading_world import shape
from tests.world import World, paid_order

COPIES = 4
COUNTS = sa.text("""
SELECT (SELECT count(*) FROM app.commerce_events), (SELECT count(DISTINCT (site_id, key)) FROM app.event_keys),
  (SELECT count(DISTINCT order_id) FROM app.orders), (SELECT count(DISTINCT transaction_id) FROM app.upload_keys),
  (SELECT count(*) FROM app.conversion_uploads WHERE waits), (SELECT count(DISTINCT date_trunc('month', occurred_at)) FROM app.commerce_events)
""")


@pytest.mark.database
def test_a_few_orders_become_a_year_of_others(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate.upgrade(empty_database)
    engine = connect.engine(empty_database, name="tests")
    with engine.begin() as connection:
        for weeks in range(54, 0, -2):
            partitions.ensure(connection, datetime.now(UTC) - timedelta(weeks=weeks))
    filled_world.begin_ids(engine)
    world = World(empty_database, engine)
    site = world.site()
    world.rule(site, ads_action=world.action())
    for number in (5_400_000_000_001, 5_400_000_000_002):
        world.land(site, "orders/paid", paid_order(number))
    world.drain()
    with engine.connect() as connection:
        indexes = shape(connection)
    filled_world.multiply(engine, COPIES)
    orders = 2 * (COPIES + 1)
    with engine.connect() as connection:
        assert connection.execute(COUNTS).one() == (2 * orders, 2 * orders, orders, orders, 2, 5)
        assert shape(connection) == indexes
        facts = connection.execute(
            sa.text(f"SELECT {facts_of('e')} FROM app.commerce_events e ORDER BY id LIMIT 1")
        ).scalar_one()
    assert from_json(facts).order is not None
    monkeypatch.setattr(filled_world, "TABLES", ("app.orders",))  # a table without partitions, and one with
    heap, index = filled_world.sizes(engine)
    monkeypatch.setattr(filled_world, "TABLES", ("app.orders", "app.commerce_events"))
    assert min(heap, index) > 0
    assert min(more - less for more, less in zip(filled_world.sizes(engine), (heap, index), strict=True)) > 0
    engine.dispose()


def test_each_stage_of_an_order_has_a_delivery() -> None:
    made = filled_bodies.orders(7, 2, 3, datetime(2026, 11, 1, tzinfo=UTC))
    late = filled_bodies.orders(7, 2, 3, datetime(2026, 11, 1, tzinfo=UTC), is_late=True)
    assert [site for site, _, _ in made] == [2, 3]
    assert max(at for _, _, at in late) < min(at for _, _, at in made)
    for stage in filled_bodies.LIFE:
        assert [
            (packed.topic, packed.body_bytes > len(packed.body)) for packed in filled_bodies.packed(stage, made)
        ] == [(stage.topic, True)] * 2


def test_the_median_of_the_rounds_ratios_counts() -> None:
    def rounds(*costs: float) -> list[dict[str, float]]:
        return [{"cpu_us": cost, "wal_bytes": 2 * cost} for cost in costs]

    sizes = {"here": [{"heap_bytes": 3.0, "index_bytes": 1.0}], "other": [{"heap_bytes": 4.0, "index_bytes": 4.0}]}
    measured = {"filled": {"here": rounds(5, 8, 30), "other": rounds(10, 10, 10)}, "disk": sizes}
    result = filled.summary(measured, 100, 10)
    assert result["ratios"] == {"filled_cpu": 0.8, "filled_wal": 0.8, "disk": 0.5}
    assert result["reached"] == {"filled_cpu": False, "filled_wal": False, "disk": True}
    alone = filled.summary({"filled": {"here": rounds(5)}}, 100, 10)
    assert (alone["ratios"], alone["reached"]) == ({}, {})
