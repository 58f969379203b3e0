"""Charts as pages draw them: plain SVG made here, its numbers in a table beside it. Nothing is measured by a script, and no style stands in a page:
shapes are stretched to the room there is, texts are HTML around them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

import msgspec
from markupsafe import Markup

from console.pages import formats
from console.pages.translations import _, translated

WIDTH: Final = 100.0  # of the drawing, in its own units; stretched to the room there is
HEIGHT: Final = 100.0
MOST_SERIES: Final = 6  # as many colours as the palette has for them
_GAP: Final = 0.25  # of a bar's room, between it and the next
_STEPS: Final = (1, 2, 3, 4, 5, 6, 8, 10)
_PERCENT: Final = 100
_WIDEST: Final = 12.0  # of a bar: few bars stand apart
_FLOORS: Final = (0.98, 0.9, 0.8, 0.5)  # at which a scale of shares may begin, where all of them lie above

Value = int | float | Decimal | None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One row of values, one for each label; None: nothing is known of it. `tone`: a state's colour (good, warn, bad ...) in place of the series' own."""

    name: str
    values: tuple[Value, ...]
    tone: str = ""


class Bar(NamedTuple):
    """A rectangle with what it says on hovering."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str


class Line(NamedTuple):
    """A series as a path: moved to where it begins anew after a gap. `ends`: where a value stands alone or last."""

    path: str
    dots: str
    tone: str
    dash: str
    name: str


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Values over labels (days, weeks; `label_name` says which). `kind`: bars, one series on top of the other; pairs, one bar beside the other; or lines.
    `unit` of the values, for people;
    `links`: where each label leads, below the console's own address; `is_share`: the values are parts of 1."""

    id: str
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    kind: Literal["bars", "pairs", "lines"] = "bars"
    unit: str = ""
    links: tuple[str, ...] = ()
    is_share: bool = False
    label_name: str = "Day"

    @property
    def is_empty(self) -> bool:
        """Whether no value says anything."""
        return not any(value for series in self.series for value in series.values)

    @property
    def top(self) -> float:
        """The top of the scale: a round number no less than the greatest value."""
        return 1.0 if self.is_share else round_up(max(self._heights(), default=0.0))

    @property
    def bottom(self) -> float:
        """The bottom of the scale: nothing; of lines of shares that are all great, a share below them."""
        values = [float(value) for series in self.series for value in series.values if value is not None]
        if not self.is_share or self.kind != "lines" or not values:
            return 0.0
        return next((floor for floor in _FLOORS if floor <= min(values)), 0.0)

    @property
    def ticks(self) -> tuple[str, ...]:
        """What stands beside the scale, from the top downwards."""
        return tuple(str(self.shown(self.bottom + (self.top - self.bottom) * part)) for part in (1, 0.5, 0))

    @property
    def shown_labels(self) -> tuple[str, ...]:
        """The labels that stand below the drawing: first, middle and last, as far as there are so many."""
        if len(self.labels) <= 2:  # noqa: PLR2004  (nothing is between them)
            return self.labels
        return self.labels[0], self.labels[len(self.labels) // 2], self.labels[-1]

    @property
    def tones(self) -> tuple[str, ...]:
        """The class of each series' colour."""
        return tuple(
            f"tone-{series.tone}" if series.tone else f"series-{at + 1}" for at, series in enumerate(self.series)
        )

    def shown(self, value: Value) -> str | Markup:
        """A value as it stands in texts and in the table."""
        if value is None:
            return formats.NOTHING
        if self.is_share:
            return f"{float(value) * _PERCENT:.1f} %"
        return (
            f"{value:,.2f}"
            if isinstance(value, Decimal)
            else f"{round(value, 1):,g}"
            if value % 1
            else f"{int(value):,}"
        )

    def bars(self) -> Iterator[Bar]:
        """The bars: each label's on top of each other, or beside each other."""
        room = WIDTH / max(len(self.labels), 1)
        width = min(room * (1 - _GAP), _WIDEST)
        is_stacked = self.kind == "bars"
        top, tones = self.top, self.tones
        own = width if is_stacked else width / len(self.series)
        for at, label in enumerate(self.labels):
            left, below = room * at + (room - width) / 2, 0.0
            for place, (series, tone) in enumerate(zip(self.series, tones, strict=True)):
                value = series.values[at]
                height = HEIGHT * float(value or 0) / top
                if height > 0:
                    title = f"{label}: {series.name} {self.shown(value)}"
                    x = left if is_stacked else left + own * place
                    yield Bar(_round(x), _round(HEIGHT - below - height), _round(own), _round(height), tone, title)
                    below += height if is_stacked else 0.0

    def lines(self) -> Iterator[Line]:
        """The series as lines; where nothing is known there is a gap."""
        dashes = ("", "6 4", "2 3", "9 3 2 3", "1 3", "12 4")
        for series, tone, dash in zip(self.series, self.tones, dashes, strict=False):
            yield Line(self._path(series), self._dots(series), tone, dash, series.name)

    def summary(self) -> str:
        """The drawing in a sentence, for who does not see it."""
        if self.is_empty:
            return f"{self.title}: nothing."
        parts = [_("From %(first)s to %(last)s", first=self.labels[0], last=self.labels[-1])]
        for series in self.series:
            known = [
                (value, label) for value, label in zip(series.values, self.labels, strict=True) if value is not None
            ]
            if known:
                (most, most_at), (least, least_at) = max(known, key=_value), min(known, key=_value)
                parts.append(
                    _(
                        "%(name)s: at most %(most)s (%(most_at)s), at least %(least)s (%(least_at)s), last %(last)s",
                        name=series.name,
                        most=self.shown(most),
                        most_at=most_at,
                        least=self.shown(least),
                        least_at=least_at,
                        last=self.shown(known[-1][0]),
                    )
                )
        return f"{'. '.join(parts)}."

    def rows(self) -> list[tuple[str, str, list[str | Markup]]]:
        """Rows of the table, the newest first: label, where it leads, values."""
        links = self.links or ("",) * len(self.labels)
        rows = [
            (label, link, [self.shown(series.values[at]) for series in self.series])
            for at, (label, link) in enumerate(zip(self.labels, links, strict=True))
        ]
        return rows[::-1]

    def _heights(self) -> Iterator[float]:
        for at in range(len(self.labels)):
            values = [float(series.values[at] or 0) for series in self.series]
            yield sum(values) if self.kind == "bars" else max(values, default=0.0)

    def _points(self, series: Series) -> list[tuple[float, float] | None]:
        top, bottom = self.top, self.bottom
        room = WIDTH / max(len(self.labels), 1)
        return [
            None
            if value is None
            else (_round(room * (at + 0.5)), _round(HEIGHT - HEIGHT * (float(value) - bottom) / (top - bottom)))
            for at, value in enumerate(series.values)
        ]

    def _path(self, series: Series) -> str:
        parts, before = list[str](), None
        for point in self._points(series):
            if point is not None:
                parts.append(f"{'L' if before else 'M'}{point[0]} {point[1]}")
            before = point
        return "".join(parts)

    def _dots(self, series: Series) -> str:
        """Lines without length, which round ends make dots of, however the drawing is stretched."""
        points = [None, *self._points(series), None]
        lonely = (
            point
            for before, point, after in zip(points, points[1:], points[2:], strict=False)
            if point is not None and (before is None or after is None)
        )
        return "".join(f"M{x} {y}h0" for x, y in lonely)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a funnel: how many came so far, and where they are listed ("": nowhere)."""

    name: str
    rows: int
    address: str = ""
    tone: str = ""
    note: str = ""


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """Steps from many to few."""

    id: str
    title: str
    steps: tuple[Step, ...]

    def bars(self) -> list[tuple[Step, float, str]]:
        """Each step with its bar's length, in hundredths of the room, and its share of the first step."""
        most = max((step.rows for step in self.steps), default=0) or 1
        first = self.steps[0].rows if self.steps else 0
        return [(step, _round(WIDTH * step.rows / most), share(step.rows, first)) for step in self.steps]


def filled(rows: Iterable[Any], since: date, until: date) -> list[tuple[date, Any]]:
    """Every day from one to the other with its row, None where there is none: a gap in time is one in a drawing."""
    known = {row.day: row for row in rows}
    days = (date.fromordinal(at) for at in range(since.toordinal(), until.toordinal() + 1))
    return [(day, known.get(day)) for day in days]


def day_label(day: date) -> str:
    """A day as it stands beside a scale."""
    return f"{day:%d %b}".lstrip("0")


def share(part: float, whole: float) -> str:
    """A part as per cent; "" of nothing."""
    return f"{_PERCENT * part / whole:.1f} %" if whole else ""


def round_up(value: float) -> float:
    """The next round number, one digit times a power of ten, whose half is whole, too."""
    if value <= 2:  # noqa: PLR2004
        return 2.0
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(step * power for step in _STEPS if step * power >= value and (step * power) % 2 == 0)


def of_rows(names: Sequence[tuple[str, str, str]], rows: Sequence[Any]) -> tuple[Series, ...]:
    """Series of rows' attributes: (attribute, name for people, tone); of a row that is None: nothing."""
    return tuple(
        Series(name=translated(name), tone=tone, values=tuple(0 if row is None else getattr(row, key) for row in rows))
        for key, name, tone in names
    )


def _round(value: float) -> float:
    return round(value, 3)


def _value(pair: tuple[Any, str]) -> Any:
    return pair[0]
