"""A year of orders made of a few that a build has drained itself: its finished rows, copied with other ids, times and customers.

Any build of the product can be filled so, whatever columns its tables have. Of a table's columns those whose names stand below are changed.
"""

from typing import Final

import sqlalchemy as sa

from benchmarks import bulk_load
from benchmarks.pipeline_ceiling import TABLES

SEED_ORDERS: Final = 5_000
DAYS: Final = 365
FIRST_ID: Final = 10_000_000_000  # of every sequence; copies have smaller ids, as they are older
STRIDE: Final = 10_000_000  # between the ids of a row and of its next copy
ORDERS_OF_A_CUSTOMER: Final = 5
_KEYED: Final = ("app.event_keys", "app.custom_event_keys", "app.upload_keys")
_IDS: Final = ("id", "raw_id", "event_id", "commerce_event_id", "custom_event_id", "upload_id")
_NAMING: Final = (
    "key",
    "dedup_key",
    "transaction_id",
    "order_id",
    "subject",
)  # name an order by the platform's id, of 13 digits
_HASHES: Final = ("email_sha256", "phone_sha256")

_COLUMNS: Final = sa.text("""
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type FROM pg_attribute a
WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum
""")
_SEQUENCES: Final = sa.text("""
SELECT setval(format('%I.%I', schemaname, sequencename), :first) FROM pg_sequences WHERE schemaname IN ('app', 'landing') AND last_value IS NULL
""")
_SIZES: Final = sa.text("""
SELECT sum(pg_table_size(t.relid)) AS heap, sum(pg_indexes_size(t.relid)) AS indexes
FROM (
  SELECT p.relid FROM unnest(CAST(:tables AS text[])) n(name) CROSS JOIN LATERAL pg_partition_tree(CAST(n.name AS regclass)) p WHERE p.isleaf
  UNION SELECT CAST(n.name AS regclass) FROM unnest(CAST(:tables AS text[])) n(name)  -- a table without partitions is in no tree
) t
""")


def begin_ids(engine: sa.Engine) -> None:
    """Let sequences that nobody has used begin so high that older rows have room below."""
    with engine.begin() as connection:
        connection.execute(_SEQUENCES, {"first": FIRST_ID})


def multiply(engine: sa.Engine, copies: int) -> None:
    """Add `copies` copies of all finished rows, spread over the year before them; indexes are built when the rows are there."""
    with engine.connect() as connection:
        tasks = [[(_copied(connection, table, copies), {"copies": copies})] for table in TABLES]
    large = [table for table in TABLES if table not in _KEYED]
    with bulk_load.without_indexes(engine, large, _KEYED):
        bulk_load.run_all(engine, tasks)
    bulk_load.vacuum(engine)


def sizes(engine: sa.Engine) -> tuple[int, int]:
    """Bytes of the finished tables' heaps, and of their indexes."""
    with engine.connect() as connection:
        row = connection.execute(_SIZES, {"tables": list(TABLES)}).one()
        return int(row.heap), int(row.indexes)


def _copied(connection: sa.Connection, table: str, copies: int) -> str:
    columns = [(row.name, row.type) for row in connection.execute(_COLUMNS, {"table": table})]
    names = {name for name, _ in columns}
    step = f"(k * interval '1 second' * {DAYS * 86_400 // max(copies, 1)})"
    changed = ", ".join(_changed(name, kind, step, names) for name, kind in columns)
    return (
        f"INSERT INTO {table} ({', '.join(name for name, _ in columns)}) OVERRIDING SYSTEM VALUE"
        f" SELECT {changed} FROM {table} t, generate_series(1, CAST(:copies AS bigint)) k"
        + (" ON CONFLICT DO NOTHING" if table == "app.customers" else "")
    )


def _changed(name: str, kind: str, step: str, names: set[str]) -> str:
    column = f"t.{name}"
    if name in _IDS:
        return f"{column} - k * {STRIDE}"
    if name in _NAMING:
        return _of_older_order(column)
    if name == "customer_key":
        group = f"(k / {ORDERS_OF_A_CUSTOMER})"  # every fifth group are customers who buy again today
        return f"CASE WHEN {group} % 5 = 0 THEN {column} ELSE {column} || '-' || {group} END"
    if name in _HASHES and "customer_key" in names:
        return f"encode(sha256(convert_to({column} || k / {ORDERS_OF_A_CUSTOMER}, 'UTF8')), 'hex')"
    if name in ("click_id", "number"):
        return f"{column} || '-' || k"
    if name == "facts" and kind == "json":
        return f"CAST(replace(CAST({column} AS text), t.order_id, {_of_older_order('t.order_id')}) AS json)"
    if name == "state" and "adjusted_at" in names:
        return f"CASE WHEN {column} IN ('queued', 'held') THEN 'accepted' ELSE {column} END"
    if kind == "timestamp with time zone":
        return f"{column} - {step}"
    if kind == "date":
        return f"CAST(date_trunc('week', {column} - {step}) AS date)"
    return column


def _of_older_order(column: str) -> str:
    digits = r"'[0-9]{13}'"
    return f"regexp_replace({column}, {digits}, CAST(CAST(substring({column} FROM {digits}) AS bigint) - k * {STRIDE} AS text))"
