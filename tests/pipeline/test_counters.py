"""Thresholds over whole sites: a batch reads days and edges, whatever the history; and what was counted follows corrections."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_events.pipeline import counted_history, counters, shifts
from custom_events.pipeline.bulk_rows import columns_of
from custom_events.queries import counting, understanding

InWorld = Callable[[Callable[[Any], Any]], None]

YEARS = 3
MINUTES = 26  # between two events
EVENTS = (
    YEARS * 365 * 24 * 60 // MINUTES
)  # a long history for a test; a year of a large shop's site has a few hundred a day
FEW_PAGES = YEARS * 366 + 120  # one for a day's row, the indexes' paths, the events of two edges
MANY = f"""
INSERT INTO app.counted_events (counter_id, key, occurred_at, day, amount, currency)
SELECT $1, 'order.paid:h' || n, at, (at AT TIME ZONE 'Europe/Berlin')::date, 10, 'EUR'
FROM generate_series(1, {EVENTS}) n
CROSS JOIN LATERAL (SELECT $2::timestamptz - n * interval '{MINUTES} minutes' AS at) t
"""
DAYS = """
INSERT INTO app.counted_days SELECT counter_id, day, currency, count(*), sum(amount) FROM app.counted_events GROUP BY 1, 2, 3
"""
FIRED = """
SELECT e.order_id FROM app.custom_events e WHERE e.withdrawn_at IS NULL ORDER BY e.occurred_at
"""


def on_day(order: Any, noon: datetime, number: int, day: int, **fields: Any) -> dict[str, Any]:
    at = (noon + timedelta(days=day - 10)).isoformat()
    return order(number, created_at=at, updated_at=at, processed_at=at, **fields)


async def pages(world: Any, query: str, *values: Any) -> int:
    """8 kB pages that the statement reads."""
    plan = "\n".join(row[0] for row in await world.rows(f"EXPLAIN (ANALYZE, BUFFERS) {query}", *values))
    assert "Seq Scan" not in plan, plan
    first = re.search(r"Buffers: (.*)", plan)
    assert first is not None, plan
    return sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", first.group(1)))


@pytest.mark.parametrize("period", ["lifetime", "rolling", "year"])
def test_a_long_history_is_not_read(in_world: InWorld, order: Any, noon: datetime, period: str) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        threshold = {"at_least": "100", "scope": "site", "period": period, "fires": "every_nth"}
        if period == "rolling":
            threshold["window_days"] = 365
        world.rule(site, threshold=threshold)
        world.land(site, "orders/paid", on_day(order, noon, 1, 10))
        await world.batch()
        counter = await world.value("SELECT id FROM app.threshold_counters")
        await world.connection.execute(MANY, counter, noon)
        await world.connection.execute("DELETE FROM app.counted_days")
        await world.connection.execute(DAYS)
        await world.connection.execute("VACUUM ANALYZE app.counted_events, app.counted_days")
        await world.connection.execute(understanding.SESSION)
        configuration = await world.cache.current(world.connection)
        (rule,) = configuration.compiled_rules.sites[site].rules
        last = noon + timedelta(minutes=5)
        read = 0
        for query, rows in asked(configuration.compiled_rules, site, rule, counter, noon, last).items():
            read += await pages(world, query, *rows)
        assert read < FEW_PAGES
        stretch = counted_history.Stretch(site, rule, noon, last)
        histories = await counted_history.histories(world.connection, configuration.compiled_rules, [stretch])
        occurrences = histories[stretch.counting.place].occurrences
        total = sum(occurrence.events for occurrence in occurrences)
        assert len(occurrences) < 30
        expected = {"lifetime": EVENTS + 1, "rolling": 365 * 24 * 60 // MINUTES + 1}
        assert total == expected.get(period, total)

    in_world(test)


def asked(compiled_rules: Any, site: int, rule: Any, counter: int, first: datetime, last: datetime) -> dict[str, Any]:
    """The statements of `histories` with their parameters, as it would send them."""
    zone = compiled_rules.sites[site].facts.zone
    spans, between = counted_history._parts(counted_history.Stretch(site, rule, first, last), zone)  # pyright: ignore[reportPrivateUsage]
    assert between is not None
    days = counted_history._days(*between, zone)  # pyright: ignore[reportPrivateUsage]
    return {
        counting.ONE_BY_ONE: columns_of([(rule.id, counter, *span) for span in spans]),
        counting.TOGETHER: columns_of([(rule.id, counter, *days)]),
    }


def test_a_counter_that_missed_events_is_made_again(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        rule = world.rule(site, threshold={"at_least": "3", "scope": "site"})
        world.land(site, "orders/paid", on_day(order, noon, 1, 1))
        await world.batch()
        first = await world.value("SELECT id FROM app.threshold_counters")
        pause = "UPDATE app.site_custom_events SET is_active = $2, updated_at = clock_timestamp() WHERE id = $1"
        await world.connection.execute(pause, rule, False)
        world.land(site, "orders/paid", on_day(order, noon, 2, 2))
        await world.batch()
        await world.connection.execute(pause, rule, True)
        world.land(site, "orders/paid", on_day(order, noon, 3, 3))
        await world.batch()
        assert await world.rows(FIRED) == [("3",)]
        assert await world.rows("SELECT id > $1 FROM app.threshold_counters", first) == [(True,)]
        assert await world.rows("SELECT sum(events) FROM app.counted_days") == [(3,)]
        assert await world.rows("SELECT count(*) FROM app.counted_events") == [(3,)]

    in_world(test)


def test_days_follow_what_is_corrected(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        big = {"field": "order.total", "op": ">=", "value": "50"}
        world.rule(
            site, conditions=big, threshold={"measure": "sum", "at_least": "150", "scope": "site", "period": "month"}
        )
        for number in (1, 2, 3):
            world.land(site, "orders/paid", on_day(order, noon, number, number))
        await world.batch()
        assert await world.rows(FIRED) == [("2",)]
        older = (noon - timedelta(days=30)).isoformat()
        world.land(site, "orders/paid", on_day(order, noon, 1, 1, total_price="20.00") | {"updated_at": older})
        await world.batch()
        assert await world.rows(FIRED) == [("3",)]
        days = await world.rows("SELECT events, amount FROM app.counted_days ORDER BY day")
        assert [(events, int(amount)) for events, amount in days] == [(0, 0), (1, 100), (1, 100)]

    in_world(test)


def test_a_late_order_moves_every_second_one_of_the_shop(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, threshold={"at_least": "2", "scope": "site", "fires": "every_nth"})
        for number in (2, 3, 4, 5):
            customer = {"id": number, "email": f"person{number}@example.org"}
            world.land(site, "orders/paid", on_day(order, noon, number, number, customer=customer))
            await world.batch()
        assert await world.rows(FIRED) == [("3",), ("5",)]
        world.land(site, "orders/paid", on_day(order, noon, 1, 1))
        figures = await world.batch()
        assert (figures.custom_events, figures.withdrawn) == ({"purchase": 2}, {"invalidated_by_late_event": 2})
        assert await world.rows(FIRED) == [("2",), ("4",)]

    in_world(test)


def test_whole_days_and_what_is_left_of_them() -> None:
    since, until = datetime(2026, 3, 1, 22, 30, tzinfo=UTC), datetime(2026, 3, 4, 1, tzinfo=UTC)
    midnight = [datetime(2026, 3, day, tzinfo=UTC) for day in (2, 4)]
    first, last = midnight[0].date(), midnight[1].date()
    assert counted_history._days(since, until, UTC) == (first, last, since, midnight[0], midnight[1], until)  # pyright: ignore[reportPrivateUsage]
    same_day = since + timedelta(minutes=5)
    assert counted_history._days(since, same_day, UTC)[2:4] == (since, same_day)  # pyright: ignore[reportPrivateUsage]
    assert counted_history._days(None, until, UTC)[:2] == (None, last)  # pyright: ignore[reportPrivateUsage]


def test_what_counts_otherwise_for_a_rule_that_asks_for_the_customers_past(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        first = {"field": "customer.orders_before", "op": "=", "value": 0}
        world.rule(site, conditions=first, threshold={"at_least": "2", "scope": "site"}, dedup={"per": "event"})
        for number, customer in ((2, 7), (4, 8)):
            who = {"id": customer, "email": f"person{customer}@example.org"}
            world.land(site, "orders/paid", on_day(order, noon, number, number, customer=who))
        world.land(site, "orders/create", on_day(order, noon, 9, 9, financial_status="pending"))
        await world.batch()
        assert await world.rows(FIRED) == [("4",)]
        eight = {"id": 8, "email": "person8@example.org"}
        world.land(site, "orders/paid", on_day(order, noon, 1, 1, customer=eight))
        await world.batch()
        assert await world.rows(FIRED) == [("2",)]
        assert await world.rows("SELECT key FROM app.counted_events ORDER BY 1") == [
            ("order.paid:1",),
            ("order.paid:2",),
        ]

    in_world(test)


def test_a_rule_without_a_counter_shifts_nothing(in_world: InWorld, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, threshold={"at_least": "2", "scope": "site"})
        configuration = await world.cache.current(world.connection)
        compiled_rules, rules = configuration.compiled_rules, configuration.site_wide
        counting = counters.Counting(site, rules[site][0])
        shift = counters.Shift(counting=counting, since=noon, key="order.paid:1", last=noon, come=[], gone=[])
        assert await shifts.shifted(world.connection, compiled_rules, shift) == ([], [])
        assert await counters.recount(world.connection, compiled_rules, rules, []) == []
        assert await counters.count_new(world.connection, compiled_rules, rules, []) == []

    in_world(test)
