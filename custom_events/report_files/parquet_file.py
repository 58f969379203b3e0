"""Parquet: one type for each kind, whatever the rows hold; row group by row group."""

import json
from datetime import UTC
from typing import Any, BinaryIO, Final

from custom_events.report_files.cells import PRECISION, Row, checked
from custom_events.report_files.limits import Counted
from custom_events.report_files.table import ReportColumn, ReportTable

ROW_GROUP: Final = 10_000  # rows held in memory; readers skip whole groups by their least and greatest values


def write_parquet(table: ReportTable, file: BinaryIO, counted: Counted) -> None:
    """Write it: ids and texts as strings, counts int64, amounts and ratios decimal128(38, digits), days date32, times timestamp[us, UTC].
    What the rows are about stands in the file's metadata, what a column is in its field's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [pa.field(column.name, _type(column), metadata=_field_facts(table, column)) for column in table.columns],
        metadata={
            "title": table.title,
            "period": table.period,
            "zone": table.zone,
            "days_of": table.days_of or table.zone,
            "notes": json.dumps(table.notes, ensure_ascii=False),
        },
    )
    with pq.ParquetWriter(file, schema, compression="zstd", write_statistics=True) as writer:
        waiting: list[Row] = []
        for rows in checked(table):
            counted.add(len(rows))
            waiting += rows
            while len(waiting) >= ROW_GROUP:
                _write_group(writer, table, schema, waiting[:ROW_GROUP])
                del waiting[:ROW_GROUP]
                counted.reached(file.tell())
        if waiting:
            _write_group(writer, table, schema, waiting)


def _write_group(writer: Any, table: ReportTable, schema: Any, rows: list[Row]) -> None:
    import pyarrow as pa

    columns = [
        pa.array(_values(column, [row[place] for row in rows]), type=schema.field(place).type)
        for place, column in enumerate(table.columns)
    ]
    writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=ROW_GROUP)


def _values(column: ReportColumn, values: list[Any]) -> list[Any]:
    if column.kind != "time":
        return values
    return [None if value is None else value.astimezone(UTC) for value in values]


def _type(column: ReportColumn) -> Any:
    import pyarrow as pa

    match column.kind:
        case "text" | "id":
            return pa.string()
        case "count":
            return pa.int64()
        case "amount" | "ratio":
            return pa.decimal128(PRECISION, column.digits)
        case "day":
            return pa.date32()
        case "time":
            return pa.timestamp("us", tz="UTC")


def _field_facts(table: ReportTable, column: ReportColumn) -> dict[str, str]:
    facts = {"title": column.title, "kind": column.kind}
    if column.kind == "day":
        return {**facts, "zone": table.days_of or table.zone}
    return {**facts, "zone": table.zone} if column.kind == "time" else facts
