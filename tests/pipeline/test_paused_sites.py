"""A paused site: what it sends is taken and understood, matches nothing, is counted, and counts for thresholds later on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from custom_events.backtest.backtest import backtest
from custom_events.catalog import sites
from custom_events.explain.find import trace_of
from custom_events.history.reading import reading
from custom_events.postgres import connect
from custom_events.watching.sums import sums

InWorld = Callable[[Callable[[Any], Any]], None]
OUTCOMES = "SELECT outcome, reason, new_events FROM app.raw_outcomes ORDER BY raw_id"
MATCHED = "SELECT order_id FROM app.custom_events WHERE withdrawn_at IS NULL ORDER BY 1"


def switch(world: Any, change: Callable[..., Any], site: int) -> None:
    engine = connect.engine(world.url)
    with engine.begin() as connection:
        change(connection, site, actor="anna")
    engine.dispose()


def test_it_matches_nothing_and_is_counted(in_world: InWorld, order: Any, noon: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, "every order", dedup={"per": "order"})
        world.rule(site, "second", threshold={"at_least": "2", "scope": "site"}, dedup={"per": "event"})
        switch(world, sites.pause, site)
        world.land(site, "orders/paid", order(1))
        world.land(site, "products/update", {"id": 1})
        assert (await world.batch()).custom_events == {}
        assert await world.rows(OUTCOMES) == [("understood", "site_paused", 2), ("ignored", "product_topic", 0)]
        engine = connect.engine(world.url)
        with engine.connect() as connection:
            found = sums(connection, site_id=site)
        engine.dispose()
        assert (found.understood, found.paused, found.ignored, found.gaps) == (1, 1, {"product_topic": 1}, [])
        async with reading(world.url) as connection:
            told = await trace_of(connection, "1")
            assert {one.why for one in told.silent} == {"Its site is paused."}
            assert not (
                await backtest(connection, since=noon - timedelta(days=2), until=noon + timedelta(days=2))
            ).counts.differs

    in_world(test)


def test_what_came_meanwhile_counts_once_it_is_active_again(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, "third", threshold={"at_least": "3", "scope": "site"}, dedup={"per": "event"})
        world.land(site, "orders/paid", order(1))
        await world.batch()
        switch(world, sites.pause, site)
        world.land(site, "orders/paid", order(2))
        await world.batch()
        switch(world, sites.resume, site)
        world.land(site, "orders/paid", order(3))
        assert (await world.batch()).custom_events == {"third": 1}
        assert await world.rows(MATCHED) == [("3",)]

    in_world(test)
