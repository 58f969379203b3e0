"""HTML: one file without a script or anything from elsewhere, for screens in either theme and for print."""

from html import escape
from typing import BinaryIO, Final

from custom_events.report_files.cells import Row, headings
from custom_events.report_files.limits import Counted
from custom_events.report_files.plots import PlotPoints, held, svg
from custom_events.report_files.shown import NUMBERS, facts, shown, visible
from custom_events.report_files.table import ReportTable

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --line: #d5dbe2; --page: #fff; --head: #eef2f6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #a3afbd; --line: #3a4553; --page: #151b23; --head: #222b36; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 90rem; background: var(--page); color: var(--ink); font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif; }
h1 { margin: 0 0 .4rem; font-size: 1.5rem; }
dl { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; margin: 0 0 .6rem; }
dl div { display: flex; gap: .4rem; }
dt { color: var(--soft); }
dd { margin: 0; }
ul { margin: 0 0 .8rem; padding-left: 1.2rem; color: var(--soft); }
figure { margin: 1rem 0; }
figure svg { display: block; width: 100%; max-width: 56rem; height: auto; }
.rows { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { position: sticky; top: 0; background: var(--head); white-space: normal; }
td { white-space: nowrap; unicode-bidi: isolate; }
td.text { min-width: 14rem; max-width: 40rem; overflow-wrap: anywhere; white-space: pre-line; }
th.number, td.number { text-align: right; }
@page { size: A4 landscape; margin: 12mm; }
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --page: #fff; --head: #eee; color-scheme: light; }
  body { padding: 0; max-width: none; font-size: 8pt; }
  .rows { overflow: visible; }
  th { position: static; }
  td.id { min-width: 10rem; overflow-wrap: anywhere; white-space: normal; }
  td.text { min-width: 7rem; }
  th, td { padding: .15rem .4rem; }
  tr, figure { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""


def write_html(table: ReportTable, file: BinaryIO, counted: Counted) -> None:
    """Write it. The plot stands above the rows that it is of, so that they are held in memory: their limit is HTML_ROWS."""
    rows, points = held(table, counted)
    file.write("\n".join([*_head(table), *_about(table, points, counted.rows)]).encode())
    file.write(_heading_row(table).encode())
    for row in rows:
        file.write(_row(table, row).encode())
        counted.reached(file.tell())
    end = "</tbody>\n</table></div>\n"
    if not rows:
        end += "<p>There are no rows.</p>\n"
    file.write(f"{end}</main></body>\n</html>\n".encode())


def _head(table: ReportTable) -> list[str]:
    return [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(table.title)}</title>",
        f"<style>{_STYLE}</style></head>",
        "<body><main>",
    ]


def _about(table: ReportTable, points: PlotPoints, rows: int) -> list[str]:
    named = "".join(f"<div><dt>{name}</dt><dd>{_text(value)}</dd></div>" for name, value in facts(table, rows))
    notes = [visible(note) for note in table.notes]
    if table.plot is not None and points.problem is not None:
        notes.append(points.problem)
    lines = [f"<h1>{_text(table.title)}</h1>", f"<dl>{named}</dl>"]
    if notes:
        lines.append(f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>")
    if points.is_drawn:
        name = _text(points.spec.title or table.title)
        lines.append(f'<figure role="img" aria-label="{name}">{svg(points)}</figure>')
    return lines


def _heading_row(table: ReportTable) -> str:
    cells = [
        f'<th scope="col"{_class("number" if column.kind in NUMBERS else "")}>{_text(name)}</th>'
        for column, name in zip(table.columns, headings(table, [c.title for c in table.columns]), strict=True)
    ]
    return f'\n<div class="rows"><table>\n<thead><tr>{"".join(cells)}</tr></thead>\n<tbody>\n'


def _row(table: ReportTable, row: Row) -> str:
    cells: list[str] = []
    for column, value in zip(table.columns, row, strict=True):
        name = "number" if column.kind in NUMBERS else column.kind
        cells.append(f"<td{_class(name)}>{escape(shown(column, value))}</td>")
    return f"<tr>{''.join(cells)}</tr>\n"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _text(text: str) -> str:
    return escape(visible(text))
