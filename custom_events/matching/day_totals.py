"""Whole days of a threshold at once: on which of them every verdict is known from sums, so that their events need not be read. Pure.

A measure that only rises passes a limit once. So a day whose events all lie below it, or all above it, decides for each of them, and
what has to be read one by one are the few days on which a limit is passed. It holds for calendar periods and lifetimes; a rolling window
has no sum of its own day by day.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from custom_events.matching.threshold import Occurrence, fires, first_day_of
from custom_events.values.definitions import Threshold, ThresholdFires, ThresholdMeasure, ThresholdPeriod

DayKey = tuple[date, str | None]  # a day in the site's time zone, and a currency
_NOTHING = Decimal(0)


class DayTotal(NamedTuple):
    """What counted on one day in one currency. `falling`: how many of the amounts are below zero; None: not known."""

    events: int = 0
    amount: Decimal = _NOTHING
    falling: int | None = 0

    def plus(self, occurrence: Occurrence, sign: int = 1) -> "DayTotal":
        """With an occurrence, or (sign -1) without it."""
        amount = occurrence.amount or _NOTHING
        falling = None if self.falling is None else self.falling + sign * (amount < 0)
        return DayTotal(self.events + sign, self.amount + sign * amount, falling)


class DayPlace(NamedTuple):
    """A day's place in its series: events and measure of the period before it, and what all of its events say (None: they differ, or
    nobody knows)."""

    events: int
    before: Decimal
    verdict: bool | None


def has_days(threshold: Threshold) -> bool:
    """Whether days decide: not for rolling windows."""
    return threshold.period is not ThresholdPeriod.ROLLING


def places(threshold: Threshold, totals: Mapping[DayKey, DayTotal]) -> dict[DayKey, DayPlace]:
    """The place of each day. `totals`: all days from where the first one's period begins."""
    counts = threshold.measure is ThresholdMeasure.COUNT
    known: dict[DayKey, DayPlace] = {}
    running: dict[str | None, tuple[date | None, int, Decimal]] = {}
    by_day: dict[date, list[str | None]] = {}
    for day, currency in totals:
        by_day.setdefault(day, []).append(currency)
    for day in sorted(by_day):
        period = first_day_of(threshold.period, day)
        if counts:  # one series for all currencies
            events = sum(totals[day, currency].events for currency in by_day[day])
            place = _next(threshold, running, None, period, DayTotal(events, Decimal(events)))
            known.update(dict.fromkeys(((day, currency) for currency in by_day[day]), place))
            continue
        for currency in by_day[day]:
            if threshold.currency in (None, currency):
                known[day, currency] = _next(threshold, running, currency, period, totals[day, currency])
            else:
                known[day, currency] = DayPlace(0, _NOTHING, False)
    return known


def _next(
    threshold: Threshold,
    running: dict[str | None, tuple[date | None, int, Decimal]],
    series: str | None,
    period: date | None,
    total: DayTotal,
) -> DayPlace:
    """The day's place; `running` goes on behind it."""
    known_period, events, before = running.get(series, (period, 0, _NOTHING))
    if known_period != period:
        events, before = 0, _NOTHING
    after = before + total.amount
    running[series] = period, events + total.events, after
    return DayPlace(events, before, _verdict(threshold, before, after) if total.falling == 0 else None)


def _verdict(threshold: Threshold, before: Decimal, after: Decimal) -> bool | None:
    """What every occurrence says that takes the measure, which only rises, from somewhere to somewhere between these two."""
    if threshold.fires is ThresholdFires.EVERY_FURTHER and before >= threshold.at_least:
        return True
    return None if fires(threshold, before, after) else False


def without(
    totals: Mapping[DayKey, DayTotal],
    come: Iterable[tuple[DayKey, Occurrence]],
    gone: Iterable[tuple[DayKey, Occurrence]],
) -> dict[DayKey, DayTotal]:
    """The totals as they were before these came and those went."""
    earlier = dict(totals)
    for sign, those in ((-1, come), (1, gone)):
        for key, occurrence in those:
            earlier[key] = earlier.get(key, DayTotal()).plus(occurrence, sign)
    return earlier


def to_read(threshold: Threshold, before: Mapping[DayKey, DayTotal], after: Mapping[DayKey, DayTotal]) -> set[date]:
    """The days on which a verdict may differ between two states of the same history."""
    was, now = places(threshold, before), places(threshold, after)
    days: set[date] = set()
    for key in was.keys() | now.keys():
        if before.get(key) == after.get(key) and was.get(key) == now.get(key):
            continue
        mine, theirs = was.get(key), now.get(key)
        verdicts = {place.verdict for place in (mine, theirs) if place is not None}
        if len(verdicts) > 1 or None in verdicts:
            days.add(key[0])
    return days
