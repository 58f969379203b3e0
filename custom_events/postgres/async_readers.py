"""Connections of an event loop for short statements that only read: they are kept, and each is one task's at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from custom_events.postgres import connect

if TYPE_CHECKING:
    import psycopg

_Found = TypeVar("_Found")


class AsyncReaders:
    """`most` connections to a libpq URL at once, made when they are needed first; for the event loop that asks, until `close`."""

    def __init__(self, url: str, *, name: str, most: int, lock_limit_ms: int, statement_limit_ms: int) -> None:
        self._url, self._name, self._most = url, name, most
        self._limits = {"lock_limit_ms": lock_limit_ms, "statement_limit_ms": statement_limit_ms}
        self._idle: list[psycopg.AsyncConnection[dict[str, Any]]] = []
        self._free: asyncio.Semaphore | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, question: "Callable[[psycopg.AsyncConnection[dict[str, Any]]], Awaitable[_Found]]") -> _Found:
        """What the question returns. Raises what it raises, and psycopg.Error where there is no connection; one that raised is ended."""
        turn = self._turn()
        async with turn:
            connection = self._idle.pop() if self._idle else await self._connect()
            try:
                answer = await question(connection)
            except BaseException:  # also where whoever asked has gone: an answer may still be under way on it
                connection.pgconn.finish()
                raise
            if turn is self._free:
                self._idle.append(connection)
            else:  # closed meanwhile: nobody would end it
                connection.pgconn.finish()
            return answer

    def close(self) -> None:
        """End the connections; questions afterwards begin anew."""
        idle, self._idle, self._free, self._loop = self._idle, [], None, None
        for connection in idle:
            connection.pgconn.finish()

    def _turn(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._free is None or self._loop is not loop:  # what another loop has left behind is of no use
            self.close()
            self._free, self._loop = asyncio.Semaphore(self._most), loop
        return self._free

    async def _connect(self) -> "psycopg.AsyncConnection[dict[str, Any]]":
        return await connect.async_reading(self._url, name=self._name, **self._limits)
