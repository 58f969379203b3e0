"""A draining run: batch after batch until nothing waits for a while, or its time is up.

Within one process several workers run at once, each with its own connection and transaction: while Postgres works for one, Python
works for the other, which keeps both busy without threads.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

import asyncpg
import structlog

from custom_events.errors import Transient
from custom_events.pipeline.batch import drain_batch
from custom_events.pipeline.batch_figures import BatchFigures, DrainFigures
from custom_events.pipeline.configuration import ConfigurationCache
from custom_events.postgres import connect
from custom_events.queries import understanding as sql
from custom_events.settings import Settings

WORKERS = 2  # one computes while the other waits for Postgres
# A batch lives in acyclic values until it is written: Python's 700 cost 12 % of the drain, 100,000 still 2 %. More than two
# batches of the usual size hold at once, so that it hardly ever looks.
GC_ALLOCATIONS = 500_000
RETRY_AFTER_S = 2.0  # after the database failed under a run; a restart takes about as long

_DATABASE_FAILED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


async def drain(
    url: str,
    settings: Settings,
    *,
    until_idle_s: float,
    limit_s: float,
    on_batch: Callable[[BatchFigures], None] = lambda _: None,
    workers: int = WORKERS,
) -> DrainFigures:
    """Drain until nothing was there to do for `until_idle_s` seconds, or `limit_s` is over (the batch in hand is finished).

    `on_batch` is called after each commit. Raises Transient when the database fails, NeedsAction where it is of another version: what was committed
    stays, the rest waits in the queue.
    """
    run = _Run(url, settings, until_idle_s, limit_s, on_batch)
    thresholds = gc.get_threshold()
    gc.set_threshold(GC_ALLOCATIONS, *thresholds[1:])
    tasks = [asyncio.create_task(run.work()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    except _DATABASE_FAILED as error:
        sentence = f"The database failed while draining ({type(error).__name__}: {error}); what was committed stays"
        raise Transient(sentence, RETRY_AFTER_S) from error
    finally:
        gc.set_threshold(*thresholds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return run.figures


class _Run:
    """What the workers of one run share."""

    def __init__(
        self,
        url: str,
        settings: Settings,
        until_idle_s: float,
        limit_s: float,
        on_batch: Callable[[BatchFigures], None],
    ) -> None:
        self._url, self._settings, self._on_batch = url, settings, on_batch
        self._until_idle_s = until_idle_s
        self._started = self._last_work = time.monotonic()
        self._ends = self._started + limit_s
        self._cache = ConfigurationCache()
        self.figures = DrainFigures()

    async def work(self) -> None:
        """One connection, batch after batch."""
        connection = await connect.asyncpg_connect(self._url, name="custom-events-drain")
        try:
            await connection.execute(sql.SESSION)
            batches = 0
            while time.monotonic() < self._ends:
                began = time.monotonic()
                batch = await drain_batch(connection, self._cache, self._settings)
                if batch.raw:
                    self._count(batch, began)
                    batches += 1
                    await forget_early_plans(connection, batches)
                elif not await self._wait(connection):
                    return
        finally:
            await connect.asyncpg_close(connection, RETRY_AFTER_S)

    def _count(self, batch: BatchFigures, began: float) -> None:
        self._last_work = time.monotonic()
        batch.seconds = self._last_work - began
        self.figures.add(batch)
        self.figures.seconds = self._last_work - self._started
        structlog.get_logger().info(
            "batch_drained",
            raw=batch.raw,
            events=sum(batch.events.values()),
            custom_events=sum(batch.custom_events.values()),
            seconds=round(batch.seconds, 3),
        )
        self._on_batch(batch)

    async def _wait(self, connection: Any) -> bool:
        """Look again and again until something waits. False: there was nothing for long enough, or time is up."""
        while time.monotonic() < self._ends:
            if time.monotonic() - self._last_work >= self._until_idle_s:
                return False
            await asyncio.sleep(self._settings.drain_poll_s)
            if await connection.fetchval(sql.ANYTHING_WAITING):
                return True
        return False


async def forget_early_plans(connection: Any, batches: int) -> None:
    """Have statements planned anew after a connection's 1st, 2nd, 4th, 8th ... batch, as long as nobody has made statistics of orders: what is
    planned on empty tables reads all orders of a site for each of its own."""
    if batches & (batches - 1) == 0 and not await connection.fetchval(sql.KNOWS_ORDERS):
        await connection.execute(sql.FORGET_PLANS)


def drain_sync(
    url: str,
    settings: Settings,
    *,
    until_idle_s: float,
    limit_s: float,
    on_batch: Callable[[BatchFigures], None] = lambda _: None,
) -> DrainFigures:
    """`drain` for callers without an event loop (assets, the command line)."""
    return asyncio.run(drain(url, settings, until_idle_s=until_idle_s, limit_s=limit_s, on_batch=on_batch))
