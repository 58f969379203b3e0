"""The tables that staging reads, as Parquet files of exact types: `<directory>/<schema>.<table>.parquet`. The dbt target `duckdb` builds
the same marts over them (docs/decisions/0051).

    python -m dbt_staging.parquet_export DIRECTORY
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql as pg

from custom_events.postgres import address, connect, replica
from custom_events.settings import settings as read_settings
from dbt_staging import sources

ROWS_OF_A_GROUP: Final = 50_000  # rows in memory at once, and of a row group of the file
# Since ever: PostgreSQL's -infinity has no place in Parquet.
SINCE_EVER: Final = "0001-01-01 00:00:00+00"
ANY_NUMERIC: Final = (38, 18)  # precision and scale of a numeric that names none
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def export(url: str, directory: Path, tables: Sequence[sa.Table] | None = None) -> Mapping[str, int]:
    """Write a file for each table, all of one snapshot; names of the files -> rows. Files that are there are replaced.

    Columns keep their types: numeric(p, s) is decimal128(p, s), timestamptz a UTC timestamp of microseconds, bigint int64. JSON is its
    text, an interval its microseconds. Raises psycopg.Error where the database cannot be read, OSError where a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SNAPSHOT)
        connection.execute("SET LOCAL TIME ZONE 'UTC'")
        for table in sources.source_tables() if tables is None else tables:
            file = directory / f"{table.schema}.{table.name}.parquet"
            written[file.name] = _write(connection, table, file)
        connection.execute("ROLLBACK")
    return written


def _write(connection: psycopg.Connection[Any], table: sa.Table, file: Path) -> int:
    """One table; its rows. The file has its name only when it is whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = sources.visible_columns(table)
    schema = pa.schema([pa.field(str(column.name), _arrow_type(column.type)) for column in columns])
    beside = file.with_suffix(".part")
    rows = 0
    with pq.ParquetWriter(beside, schema) as writer:
        for batch in _batches(connection, table, columns):
            arrays = [
                pa.array(values, field.type) for values, field in zip(zip(*batch, strict=True), schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            rows += len(batch)
    beside.replace(file)
    return rows


def _batches(
    connection: psycopg.Connection[Any], table: sa.Table, columns: Sequence[sa.Column[Any]]
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows by COPY, which PostgreSQL streams."""
    chosen = sql.SQL(", ").join(_selected(column) for column in columns)
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)").format(
        chosen, sql.Identifier(str(table.schema), str(table.name))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([_copied_type(column.type) for column in columns])
        rows = copy.rows()
        while batch := list(islice(rows, ROWS_OF_A_GROUP)):
            yield batch


def _selected(column: sa.Column[Any]) -> sql.Composable:
    name = sql.Identifier(str(column.name))
    if isinstance(column.type, sa.DateTime):
        return sql.SQL("CASE WHEN {0} = '-infinity' THEN timestamptz {1} ELSE {0} END").format(
            name, sql.Literal(SINCE_EVER)
        )
    if isinstance(column.type, sa.Interval):
        return sql.SQL("CAST(extract(epoch FROM {}) * 1000000 AS bigint)").format(name)
    if isinstance(column.type, (sa.JSON, sa.CHAR)):
        return sql.SQL("CAST({} AS text)").format(name)
    return name


def _copied_type(kind: sa.types.TypeEngine[Any]) -> str:
    """PostgreSQL's name for the type of a selected column."""
    if isinstance(kind, sa.Interval):
        return "bigint"
    if isinstance(kind, (sa.JSON, sa.CHAR)):
        return "text"
    if isinstance(kind, sa.DateTime):
        return "timestamptz"
    return kind.compile(dialect=pg.dialect()).lower().partition("(")[0]


def _arrow_type(kind: sa.types.TypeEngine[Any]) -> Any:
    """The type of a column in the file. Raises TypeError for one that no table has had."""
    import pyarrow as pa

    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        precision, scale = (kind.precision, kind.scale) if kind.precision else ANY_NUMERIC
        return pa.decimal128(precision, scale or 0)
    for known, arrow in (
        (sa.SmallInteger, pa.int16()),
        (sa.BigInteger, pa.int64()),
        (sa.Interval, pa.int64()),
        (sa.Integer, pa.int32()),
        (sa.Boolean, pa.bool_()),
        (sa.DateTime, pa.timestamp("us", tz="UTC")),
        (sa.Date, pa.date32()),
        (sa.Float, pa.float64()),
        (sa.LargeBinary, pa.binary()),
        ((sa.Text, sa.JSON, sa.CHAR), pa.string()),
    ):
        if isinstance(kind, known):
            return arrow
    raise TypeError(f"{kind!r}: no type of Parquet is known for it; add it to dbt_staging/parquet_export.py")


def main(arguments: Sequence[str]) -> None:
    """Export from the database of the settings, or its replica, to the directory named, and say what was written."""
    settings = read_settings()

    def write(engine: sa.Engine) -> Mapping[str, int]:
        return export(connect.libpq_url(engine), Path(arguments[0]))

    with address.database(settings) as url:
        primary = connect.engine(url, name="custom-events parquet")
        try:
            written = replica.read(primary, settings, write, name="custom-events parquet")
        finally:
            primary.dispose()
    for name, rows in written.items():
        sys.stdout.write(f"{rows:>12} {name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
