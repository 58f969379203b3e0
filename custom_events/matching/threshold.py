"""Thresholds: how many, or how much, over time. Pure decisions over a history of occurrences; docs/reference/rules.md says it in words.

An *occurrence* is an event that satisfies an assignment's trigger, dates and conditions. Occurrences stand in the order of
the store's time; the event's key breaks ties, so that two events of one second are never both "the third". For each one the
measure just *before* it and the measure *with* it are taken over its period, and

    on_reaching    before < at_least <= with
    every_further  at_least <= with
    every_nth      a multiple of at_least, above 0, lies in (before, with]

Period: a rolling window holds what happened after (t - window) up to t; calendar periods are those of the site's time zone;
a lifetime holds everything. Just before t, a rolling window still holds what happened at t - window: a measure that falls
at the very moment it rises has not been below.

Nothing here knows the order of arrival. A late event is decided by inserting it; `affected_until` says how far the verdicts
of later occurrences may change by it.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple

import msgspec

from custom_events.values.definitions import Threshold, ThresholdFires, ThresholdMeasure, ThresholdPeriod

_NOTHING = Decimal(0)
_BEGINNING = datetime.min.replace(tzinfo=UTC)  # of lifetimes; nothing happened then
_WITHOUT_CALENDAR = (ThresholdPeriod.ROLLING, ThresholdPeriod.LIFETIME)
_MONTHS = {ThresholdPeriod.MONTH: 1, ThresholdPeriod.QUARTER: 3, ThresholdPeriod.YEAR: 12}


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One event that counts. `amount` and `currency` matter to sums only, `customer` where a site's history mixes them.

    It may stand for several `events` in a row: of a long history, those before all that are asked about."""

    occurred_at: datetime
    key: str
    amount: Decimal | None = None
    currency: str | None = None
    customer: str | None = None
    events: int = 1


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """One occurrence's place in its history: the measure before and with it, and those that were counted (itself last)."""

    before: Decimal
    after: Decimal
    fires: bool
    counted: tuple[Occurrence, ...] = ()


def crossing(threshold: Threshold, history: Iterable[Occurrence], this: Occurrence, zone: tzinfo) -> Crossing:
    """`this` among the history of its scope (one customer's, or the site's). It may stand in the history already."""
    tally = Tally(threshold, zone)
    series: list[Occurrence] = []  # those that are measured together with `this`
    for occurrence in sorted([this, *(other for other in history if other.key != this.key)], key=in_order):
        if tally.series_of(occurrence) != tally.series_of(this):
            continue
        series.append(occurrence)
        place = tally.take(occurrence)
        if occurrence.key == this.key:
            counted = tuple(series[len(series) - place.number :])
            return Crossing(before=place.before, after=place.after, fires=place.fires, counted=counted)
    raise AssertionError("`this` is among those taken")


def crossings(threshold: Threshold, occurrences: Iterable[Occurrence], zone: tzinfo) -> dict[str, Crossing]:
    """The place of each occurrence of one scope, by its key, in one pass; without the list of those counted."""
    tally = Tally(threshold, zone)
    return {occurrence.key: tally.crossing(occurrence) for occurrence in sorted(occurrences, key=in_order)}


def reached(threshold: Threshold, history: Iterable[Occurrence], this: Occurrence, zone: tzinfo) -> bool:
    """Whether the threshold fires on `this`."""
    return crossing(threshold, history, this, zone).fires


CountFunction = Callable[[Iterable[Occurrence], datetime, str], bool]


def count_function(threshold: Threshold) -> CountFunction | None:
    """`(history, time, key) -> reached`, for counts over a rolling window or a lifetime: these need neither order nor amounts, so
    one pass decides, ten times as fast as `crossing` over five occurrences. None: the measure must be tallied."""
    decide = _count_decision(threshold)
    days = threshold.window_days if threshold.period is ThresholdPeriod.ROLLING else None
    if decide is None or threshold.period not in _WITHOUT_CALENDAR or (days or 0) < 0:
        return None
    window = timedelta(days=days) if days else None

    def reached(history: Iterable[Occurrence], at: datetime, key: str) -> bool:
        edge = _BEGINNING if window is None else at - window
        before = leaving = 0
        for occurrence in history:
            when = occurrence.occurred_at
            if when < at:
                if when > edge and occurrence.key != key:
                    before += occurrence.events
                elif when == edge and occurrence.key != key:
                    leaving += occurrence.events
            elif when == at and occurrence.key < key:
                before += occurrence.events
        return decide(before + leaving, before + 1)

    return reached


def _count_decision(threshold: Threshold) -> Callable[[int, int], bool] | None:
    """`fires` in whole numbers, which are compared at a third of a decimal's cost."""
    if threshold.measure is not ThresholdMeasure.COUNT or not threshold.at_least.is_finite():
        return None
    least = math.ceil(threshold.at_least)
    match threshold.fires:
        case ThresholdFires.REACHING:
            return lambda before, after: before < least <= after
        case ThresholdFires.EVERY_FURTHER:
            return lambda _before, after: after >= least
        case ThresholdFires.EVERY_NTH:
            if least != threshold.at_least or least < 1:
                return None
            return lambda before, after: after // least > before // least


def fired(threshold: Threshold, occurrences: Iterable[Occurrence], zone: tzinfo) -> list[Occurrence]:
    """All occurrences of one scope that the threshold fires on, in the order of time. Keys are unique."""
    tally = Tally(threshold, zone)
    return [occurrence for occurrence in sorted(occurrences, key=in_order) if tally.take(occurrence).fires]


def in_order(occurrence: Occurrence) -> tuple[datetime, str]:
    """The sort key of occurrences: the store's time, ties by the event's key."""
    return occurrence.occurred_at, occurrence.key


def fires(threshold: Threshold, before: Decimal, after: Decimal) -> bool:
    """The decision itself, from the measure just before and with an occurrence."""
    match threshold.fires:
        case ThresholdFires.REACHING:
            return before < threshold.at_least <= after
        case ThresholdFires.EVERY_FURTHER:
            return after >= threshold.at_least
        case ThresholdFires.EVERY_NTH:
            least = threshold.at_least
            return least > 0 and after >= least and after // least > max(before, _NOTHING) // least


def look_back(threshold: Threshold, occurred_at: datetime, zone: tzinfo) -> datetime | None:
    """The time from which occurrences matter to one at `occurred_at`; None: all of them."""
    if threshold.period is ThresholdPeriod.ROLLING and threshold.window_days:
        return occurred_at - timedelta(days=threshold.window_days)
    first = period_start(threshold.period, occurred_at, zone)
    return None if first is None else midnight(first, zone)


def affected_until(threshold: Threshold, occurred_at: datetime, zone: tzinfo) -> datetime | None:
    """The time up to which verdicts may change when an occurrence at `occurred_at` comes late; None: no end."""
    if threshold.period is ThresholdPeriod.ROLLING and threshold.window_days:
        return occurred_at + timedelta(days=threshold.window_days)
    first = period_start(threshold.period, occurred_at, zone)
    return None if first is None else midnight(_next_period(threshold.period, first), zone)


def period_start(period: ThresholdPeriod, moment: datetime, zone: tzinfo) -> date | None:
    """First day of the calendar period that `moment` falls into at the site; None for rolling windows and lifetimes."""
    return first_day_of(period, moment.astimezone(zone).date())


def first_day_of(period: ThresholdPeriod, day: date) -> date | None:
    """First day of the calendar period that a day falls into; None for rolling windows and lifetimes."""
    match period:
        case ThresholdPeriod.DAY:
            return day
        case ThresholdPeriod.WEEK:
            return day - timedelta(days=day.weekday())
        case ThresholdPeriod.MONTH | ThresholdPeriod.QUARTER | ThresholdPeriod.YEAR:
            months = _MONTHS[period]
            return day.replace(month=(day.month - 1) // months * months + 1, day=1)
        case ThresholdPeriod.ROLLING | ThresholdPeriod.LIFETIME:
            return None


def _next_period(period: ThresholdPeriod, first: date) -> date:
    if period in _MONTHS:
        month = first.month - 1 + _MONTHS[period]
        return first.replace(year=first.year + month // 12, month=month % 12 + 1)
    return first + timedelta(days=7 if period is ThresholdPeriod.WEEK else 1)


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a day begins there, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


class Place(NamedTuple):
    """Where an occurrence stands in its series: how many are counted with it, the measure before and with it."""

    number: int
    before: Decimal
    after: Decimal
    fires: bool


class _Series:
    """One measure that runs along: what its period holds."""

    __slots__ = ("held", "number", "period", "total")

    def __init__(self) -> None:
        self.total, self.number = Decimal(0), 0
        self.period: date | None = None  # of calendar periods: its first day
        self.held: deque[tuple[datetime, Decimal]] = deque()  # of rolling windows


NOT_MEASURED = Place(0, Decimal(0), Decimal(0), fires=False)
_NO_SERIES = "-"  # of an amount in another currency than the threshold's


class Tally:
    """A threshold's measure along the occurrences of one scope, which are taken in the order of time (`in_order`), each once.

    It keeps what a rolling window still holds, and of other periods one sum: a site's millionth order costs what the first did.
    """

    def __init__(self, threshold: Threshold, zone: tzinfo) -> None:
        self._threshold, self._zone = threshold, zone
        days = threshold.window_days if threshold.period is ThresholdPeriod.ROLLING else None
        self._window = timedelta(days=days) if days else None
        self._counts = threshold.measure is ThresholdMeasure.COUNT
        self._series: dict[str | None, _Series] = {}

    def series_of(self, occurrence: Occurrence) -> str | None:
        """A count has one series; a sum one for each currency, or that of the threshold's currency alone."""
        if self._counts:
            return None
        currency = self._threshold.currency
        return occurrence.currency if currency in (None, occurrence.currency) else _NO_SERIES

    def take(self, occurrence: Occurrence) -> Place:
        """Count the next occurrence; where it stands."""
        name = self.series_of(occurrence)
        if name == _NO_SERIES:
            return NOT_MEASURED
        series = self._series.setdefault(name, _Series())
        amount = Decimal(occurrence.events) if self._counts else occurrence.amount or Decimal(0)
        if self._window is not None:
            number, before, after = _roll(series, occurrence.occurred_at, amount, self._window)
        else:
            number, before, after = self._add(series, occurrence.occurred_at, amount)
        return Place(number, before, after, fires(self._threshold, before, after))

    def crossing(self, occurrence: Occurrence) -> Crossing:
        """`take`, as a crossing without the list of those counted."""
        place = self.take(occurrence)
        return Crossing(before=place.before, after=place.after, fires=place.fires)

    def _add(self, series: _Series, at: datetime, amount: Decimal) -> tuple[int, Decimal, Decimal]:
        start = period_start(self._threshold.period, at, self._zone)
        if start != series.period:
            series.period, series.total, series.number = start, Decimal(0), 0
        before = series.total
        series.total += amount
        series.number += 1
        return series.number, before, series.total


def _roll(series: _Series, at: datetime, amount: Decimal, window: timedelta) -> tuple[int, Decimal, Decimal]:
    """Just before `at` the window still holds what happened at its edge; with it no more."""
    held, edge = series.held, at - window
    while held and held[0][0] < edge:
        series.total -= held.popleft()[1]
    before = series.total
    held.append((at, amount))
    series.total += amount
    at_edge = [gone for _, gone in takewhile(lambda pair: pair[0] == edge, held)]
    return len(held) - len(at_edge), before, series.total - sum(at_edge, Decimal(0))
