"""What keeps reading cheap where autovacuum does not: statistics of partitioned tables, and pages of rows that change no more."""

from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError

from custom_events.postgres import spans
from custom_events.postgres.partitions import LOCK_NOT_AVAILABLE, existing
from custom_events.tables.registry import PARTITIONED

SETTLED_AFTER: Final = timedelta(
    days=100
)  # a row is sent at most 90 days after it was made (the click window), and a margin
LOCK_LIMIT_MS: Final = (
    1_000  # a table that is written anew locks everybody out; whoever waits for it waits no longer for this
)
# The owner's function (migration 0045).
_ANALYZE: Final = sa.text("SELECT app.analyze_partitioned(:schema, :table)")
_OWNS: Final = sa.text(
    "SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class WHERE oid = CAST(:name AS regclass)"
)
_ROOM_LEFT: Final = "SELECT reloptions::text LIKE '%fillfactor%' FROM pg_class WHERE oid = CAST(:name AS regclass)"


def analyze(engine: sa.Engine) -> None:
    """Statistics of the partitioned tables as wholes, which autovacuum never makes: it sees partitions alone."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for kind in PARTITIONED:
            connection.execute(_ANALYZE, {"schema": kind.table.schema, "table": kind.table.name})


def rest(engine: sa.Engine, now: datetime) -> list[str]:
    """Write partitions with room for later versions of their rows anew without it, once no row of them changes any more. Their names.

    One that is in use is tried again next time. None, where our login does not own them: VACUUM is the owner's alone, and only saves room.
    """
    rested: list[str] = []
    cutoff = (now - SETTLED_AFTER).astimezone(UTC).date()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"SET lock_timeout = {LOCK_LIMIT_MS}"))
        for kind in PARTITIONED:
            if kind.filled_percent is None or not connection.execute(_OWNS, {"name": kind.table.fullname}).scalar_one():
                continue
            for partition in spans.expired(kind, existing(connection, kind), cutoff):
                name = f"{kind.table.schema}.{partition.name}"
                if not connection.execute(sa.text(_ROOM_LEFT), {"name": name}).scalar_one():
                    continue
                try:
                    connection.execute(sa.text(f"ALTER TABLE {name} SET (fillfactor = 100)"))
                    connection.execute(sa.text(f"VACUUM (FULL, ANALYZE) {name}"))
                    connection.execute(sa.text(f"ALTER TABLE {name} RESET (fillfactor)"))
                except OperationalError as error:
                    if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                        raise
                    structlog.get_logger().info("partition_in_use", name=name)
                    continue
                rested.append(name)
        connection.execute(sa.text("RESET lock_timeout"))
    return rested
