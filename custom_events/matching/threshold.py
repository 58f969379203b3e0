"""Thresholds: how many, or how much, over time. Pure decisions over a history of occurrences.

An *occurrence* is an event that satisfies an assignment's trigger, dates and conditions. Occurrences stand in the order of
the store's time; the event's key breaks ties, so that two events of one second are never both "the third". For each one the
measure just *before* it and the measure *with* it are taken over its period, and

    on_reaching    before < at_least <= with
    every_further  at_least <= with
    every_nth      a multiple of at_least lies in (before, with]

Period: a rolling window holds what happened after (t - window) up to t; calendar periods are those of the site's time zone;
a lifetime holds everything. Just before t, a rolling window still holds what happened at t - window: a measure that falls
at the very moment it rises has not been below.

Nothing here knows the order of arrival. A late event is decided by inserting it; `affected_until` says how far the verdicts
of later occurrences may change by it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import NamedTuple

import msgspec

from custom_events.values.definitions import Threshold, ThresholdFires, ThresholdMeasure, ThresholdPeriod

_MONTHS = {ThresholdPeriod.MONTH: 1, ThresholdPeriod.QUARTER: 3, ThresholdPeriod.YEAR: 12}


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One event that counts. `amount` and `currency` matter to sums only, `customer` where a site's history mixes them."""

    occurred_at: datetime
    key: str
    amount: Decimal | None = None
    currency: str | None = None
    customer: str | None = None


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """One occurrence's place in its history: the measure before and with it, and those that were counted (itself last)."""

    before: Decimal
    after: Decimal
    fires: bool
    counted: tuple[Occurrence, ...] = ()


def crossing(threshold: Threshold, history: Iterable[Occurrence], this: Occurrence, zone: tzinfo) -> Crossing:
    """`this` among the history of its scope (one customer's, or the site's). It may stand in the history already."""
    everything = [this, *(other for other in history if other.key != this.key)]
    for series in _series(threshold, everything):
        for index, place in enumerate(_places(threshold, series, zone)):
            if series[index].key == this.key:
                counted = tuple(series[place.first : index + 1])
                return Crossing(
                    before=place.before,
                    after=place.after,
                    fires=fires(threshold, place.before, place.after),
                    counted=counted,
                )
    # A sum in another currency than the threshold's: the event does not count at all.
    return Crossing(before=Decimal(0), after=Decimal(0), fires=False)


def reached(threshold: Threshold, history: Iterable[Occurrence], this: Occurrence, zone: tzinfo) -> bool:
    """Whether the threshold fires on `this`."""
    return crossing(threshold, history, this, zone).fires


def fired(threshold: Threshold, occurrences: Iterable[Occurrence], zone: tzinfo) -> list[Occurrence]:
    """All occurrences of one scope that the threshold fires on, in the order of time. Keys are unique."""
    found = [
        one
        for series in _series(threshold, occurrences)
        for one, place in zip(series, _places(threshold, series, zone), strict=True)
        if fires(threshold, place.before, place.after)
    ]
    return sorted(found, key=in_order)


def in_order(one: Occurrence) -> tuple[datetime, str]:
    """The sort key of occurrences: the store's time, ties by the event's key."""
    return one.occurred_at, one.key


def fires(threshold: Threshold, before: Decimal, after: Decimal) -> bool:
    """The decision itself, from the measure just before and with an occurrence."""
    match threshold.fires:
        case ThresholdFires.REACHING:
            return before < threshold.at_least <= after
        case ThresholdFires.EVERY_FURTHER:
            return after >= threshold.at_least
        case ThresholdFires.EVERY_NTH:
            return threshold.at_least > 0 and after // threshold.at_least > before // threshold.at_least


def look_back(threshold: Threshold, occurred_at: datetime, zone: tzinfo) -> datetime | None:
    """The time from which occurrences matter to one at `occurred_at`; None: all of them."""
    if threshold.period is ThresholdPeriod.ROLLING and threshold.window_days:
        return occurred_at - timedelta(days=threshold.window_days)
    first = period_start(threshold.period, occurred_at, zone)
    return None if first is None else _midnight(first, zone)


def affected_until(threshold: Threshold, occurred_at: datetime, zone: tzinfo) -> datetime | None:
    """The time up to which verdicts may change when an occurrence at `occurred_at` comes late; None: no end."""
    if threshold.period is ThresholdPeriod.ROLLING and threshold.window_days:
        return occurred_at + timedelta(days=threshold.window_days)
    first = period_start(threshold.period, occurred_at, zone)
    return None if first is None else _midnight(_next_period(threshold.period, first), zone)


def period_start(period: ThresholdPeriod, moment: datetime, zone: tzinfo) -> date | None:
    """First day of the calendar period that `moment` falls into at the site; None for rolling windows and lifetimes."""
    day = moment.astimezone(zone).date()
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


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


class _Place(NamedTuple):
    """Where an occurrence stands in its series: the first one counted with it, the measure before and with it."""

    first: int
    before: Decimal
    after: Decimal


def _series(threshold: Threshold, occurrences: Iterable[Occurrence]) -> list[list[Occurrence]]:
    """The occurrences in the order of time; for a sum one series for each currency."""
    ordered = sorted(occurrences, key=in_order)
    if threshold.measure is ThresholdMeasure.COUNT:
        return [ordered]
    currencies = {one.currency for one in ordered} if threshold.currency is None else {threshold.currency}
    return [[one for one in ordered if one.currency == currency] for currency in currencies]


def _places(threshold: Threshold, ordered: Sequence[Occurrence], zone: tzinfo) -> Iterator[_Place]:
    """The place of each occurrence of one series, in one pass."""
    sums = [Decimal(0)]
    for one in ordered:
        sums.append(sums[-1] + (1 if threshold.measure is ThresholdMeasure.COUNT else one.amount or 0))
    window = timedelta(days=threshold.window_days or 0)
    first = first_before = 0
    period: date | None = None
    for index, one in enumerate(ordered):
        if threshold.period is ThresholdPeriod.ROLLING and threshold.window_days:
            while ordered[first].occurred_at <= one.occurred_at - window:
                first += 1
            while ordered[first_before].occurred_at < one.occurred_at - window:
                first_before += 1
        else:
            start = period_start(threshold.period, one.occurred_at, zone)
            if start != period:
                first = first_before = index
                period = start
        yield _Place(first, sums[index] - sums[first_before], sums[index + 1] - sums[first])
