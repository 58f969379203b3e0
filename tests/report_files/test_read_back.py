"""What is written is what was counted: read back by other programs' libraries it is the same, whatever it is."""

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import openpyxl.utils.escape
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from custom_events.report_files.table import FileFormat, ReportColumn
from custom_events.report_files.writing import write
from custom_events.values import csv_lines
from custom_events.values.zones import zone
from tests.report_files.tables import COLUMNS, ROWS, ZONE, Row, plain_rows, table

LAW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BERLIN = zone(ZONE)


def in_file(column: ReportColumn, value: Any) -> Any:
    """A value as it is to be read back."""
    if value is None:
        return None
    if column.kind == "id":
        return str(value)
    if column.kind == "time":
        return value.astimezone(UTC)
    return value


def kept(rows: list[Row]) -> list[Row]:
    return [tuple(in_file(column, value) for column, value in zip(COLUMNS, row, strict=True)) for row in rows]


def of_text(column: ReportColumn, text: str) -> Any:
    """A value of a text that stands for it."""
    match column.kind:
        case "text" | "id":
            return text
        case "count":
            return int(text)
        case "amount" | "ratio":
            return Decimal(text)
        case "day":
            return datetime.fromisoformat(text).date()
        case "time":
            return datetime.fromisoformat(text)


@LAW
@given(ROWS)
def test_csv(tmp_path: Path, rows: list[Row]) -> None:
    written = write(table(rows), "csv", tmp_path / "orders.csv")
    with written.path.open(newline="", encoding="utf-8") as file:
        heading, *lines = list(csv.reader(file, strict=True))
    assert heading == ["id", "name", "orders", "value", "dinars", "share", f"day ({ZONE})", f"seen_at ({ZONE})"]
    assert len(lines) == written.rows == len(rows)
    for line, row in zip(lines, kept(rows), strict=True):
        for column, cell, value in zip(COLUMNS, line, row, strict=True):
            is_text = column.kind in ("text", "id")
            if is_text:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            text = csv_lines.text_of(cell) if is_text else cell
            assert text == "" if value is None else of_text(column, text) == value
            if column.kind == "time" and value is not None:
                assert datetime.fromisoformat(text).utcoffset() == value.astimezone(BERLIN).utcoffset()


@LAW
@given(ROWS)
def test_parquet(tmp_path: Path, rows: list[Row]) -> None:
    written = write(table(rows, notes=("Ä note",), period="October"), "parquet", tmp_path / "orders.parquet")
    read = pq.read_table(written.path)
    assert read.schema.types == [
        pa.string(),
        pa.string(),
        pa.int64(),
        pa.decimal128(38, 2),
        pa.decimal128(38, 3),
        pa.decimal128(38, 6),
        pa.date32(),
        pa.timestamp("us", tz="UTC"),
    ]
    assert [tuple(row.values()) for row in read.to_pylist()] == kept(rows)
    facts = read.schema.metadata
    assert (facts[b"zone"], facts[b"period"], json.loads(facts[b"notes"])) == (ZONE.encode(), b"October", ["Ä note"])
    assert read.schema.field("seen_at").metadata[b"zone"] == ZONE.encode()


@LAW
@given(ROWS)
def test_xlsx(tmp_path: Path, rows: list[Row]) -> None:
    written = write(table(rows), "xlsx", tmp_path / "orders.xlsx")
    book = openpyxl.load_workbook(written.path)
    heading, *lines = list(book["Data"].iter_rows())
    assert [cell.value for cell in heading][-2:] == [f"Day ({ZONE})", f"Seen at ({ZONE})"]
    lines += [()] * (len(rows) - len(lines))  # an empty row at the end is none
    for cells, row in zip(lines, kept(rows), strict=True):
        for column, cell, value in zip(COLUMNS, cells, row, strict=False):
            assert cell.data_type in ("n", "s", "d", "inlineStr")  # no formula, no link
            assert cell.hyperlink is None
            assert of_cell(column, cell.value) == (value or None if column.kind in ("text", "id") else value)


def of_cell(column: ReportColumn, value: Any) -> Any:
    """A value of a cell: numbers are read by their digits, as they stand in the file."""
    if value is None:
        return None
    if isinstance(value, str):
        # XML makes a line feed of a carriage return, but for one that is escaped.
        text = openpyxl.utils.escape.unescape(value)
        return (text or None) if column.kind in ("text", "id") else of_text(column, text)
    if isinstance(value, datetime):
        return value.date()
    return Decimal(repr(value)) if column.kind in ("amount", "ratio") else value


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "parquet", "html", "pdf"])
def test_the_same_rows_are_the_same_bytes(tmp_path: Path, file_format: FileFormat) -> None:
    rows = plain_rows(30)
    one = write(table(rows), file_format, tmp_path / "one")
    other = write(table(rows, batch=11), file_format, tmp_path / "deeper" / "other")
    assert (one.sha256, one.bytes, one.rows) == (other.sha256, other.bytes, 30)
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.path.stat().st_mode & 0o777 == 0o600
    assert one.path.stat().st_size == one.bytes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deeper", "one"]
