"""Group commit: whatever waits at the same moment is committed together (decision 0002).

No timer: alone, a delivery is committed at once; while commits are under way the next group gathers. Each request waits
for a future of its own, which a client that goes away cannot take from others.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

import asyncpg
import structlog

from custom_events.queries.landing import Refused
from custom_events.settings import Settings
from custom_events.values.deliveries import Refusal
from ingest_api.connections import Connect, Pause, WriterConnection
from ingest_api.groups import Answered, Group, Waiting, described, on_result_of
from ingest_api.landing_rows import RateWindow, plain
from ingest_api.metrics import Metrics

WAITING_LIMIT_BYTES = 64 * 1024 * 1024  # bodies that wait, per process
READING_LIMIT_BYTES = 16 * 1024 * 1024  # bodies of which a part has come, per process: nobody has signed them yet
COUNT_EVERY_S = 1.0  # refusals that leave nothing but their number are committed so often, and with whatever else is
CONNECTIONS = 2  # groups under way at once: while a commit waits for the disk, others are read and sent
GROUPS = 4  # that what waits is divided into
GROUP_FLOOR = 32  # fewer are not worth a commit of their own while another is under way
GROUP_LIMIT_BYTES = 16 * 1024 * 1024  # bodies in one statement, before compression
QUARANTINE_LIMIT_BYTES = (
    1024 * 1024 * 1024
)  # bodies and headers kept of refused deliveries, per day, of all workers together
DAY_S = 86_400

_LOG = structlog.get_logger(__name__)
_BAD_ROW = (asyncpg.DataError, ValueError)  # ValueError: asyncpg could not encode a value
_FAULT = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class Writer:
    """One per process. `run()` is its task; `close()` lets it commit what waits and end."""

    def __init__(self, settings: Settings, metrics: Metrics, connect: Connect) -> None:
        self._queue_limit = settings.queue_limit
        self._group_limit = settings.group_limit
        self._metrics = metrics
        self._waiting: deque[Waiting] = deque()
        self._closing = False
        self._pause = Pause()
        self._connections = [WriterConnection(connect, self._pause) for _ in range(CONNECTIONS)]
        self._idle: list[WriterConnection] = []  # the one that worked last is woken first
        self._under_way = 0  # groups
        self._only_counted = 0
        self._has_counted = False  # since the last commit began
        self._refusal_window = RateWindow(
            settings.quarantine_bodies_per_day // settings.receiver_workers,
            DAY_S,
            QUARANTINE_LIMIT_BYTES // settings.receiver_workers,
        )
        self.held_bytes = 0  # of bodies that wait
        self.reading_bytes = 0  # of bodies that are being read
        self._count_due: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        """Whether a request is to be refused before its body is read: no room, no database, or closing."""
        return (
            len(self._waiting) >= self._queue_limit
            or self.held_bytes >= WAITING_LIMIT_BYTES
            or self._closing
            or self._pause.lasts
        )

    def may_keep_refusal(self, platform: str, reason: Refusal, size: int) -> bool:
        """Whether a refused delivery of `size` bytes is to be kept; if not, it is counted here."""
        if self.is_full or not self._refusal_window.takes(size):
            self.count_refused(platform, reason)
            return False
        return True

    def quarantine(self, row: Refused, body: bytes | None) -> Answered:
        """Have a refused delivery kept with the next group."""
        self._metrics.count_refused(row.platform, row.reason)
        answered: Answered = asyncio.get_running_loop().create_future()
        self.put(Waiting(row.platform, row, body, on_result_of(answered)))
        return answered

    def count_refused(self, platform: str, reason: Refusal) -> None:
        """A refusal that leaves nothing but its number in the next receipt."""
        self._metrics.count_refused(platform, reason)
        self._only_counted += 1
        if self._count_due is None:
            self._count_due = asyncio.get_running_loop().call_later(COUNT_EVERY_S, self._commit_count)

    def _commit_count(self) -> None:
        """A commit of its own for what was only counted, where no other one has taken it."""
        self._count_due = None
        self._has_counted = self._only_counted > 0
        self._wake_one()

    def count_closed(self, reason: str) -> None:
        """A connection that was closed before its request had a head."""
        self._metrics.closed.labels(reason).inc()

    def close(self) -> None:
        """Take nothing more; `run` ends when all that was accepted is committed."""
        self._closing = True
        for connection in self._idle:
            connection.wake.set()
        self._idle.clear()

    async def run(self) -> None:
        """Commit group after group until closed."""
        async with asyncio.TaskGroup() as tasks:
            for connection in self._connections:
                tasks.create_task(self._work(connection))
        if self._count_due is not None:
            self._count_due.cancel()
        await self._commit([], self._connections[0])
        for connection in self._connections:
            await connection.close()

    def put(self, item: Waiting) -> None:
        """Have it committed with the next group; its result comes then."""
        self._waiting.append(item)
        self.held_bytes += len(item.body or b"")
        self._wake_one()

    async def _work(self, connection: WriterConnection) -> None:
        while self._waiting or not self._closing:
            if self._is_due():
                self._under_way += 1
                await self._commit(self._take(), connection)
                self._under_way -= 1
            else:
                connection.wake.clear()
                self._idle.append(connection)
                await connection.wake.wait()

    def _is_due(self) -> bool:
        """Whether a connection is to take a group: the first at once, a further one when it is worth a commit."""
        waiting = len(self._waiting)
        if self._under_way and not self._closing:
            return waiting >= GROUP_FLOOR
        return waiting > 0 or self._has_counted

    def _wake_one(self) -> None:
        if self._idle and self._is_due():
            self._idle.pop().wake.set()

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

    async def _commit(self, items: Sequence[Waiting], connection: WriterConnection) -> None:
        counted, self._only_counted, self._has_counted = self._only_counted, 0, False
        if not items and not counted:
            return
        started = time.perf_counter()
        try:
            await self._store(items, counted, connection)
        except Exception as fault:  # noqa: BLE001  (whatever it is: a connection that ended would leave everybody waiting)
            self._only_counted += counted
            if not items or _is_of_connection(fault):
                self._fail(items, fault, connection)
            elif len(items) > 1:  # the bad row has failed its group: one by one, only the culprit fails
                for item in items:
                    await self._commit([item], connection)
            else:
                await self._commit_plainly(items[0], fault, connection)
            return
        self._metrics.commit_seconds.observe(time.perf_counter() - started)
        self._metrics.group_size.observe(len(items))

    async def _store(self, items: Sequence[Waiting], counted: int, connection: WriterConnection) -> None:
        """Land one group and answer everybody."""
        group = Group(items)
        group.on_result(await connection.land(group, counted), self._metrics)

    def _fail(self, items: Sequence[Waiting], fault: BaseException, connection: WriterConnection) -> None:
        """Nobody in the group is acknowledged. Whether it was committed may be unknown: then the store's retry is a duplicate."""
        code = getattr(fault, "sqlstate", None)
        _LOG.error("group_not_committed", size=len(items), cause=type(fault).__name__, sqlstate=code)
        if _is_of_connection(fault):  # a fault in one row, or of ours, is no reason to let nobody in
            connection.failed(fault)
        self._only_counted += len(items)
        for item in items:
            if not isinstance(item.row, Refused):
                self._metrics.count_refused(item.platform, Refusal.BUSY)
            item.on_result(None)

    async def _commit_plainly(self, item: Waiting, fault: BaseException, connection: WriterConnection) -> None:
        """The culprit itself: its body is only bytes, so it lands once what its headers said is made harmless."""
        _LOG.error("row_not_taken", platform=item.platform, cause=type(fault).__name__)
        try:
            row = plain(described(item))
            await self._store([Waiting(item.platform, row, item.body, item.on_result)], 0, connection)
        except Exception as still:  # noqa: BLE001  (as above)
            self._fail([item], still, connection)


def _is_of_connection(fault: BaseException) -> bool:
    """Whether the database or the way there failed, and not what one row says."""
    return isinstance(fault, _FAULT) and not isinstance(fault, _BAD_ROW)
