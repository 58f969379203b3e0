"""PDF: pages of A4 with the plot, the rows below a repeated header, and page numbers."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, cast

from custom_events.report_files.cells import Row, headings
from custom_events.report_files.limits import Counted, TooLargeError
from custom_events.report_files.plots import PlotPoints, held, png
from custom_events.report_files.shown import NUMBERS, facts, shown, visible
from custom_events.report_files.table import ReportTable

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

MOST_COLUMNS: Final = 16  # more would be narrower than a word
_LANDSCAPE_FROM: Final = 6  # columns
_MADE_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)  # in the file: the same rows, the same bytes
_FONT: Final = "DejaVu"
_BOX: Final = "□"
_FOOTER_CHARS: Final = 90  # of the title
_TITLE_POINTS, _TEXT_POINTS = 15, 9
_MARGIN_MM: Final = 14
_INK, _SOFT, _LINE, _HEAD = (28, 36, 48), (90, 102, 117), (200, 207, 215), (231, 238, 245)
_LEAST_CHARS, _MOST_CHARS = 6, 36  # of a column, for its share of the width
_MEASURED_ROWS: Final = 300


def write_pdf(table: ReportTable, file: BinaryIO, counted: Counted) -> None:
    """Write it, made in memory: its limits are PDF_ROWS and 16 columns. What the font has no sign for is an empty box."""
    if len(table.columns) > MOST_COLUMNS:
        raise TooLargeError(
            f"There are {len(table.columns)} columns, and a page of PDF takes {MOST_COLUMNS}. Choose fewer, or ask for XLSX, CSV or Parquet."
        )
    rows, points = held(table, counted)
    pdf = _pages(table)
    _write_about(pdf, table, points, counted.rows)
    _write_rows(pdf, table, rows)
    file.write(pdf.output())


def _pages(table: ReportTable) -> "FPDF":
    """An empty document with its first page."""
    import matplotlib as mpl
    from fpdf import FPDF

    title = visible(table.title)

    class Pages(FPDF):
        def footer(self) -> None:
            self.set_y(-_MARGIN_MM + 3)
            self.set_font(_FONT, size=7)
            self.set_text_color(*_SOFT)
            self.cell(self.epw / 2, 4, _in_font(self, title[:_FOOTER_CHARS]), align="L")
            self.cell(self.epw / 2, 4, f"Page {self.page_no()} of {{nb}}", align="R")

    orientation: Literal["landscape", "portrait"] = "landscape" if len(table.columns) >= _LANDSCAPE_FROM else "portrait"
    pdf = Pages(orientation=orientation, format="A4")
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    pdf.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
    pdf.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
    pdf.set_creation_date(_MADE_AT)
    pdf.set_title(title)
    pdf.set_lang("en")
    pdf.set_margin(_MARGIN_MM)
    pdf.set_auto_page_break(True, _MARGIN_MM)
    pdf.add_page()
    pdf.set_draw_color(*_LINE)
    return pdf


def _write_about(pdf: "FPDF", table: ReportTable, points: PlotPoints, rows: int) -> None:
    pdf.set_text_color(*_INK)
    pdf.set_font(_FONT, "B", _TITLE_POINTS)
    pdf.multi_cell(0, 8, _in_font(pdf, visible(table.title)), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(_FONT, size=_TEXT_POINTS)
    pdf.set_text_color(*_SOFT)
    named = "    ".join(f"{name}: {value}" for name, value in facts(table, rows))
    notes = [named, *(visible(note) for note in table.notes)]
    if table.plot is not None and points.problem is not None:
        notes.append(points.problem)
    if not rows:
        notes.append("There are no rows.")
    for note in notes:
        pdf.multi_cell(0, 4.6, _in_font(pdf, note), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.set_text_color(*_INK)
    pdf.ln(3)
    if points.is_drawn:
        pdf.image(io.BytesIO(png(points)), w=min(pdf.epw, 200), alt_text=visible(points.spec.title or table.title))
        pdf.ln(4)


def _write_rows(pdf: "FPDF", table: ReportTable, rows: list[Row]) -> None:
    from fpdf.fonts import FontFace

    names = [visible(name) for name in headings(table, [column.title for column in table.columns])]
    points = 8 if len(names) <= _LANDSCAPE_FROM else 7 if len(names) <= MOST_COLUMNS * 2 // 3 else 6
    pdf.set_font(_FONT, size=points)
    shares = _shares(table, names, rows[:_MEASURED_ROWS])
    with pdf.table(
        col_widths=shares,
        text_align=tuple("RIGHT" if column.kind in NUMBERS else "LEFT" for column in table.columns),
        borders_layout="HORIZONTAL_LINES",
        headings_style=FontFace(emphasis="BOLD", fill_color=_HEAD),
        line_height=points * 0.5,
        padding=(0.8, 1.6),
        repeat_headings=1,
    ) as drawn:
        drawn.row([_in_font(pdf, name) for name in names])
        for row in rows:
            drawn.row([_in_font(pdf, shown(column, value)) for column, value in zip(table.columns, row, strict=True)])


def _in_font(pdf: "FPDF", text: str) -> str:
    """The text with an empty box for each character that the font has no sign for."""
    if text.isascii():
        return text
    signs = cast("TTFFont", pdf.fonts[_FONT.lower()]).cmap
    return "".join(character if ord(character) in signs or character.isspace() else _BOX for character in text)


def _shares(table: ReportTable, names: list[str], rows: list[Row]) -> tuple[int, ...]:
    """How wide the columns are, in proportion: as long as their longest line; a heading may be broken between words."""
    widths = [max(_LEAST_CHARS, *(len(word) for word in name.split()), len(name) // 2) for name in names]
    for row in rows:
        for place, column in enumerate(table.columns):
            for line in shown(column, row[place]).split("\n"):
                widths[place] = max(widths[place], min(len(line), _MOST_CHARS))
    return tuple(width + 2 for width in widths)
