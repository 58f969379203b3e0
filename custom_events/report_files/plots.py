"""Plots of a table's rows, by matplotlib: as SVG for pages, which takes the page's own colour of text, and as PNG for prints."""

import io
import threading
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from custom_events.errors import InvalidConfiguration
from custom_events.report_files.cells import Row, checked
from custom_events.report_files.limits import Counted
from custom_events.report_files.shown import shown, visible
from custom_events.report_files.table import PlotSpec, ReportColumn, ReportTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS: Final = 5_000  # of each line: more cannot be told apart, and a plot of a sheet takes 32,000
MOST_BARS: Final = 60  # places of the axis that have bars
# By Okabe and Ito: told apart by everybody; the blue a little lighter, for pages with a dark theme.
PALETTE: Final = ("#1F83C4", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_INK: Final = "#010203"  # stands for the page's colour of text in SVG
_TICKS: Final = 9
_LABEL_CHARS: Final = 24
_WIDTH_INCHES, _HEIGHT_INCHES, _DOTS_PER_INCH = 9.0, 3.4, 200
_DRAWING = threading.Lock()  # matplotlib's settings are those of the process


class PlotPoints:
    """What is drawn, collected while rows are written. `problem`: why nothing is, as a sentence for people."""

    def __init__(self, table: ReportTable) -> None:
        spec = table.plot
        self.spec = spec or PlotSpec(kind="line", x="", y=())
        self.problem: str | None = None if spec is not None else "There is no plot."
        self.x: list[Any] = []
        self.y: list[list[float | None]] = [[] for _ in self.spec.y]
        self._known_x: set[Any] = set()
        self._places: list[int] = []
        self.columns: tuple[ReportColumn, ...] = ()
        if spec is not None:
            self._places = [_place(table, name) for name in (spec.x, *spec.y)]
            self.columns = tuple(table.columns[place] for place in self._places)

    @property
    def is_drawn(self) -> bool:
        """Whether there is something to draw."""
        return self.problem is None and bool(self.x)

    def add(self, rows: Sequence[Row]) -> None:
        """Take the points of these rows."""
        if self.problem is not None:
            return
        x_place, *y_places = self._places
        most = MOST_BARS if self.spec.kind == "bar" else MOST_POINTS
        for row in rows:
            x = row[x_place]
            if x in self._known_x:
                title = visible(self.columns[0].title)
                self.problem = f"The plot is left out: several rows have the same {title}."
                return
            if len(self.x) == most:
                self.problem = f"The plot is left out: it would have more than {most:,} places."
                return
            self._known_x.add(x)
            self.x.append(x)
            for series, place in zip(self.y, y_places, strict=True):
                series.append(None if row[place] is None else float(row[place]))


def held(table: ReportTable, counted: Counted) -> tuple[list[Row], PlotPoints]:
    """All rows in memory, for formats whose plot stands above them, with what is drawn of them. Raises as `checked`, and TooLargeError."""
    points = PlotPoints(table)
    listed: list[Row] = []
    for rows in checked(table):
        counted.add(len(rows))
        points.add(rows)
        listed += rows
    return listed, points


def _place(table: ReportTable, name: str) -> int:
    for place, column in enumerate(table.columns):
        if column.name == name:
            return place
    names = ", ".join(column.name for column in table.columns)
    raise InvalidConfiguration(f"there is no column '{name}' to draw; one of {names} is", path="plot")


def svg(points: PlotPoints) -> str:
    """The plot as an SVG element whose text and lines have the colour of the text around it."""
    text = _drawn(points, "svg").decode()
    return text[text.index("<svg") :].replace(_INK, "currentColor")


def png(points: PlotPoints) -> bytes:
    """The plot as PNG on white."""
    return _drawn(points, "png")


def _drawn(points: PlotPoints, file_format: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    ink = _INK if file_format == "svg" else "#222222"
    settings: dict[Any, Any] = {
        "svg.hashsalt": "custom-events",
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.family": "DejaVu Sans",
        "font.size": 9,
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), ink),
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    written = io.BytesIO()
    with _DRAWING, mpl.rc_context(settings):
        figure = Figure(figsize=(_WIDTH_INCHES, _HEIGHT_INCHES), layout="constrained")
        _draw(figure, points, ink)
        metadata = {"Date": None, "Creator": None} if file_format == "svg" else {"Software": None}
        figure.savefig(
            written, format=file_format, dpi=_DOTS_PER_INCH, transparent=file_format == "svg", metadata=metadata
        )
    return written.getvalue()


def _draw(figure: "Figure", points: PlotPoints, ink: str) -> None:
    from matplotlib.ticker import FuncFormatter

    axes = figure.add_subplot()
    if points.spec.title:
        axes.set_title(visible(points.spec.title), loc="left", fontsize=10)
    is_days = points.columns[0].kind == "day" and points.spec.kind == "line" and None not in points.x
    places = [x.toordinal() if is_days else place for place, x in enumerate(points.x)]
    if points.spec.kind == "line":
        _draw_lines(axes, places, points)
    else:
        _draw_bars(axes, places, points)
    step = max(1, -(-len(places) // _TICKS))
    axes.set_xticks(places[::step], [_label(points.columns[0], x) for x in points.x[::step]])
    if points.columns[0].kind not in ("day", "count") and len(places) > 1:
        axes.tick_params(axis="x", rotation=20)
    is_ratio = all(column.kind == "ratio" for column in points.columns[1:])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:.0%}" if is_ratio else f"{y:,.6g}"))
    axes.grid(axis="y", color=ink, alpha=0.15, linewidth=0.6)
    axes.set_axisbelow(True)
    if len(points.y) > 1:
        axes.legend(frameon=False, ncols=min(len(points.y), 4), loc="lower right", bbox_to_anchor=(1.0, 1.0))
    else:
        axes.set_ylabel(visible(points.columns[1].title))


def _draw_lines(axes: "Axes", places: list[int], points: PlotPoints) -> None:
    for number, (column, series) in enumerate(zip(points.columns[1:], points.y, strict=True)):
        values = [float("nan") if value is None else value for value in series]
        color = PALETTE[number % len(PALETTE)]
        marker = "o" if len(places) <= MOST_BARS else None
        axes.plot(places, values, color=color, linewidth=1.6, marker=marker, markersize=3, label=visible(column.title))
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))


def _draw_bars(axes: "Axes", places: list[int], points: PlotPoints) -> None:
    width = 0.8 / len(points.y)
    for number, (column, series) in enumerate(zip(points.columns[1:], points.y, strict=True)):
        offset = (number - (len(points.y) - 1) / 2) * width
        axes.bar(
            [place + offset for place in places],
            [value or 0.0 for value in series],
            width,
            color=PALETTE[number % len(PALETTE)],
            label=visible(column.title),
        )


def _label(column: ReportColumn, x: Decimal | datetime | date | str | int | None) -> str:
    text = shown(column, x).replace("\n", " ")
    return text if len(text) <= _LABEL_CHARS else text[: _LABEL_CHARS - 1] + "…"
