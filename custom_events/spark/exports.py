"""Rows of the database as Parquet files for Spark: read by a server-side cursor, so that their number costs no memory."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from custom_events.queries import spark_replay as sql

_AT_ONCE: Final = 5_000  # rows of the database, and of a row group


def outcomes(connection: sa.Connection, path: Path, weeks: Sequence[date], sites: Sequence[int]) -> None:
    """What became of the raw events of these weeks: landed_week, id, outcome, reason."""
    import pyarrow as pa

    types = {"landed_week": pa.date32(), "id": pa.int64(), "outcome": pa.string(), "reason": pa.string()}
    _write(connection, sql.OUTCOMES, {"weeks": list(weeks), "sites": list(sites)}, path, types)


def stored_events(connection: sa.Connection, path: Path, sites: Sequence[int]) -> None:
    """What is stored of the events of these sites, by site and key."""
    import pyarrow as pa

    moment = pa.timestamp("us", tz="UTC")
    types = {
        "site_id": pa.int64(),
        "key": pa.string(),
        "stored_occurred_at": moment,
        "stored_evidence_at": moment,
        "stored_parts": pa.int64(),
        "stored_facts": pa.string(),
        "stored_raw_id": pa.int64(),
        "stored_week": pa.date32(),
        "stored_undone": pa.bool_(),
    }
    _write(connection, sql.STORED, {"sites": list(sites)}, path, types)


def _write(
    connection: sa.Connection, statement: sa.TextClause, values: Mapping[str, Any], path: Path, types: Mapping[str, Any]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(list(types.items()))
    streamed = connection.execution_options(stream_results=True, yield_per=_AT_ONCE)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer, streamed.execute(statement, values) as result:
        for rows in result.partitions():
            columns = [
                pa.array(column, type=kind) for kind, column in zip(schema.types, zip(*rows, strict=True), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
