"""A world whose indexes are built at the end is the same as one that has them from the beginning."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from benchmarks import bulk_load
from benchmarks.reading_world import fill
from custom_events.postgres import connect, migrate
from custom_events.queries import tallies
from custom_events.watching import sums

pytestmark = pytest.mark.database

NOW = datetime.now(UTC).replace(microsecond=0)
_INDEXES = sa.text("""
SELECT CAST(i.indrelid AS regclass)::text, c.relkind, pg_get_indexdef(i.indexrelid), i.indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT c.relispartition AND c.relnamespace IN ('app'::regnamespace, 'landing'::regnamespace)
""")
# Partitions that have other indexes than their table.
_INCOMPLETE = sa.text("""
SELECT CAST(p.inhrelid AS regclass)::text, count(i.*) FROM pg_inherits p
JOIN pg_class c ON c.oid = p.inhrelid AND c.relkind = 'r' LEFT JOIN pg_index i ON i.indrelid = p.inhrelid
GROUP BY p.inhrelid, p.inhparent HAVING count(i.*) <> (SELECT count(*) FROM pg_index o WHERE o.indrelid = p.inhparent)
""")
_KEYS = sa.text(
    "SELECT CAST(conrelid AS regclass)::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'p' AND conparentid = 0"
)
_TALLIES = sa.text("SELECT what, week, subject, kind, state, reason, count FROM app.tallies")
_ROWS = (
    "app.commerce_events",
    "app.conversion_uploads",
    "app.custom_events",
    "app.upload_keys",
    "app.event_keys",
    "app.raw_outcomes",
)


def shape(connection: sa.Connection) -> list[set[tuple[Any, ...]]]:
    """The indexes and keys that there are."""
    return [{tuple(row) for row in connection.execute(statement)} for statement in (_INDEXES, _KEYS, _INCOMPLETE)]


def test_indexes_keys_rows_and_tallies_are_the_same(engine: sa.Engine, empty_database: str) -> None:
    migrate.upgrade(empty_database)
    other = connect.engine(empty_database, name="tests")
    worlds = list[tuple[Any, ...]]()
    for made, is_bulk in ((engine, False), (other, True)):
        fill(made, 300, 3, NOW, 40, is_bulk=is_bulk)
        with made.begin() as connection:
            assert [gap for check in sums.check(connection, NOW) for gap in check.gaps if "received" not in gap] == []
            assert tallies.differences(connection) == []
            counts = [connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in _ROWS]
            worlds.append((shape(connection), counts, {tuple(row) for row in connection.execute(_TALLIES)}))
    other.dispose()
    (shape_before, counts_before, tallies_before), (shape_after, counts_after, tallies_after) = worlds
    assert [before ^ after for before, after in zip(shape_before, shape_after, strict=True)] == [set(), set(), set()]
    assert counts_before == counts_after
    assert tallies_before ^ tallies_after == set()
    assert all(worlds[0][1])


def test_what_fails_in_between_leaves_the_indexes(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        before = shape(connection)
    with (
        pytest.raises(ProgrammingError, match="nowhere"),
        bulk_load.without_indexes(engine, ("app.orders", "app.custom_events"), ("app.event_keys",)),
    ):
        bulk_load.run_all(engine, [[("INSERT INTO app.nowhere VALUES (:one)", {"one": 1})]])
    with engine.connect() as connection:
        assert shape(connection) == before
