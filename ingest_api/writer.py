"""Group commit: whatever waits at the same moment is committed together, by one task over one connection (decision 0002).

No timer: alone, a delivery is committed at once; while one commit is under way the next group gathers. Each request waits
for a future of its own, which a client that goes away cannot take from others.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from custom_events.queries import landing
from custom_events.queries.landing import Delivered, Refused
from custom_events.settings import Settings
from custom_events.values.deliveries import Refusal
from ingest_api.groups import Answered, Group, Waiting, teller
from ingest_api.metrics import Metrics
from ingest_api.rows import Room, plain

COMMIT_LIMIT_S = 4.0  # Shopify waits 5 s for the whole request (reference: platforms 1.5)
BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)  # between attempts to connect; meanwhile everybody is answered 503 at once
WAITING_LIMIT_BYTES = 64 * 1024 * 1024  # bodies that wait or are being read, per process
GROUPS = 4  # that what waits is divided into
GROUP_FLOOR = 32  # fewer are not worth a commit of their own
GROUP_LIMIT_BYTES = 16 * 1024 * 1024  # bodies in one statement, before compression
QUARANTINE_LIMIT_BYTES = 1024 * 1024 * 1024  # bodies kept of refused deliveries, per day and process
DAY_S = 86_400
BOUNDARY = timedelta(seconds=60)  # around the change of week, one landing at a time
# After it, last week is looked at: twelve times as long as Shopify tries again (reference: platforms 1.5).
REPEATS = timedelta(hours=48)

_LOG = structlog.get_logger(__name__)
_BAD_ROW = (asyncpg.DataError, ValueError)  # ValueError: asyncpg could not encode a value
_FAULT = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

Connection = asyncpg.Connection
Connect = Callable[[], Awaitable[Connection]]


class Writer:
    """One per process. `run()` is its task; `close()` lets it commit what waits and end."""

    def __init__(self, settings: Settings, metrics: Metrics, connect: Connect) -> None:
        self._queue_limit = settings.queue_limit
        self._group_limit = settings.group_limit
        self._metrics = metrics
        self._connect = connect
        self._waiting: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._connection: Connection | None = None
        self._clock_offset = timedelta()  # the database's clock minus ours
        self._failures = 0
        self._retry_at = 0.0
        self._only_counted = 0
        self._room = Room(
            settings.quarantine_bodies_per_day // settings.receiver_workers, DAY_S, QUARANTINE_LIMIT_BYTES
        )
        self.held_bytes = 0  # of bodies that wait or are being read

    @property
    def is_full(self) -> bool:
        """Whether a request is to be refused before its body is read: no room, no database, or closing."""
        return (
            len(self._waiting) >= self._queue_limit
            or self.held_bytes >= WAITING_LIMIT_BYTES
            or self._closing
            or (self._retry_at != 0.0 and time.monotonic() < self._retry_at)
        )

    def has_room(self, platform: str, reason: Refusal, size: int) -> bool:
        """Whether a refused delivery of `size` bytes is to be kept; if not, it is counted here."""
        if self.is_full or not self._room.takes(size):
            self.count_refused(platform, reason)
            return False
        return True

    def quarantine(self, row: Refused, body: bytes | None) -> Answered:
        """Have a refused delivery kept with the next group."""
        self._metrics.count_refused(row.platform, row.reason)
        told: Answered = asyncio.get_running_loop().create_future()
        self.put(Waiting(row.platform, row, body, teller(told)))
        return told

    def count_refused(self, platform: str, reason: Refusal) -> None:
        """A refusal that leaves nothing but its number in the next receipt."""
        self._metrics.count_refused(platform, reason)
        self._only_counted += 1
        self._wake.set()

    def close(self) -> None:
        """Take nothing more; `run` ends when all that was accepted is committed."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Commit group after group until closed."""
        while self._waiting or not self._closing:
            if not self._waiting:
                await self._wake.wait()
                self._wake.clear()
            await self._commit(self._take())
        await self._commit([])
        if self._connection is not None:
            await self._connection.close()

    def put(self, item: Waiting) -> None:
        """Have it committed with the next group; it is told then."""
        self._waiting.append(item)
        self.held_bytes += len(item.body or b"")
        self._wake.set()

    def _take(self) -> list[Waiting]:
        """The next group: of many that wait, a quarter. So while Postgres works on some, the senders of others are answered and
        heard; if all went at once, each side would wait for the other (measured: with 256 connections a third of the throughput)."""
        group: list[Waiting] = []
        size, waiting = 0, self._waiting
        self._metrics.queue_depth.set(len(waiting))
        limit = min(self._group_limit, max(GROUP_FLOOR, len(waiting) // GROUPS))
        while waiting and len(group) < limit and size < GROUP_LIMIT_BYTES:
            item = waiting.popleft()
            size += len(item.body or b"")
            group.append(item)
        self.held_bytes -= size
        return group

    async def _commit(self, group: Sequence[Waiting]) -> None:
        counted, self._only_counted = self._only_counted, 0
        if not group and not counted:
            return
        started = time.perf_counter()
        try:
            await self._store(group, counted)
        except (*_BAD_ROW, *_FAULT) as fault:
            self._only_counted += counted
            if not isinstance(fault, _BAD_ROW):
                self._fail(group, fault)
            elif len(group) > 1:  # the bad row has failed its group: one by one, only the culprit fails
                for item in group:
                    await self._commit([item])
            else:
                await self._commit_plainly(group[0], fault)
            return
        self._metrics.commit_seconds.observe(time.perf_counter() - started)
        self._metrics.group_size.observe(len(group))

    async def _store(self, items: Sequence[Waiting], counted: int) -> None:
        """Land one group and tell everybody."""
        group = Group(items)
        connection = self._connection or await self._reconnect()
        bodies = await group.bodies()
        now = datetime.now(UTC) + self._clock_offset
        if is_near_boundary(now):
            async with asyncio.timeout(COMMIT_LIMIT_S), connection.transaction():
                await connection.fetch(landing.LOCK_BOUNDARY, landing.BOUNDARY_LOCK)
                known = await landing.land(connection, *group.rows, bodies, only_counted=counted)
        else:
            known = await landing.land(
                connection,
                *group.rows,
                bodies,
                only_counted=counted,
                around=is_after_boundary(now),
                timeout_s=COMMIT_LIMIT_S,
            )
        group.tell(known, self._metrics)

    async def _reconnect(self) -> Connection:
        """A new connection; fails at once while the pause after a failure lasts."""
        if time.monotonic() < self._retry_at:
            raise ConnectionError("the database did not answer a moment ago")
        connection = await self._connect()
        self._clock_offset = await connection.fetchval(landing.CLOCK) - datetime.now(UTC)
        self._connection, self._failures, self._retry_at = connection, 0, 0.0
        return connection

    def _fail(self, group: Sequence[Waiting], fault: BaseException) -> None:
        """Nobody in the group is acknowledged. Whether it was committed may be unknown: then the store's retry is a duplicate."""
        code = getattr(fault, "sqlstate", None)
        _LOG.error("group_not_committed", size=len(group), cause=type(fault).__name__, sqlstate=code)
        connection = self._connection
        if connection is None or connection.is_closed() or not isinstance(fault, asyncpg.PostgresError):
            if connection is not None:
                connection.terminate()
                self._connection = None
            if time.monotonic() >= self._retry_at:
                self._retry_at = time.monotonic() + BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
                self._failures += 1
        self._only_counted += len(group)
        for item in group:
            if isinstance(item.row, Delivered):
                self._metrics.count_refused(item.platform, Refusal.BUSY)
            item.tell(None)

    async def _commit_plainly(self, item: Waiting, fault: BaseException) -> None:
        """The culprit itself: its body is only bytes, so it lands once what its headers said is made harmless."""
        _LOG.error("row_not_taken", platform=item.platform, cause=type(fault).__name__)
        try:
            await self._store([Waiting(item.platform, plain(item.row), item.body, item.tell)], 0)
        except (*_BAD_ROW, *_FAULT) as still:
            self._fail([item], still)


def is_near_boundary(moment: datetime) -> bool:
    """Whether the week changes (Sunday to Monday, UTC) within BOUNDARY of `moment`, on either side."""
    return (moment - BOUNDARY).isocalendar()[1] != (moment + BOUNDARY).isocalendar()[1]


def is_after_boundary(moment: datetime) -> bool:
    """Whether stores may still try again what they first sent last week."""
    return (moment - REPEATS).isocalendar()[1] != moment.isocalendar()[1]
