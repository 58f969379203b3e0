"""A customer with many orders: counted from then on, and what comes late moves only the verdicts that differ."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from custom_events.pipeline import crowds

InWorld = Callable[[Callable[[Any], Any]], None]
MONTH = {"measure": "sum", "at_least": "300", "period": "lifetime"}
FIRED = "SELECT order_id FROM app.custom_events WHERE withdrawn_at IS NULL ORDER BY occurred_at"
COUNTED = "SELECT customer_key, sum(events) FROM app.threshold_counters t JOIN app.counted_days d ON d.counter_id = t.id GROUP BY 1 ORDER BY 1"
MANY = 3


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "MANY_EVENTS", MANY)


def on_day(order: Any, noon: datetime, number: int, day: int, **fields: Any) -> dict[str, Any]:
    at = (noon + timedelta(days=day - 20)).isoformat()
    return order(number, created_at=at, updated_at=at, processed_at=at, **fields)


async def arrive(world: Any, site: int, *bodies: dict[str, Any]) -> Any:
    for body in bodies:
        world.land(site, "orders/paid", body)
    return await world.batch()


def test_who_has_many_orders_is_counted_and_few_of_them_are_judged_again(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, threshold=MONTH)
        await arrive(world, site, on_day(order, noon, 18, 18), on_day(order, noon, 17, 17))
        assert await world.rows(COUNTED) == []
        await arrive(world, site, *(on_day(order, noon, number, number) for number in range(10, 17)))
        assert [int(row[1]) for row in await world.rows(COUNTED)] == [9]
        assert await world.rows(FIRED) == [("12",)]
        figures = await arrive(world, site, on_day(order, noon, 9, 9), on_day(order, noon, 8, 8))
        assert (figures.custom_events, figures.withdrawn) == ({"purchase": 1}, {"invalidated_by_late_event": 1})
        assert await world.rows(FIRED) == [("10",)]
        assert [int(row[1]) for row in await world.rows(COUNTED)] == [11]

    in_world(test)


def test_a_batch_of_many_days_reads_only_the_day_that_decides(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, threshold={**MONTH, "fires": "every_further"})
        await arrive(world, site, *(on_day(order, noon, number, number) for number in range(10, 15)))
        assert await world.rows(FIRED) == [("12",), ("13",), ("14",)]
        await arrive(world, site, *(on_day(order, noon, number, number) for number in (1, 15, 19)))
        assert await world.rows(FIRED) == [("11",), ("12",), ("13",), ("14",), ("15",), ("19",)]

    in_world(test)


def test_an_order_that_turns_out_to_be_anothers_is_counted_for_neither_as_before(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, threshold=MONTH)
        await arrive(world, site, *(on_day(order, noon, number, number) for number in range(10, 15)))
        assert await world.rows(FIRED) == [("12",)]
        older = (noon - timedelta(days=30)).isoformat()
        other = {"id": 8, "email": "person8@example.org"}
        await arrive(world, site, on_day(order, noon, 11, 11, customer=other) | {"updated_at": older})
        assert await world.rows(FIRED) == [("13",)]

    in_world(test)


def test_what_was_understood_under_earlier_rules_is_judged_by_them(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        rule = world.rule(site, threshold=MONTH)
        await arrive(world, site, *(on_day(order, noon, number, number) for number in range(10, 15)))
        assert await world.rows(FIRED) == [("12",)]
        await world.connection.execute(
            "UPDATE app.assignment_revisions SET state = 'retired', retired_at = clock_timestamp() WHERE assignment_id = $1",
            rule,
        )
        await world.connection.execute(
            """INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author, published_by, published_at)
            VALUES ($1, 2, 'published', '{"threshold": {"measure": "sum", "at_least": "600", "period": "lifetime"}}', 'test', 'test', clock_timestamp())""",
            rule,
        )
        await arrive(world, site, *(on_day(order, noon, number, number) for number in (15, 16)))
        assert await world.rows(FIRED) == [("12",), ("15",)]
        assert await world.value("SELECT others_until FROM app.threshold_counters") == noon - timedelta(days=6)
        await arrive(world, site, on_day(order, noon, 9, 9))
        assert await world.rows(FIRED) == [("11",)]  # 14 comes to 600 now, and was understood when 300 were asked

    in_world(test)
