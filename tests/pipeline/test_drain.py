"""A draining run lives while there is work, ends when there is none, and says when the database failed."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from custom_events.errors import Transient
from custom_events.pipeline import drain
from custom_events.queries import understanding

InWorld = Callable[[Callable[[Any], Any]], None]
WAIT_S = 60.0


def test_ends_at_once_when_nothing_waits(database: str) -> None:
    figures = drain.drain_sync(database, drain.Settings(), until_idle_s=0, limit_s=WAIT_S)
    assert (figures.raw, figures.batches) == (0, 0)


def test_lives_on_for_what_comes_later_and_ends_when_idle(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        world.settings.drain_poll_s = 0.02
        site = world.site()
        batches: list[int] = []
        run = asyncio.create_task(
            drain.drain(
                world.url,
                world.settings,
                until_idle_s=2.0,
                limit_s=WAIT_S,
                on_batch=lambda one: batches.append(one.raw),
            )
        )
        for number in (1, 2):
            world.land(site, "orders/paid", order(number))
            deadline = time.monotonic() + WAIT_S
            while len(batches) < number:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
        figures = await run
        assert figures.raw == 2
        assert figures.batches == 2

    in_world(test)


def test_its_time_is_limited_while_it_waits_and_while_it_works(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        world.settings.drain_poll_s = 0.02
        began = time.monotonic()
        await drain.drain(world.url, world.settings, until_idle_s=WAIT_S, limit_s=0.2)
        assert time.monotonic() - began < WAIT_S / 2
        world.land(world.site(), "orders/paid", order(1))
        figures = await drain.drain(world.url, world.settings, until_idle_s=0, limit_s=0)
        assert figures.raw == 0

    in_world(test)


def test_a_failing_database_is_transient(in_world: InWorld, order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: Any) -> None:
        world.land(world.site(), "orders/paid", order(1))
        pid = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'custom-events-drain'"
        drain_batch = drain.drain_batch

        async def cut_off(*args: Any) -> Any:
            await world.connection.execute(pid)
            return await drain_batch(*args)

        monkeypatch.setattr(drain, "drain_batch", cut_off)
        with pytest.raises(Transient, match="failed while draining") as failure:
            await drain.drain(world.url, world.settings, until_idle_s=0, limit_s=WAIT_S)
        assert failure.value.retry_after_s > 0
        assert await world.value("SELECT count(*) FROM landing.raw_queue") == 1

    in_world(test)


def test_no_database_at_all_is_transient(tmp_path: Any) -> None:
    url = f"postgresql://nobody@/nothing?host={tmp_path}"
    with pytest.raises(Transient):
        drain.drain_sync(url, drain.Settings(), until_idle_s=0, limit_s=1)


def test_plans_of_empty_tables_are_forgotten_where_nobody_makes_statistics(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        async def index() -> str:
            plan = "\n".join(row[0] for row in await world.rows("EXPLAIN EXECUTE probe('[]', '[]')"))
            return next(name for name in ("ix_orders_customer", "pk_orders") if name in plan)

        await world.connection.execute(understanding.SESSION)
        await world.connection.execute(f"PREPARE probe(text, text) AS {understanding.KNOWN_ORDERS}")
        planned_first = await index()
        await world.connection.execute(
            "INSERT INTO app.orders (site_id, order_id, customer_key, ordered_at)"
            " SELECT 1, n, 'c:' || n, now() FROM generate_series(1, 5000) n"
        )
        await drain.forget_early_plans(world.connection, 3)
        assert await index() == planned_first  # not after every batch
        await drain.forget_early_plans(world.connection, 4)
        assert await index() == "pk_orders"

    in_world(test)
