"""CSV (RFC 4180, UTF-8): names of columns in the first line; texts that a spreadsheet would take for a formula begin with an apostrophe."""

import csv
import io
from typing import Any, BinaryIO

from custom_events.report_files.cells import checked, headings, plain
from custom_events.report_files.limits import Counted
from custom_events.report_files.table import Kind, ReportTable
from custom_events.values import csv_lines


def write_csv(table: ReportTable, file: BinaryIO, counted: Counted) -> None:
    """Write it batch by batch. Numbers, days and times cannot be formulas and stand as they are, a negative one with its sign."""
    written = io.StringIO()
    writer = csv.writer(written)
    kinds: tuple[Kind, ...] = tuple(column.kind for column in table.columns)
    writer.writerow([csv_lines.cell(name) for name in headings(table, [column.name for column in table.columns])])
    for rows in checked(table):
        counted.add(len(rows))
        writer.writerows([[_cell(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in rows])
        file.write(written.getvalue().encode())
        written.seek(0)
        written.truncate()
        counted.reached(file.tell())
    file.write(written.getvalue().encode())


def _cell(kind: Kind, value: Any) -> str:
    text = plain(kind, value)
    return csv_lines.cell(text) if kind in ("text", "id") else text
