"""The days of a backtest: drawn as pairs of bars, what is recorded beside what would be; the table has the values, too."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from console.pages.charts import Chart, Series, day_label, filled
from console.pages.translations import _
from custom_events.backtest.result import Day


class BacktestDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day in the table; `amounts`: by currency what they are worth now and would be."""

    day: date
    number_now: int
    number_then: int
    amounts: tuple[tuple[str | None, Decimal, Decimal], ...]


def rows_of(days: Sequence[Day]) -> tuple[BacktestDay, ...]:
    """The days of a backtest in their order, currencies of one day together."""
    by_day: dict[date, list[Day]] = {}
    for day in days:
        by_day.setdefault(day.day, []).append(day)
    return tuple(
        BacktestDay(
            day=day,
            number_now=sum(part.number_now for part in parts),
            number_then=sum(part.number_then for part in parts),
            amounts=tuple((part.currency, part.value_now, part.value_then) for part in parts),
        )
        for day, parts in sorted(by_day.items())
    )


def chart_of(rows: Sequence[BacktestDay]) -> Chart:
    """The days as a drawing; a day on which nothing is and nothing would be has its place, too."""
    days = filled(rows, rows[0].day, rows[-1].day) if rows else []
    return Chart(
        id="backtest-days",
        title=_("Custom events by day"),
        unit=_("days of the site's calendar"),
        labels=tuple(day_label(day) for day, _ in days),
        series=(
            Series(name=_("as it is"), values=tuple(0 if row is None else row.number_now for _, row in days)),
            Series(name=_("as it would be"), values=tuple(0 if row is None else row.number_then for _, row in days)),
        ),
        kind="pairs",
    )
