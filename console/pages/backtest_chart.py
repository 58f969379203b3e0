"""The days of a backtest as bars, drawn by the server: one for what is recorded, one for what would be. The table beside it has the same."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from custom_events.backtest.result import Day

# In units of the picture, which is as wide as its place: the height follows.
WIDTH: Final = 720
HEIGHT: Final = 190
LEFT, RIGHT, TOP, BOTTOM = 52, 4, 14, 26  # room for the scale, and for the days below
WIDEST_BAR: Final = 16
STEPS: Final = (1, 2, 5, 10)  # a scale's numbers are these times a power of ten
MOST_LINES: Final = 4  # of the scale
MOST_LABELS: Final = 6  # days that are named below


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar. `kind`: now or then."""

    kind: str
    x: float
    y: float
    width: float
    height: float


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A number of the scale, or a day below, with where it stands."""

    at: float
    text: str


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    """A day in the table; `amounts`: by currency what they are worth now and would be."""

    day: date
    number_now: int
    number_then: int
    amounts: tuple[tuple[str | None, Decimal, Decimal], ...]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """The picture and its table."""

    width: int
    height: int
    left: int
    floor: int
    bars: tuple[Bar, ...]
    lines: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    rows: tuple[DayRow, ...]


def chart_of(days: Sequence[Day]) -> Chart:
    """The days of a backtest, currencies of one day together."""
    rows = _rows(days)
    step = _step(max((max(row.number_now, row.number_then) for row in rows), default=0))
    most = max((max(row.number_now, row.number_then) for row in rows), default=0)
    top = max(-(-most // step), 1) * step
    floor = HEIGHT - BOTTOM
    scale = (floor - TOP) / top
    room = (WIDTH - LEFT - RIGHT) / max(len(rows), 1)
    wide = min(room * 0.4, WIDEST_BAR)
    bars: list[Bar] = []
    for place, row in enumerate(rows):
        middle = LEFT + room * (place + 0.5)
        for kind, number, x in (("now", row.number_now, middle - wide), ("then", row.number_then, middle)):
            if number:
                height = number * scale
                bars.append(
                    Bar(kind=kind, x=_round(x), y=_round(floor - height), width=_round(wide), height=_round(height))
                )
    every = -(-len(rows) // MOST_LABELS) or 1
    labels = tuple(
        Mark(at=_round(LEFT + room * (place + 0.5)), text=f"{row.day:%d %b}".lstrip("0"))
        for place, row in enumerate(rows)
        if place % every == 0
    )
    lines = tuple(Mark(at=_round(floor - number * scale), text=f"{number:,}") for number in range(0, top + 1, step))
    return Chart(
        width=WIDTH, height=HEIGHT, left=LEFT, floor=floor, bars=tuple(bars), lines=lines, labels=labels, rows=rows
    )


def _rows(days: Sequence[Day]) -> tuple[DayRow, ...]:
    by_day: dict[date, list[Day]] = {}
    for day in days:
        by_day.setdefault(day.day, []).append(day)
    return tuple(
        DayRow(
            day=day,
            number_now=sum(part.number_now for part in parts),
            number_then=sum(part.number_then for part in parts),
            amounts=tuple((part.currency, part.value_now, part.value_then) for part in parts),
        )
        for day, parts in sorted(by_day.items())
    )


def _step(most: int) -> int:
    """The distance of the scale's lines: the least round number that keeps them few."""
    power = 1
    while True:
        for step in STEPS:
            if most <= step * power * MOST_LINES:
                return step * power
        power *= 10


def _round(number: float) -> float:
    return round(number, 1)
