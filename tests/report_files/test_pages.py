"""Pages and prints: one file each, nothing of a row is markup, and what cannot be shown is a sign instead of a gap."""

import logging
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF
from hypothesis import HealthCheck, given, settings

from custom_events.report_files import plots
from custom_events.report_files.table import PlotSpec, ReportColumn
from custom_events.report_files.writing import write
from tests.report_files.tables import ROWS, plain_rows, table

LINE = PlotSpec(kind="line", x="day", y=("orders", "value"), title="Orders $a$ <b>")
BAR = PlotSpec(kind="bar", x="name", y=("share",))
NAMES = (ReportColumn("name", "Name", "text"), ReportColumn("share", "Share", "ratio"))


class Page(HTMLParser):
    """What stands in a page: its tags, and the texts of the cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(f"{name}={value}" for name, value in attrs)
        self._in_cell = tag in ("td", "th")
        if tag == "tr":
            self.rows.append([])
        if self._in_cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_nothing_of_a_row_is_markup(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    text = write(table(rows, title="<script>"), "html", tmp_path / "orders.html").path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "dl", "div", "dt", "dd", "p"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert len(page.rows) == len(rows) + 1
    assert {len(row) for row in page.rows} == {8}
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text) is None


def test_a_page_has_its_plot_in_itself_and_in_the_colour_of_its_text(tmp_path: Path) -> None:
    path = write(table(plain_rows(12), plot=LINE, notes=("A & B",), period="October"), "html", tmp_path / "o.html").path
    text = path.read_text()
    page = Page(text)
    assert {"svg", "figure", "path"} <= page.tags
    assert not {"script", "link", "img", "iframe", "object"} & page.tags
    assert not [name for name in page.attributes if re.match(r"(src|href|xlink:href)=(?!#)", name)]
    assert "currentColor" in text
    assert "Orders $a$ &lt;b&gt;" in text
    assert "<li>A &amp; B</li>" in text
    assert "<dt>Period</dt><dd>October</dd>" in text
    assert page.rows[1] == [
        str(2**62),
        "Order 0",
        "0",
        "0.10",
        "1.234",
        "0.00%",
        "2026-10-01",
        "2026-10-25 02:00:00+02:00",
    ]


def test_a_page_without_rows_says_so(tmp_path: Path) -> None:
    text = write(table([], plot=LINE), "html", tmp_path / "orders.html").path.read_text()
    assert "There are no rows." in text
    assert "<svg" not in text


@pytest.mark.parametrize("points", [plots.MOST_BARS, plots.MOST_BARS + 1])
def test_bars_that_nobody_could_tell_apart_are_left_out_with_a_sentence(tmp_path: Path, points: int) -> None:
    rows = [(f"A definition with a long name, {number}", None if number else 1) for number in range(points)]
    text = write(table(rows, columns=NAMES, plot=BAR), "html", tmp_path / "orders.html").path.read_text()
    assert ("<svg" in text) == (points == plots.MOST_BARS)
    assert ("The plot is left out: it would have more than 60 places." in text) == (points > plots.MOST_BARS)


def test_prints_repeat_their_header_and_number_their_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written: list[str] = []
    headers: list[str] = []
    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        cell, table_row = FPDF.cell, FPDF.multi_cell

        def seen(pdf: FPDF, *arguments: Any, **named: Any) -> Any:
            written.append(str(arguments[2]))
            return cell(pdf, *arguments, **named)

        def seen_row(pdf: FPDF, *arguments: Any, **named: Any) -> Any:
            headers.append(str(named.get("text", arguments[2] if len(arguments) > 2 else "")))
            return table_row(pdf, *arguments, **named)

        patched.setattr(FPDF, "cell", seen)
        patched.setattr(FPDF, "multi_cell", seen_row)
        rows = [("日本 Ü \x00", *row[1:]) for row in plain_rows(80)]
        path = write(table(rows, plot=LINE, title="日本"), "pdf", tmp_path / "orders.pdf").path
    assert caplog.records == []  # it would log the characters that its font has not
    assert path.read_bytes().startswith(b"%PDF-")
    pages = sum(text.startswith("Page ") for text in written)
    assert pages > 2
    assert "□□" in written
    assert "□□ Ü \ufffd" in headers


def test_a_print_of_few_columns_stands_upright(tmp_path: Path) -> None:
    rows = [("Purchase", None), ("First order", 1)]
    whole = write(table(rows, columns=NAMES, plot=BAR), "pdf", tmp_path / "a.pdf")
    empty = write(table([], columns=NAMES), "pdf", tmp_path / "b.pdf")
    assert b"/MediaBox [0 0 595.28 841.89]" in whole.path.read_bytes()
    assert whole.bytes > empty.bytes
    repeated = write(table([rows[0], rows[0]], columns=NAMES, plot=BAR), "pdf", tmp_path / "c.pdf")
    assert repeated.bytes < whole.bytes
