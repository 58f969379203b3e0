"""Connections for reading the past that are kept, for a process that is asked again and again.

A new connection's backend knows no table yet: an explanation on one takes several times as long as on one that has told another before.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import asyncpg

from custom_events.history.reading import CLOSE_LIMIT_S, prepare, reading, snapshot
from custom_events.pipeline.bulk_rows import Connection
from custom_events.postgres import connect

KEPT: Final = 4  # connections that wait for the next question; each backend holds some 20 MB of what it knows of tables
KEPT_S: Final = 600.0  # and no longer: what a backend knows only grows

_LOST: Final = (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, OSError)
_Found = TypeVar("_Found")


class Readers:
    """Runs questions from any thread, each in a READ ONLY transaction with one snapshot, as `reading.reading` does with `once`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[tuple[asyncpg.Connection[asyncpg.Record], float]] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, question: Callable[[Connection], Awaitable[_Found]]) -> _Found:
        """What the question returns or raises. Asked once more where a kept connection was lost meanwhile: it only reads."""
        return asyncio.run_coroutine_threadsafe(self._answer(question), self._running()).result()

    def close(self) -> None:
        """End the connections; questions afterwards begin anew."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="readers", daemon=True)
                self._thread.start()
            return self._loop

    async def _answer(self, question: Callable[[Connection], Awaitable[_Found]]) -> _Found:
        kept = self._taken()
        if kept is not None:
            try:
                return await self._asked(*kept, question)
            except _LOST:
                pass  # by a restart of the server, for example: a new one shows whether it is back
        made = await connect.asyncpg_connect(self._url, name="custom-events-history")
        try:
            await prepare(made, once=True)
        except BaseException:
            made.terminate()
            raise
        return await self._asked(made, time.monotonic(), question)

    async def _asked(
        self, connection: Any, since: float, question: Callable[[Connection], Awaitable[_Found]]
    ) -> _Found:
        try:
            async with snapshot(connection):
                return await question(connection)
        finally:
            if len(self._idle) < KEPT and not connection.is_closed() and not connection.is_in_transaction():
                self._idle.append((connection, since))
            else:
                connection.terminate()

    def _taken(self) -> "tuple[asyncpg.Connection[asyncpg.Record], float] | None":
        while self._idle:
            connection, since = self._idle.pop()
            if not connection.is_closed() and time.monotonic() - since < KEPT_S:
                return connection, since
            connection.terminate()
        return None

    async def _end(self) -> None:
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            await connect.asyncpg_close(connection, CLOSE_LIMIT_S)


def ask(source: str | Readers, question: Callable[[Connection], Awaitable[_Found]]) -> _Found:
    """What the question returns or raises, for callers without an event loop: on a connection of its own to a URL, or on one that is
    kept."""
    if isinstance(source, Readers):
        return source.run(question)

    async def alone() -> _Found:
        async with reading(source, once=True) as connection:
            return await question(connection)

    return asyncio.run(alone())
