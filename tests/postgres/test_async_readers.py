"""Connections of an event loop are kept, one task's at a time, and ended where something went wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from custom_events.postgres.async_readers import AsyncReaders

Question = Callable[["psycopg.AsyncConnection[dict[str, Any]]"], Awaitable[Any]]


async def backend(connection: "psycopg.AsyncConnection[dict[str, Any]]") -> int:
    row = await (await connection.execute("SELECT pg_backend_pid() AS pid")).fetchone()
    assert row is not None
    pid: int = row["pid"]
    return pid


def readers(database: str, most: int) -> AsyncReaders:
    return AsyncReaders(database, name="test readers", most=most, lock_limit_ms=1_000, statement_limit_ms=60_000)


def test_a_connection_is_kept_for_the_next_question(database: str) -> None:
    async def ask() -> None:
        mine = readers(database, 2)
        first = await mine.run(backend)
        assert await mine.run(backend) == first
        mine.close()
        assert await mine.run(backend) != first, "it begins anew"
        mine.close()

    asyncio.run(ask())


def test_so_many_at_once_and_the_others_wait(database: str) -> None:
    async def ask() -> None:
        mine, inside, most, two = readers(database, 2), 0, 0, asyncio.Barrier(2)

        async def counted(connection: "psycopg.AsyncConnection[dict[str, Any]]") -> int:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await two.wait()
            found = await backend(connection)
            inside -= 1
            return found

        found = await asyncio.gather(*(mine.run(counted) for _ in range(8)))
        assert most == 2
        assert len(set(found)) == 2
        mine.close()

    asyncio.run(ask())


def test_a_connection_on_which_something_failed_is_ended(database: str) -> None:
    async def ask() -> None:
        mine = readers(database, 1)
        used: list[psycopg.AsyncConnection[dict[str, Any]]] = []

        async def wrong(connection: "psycopg.AsyncConnection[dict[str, Any]]") -> None:
            used.append(connection)
            await connection.execute("SELECT nothing")

        with pytest.raises(psycopg.errors.UndefinedColumn):
            await mine.run(wrong)
        first = await mine.run(backend)
        started = asyncio.Event()

        async def slow(connection: "psycopg.AsyncConnection[dict[str, Any]]") -> None:
            used.append(connection)
            started.set()
            await connection.execute("SELECT pg_sleep(60)")

        task = asyncio.create_task(mine.run(slow))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert all(connection.closed for connection in used)
        assert await mine.run(backend) != first
        mine.close()

    asyncio.run(ask())


def test_another_event_loop_begins_anew(database: str) -> None:
    mine = readers(database, 1)
    first = asyncio.run(mine.run(backend))
    assert asyncio.run(mine.run(backend)) != first
    mine.close()


def test_a_question_that_outlasts_its_readers_ends_its_connection(database: str) -> None:
    async def ask() -> None:
        mine, started, may_end = readers(database, 1), asyncio.Event(), asyncio.Event()

        async def slow(
            connection: "psycopg.AsyncConnection[dict[str, Any]]",
        ) -> "psycopg.AsyncConnection[dict[str, Any]]":
            started.set()
            await may_end.wait()
            await backend(connection)
            return connection

        question = asyncio.create_task(mine.run(slow))
        await started.wait()
        mine.close()
        may_end.set()
        assert (await question).closed

    asyncio.run(ask())
