"""Limits are errors that name them, values of another kind are errors that name the column, and a failure leaves nothing behind."""

import sys
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import openpyxl
import pytest

from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.report_files import limits
from custom_events.report_files.limits import TooLargeError
from custom_events.report_files.table import FORMATS, FileFormat, FileLimits, Kind, PlotSpec, ReportColumn
from custom_events.report_files.writing import write
from tests.report_files.tables import COLUMNS, REPEATED_HOUR, plain_rows, table


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_limit_that_is_passed_is_named_and_leaves_nothing(tmp_path: Path, file_format: FileFormat) -> None:
    folder = tmp_path / "files"
    path = folder / "orders"
    with pytest.raises(TooLargeError, match=r"more than 19 rows.*Narrow"):
        write(table(plain_rows(20)), file_format, path, FileLimits(rows=19))
    with pytest.raises(TooLargeError, match="larger than 700 bytes"):
        write(table(plain_rows(20)), file_format, path, FileLimits(bytes=700))
    assert list(folder.iterdir()) == []
    assert write(table(plain_rows(20)), file_format, path, FileLimits(rows=20, bytes=10**6)).rows == 20


@pytest.mark.parametrize("file_format", ["xlsx", "html", "pdf"])
def test_what_a_format_takes_is_named(tmp_path: Path, file_format: FileFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits._ROWS, file_format, 10)
    with pytest.raises(TooLargeError, match=rf"more than 10 rows.*{file_format.upper()}.*Parquet"):
        write(table(plain_rows(11)), file_format, tmp_path / "orders")
    assert (limits.XLSX_ROWS, list(tmp_path.iterdir())) == (2**20 - 1, [])


def test_a_large_parquet_is_stopped_between_its_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_events.report_files.parquet_file.ROW_GROUP", 5)
    assert write(table(plain_rows(23)), "parquet", tmp_path / "whole").rows == 23
    with pytest.raises(TooLargeError):
        write(table(plain_rows(10**4)), "parquet", tmp_path / "large", FileLimits(bytes=20_000))


def test_a_failure_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    before = write(table(plain_rows(3)), "xlsx", path)
    with pytest.raises(InvalidConfiguration):
        write(table([*plain_rows(30), (1.5, *plain_rows(1)[0][1:])]), "xlsx", path)
    assert path.stat().st_size == before.bytes
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("id", 1.0),
        ("id", True),
        ("count", 1.0),
        ("count", True),
        ("count", 2**63),
        ("count", Decimal("1.5")),
        ("count", "1"),
        ("amount", 1.5),
        ("amount", Decimal("1.005")),
        ("amount", Decimal("NaN")),
        ("amount", Decimal(10) ** 37),
        ("ratio", 0.5),
        ("ratio", Decimal("Infinity")),
        ("day", datetime(2026, 11, 1, tzinfo=UTC)),
        ("day", "2026-11-01"),
        ("time", datetime(2026, 11, 1)),  # noqa: DTZ001
        ("time", date(2026, 11, 1)),
    ],
)
def test_a_value_of_another_kind_is_refused_by_its_column(tmp_path: Path, kind: Kind, value: Any) -> None:
    columns = (ReportColumn("spend", "Spend", kind),)
    with pytest.raises(InvalidConfiguration, match=rf"^spend: .* is no value of the kind {kind}; "):
        write(table([(value,)], columns=columns), "csv", tmp_path / "orders.csv")


def test_values_of_the_database_that_are_exact_are_taken(tmp_path: Path) -> None:
    columns = (ReportColumn("n", "N", "count"), ReportColumn("v", "V", "amount"), ReportColumn("t", "T", "text"))
    rows = [
        (Decimal(12), 3, {"a": [1]}),
        (Decimal("1E+2"), Decimal("-0.00"), "half \ud800"),
        (1, Decimal("1E+2"), True),
    ]
    path = write(table(rows, columns=columns), "csv", tmp_path / "orders.csv").path
    assert path.read_text().splitlines()[1:] == ['12,3.00,"{""a"":[1]}"', "100,0.00,half ?", "1,100.00,true"]


def test_what_is_asked_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    with pytest.raises(InvalidConfiguration, match=r"'doc' is no format; one of csv, xlsx, parquet, html, pdf is"):
        write(table([]), cast("FileFormat", "doc"), path)
    with pytest.raises(InvalidConfiguration, match="'UTC\\+2' is no time zone"):
        write(table([], zone="UTC+2"), "csv", path)
    with pytest.raises(InvalidConfiguration, match="7 values, and there are 8 columns"):
        write(table([(None,) * 7]), "csv", path)
    with pytest.raises(InvalidConfiguration, match="plot: there is no column 'hour' to draw"):
        write(table([], plot=PlotSpec(kind="line", x="hour", y=("orders",))), "html", path)


def test_a_cell_of_a_sheet_takes_so_much_text(tmp_path: Path) -> None:
    columns = (ReportColumn("note", "Note", "text"),)
    whole = write(table([("é" * 32_767,)], columns=columns), "xlsx", tmp_path / "whole.xlsx")
    assert openpyxl.load_workbook(whole.path)["Data"]["A2"].value == "é" * 32_767
    with pytest.raises(TooLargeError, match=r"column note has 32,768 characters.*32,767"):
        write(table([("x" * 32_768,)], columns=columns), "xlsx", tmp_path / "more.xlsx")


def test_a_page_of_pdf_takes_so_many_columns(tmp_path: Path) -> None:
    columns = tuple(ReportColumn(f"c{number}", f"C{number}", "count") for number in range(17))
    with pytest.raises(TooLargeError, match=r"17 columns.*takes 16"):
        write(table([], columns=columns), "pdf", tmp_path / "orders.pdf")


def test_without_the_libraries_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(NeedsAction, match=r"xlsx need.* custom-events\[reports\]"):
        write(table([]), "xlsx", tmp_path / "orders.xlsx")


def test_a_sheet_has_a_chart_and_says_what_it_is_about(tmp_path: Path) -> None:
    plot = PlotSpec(kind="line", x="day", y=("orders", "value"), title="Orders a day")
    notes = ("Days are those of the site.",)
    path = write(table(plain_rows(12), plot=plot, notes=notes, period="October"), "xlsx", tmp_path / "o.xlsx").path
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Data", "Chart", "About"]
    sheet = book["Data"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:H13")
    assert (sheet["D2"].number_format, sheet["E2"].number_format) == ("#,##0.00", "#,##0.00#")
    assert (sheet["A2"].value, sheet["A2"].data_type) == (str(2**62), "s")
    about = {(row[0].value, row[1].value) for row in book["About"].iter_rows(min_row=3)}
    assert {("Period", "October"), ("Time zone", "Europe/Berlin"), ("Rows", "12"), ("Note", notes[0])} <= about


def test_the_name_of_a_chart_is_no_formula(tmp_path: Path) -> None:
    plot = PlotSpec(kind="line", x="day", y=("orders",))
    path = write(table(plain_rows(3), plot=plot, title="=cmd|'/c calc'!A1"), "xlsx", tmp_path / "o.xlsx").path
    with zipfile.ZipFile(path) as parts:
        chart = parts.read("xl/charts/chart1.xml").decode()
    assert "<a:t>=cmd|'/c calc'!A1</a:t>" in chart
    assert "<c:f>cmd" not in chart


def test_a_sheet_without_a_chart_says_why(tmp_path: Path) -> None:
    plot = PlotSpec(kind="bar", x="dinars", y=("orders",))  # the same in every row
    path = write(table(plain_rows(3), plot=plot), "xlsx", tmp_path / "orders.xlsx").path
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Data", "About"]
    assert "several rows have the same Value (KWD)" in str([cell.value for cell in book["About"]["B"]])


def test_an_hour_that_comes_twice_is_told_apart(tmp_path: Path) -> None:
    columns = (COLUMNS[-1],)
    rows = [(REPEATED_HOUR,), (REPEATED_HOUR.replace(hour=1),)]
    path = write(table(rows, columns=columns), "csv", tmp_path / "times.csv").path
    assert path.read_text().splitlines()[1:] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
