"""Partitions by time: made ahead, dropped by retention. Each partitioned table has a DEFAULT partition, so no row is refused."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError

from custom_events.postgres import spans
from custom_events.postgres.spans import Partition
from custom_events.settings import Settings, settings
from custom_events.tables.landing import raw_events
from custom_events.tables.registry import PARTITIONED, Partitioning

LOCK_LIMIT_MS = 4_000  # ATTACH and DROP lock out readers of the table; they give up rather than queue everybody
# Deliveries of a week that nobody could take until it expired. More of them: nothing is drained, and no week is given up for that.
STUCK_ROWS = 100
STUCK = "Nobody could understand it until its body expired"
MAKERS = 7_105_003  # key of the advisory lock: one at a time; any number that nobody else uses
LOCK_NOT_AVAILABLE = "55P03"

_EXISTING = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST(:parent AS regclass)
"""
# The owner's functions (migration 0045): a login that owns no table keeps partitions, too.
_MAKE = sa.text("SELECT app.make_partition(:schema, :table, :partition, :begin, :end, :inline_bytes, :filled_percent)")
_DROP = sa.text("SELECT app.drop_partition(:schema, :table, :partition, :tallied)")
# A few rows of the queue that nobody could take: their bodies go with their week, and their outcome says so.
_PARK_STUCK = """
WITH stuck AS (
  DELETE FROM landing.raw_queue WHERE landed_week >= :begin AND landed_week < :end RETURNING raw_id, landed_week, site_id
)
INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, reason, detail, new_events)
SELECT s.landed_week, s.raw_id, coalesce(e.received_at, s.landed_week), s.site_id, 'parked', 'body_gone', :detail, 0
FROM stuck s LEFT JOIN landing.raw_events e ON e.landed_week = s.landed_week AND e.id = s.raw_id
"""
# Whether rows of a partition must stay: restored ones for their time, and where there is an archive those that are not in it. Nothing lands in
# a week that has passed but what is restored from the archive, so as many rows are the same rows.
_UNARCHIVED = """
SELECT e.landed_week, count(*) AS rows, a.rows AS archived, a.written_at, a.problem, a.restored_until
FROM landing.raw_events e LEFT JOIN app.raw_archives a ON a.landed_week = e.landed_week
WHERE e.tableoid = CAST(:relation AS regclass) AND e.landed_week < :cutoff
GROUP BY e.landed_week, a.landed_week ORDER BY 1
"""
_RESTORED_NO_MORE = """
UPDATE app.raw_archives a SET restored_until = NULL
WHERE a.restored_until IS NOT NULL AND NOT EXISTS (SELECT FROM landing.raw_events e WHERE e.landed_week = a.landed_week)
"""
_TURN = "SELECT set_config('lock_timeout', :limit, true), pg_advisory_xact_lock(:key)"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What `ensure` did: names made (with schema), and rows moved out of a DEFAULT partition by name."""

    names: tuple[str, ...]
    moved: dict[str, int]


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """What `drop_expired` did: names dropped, rows deleted from DEFAULT partitions, and what was kept and why."""

    names: tuple[str, ...]
    deleted: dict[str, int]
    kept: dict[str, str]


def ensure(connection: sa.Connection, now: datetime, *, ahead_days: int | None = None) -> Made:
    """Make the partitions from some spans behind `now` to `ahead_days` ahead (default: the setting) that are missing.

    Runs in the caller's transaction. Rows that had fallen into DEFAULT move into the partition made for them.
    """
    ahead = settings().partitions_ahead_days if ahead_days is None else ahead_days
    connection.execute(sa.text(_TURN), {"limit": str(LOCK_LIMIT_MS), "key": MAKERS})
    names: list[str] = []
    moved: dict[str, int] = {}
    for kind in PARTITIONED:
        there = existing(connection, kind)
        for partition in spans.wanted(kind, now.astimezone(UTC).date(), ahead):
            if partition.name not in there:
                name = f"{kind.table.schema}.{partition.name}"
                names.append(name)
                rows = _make(connection, kind, partition)
                if rows:
                    moved[name] = rows
    if names:
        structlog.get_logger().info("partitions_made", count=len(names), moved=moved)
    return Made(names=tuple(names), moved=moved)


def drop_expired(connection: sa.Connection, settings: Settings, now: datetime) -> Dropped:
    """Drop partitions that ended before their table's retention, and such rows in DEFAULT. The ledger has none.

    Runs in the caller's transaction. A partition is kept, and reported with the reason, while raw events in it wait to be
    understood, while they are not in the archive that the settings name, or somebody holds a lock on it. Up to STUCK_ROWS that waited for all of that time keep no week: they are parked.
    """
    connection.execute(sa.text(_TURN), {"limit": str(LOCK_LIMIT_MS), "key": MAKERS})
    today = now.astimezone(UTC).date()
    names: list[str] = []
    deleted: dict[str, int] = {}
    kept: dict[str, str] = {}
    for kind in PARTITIONED:
        if kind.retention is None:
            continue
        cutoff = today - timedelta(days=getattr(settings, kind.retention))
        for partition in spans.expired(kind, existing(connection, kind), cutoff):
            name = f"{kind.table.schema}.{partition.name}"
            reason = _unarchived(connection, settings, kind, partition.name, partition.end, now)
            reason = reason or _drop(connection, kind, partition)
            if reason is None:
                names.append(name)
            else:
                kept[name] = reason
        default = f"{kind.table.name}_default"
        if reason := _unarchived(connection, settings, kind, default, cutoff, now):
            kept[f"{kind.table.schema}.{default}"] = reason
        elif rows := _delete_default(connection, kind, cutoff):
            deleted[f"{kind.table.schema}.{default}"] = rows
    connection.execute(sa.text(_RESTORED_NO_MORE))
    structlog.get_logger().info("partitions_dropped", names=names, deleted=deleted, kept=kept)
    return Dropped(names=tuple(names), deleted=deleted, kept=kept)


def ensure_span(connection: sa.Connection, table: sa.Table, day: date) -> None:
    """Make the partition that holds a day, if it is missing; in the caller's transaction. Rows of it that are in DEFAULT move there."""
    connection.execute(sa.text(_TURN), {"limit": str(LOCK_LIMIT_MS), "key": MAKERS})
    kind = next(kind for kind in PARTITIONED if kind.table is table)
    partition = spans.holding(kind, day)
    if partition.name not in existing(connection, kind):
        _make(connection, kind, partition)


def existing(connection: sa.Connection, kind: Partitioning) -> set[str]:
    """Names of the table's partitions, DEFAULT among them."""
    return set(connection.execute(sa.text(_EXISTING), {"parent": kind.table.fullname}).scalars())


def _bound(kind: Partitioning, day: date) -> str:
    """A partition bound as text; timestamps begin at midnight UTC whatever the session's time zone is."""
    return str(day) if isinstance(kind.table.c[kind.column].type, sa.Date) else f"{day} 00:00:00+00"


def _make(connection: sa.Connection, kind: Partitioning, partition: Partition) -> int:
    """Make it, by the owner's function; how many rows of DEFAULT moved into it."""
    return connection.execute(
        _MAKE,
        {
            **_named(kind, partition),
            "begin": _bound(kind, partition.begin),
            "end": _bound(kind, partition.end),
            "inline_bytes": kind.inline_bytes,
            "filled_percent": kind.filled_percent,
        },
    ).scalar_one()


def _drop(connection: sa.Connection, kind: Partitioning, partition: Partition) -> str | None:
    """Drop it; else the reason why not. Each in its own savepoint: one that is busy does not keep the others."""
    if waiting := _waiting(connection, kind, partition.begin, partition.end):
        return waiting
    try:
        with connection.begin_nested():
            connection.execute(_DROP, {**_named(kind, partition), "tallied": kind.tallied})
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return "in use; tried again next time"
    return None


def _unarchived(
    connection: sa.Connection, settings: Settings, kind: Partitioning, name: str, cutoff: date, now: datetime
) -> str | None:
    """A reason to keep raw events of a partition before `cutoff`: they are not in the archive, or were restored from it."""
    if kind.table is not raw_events:
        return None
    values = {"relation": f"{kind.table.schema}.{name}", "cutoff": cutoff}
    for week in connection.execute(sa.text(_UNARCHIVED), values):
        if week.restored_until is not None and week.restored_until > now:
            return f"restored from the archive until {week.restored_until:%Y-%m-%d}"
        if settings.archive_url is not None and (week.written_at is None or week.archived < week.rows):
            return f"not in the archive: {week.problem or 'it was not written yet'}"
    return None


def _named(kind: Partitioning, partition: Partition) -> dict[str, object]:
    return {"schema": kind.table.schema, "table": kind.table.name, "partition": partition.name}


def _delete_default(connection: sa.Connection, kind: Partitioning, cutoff: date) -> int:
    if _waiting(connection, kind, date.min, cutoff):
        return 0
    table = f"{kind.table.schema}.{kind.table.name}"
    # Named by the whole table: its triggers keep the tallies, and its rights are those of whoever asks.
    deleted = f"DELETE FROM {table} WHERE {kind.column} < :cutoff AND tableoid = CAST(:relation AS regclass)"
    return connection.execute(
        sa.text(deleted), {"relation": f"{table}_default", "cutoff": _bound(kind, cutoff)}
    ).rowcount


def _waiting(connection: sa.Connection, kind: Partitioning, begin: date, end: date) -> str | None:
    """A reason to keep the period: rows that nobody has worked on yet. Up to STUCK_ROWS of them are parked instead, and are none."""
    if kind.queue is None:
        return None
    column = kind.queue.c[kind.column]
    count = connection.execute(
        sa.select(sa.func.count()).select_from(kind.queue).where(column >= begin, column < end)
    ).scalar_one()
    if count > STUCK_ROWS:
        return f"{count} rows wait in {kind.queue.fullname}"
    if count:
        connection.execute(sa.text(_PARK_STUCK), {"begin": begin, "end": end, "detail": STUCK})
        structlog.get_logger().error("stuck_deliveries_parked", rows=count, begin=str(begin), end=str(end))
    return None
