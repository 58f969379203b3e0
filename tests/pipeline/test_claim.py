"""Who takes which raw events: a site is with one worker at a time, and no shard waits behind another's backlog."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from custom_events.pipeline.claim import claim
from custom_events.postgres import connect

InWorld = Callable[[Callable[[Any], Any]], None]

QUEUE = "INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT n, '2026-11-16', $2 FROM generate_series($1::int, $3::int) n"


def test_nothing_waiting_nothing_claimed(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        async with world.connection.transaction():
            assert await claim(world.connection, 4, 10) == []

    in_world(test)


def test_a_batch_is_cut_off_at_its_size_oldest_first(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        await world.connection.execute(QUEUE, 1, 1, 30)
        async with world.connection.transaction():
            claimed = await claim(world.connection, 4, 10)
        assert sorted(one.raw_id for one in claimed) == list(range(1, 11))
        assert await world.value("SELECT count(*) FROM landing.raw_queue") == 20

    in_world(test)


def test_two_transactions_never_share_a_shard(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        for site in range(8):
            await world.connection.execute(QUEUE, site * 10, site, site * 10 + 4)
        other = await connect.asyncpg_connect(world.url)
        async with world.connection.transaction(), other.transaction():
            first = await claim(world.connection, 4, 12)
            second = await claim(other, 4, 12)
            third = await connect.asyncpg_connect(world.url)
            async with third.transaction():
                rest = await claim(third, 4, 100)
            await third.close()
        await other.close()
        shards = [{one.site_id % 4 for one in claimed} for claimed in (first, second, rest)]
        assert len(first) == 12
        assert sum(len(one) for one in shards) == len(set().union(*shards))

    in_world(test)


def test_when_others_hold_every_shard_there_is_nothing_to_claim(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        await world.connection.execute(QUEUE, 1, 1, 5)
        other = await connect.asyncpg_connect(world.url)
        async with other.transaction():
            assert len(await claim(other, 4, 2)) == 2
            async with world.connection.transaction():
                assert await claim(world.connection, 4, 10) == []
        await other.close()
        async with world.connection.transaction():
            assert len(await claim(world.connection, 4, 10)) == 3

    in_world(test)


def test_a_large_backlog_of_one_site_delays_others_by_batches_only(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        await world.connection.execute(QUEUE, 1, 0, 2_000)
        await world.connection.execute(QUEUE, 10_001, 1, 10_003)
        batches = 0
        while await world.value("SELECT EXISTS (SELECT FROM landing.raw_queue WHERE site_id = 1)"):
            async with world.connection.transaction():
                sizes = Counter(one.site_id for one in await claim(world.connection, 4, 50))
            assert sum(sizes.values()) == 50
            batches += 1
            assert batches < 40, "each batch asks the small shard first with one half"

    in_world(test)
