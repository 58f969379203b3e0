"""Unique indexes that are built beside running programs, before the migration that needs them: outside of its one transaction, which would keep everybody waiting.

A migration names them in `ONLINE_UPGRADE` and `ONLINE_DOWNGRADE`. Whatever ends a build leaves either nothing or an invalid index, which costs writers a little and refuses
nothing that the key of before does not refuse; the next try drops that and builds it anew. What is built already stays.
"""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError

from custom_events.errors import Transient
from custom_events.postgres import connect
from custom_events.postgres.partitions import LOCK_NOT_AVAILABLE

BUILDERS: Final = 7_105_004  # key of the advisory lock: one at a time; any number that nobody else uses
TURN_LIMIT_S: Final = 120.0  # how long a build waits for another one
ASK_EVERY_S: Final = 0.5
LOCK_LIMIT_MS: Final = 120_000  # how long a build waits for the transactions that began before it
RETRY_AFTER_S: Final = 30.0
PROGRESS_S: Final = 10.0  # between two lines that say how far a build is
_KEPT_WAITING: Final = (LOCK_NOT_AVAILABLE, "40P01")  # deadlock_detected: the other one waits for the build

_IS_VALID: Final = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_PROGRESS: Final = sa.text("""
SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total FROM pg_stat_progress_create_index WHERE relid = to_regclass(:table)
""")
_ROWS: Final = sa.text("SELECT CAST(greatest(reltuples, 0) AS bigint) FROM pg_class WHERE oid = to_regclass(:table)")


class UniqueIndex(NamedTuple):
    """An index of a table of ours, both in the schema app; `columns` as SQL has them, between brackets."""

    name: str
    table: str
    columns: str

    def statement(self, *, concurrently: bool) -> str:
        """That builds it."""
        how = "CONCURRENTLY " if concurrently else ""
        return f"CREATE UNIQUE INDEX {how}{self.name} ON app.{self.table} ({self.columns})"


@contextmanager
def built(url: str, missing: Callable[[], Sequence[UniqueIndex]]) -> Generator[None]:
    """Build the indexes that `missing` names, beside running programs, and let nobody else do so until the end. Of a database that needs none it
    asks nothing. Raises Transient where others kept it waiting for too long."""
    if not missing():
        yield
        return
    engine = connect.engine(url, name="custom-events migrate", lock_limit_ms=LOCK_LIMIT_MS)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _wait_for_turn(connection)
            for index in missing():
                _build(engine, connection, index)
            yield
    finally:
        engine.dispose()


def ensure(connection: sa.Connection, index: UniqueIndex) -> None:
    """Within a migration: the index is there and valid. Where nobody has built it before, as in an empty database, it is built now."""
    if _drop_unless_valid(connection, index, "DROP INDEX"):
        return
    connection.exec_driver_sql(index.statement(concurrently=False))


def _wait_for_turn(connection: sa.Connection) -> None:
    """Asks again and again: who waited in one statement would hold a snapshot, for which the build that it waits for waits in turn."""
    deadline = time.monotonic() + TURN_LIMIT_S
    while not connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": BUILDERS}).scalar_one():
        if time.monotonic() > deadline:
            raise Transient(
                "The migration gave up: another one builds indexes. Nothing has changed; try again.",
                retry_after_s=RETRY_AFTER_S,
            )
        time.sleep(ASK_EVERY_S)


def _build(engine: sa.Engine, connection: sa.Connection, index: UniqueIndex) -> None:
    try:
        if _drop_unless_valid(connection, index, "DROP INDEX CONCURRENTLY"):
            return
        rows = connection.execute(_ROWS, {"table": f"app.{index.table}"}).scalar_one()
        log = structlog.get_logger().bind(index=index.name, table=index.table)
        log.info("index_build_began", rows=rows)
        began = time.monotonic()
        with _progress_shown(engine, index):
            connection.exec_driver_sql(index.statement(concurrently=True))
        log.info("index_built", seconds=round(time.monotonic() - began, 1))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in _KEPT_WAITING:
            raise Transient(
                f"The migration gave up: the index {index.name} could not be built beside transactions that have been open for long. What was built"
                " stays, nothing else has changed; try again.",
                retry_after_s=RETRY_AFTER_S,
            ) from error
        raise


def _drop_unless_valid(connection: sa.Connection, index: UniqueIndex, drop: str) -> bool:
    """Whether it is there and valid; what is left of a build that was ended goes."""
    is_valid = connection.execute(_IS_VALID, {"name": f"app.{index.name}"}).scalar_one_or_none()
    if is_valid is False:
        connection.exec_driver_sql(f"{drop} app.{index.name}")
    return bool(is_valid)


@contextmanager
def _progress_shown(engine: sa.Engine, index: UniqueIndex) -> Generator[None]:
    """Say every PROGRESS_S how far the build is."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(PROGRESS_S):
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                row = connection.execute(_PROGRESS, {"table": f"app.{index.table}"}).mappings().one_or_none()
            if row is not None:
                structlog.get_logger().info("index_build_progress", index=index.name, **row)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
