"""Large worlds made quickly: statements run two at a time, without triggers, and indexes are built when the rows are there."""

import re
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

Statement = tuple[str, dict[str, Any]]  # with its parameters
Task = Sequence[Statement]  # in one transaction
AT_ONCE: Final = 2  # statements; a machine of two cores
_SETTINGS: Final = (
    "SET LOCAL session_replication_role = replica",  # neither triggers nor checks of references: whoever fills counts afterwards
    "SET LOCAL synchronous_commit = off",
    "SET LOCAL maintenance_work_mem = '256MB'",
    "SET LOCAL max_parallel_maintenance_workers = 0",  # the other core has its own index
)
_INTO: Final = re.compile(r"\s*INSERT INTO ([a-z_.]+)")
# Indexes of these tables and of their partitions that keep nothing unique; of those whose keys go, all that no constraint needs.
_INDEXES: Final = sa.text("""
SELECT CAST(CAST(i.indrelid AS regclass) AS text) AS of_table, CAST(CAST(i.indexrelid AS regclass) AS text) AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE (i.indrelid = ANY (CAST(CAST(:tables AS text[]) AS regclass[])) AND NOT i.indisunique AND NOT c.relispartition
  OR i.indrelid = ANY (CAST(CAST(:keyed AS text[]) AS regclass[])) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid))
ORDER BY pg_relation_size(i.indrelid) DESC, 1
""")
# Primary keys of these tables; none of them may be referenced.
_KEYS: Final = sa.text("""
SELECT CAST(k.conrelid AS regclass)::text AS of_table, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
FROM pg_constraint k
WHERE k.conrelid = ANY (CAST(CAST(:tables AS text[]) AS regclass[])) AND k.contype = 'p' ORDER BY 1
""")

# Tables of ours, not their partitions.
_TABLES: Final = sa.text("""
SELECT CAST(CAST(c.oid AS regclass) AS text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('app', 'landing') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY (SELECT coalesce(sum(pg_relation_size(t.relid)), 0) FROM pg_partition_tree(c.oid) t) DESC
""")


def run_all(engine: sa.Engine, tasks: Iterable[Task]) -> None:
    """Tasks in any order, `AT_ONCE` at a time, each in a transaction of its own: what one needs, none of the others makes."""

    def run(task: Task) -> None:
        with engine.begin() as connection:
            for setting in _SETTINGS:
                connection.exec_driver_sql(setting)
            for statement, values in task:
                connection.execute(sa.text(statement), values)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, tasks))


def by_table(statements: Iterable[Statement], *, is_bulk: bool) -> list[Task]:
    """Statements that insert, those of one table as one task. `is_bulk`: each empties its table first, in the same transaction: what is written
    into it then needs no log (wal_level minimal)."""
    tasks: dict[str, list[Statement]] = {}
    for statement in statements:
        match = _INTO.match(statement[0])
        assert match is not None, statement[0]
        table = match[1]
        tasks.setdefault(table, [(f"TRUNCATE {table}", {})] if is_bulk else []).append(statement)
    return list(tasks.values())


@contextmanager
def without_indexes(engine: sa.Engine, tables: Sequence[str], keyed: Sequence[str]) -> Generator[None]:
    """Drop the indexes of `tables` and all that keeps rows of `keyed` unique, and build them again at the end, also where what is between fails."""
    with engine.begin() as connection:
        indexes = connection.execute(_INDEXES, {"tables": list(tables), "keyed": list(keyed)}).all()
        keys = connection.execute(_KEYS, {"tables": list(keyed)}).all()
        for index in indexes:
            connection.exec_driver_sql(f"DROP INDEX {index.name}")
        for key in keys:
            connection.exec_driver_sql(f"ALTER TABLE {key.of_table} DROP CONSTRAINT {key.name}")
    try:
        yield
    finally:
        # Of a partitioned table the definition says ONLY, which would leave its partitions without.
        built = [(index.of_table, index.definition.replace(" ON ONLY ", " ON ", 1)) for index in indexes]
        built += [
            (key.of_table, f"ALTER TABLE {key.of_table} ADD CONSTRAINT {key.name} {key.definition}") for key in keys
        ]
        # Two of one partitioned table at once may give their partitions' indexes the same name.
        tasks: dict[str, list[Statement]] = {}
        for table, statement in built:
            tasks.setdefault(table, []).append((statement.replace(":", r"\:"), {}))
        run_all(engine, tasks.values())


def vacuum(engine: sa.Engine) -> None:
    """Statistics and visibility of all tables of ours, the largest first."""
    with engine.connect() as connection:
        tables = connection.execute(_TABLES).scalars().all()

    def run(table: str) -> None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, tables))
