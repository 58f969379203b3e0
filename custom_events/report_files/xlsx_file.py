"""XLSX: a sheet of rows, a sheet with the chart, a sheet that says what the rows are about. Rows go to the file's parts as they come."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, cast

from custom_events.report_files.cells import Row, checked, headings, plain
from custom_events.report_files.limits import Counted, TooLargeError
from custom_events.report_files.plots import PALETTE, PlotPoints
from custom_events.report_files.shown import NUMBERS, facts, shown, visible
from custom_events.report_files.table import ReportColumn, ReportTable

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

EXACT_DIGITS: Final = 15  # of a number in a sheet; one with more is written as text
CELL_CHARS: Final = 32_767  # of a text in a sheet
DATA, CHART, ABOUT = "Data", "Chart", "About"
_MADE_AT: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # in the file: the same rows, the same bytes
_A4: Final = 9  # as sheets number papers
_DIGITS: Final = 2  # after the point, that are always shown
_TITLE_CHARS: Final = 255
_FIRST_DAY: Final = date(1900, 3, 1)  # sheets count a 29 February 1900
_MEASURED_ROWS: Final = 200  # for the columns' widths
_LEAST_CHARS, _MOST_CHARS = 8, 60
_SPARE_CHARS: Final = 3  # beside a value
_BUTTON_CHARS: Final = 5  # of the filter's button, beside a heading
_LEFT: Final = {"align": "left", "indent": 1, "valign": "top"}  # apart from a number on its left
_LINE_POINTS, _MOST_POINTS = 15, 405  # of a row's height

Cell = Callable[[int, int, Any], None]


def write_xlsx(table: ReportTable, file: BinaryIO, counted: Counted) -> None:
    """Write it; ids and texts are texts, never links or formulas; numbers of more than 15 digits are texts."""
    from xlsxwriter import Workbook

    with TemporaryDirectory(dir=Path(file.name).parent, prefix=".xlsx-") as folder:
        options = {"constant_memory": True, "tmpdir": folder}
        book = Workbook(file, options)  # pyright: ignore[reportArgumentType]
        sheet = book.add_worksheet(DATA)
        try:
            book.use_zip64()
            book.set_properties({"title": visible(table.title)[:_TITLE_CHARS], "created": _MADE_AT})
            points = PlotPoints(table)
            _write_rows(book, sheet, table, points, counted)
            if points.is_drawn:
                _add_chart(book, table, points)
            _write_about(book, table, points, counted.rows)
        except BaseException:
            for opened in book.worksheets():
                cast("IO[str]", opened.row_data_fh).close()  # its writer would keep them open
            raise
        book.close()


def _write_rows(book: "Workbook", sheet: "Worksheet", table: ReportTable, points: PlotPoints, counted: Counted) -> None:
    from xlsxwriter.utility import xl_range

    names = headings(table, [column.title for column in table.columns])
    heading = {"bold": True, "bottom": 1, "bg_color": "#E7EEF5", "text_wrap": True, "valign": "vcenter"}
    left, right = book.add_format({**heading, "indent": 1}), book.add_format({**heading, "align": "right"})
    sheet.set_row(0, _LINE_POINTS * max((_lines(name, _MOST_CHARS) for name in names), default=1) + 3)
    for place, (column, name) in enumerate(zip(table.columns, names, strict=True)):
        _write_text(sheet, 0, place, name, right if column.kind in NUMBERS else left, column.name)
    cells = [_cell(book, sheet, column) for column in table.columns]
    widths = [min(max(len(name) + _BUTTON_CHARS, _LEAST_CHARS), _MOST_CHARS) for name in names]
    texts = [place for place, column in enumerate(table.columns) if column.kind == "text"]
    number = 0
    for rows in checked(table):
        counted.add(len(rows))
        points.add(rows)
        if number < _MEASURED_ROWS:
            _measure(table.columns, rows[: _MEASURED_ROWS - number], widths)
        for row in rows:
            number += 1
            lines = max((_lines(row[place], widths[place]) for place in texts), default=1)
            if lines > 1:
                sheet.set_row(number, min(lines * _LINE_POINTS, _MOST_POINTS))
            for place, value in enumerate(row):
                if value is not None:
                    cells[place](number, place, value)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 0)
    last = max(len(names) - 1, 0)
    sheet.autofilter(0, 0, number, last)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.ignore_errors({"number_stored_as_text": xl_range(1, 0, max(number, 1), last)})  # no green corners on ids


def _measure(columns: tuple[ReportColumn, ...], rows: list[Row], widths: list[int]) -> None:
    """Let each column be as wide as the longest line of these rows."""
    for row in rows:
        for place, column in enumerate(columns):
            text = plain(column.kind, row[place]) if column.kind == "time" else shown(column, row[place])
            longest = max(len(line) for line in text.split("\n")) + _SPARE_CHARS
            widths[place] = min(max(widths[place], longest), _MOST_CHARS)


def _lines(text: str | None, width: int) -> int:
    """How many lines a text takes in a column so wide."""
    return (
        1
        if text is None or (len(text) + _SPARE_CHARS <= width and "\n" not in text)
        else sum(len(line) // (width - _SPARE_CHARS + 1) + 1 for line in text.split("\n"))
    )


def _cell(book: "Workbook", sheet: "Worksheet", column: ReportColumn) -> Cell:
    """What writes the values of a column."""
    match column.kind:
        case "count" | "amount" | "ratio":
            return _number_cell(book, sheet, column)
        case "day":
            return _day_cell(sheet, book.add_format({"num_format": "yyyy-mm-dd", **_LEFT}))
        case "time" | "text" | "id":
            shape = book.add_format({"text_wrap": column.kind == "text", **_LEFT})
            return lambda row, place, value: _write_text(
                sheet, row, place, plain(column.kind, value), shape, column.name
            )


def _day_cell(sheet: "Worksheet", shape: "Format") -> Cell:
    def write(row: int, place: int, value: date) -> None:
        if value >= _FIRST_DAY:
            sheet.write_datetime(row, place, datetime(value.year, value.month, value.day), shape)  # noqa: DTZ001  (a day has no zone)
        else:
            sheet.write_string(row, place, value.isoformat(), shape)

    return write


def _number_cell(book: "Workbook", sheet: "Worksheet", column: ReportColumn) -> Cell:
    """Sheets calculate with doubles, which hold 15 digits: what has more would be another number."""
    digits = f".{'0' * column.digits}"[: _DIGITS + 1] + "#" * (column.digits - _DIGITS) if column.digits else ""
    look = {"amount": f"#,##0{digits}", "ratio": "0.00%"}.get(column.kind, "#,##0")
    shape = book.add_format({"num_format": look, "valign": "top"})
    text = book.add_format({"align": "right", "valign": "top"})

    def write(row: int, place: int, value: int | Decimal) -> None:
        if _digits(value) <= EXACT_DIGITS:
            sheet.write_number(row, place, value, shape)  # pyright: ignore[reportArgumentType]  # digit by digit, no double
        else:
            sheet.write_string(row, place, plain(column.kind, value), text)

    return write


def _digits(value: int | Decimal) -> int:
    return len(str(abs(value))) if isinstance(value, int) else len(value.as_tuple().digits)


def _write_text(sheet: "Worksheet", row: int, place: int, text: str, shape: "Format", name: str) -> None:
    if len(text.encode("utf-16-le")) // 2 > CELL_CHARS:
        raise TooLargeError(
            f"A text of the column {name} has {len(text):,} characters, and a cell of XLSX takes {CELL_CHARS:,}. Ask for CSV or Parquet."
        )
    if text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter takes such a text for parts with formats of its own, and would not escape it.
        sheet.write_rich_string(row, place, text[0], shape, text[1:], shape)
    else:
        sheet.write_string(row, place, text, shape)


def _add_chart(book: "Workbook", table: ReportTable, points: PlotPoints) -> None:
    """A chart of its own sheet, drawn by the program that opens the file, of the cells of the rows."""
    spec = points.spec
    names = [column.name for column in table.columns]
    last = len(points.x)
    chart = book.add_chart({"type": "line" if spec.kind == "line" else "column"})
    if chart is None:
        return
    x_place = names.index(spec.x)
    for number, name in enumerate(spec.y):
        place = names.index(name)
        color = PALETTE[number % len(PALETTE)]
        series: dict[str, Any] = {
            "name": [DATA, 0, place],
            "categories": [DATA, 1, x_place, last, x_place],
            "values": [DATA, 1, place, last, place],
        }
        if spec.kind == "line":
            series |= {"line": {"color": color, "width": 2}, "marker": {"type": "none"}}
        else:
            series |= {"fill": {"color": color}}
        chart.add_series(series)
    is_day = points.columns[0].kind == "day"
    ratios = all(column.kind == "ratio" for column in points.columns[1:])
    chart.set_title({"name": CHART, "name_font": {"size": 14}})
    # Past the setter, which takes a name such as "Sale!A1" or "=..." for a formula.
    chart.title.name = visible(spec.title or table.title)
    chart.set_x_axis({"date_axis": is_day, "num_format": "yyyy-mm-dd"} if is_day else {"name": points.columns[0].title})
    chart.set_y_axis(
        {"num_format": "0%" if ratios else "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}}
    )
    chart.set_legend({"position": "bottom"} if len(spec.y) > 1 else {"none": True})
    book.add_chartsheet(CHART).set_chart(chart)


def _write_about(book: "Workbook", table: ReportTable, points: PlotPoints, rows: int) -> None:
    """What the rows are about: a sheet for people."""
    sheet = book.add_worksheet(ABOUT)
    title, bold = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    lines: list[tuple[str, str]] = [*facts(table, rows)]
    lines += [("Note", visible(note)) for note in table.notes]
    if table.plot is not None and points.problem is not None:
        lines.append(("Chart", points.problem))
    if any(column.kind == "time" for column in table.columns):
        lines.append(("Times", f"Text by ISO 8601, in {table.zone} with the offset of that moment."))
    lines.append(("Numbers", f"One of more than {EXACT_DIGITS} digits is text: a sheet would change it."))
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(_A4)
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 90)
    _write_text(sheet, 0, 0, visible(table.title), title, "title")
    for row, (name, text) in enumerate(lines, start=2):
        sheet.write_string(row, 0, name, bold)
        _write_text(sheet, row, 1, text, wrapped, "notes")
