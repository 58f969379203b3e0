"""Reading the past: a connection that cannot write, and a site's stored events page by page in the store's order."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from custom_events.pipeline.bulk_rows import Connection
from custom_events.postgres import connect
from custom_events.queries import history as sql
from custom_events.queries import understanding
from custom_events.values import events
from custom_events.values.events import CommerceEvent, EventType

PAGE_EVENTS: Final = 2_000  # about 10 MB of decoded events; larger pages are hardly faster (benchmarks/backtest.py)
CLOSE_LIMIT_S: Final = 5.0
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # before every event


class Stored(NamedTuple):
    """A commerce event as it is stored."""

    event_id: int
    site_id: int
    key: str
    event: CommerceEvent


@asynccontextmanager
async def reading(url: str, *, once: bool = False) -> AsyncGenerator[Connection]:
    """A connection in one READ ONLY transaction with one snapshot: the database itself sees to it that nothing is written, and
    that a long look back does not see half of what happens meanwhile. Whatever ends it leaves nothing behind.

    `once`: each statement runs about once, so it is planned for its values, over the partitions that these fall into; a plan for
    any values opens them all, which is most of what a new connection does for one explanation."""
    connection = await connect.asyncpg_connect(url, name="custom-events-history")
    try:
        await prepare(connection, once=once)
        async with snapshot(connection):
            yield connection
    finally:
        await connect.asyncpg_close(connection, CLOSE_LIMIT_S)


async def prepare(connection: Any, *, once: bool) -> None:
    """What a connection for reading is told first."""
    await connection.execute(understanding.SESSION + (sql.PLANNED_FOR_VALUES if once else ""))


def snapshot(connection: Any) -> Any:
    """A READ ONLY transaction that sees one moment."""
    return connection.transaction(isolation="repeatable_read", readonly=True)


async def stored_events(
    connection: Connection,
    site_id: int,
    types: Collection[EventType],
    since: datetime,
    until: datetime,
    page_events: int = PAGE_EVENTS,
) -> AsyncIterator[list[Stored]]:
    """Pages of a site's events from `since` to before `until`, by (store's time, key). At most one page is in memory."""
    names = sorted(types)
    after: tuple[datetime, str] = (since, "")
    while names:
        rows = await connection.fetch(sql.EVENTS_PAGE, site_id, names, *after, until, page_events)
        if not rows:
            return
        yield [
            Stored(event_id, site_id, key, events.from_json(facts, is_undone=is_undone))
            for _, key, event_id, facts, is_undone in rows
        ]
        after = rows[-1][0], rows[-1][1]
        if len(rows) < page_events:
            return


async def first_event_at(connection: Connection, site_id: int, types: Collection[EventType]) -> datetime | None:
    """When the first event happened that is kept; None without any."""
    first_at: Any = await connection.fetchval(sql.FIRST_EVENT, site_id, sorted(types))
    return first_at
