"""Group commit, and what happens when Postgres does not want to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import pytest
import zstandard

from custom_events.platforms.base import Delivery, StorePlatform
from custom_events.settings import Settings
from custom_events.values.deliveries import Refusal
from ingest_api import connections as module_of_connections
from ingest_api import writer as module
from ingest_api.groups import THREAD_FROM_BYTES, Answered, Verified, Waiting, on_result_of
from ingest_api.metrics import Metrics
from ingest_api.writer import Writer
from tests.ingest_api.writing import Connections, Play, Query, delivery, land, refusal


@pytest.fixture
def play(receiver_settings: Callable[..., Settings], database: str, sites: None) -> Play:
    """Runs a scenario `(writer, connections) -> None`; the writer is closed at its end."""

    def run(scenario: Callable[[Writer, Connections], Awaitable[None]], **changed: Any) -> None:
        async def main() -> None:
            connections = Connections(database)
            writer = Writer(receiver_settings(**changed), Metrics(), connections.connect)
            running = asyncio.create_task(writer.run())
            try:
                await asyncio.wait_for(scenario(writer, connections), 30)
            finally:
                writer.close()
                await asyncio.wait_for(running, 30)
            assert writer.held_bytes == 0

        asyncio.run(main())

    return run


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups land in the order in which they were taken."""
    monkeypatch.setattr(module, "CONNECTIONS", 1)


def test_what_waits_together_is_committed_together_within_the_limit(
    play: Play, rows: Query, one_connection: None
) -> None:
    async def scenario(writer: Writer, _: Connections) -> None:
        waiting = [land(writer, *delivery(number)) for number in range(25)]
        assert await asyncio.gather(*waiting) == [True] * 25

    play(scenario, group_limit=10)
    assert rows("SELECT landed FROM landing.receipts ORDER BY at, landed DESC") == [(10,), (10,), (5,)]


def test_of_many_that_wait_a_quarter_is_taken(play: Play, rows: Query, one_connection: None) -> None:
    async def scenario(writer: Writer, _: Connections) -> None:
        await asyncio.gather(*(land(writer, *delivery(number)) for number in range(160)))

    play(scenario)
    assert rows("SELECT landed FROM landing.receipts ORDER BY at") == [(40,), (32,), (32,), (32,), (24,)]


def test_of_the_same_at_the_same_moment_one_lands(play: Play, rows: Query) -> None:
    async def scenario(writer: Writer, _: Connections) -> None:
        assert await asyncio.gather(*(land(writer, *delivery(1)) for _ in range(3))) == [True, False, False]

    play(scenario)
    assert rows("SELECT received, landed, duplicates FROM landing.receipts") == [(3, 1, 2)]
    assert rows("SELECT count(*) FROM landing.duplicate_deliveries") == [(2,)]


def test_after_a_known_delivery_groups_are_not_taken_for_new_ones(
    play: Play, rows: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimistic: list[bool] = []
    usual = module_of_connections.landing.land

    async def noted(*given: Any, **how: Any) -> set[int]:
        optimistic.append(how["all_new"])
        return await usual(*given, **how)

    monkeypatch.setattr(module_of_connections.landing, "land", noted)

    async def scenario(writer: Writer, _: Connections) -> None:
        assert await land(writer, *delivery(1)) is True
        assert await asyncio.gather(*(land(writer, *delivery(number)) for number in (3, 1, 2))) == [True, False, True]
        assert await land(writer, *delivery(4)) is True
        assert optimistic == [True, True, False]
        monkeypatch.setattr(module_of_connections, "CAREFUL_S", 0.0)
        assert await land(writer, *delivery(4)) is False
        assert await land(writer, *delivery(5)) is True
        assert optimistic[3:] == [False, True]

    play(scenario)
    assert rows("SELECT sum(received), sum(landed), sum(duplicates) FROM landing.receipts") == [(7, 5, 2)]
    assert rows("SELECT count(*) FROM landing.duplicate_deliveries") == [(2,)]
    assert rows("SELECT count(*) FROM landing.raw_queue") == [(5,)]


def test_while_a_commit_waits_a_group_that_is_worth_it_lands(play: Play, rows: Query) -> None:
    async def scenario(writer: Writer, connections: Connections) -> None:
        other = await connections.connect()
        begun = other.transaction()
        await begun.start()
        assert await module_of_connections.landing.land(other, [delivery(0)[1]], [], [], b"") == set()
        held = land(writer, *delivery(0))
        async with asyncio.timeout(10):
            while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        others = [land(writer, *delivery(number)) for number in range(1, module.GROUP_FLOOR)]
        await other.fetchval("SELECT 1")  # the loop turns; too few are left waiting
        others.append(land(writer, *delivery(module.GROUP_FLOOR)))
        assert await asyncio.gather(*others) == [True] * module.GROUP_FLOOR
        assert not held.done()
        await begun.rollback()
        assert await held is True
        await other.close()

    play(scenario)
    assert rows("SELECT landed FROM landing.receipts ORDER BY landed") == [(1,), (module.GROUP_FLOOR,)]


def test_closing_commits_what_was_accepted(play: Play, rows: Query) -> None:
    waiting: list[Any] = []

    async def scenario(writer: Writer, _: Connections) -> None:
        waiting.extend(land(writer, *delivery(number)) for number in range(5))
        writer.count_refused("shopify", Refusal.BUSY)
        writer.close()
        assert writer.is_full

    play(scenario)
    assert all(future.result() for future in waiting)
    assert rows("SELECT count(*) FROM landing.raw_events") == [(5,)]
    assert rows("SELECT sum(refused) FROM landing.receipts") == [(1,)]


def test_full_by_number_and_by_bytes(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(writer: Writer, _: Connections) -> None:
        waiting = [land(writer, *delivery(number)) for number in range(2)]
        assert not writer.is_full
        waiting.append(land(writer, *delivery(3)))
        assert writer.is_full
        assert not writer.may_keep_refusal("shopify", Refusal.NO_SUCH_SITE, 1), "a flood of refusals waits for nobody"
        await asyncio.gather(*waiting)
        assert not writer.is_full
        monkeypatch.setattr(module, "WAITING_LIMIT_BYTES", 5)
        last = land(writer, *delivery(4))
        assert writer.is_full
        await last

    play(scenario, queue_limit=3)


def test_a_group_is_bounded_in_bytes(play: Play, rows: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP_LIMIT_BYTES", 10)

    async def scenario(writer: Writer, _: Connections) -> None:
        await asyncio.gather(*(land(writer, *delivery(number)) for number in range(4)))

    play(scenario)
    assert rows("SELECT landed FROM landing.receipts ORDER BY at") == [(2,), (2,)]


def test_large_groups_are_compressed_beside_the_event_loop(play: Play, rows: Query) -> None:
    body = b'{"a": 1}' * (THREAD_FROM_BYTES // 8)

    async def scenario(writer: Writer, _: Connections) -> None:
        platform, row, small = delivery(1)
        _, other, _ = delivery(2)
        assert await asyncio.gather(land(writer, platform, row, body), land(writer, platform, other, small))

    play(scenario)
    assert {zstandard.decompress(row.body) for row in rows("SELECT body FROM landing.raw_events")} == {body, b"body 1"}


def test_a_bad_row_fails_nobody_else_and_lands_itself(play: Play, rows: Query) -> None:
    async def scenario(writer: Writer, _: Connections) -> None:
        waiting = [land(writer, *delivery(1)), land(writer, *delivery(2, "nul \x00 byte")), land(writer, *delivery(3))]
        kept = writer.quarantine(*refusal("\x00"))
        assert await asyncio.gather(*waiting) == [True, True, True]
        await kept

    play(scenario)
    assert [row.topic for row in rows("SELECT topic FROM landing.raw_events ORDER BY delivery_id")] == [
        "orders/paid",
        "nul \\x00 byte",
        "orders/paid",
    ]
    assert rows("SELECT topic FROM landing.refused_events") == [("\\x00",)]
    assert rows("SELECT sum(received), sum(landed), sum(refused) FROM landing.receipts") == [(4, 3, 1)]


def test_a_row_that_cannot_be_helped_is_not_acknowledged(play: Play, rows: Query) -> None:
    async def scenario(writer: Writer, _: Connections) -> None:
        platform, row, body = delivery(1)
        row.site_id = 1 << 70
        assert await land(writer, platform, row, body) is None
        assert await land(writer, *delivery(2)) is True

    play(scenario)
    assert rows("SELECT sum(received), sum(landed), sum(refused) FROM landing.receipts") == [(2, 1, 1)]


class Failing:
    """A platform with a fault of ours in it."""

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        raise ZeroDivisionError


def test_a_fault_of_ours_fails_one_delivery_and_ends_nothing(play: Play, rows: Query) -> None:
    async def scenario(writer: Writer, _: Connections) -> None:
        failing: Answered = asyncio.get_running_loop().create_future()
        first = land(writer, *delivery(1))
        writer.put(Waiting("shopify", Verified(1, cast("StorePlatform", Failing()), {}), b"x", on_result_of(failing)))
        assert await asyncio.gather(first, failing) == [True, None]
        assert not writer.is_full, "nobody else is refused for it"
        assert await land(writer, *delivery(2)) is True

    play(scenario)
    assert rows("SELECT sum(received), sum(landed), sum(refused) FROM landing.receipts") == [(3, 2, 1)]


def test_a_lost_connection_is_replaced(play: Play, rows: Query) -> None:
    async def scenario(writer: Writer, connections: Connections) -> None:
        assert await land(writer, *delivery(1)) is True
        connections.made[0].terminate()
        assert await land(writer, *delivery(1)) is None, "not acknowledged; the store sends it again"
        assert writer.is_full, "for the moment nobody is let in"
        async with asyncio.timeout(10):
            while writer.is_full:
                await asyncio.sleep(0.01)
        assert await land(writer, *delivery(1)) is False
        assert len(connections.made) == 2

    play(scenario)
    assert rows("SELECT sum(received), sum(landed), sum(duplicates), sum(refused) FROM landing.receipts") == [
        (3, 1, 1, 1)
    ]


def test_no_attempt_to_connect_while_the_pause_lasts(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_of_connections, "BACKOFF_S", (60.0,))

    async def scenario(writer: Writer, connections: Connections) -> None:
        connections.down = True
        assert await land(writer, *delivery(1)) is None
        connections.down = False
        assert await land(writer, *delivery(2)) is None
        assert await writer.quarantine(*refusal()) is None
        assert connections.made == []

    play(scenario)


def test_a_statement_that_fails_keeps_the_connection(play: Play, engine: Any) -> None:
    async def scenario(writer: Writer, connections: Connections) -> None:
        assert await land(writer, *delivery(1)) is True
        await connections.made[0].execute("SET default_transaction_read_only = on")
        assert await land(writer, *delivery(2)) is None
        await connections.made[0].execute("SET default_transaction_read_only = off")
        assert await land(writer, *delivery(2)) is True
        assert len(connections.made) == 1

    play(scenario)


def test_a_client_that_goes_away_takes_nothing_from_the_others(play: Play, rows: Query) -> None:
    async def scenario(writer: Writer, _: Connections) -> None:
        gone, stays = land(writer, *delivery(1)), land(writer, *delivery(2))
        gone.cancel()
        assert await stays is True

    play(scenario)
    assert rows("SELECT count(*) FROM landing.raw_events") == [(2,)]


def test_the_week_before_is_looked_at(play: Play, rows: Query, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_of_connections, "is_around_boundary", lambda moment: True)

    async def first(writer: Writer, _: Connections) -> None:
        assert await land(writer, *delivery(1)) is True

    async def again(writer: Writer, _: Connections) -> None:
        assert await land(writer, *delivery(1)) is False
        assert await land(writer, *delivery(2)) is True

    play(first)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE landing.raw_events SET landed_week = landed_week - 7")
    play(again)
    assert rows("SELECT delivery_id FROM landing.raw_events ORDER BY 1") == [("1",), ("2",)]


def test_beside_the_week_before_new_ones_land_by_the_short_statement_and_known_ones_by_the_long_one(
    play: Play, rows: Query, engine: Any, monkeypatch: pytest.MonkeyPatch, one_connection: None
) -> None:
    monkeypatch.setattr(module_of_connections, "is_around_boundary", lambda moment: True)
    monkeypatch.setattr(module_of_connections, "CAREFUL_S", 0.0)
    long_statement = module_of_connections.landing.LAND_AROUND

    async def scenario(writer: Writer, _: Connections) -> None:
        monkeypatch.setattr(module_of_connections.landing, "LAND_AROUND", "SELECT 'not to be run'")
        assert await asyncio.gather(*(land(writer, *delivery(number)) for number in (1, 2))) == [True, True]
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE landing.raw_events SET landed_week = landed_week - 7")
        monkeypatch.setattr(module_of_connections.landing, "LAND_AROUND", long_statement)
        assert await asyncio.gather(*(land(writer, *delivery(number)) for number in (3, 1, 2))) == [True, False, False]

    play(scenario)
    assert rows("SELECT received, landed, duplicates FROM landing.receipts ORDER BY at") == [(2, 2, 0), (3, 1, 2)]
    assert rows("SELECT count(*) FROM landing.raw_events") == rows("SELECT count(*) FROM landing.raw_queue") == [(3,)]
    assert rows("SELECT count(*) FROM landing.duplicate_deliveries") == [(2,)]


def test_around_the_change_of_week_landings_take_turns(
    play: Play, rows: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_of_connections, "is_near_boundary", lambda moment: True)

    async def scenario(writer: Writer, connections: Connections) -> None:
        assert await land(writer, *delivery(1)) is True
        other = await connections.connect()
        async with other.transaction():
            await other.fetch(module_of_connections.landing.LOCK_BOUNDARY, module_of_connections.landing.BOUNDARY_LOCK)
            waits = land(writer, *delivery(2))
            async with asyncio.timeout(10):
                while not await other.fetchval(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
                ):
                    await asyncio.sleep(0.01)
            assert not waits.done()
        assert await waits is True
        await other.close()

    play(scenario)
    assert rows("SELECT count(*) FROM landing.raw_events") == [(2,)]


def test_two_writers_land_each_delivery_once(
    receiver_settings: Callable[..., Settings], database: str, sites: None, rows: Query
) -> None:
    async def main() -> None:
        connections = Connections(database)
        writers = [Writer(receiver_settings(group_limit=7), Metrics(), connections.connect) for _ in range(2)]
        running = [asyncio.create_task(writer.run()) for writer in writers]
        numbers = [*range(150)]
        waiting = [land(writers[0], *delivery(n)) for n in numbers] + [
            land(writers[1], *delivery(n)) for n in numbers[::-1]
        ]
        said = await asyncio.wait_for(asyncio.gather(*waiting), 30)
        assert (said.count(True), said.count(False)) == (150, 150)
        for writer in writers:
            writer.close()
        await asyncio.gather(*running)

    asyncio.run(main())
    assert rows("SELECT count(*) FROM landing.raw_events") == [(150,)]
    assert rows("SELECT sum(received), sum(landed), sum(duplicates) FROM landing.receipts") == [(300, 150, 150)]


def test_refusals_that_are_only_counted_are_committed_together(
    play: Play, rows: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many come, they cost no commit each; one that waits long enough costs one."""
    monkeypatch.setattr(module, "COUNT_EVERY_S", 0.2)

    async def scenario(writer: Writer, _: Connections) -> None:
        for _number in range(50):
            writer.count_refused("shopify", Refusal.WRONG_SIGNATURE)
            await asyncio.sleep(0)
        async with asyncio.timeout(30):
            while not rows("SELECT FROM landing.receipts"):
                await asyncio.sleep(0.05)

    play(scenario)
    assert rows("SELECT refused FROM landing.receipts") == [(50,)]
