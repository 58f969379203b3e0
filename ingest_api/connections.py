"""A connection of the writer, over which it lands one group at a time, and what is done when it fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg

from custom_events.queries import landing
from ingest_api.groups import Group

COMMIT_LIMIT_S = 4.0  # Shopify waits 5 s for the whole request (docs/reference/platforms.md 1.5)
BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)  # between attempts to connect; meanwhile everybody is answered 503 at once
CAREFUL_S = 60.0  # after a known delivery: a group wrongly taken for a new one is sent twice, so at most one a minute
BOUNDARY = timedelta(seconds=60)  # around the change of week, one landing at a time
# After it, last week is looked at: twelve times as long as Shopify tries again (docs/reference/platforms.md 1.5).
REPEATS = timedelta(hours=48)
# Before it, the week to come is looked at: a database whose clock was ahead, and was set back, has landed there.
SET_BACK = timedelta(hours=2)
NEVER = datetime.min.replace(tzinfo=UTC)
CLOCK_LOOK_S = 10.0  # between two looks at the database's clock, which somebody may set

Connection = asyncpg.Connection
Connect = Callable[[], Awaitable[Connection]]


class Pause:
    """Between attempts to connect; all connections share it."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    @property
    def lasts(self) -> bool:
        """Whether nobody is to try now."""
        return self._until != 0.0 and time.monotonic() < self._until

    def begin(self) -> None:
        """After a failure: longer each time, unless it lasts already."""
        if not self.lasts:
            self._until = time.monotonic() + BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
            self._failures += 1

    def end(self) -> None:
        """The database answers."""
        self._failures, self._until = 0, 0.0


class WriterConnection:
    """Connects when it is first used, and again after a failure."""

    def __init__(self, connect: Connect, pause: Pause) -> None:
        self._connect = connect
        self._pause = pause
        self.wake = asyncio.Event()  # of the task that works it
        self._connection: Connection | None = None
        self._clock_look = (NEVER, -CLOCK_LOOK_S)  # at the database, and when by the monotonic clock, which nobody sets
        self._careful_until = 0.0  # of the monotonic clock; until then no group is taken for a new one

    async def land(self, group: Group, counted: int) -> set[int]:
        """Commit a group and the number of refusals without rows; the places of deliveries that had landed before."""
        connection = self._connection or await self._reconnect()
        bodies = await group.bodies()
        now = await self._clock(connection)
        if is_near_boundary(now):
            async with asyncio.timeout(COMMIT_LIMIT_S), connection.transaction():
                await connection.fetch(landing.LOCK_BOUNDARY, landing.BOUNDARY_LOCK)
                return await landing.land(connection, *group.rows, bodies, only_counted=counted)
        known = await landing.land(
            connection,
            *group.rows,
            bodies,
            only_counted=counted,
            around=is_around_boundary(now),
            all_new=time.monotonic() >= self._careful_until,
            timeout_s=COMMIT_LIMIT_S,
        )
        if known:
            self._careful_until = time.monotonic() + CAREFUL_S
        return known

    def failed(self, fault: BaseException) -> None:
        """Give a connection up that a fault has made unusable, unless Postgres itself has said no."""
        connection = self._connection
        if connection is None or connection.is_closed() or not isinstance(fault, asyncpg.PostgresError):
            if connection is not None:
                connection.terminate()
                self._connection = None
            self._pause.begin()

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            await self._connection.close()

    async def _reconnect(self) -> Connection:
        """A new connection; fails at once while the pause after a failure lasts."""
        if self._pause.lasts:
            raise ConnectionError("the database did not answer a moment ago")
        connection = await self._connect()
        await self._look_at_clock(connection)
        self._connection = connection
        self._pause.end()
        return connection

    async def _clock(self, connection: Connection) -> datetime:
        """The database's clock, as it was at the last look and as much later as time has passed since."""
        there, at = self._clock_look
        if time.monotonic() - at > CLOCK_LOOK_S:
            there, at = await self._look_at_clock(connection)
        return there + timedelta(seconds=time.monotonic() - at)

    async def _look_at_clock(self, connection: Connection) -> tuple[datetime, float]:
        there: datetime = await connection.fetchval(landing.CLOCK, timeout=COMMIT_LIMIT_S)
        self._clock_look = there, time.monotonic()
        return self._clock_look


def is_near_boundary(moment: datetime) -> bool:
    """Whether the week changes (Sunday to Monday, UTC) within BOUNDARY of `moment`, on either side."""
    return (moment - BOUNDARY).isocalendar()[1] != (moment + BOUNDARY).isocalendar()[1]


def is_around_boundary(moment: datetime) -> bool:
    """Whether stores may still try again what landed last week, or landed next week by a clock that was set back since."""
    return (moment - REPEATS).isocalendar()[1] != (moment + SET_BACK).isocalendar()[1]
