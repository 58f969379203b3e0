"""Whether less comes than is usual: the law by which sites, topics and lanes are found to have gone quiet. Pure.

What came in the last hours is laid beside the same hours of the week, by the clock on the wall, of weeks before: their median, which one
holiday does not move. It is quiet where even half of the usual would bring so little less than once in a million times (Poisson). So a
night alarms nobody, and a change to summer time moves no more than an hour; the less there is, the longer it takes to be sure.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median
from typing import Final

import msgspec

WINDOWS_H: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 48, 72, 96, 120, 168, 240, 336)  # lengths that are looked at
WEEKS: Final = 6  # weeks before that are laid beside
LEAST_WEEKS: Final = 3  # without so many nothing is judged
SHARE: Final = 0.5  # of the usual: traffic that is merely weak, on a holiday, is not quiet
CHANCE: Final = 1e-6  # of one false alarm in one window: one in a hundred years for a site looked at hourly
LEAST_USUAL: Final = -math.log(CHANCE) / SHARE  # events that are usual in a window before silence in it is judged: 27.6
KEPT: Final = timedelta(weeks=WEEKS) + 2 * timedelta(hours=WINDOWS_H[-1])  # hours that are needed: ten weeks

HOUR: Final = timedelta(hours=1)
WEEK: Final = timedelta(weeks=1)


class Hour(msgspec.Struct, frozen=True):
    """Events of one hour, by its beginning; hours without any are left out."""

    at: datetime
    events: int


class Quiet(msgspec.Struct, frozen=True):
    """In the last `hours` there were `events`, and `usual` would have been more than twice as many."""

    hours: int
    events: int
    usual: int


def quiet(hours: Sequence[Hour], since: datetime, until: datetime, zone: tzinfo) -> Quiet | None:
    """The longest window before `until` (UTC, a whole hour) in which it was quiet; None: in none, or what came since is more than half of the
    usual again. `hours` ascend; those from `since` on were counted."""
    counts = _Counts(hours)
    longest: Quiet | None = None
    is_first = True
    for length in WINDOWS_H:
        usual = _usual(counts, since, until, length, zone)
        if usual is None or usual < LEAST_USUAL:
            continue
        events = counts.between(until - length * HOUR, until)
        if is_first and events > usual * SHARE:
            return None
        is_first = False
        if _poisson(events, usual * SHARE) < CHANCE:
            longest = Quiet(length, events, round(usual))
    return longest


class _Counts:
    """Sums between two moments, by what had come until each hour."""

    def __init__(self, hours: Sequence[Hour]) -> None:
        self._at = [hour.at for hour in hours]
        self._before = [0]
        for hour in hours:
            self._before.append(self._before[-1] + hour.events)

    def between(self, begin: datetime, end: datetime) -> int:
        """Events of the hours that begin in `begin` to before `end`."""
        return self._before[bisect_left(self._at, end)] - self._before[bisect_left(self._at, begin)]


def _usual(counts: _Counts, since: datetime, until: datetime, length: int, zone: tzinfo) -> float | None:
    """The median of the same window of weeks before, which are over when this one begins; None: too few were counted."""
    first = math.ceil(length * HOUR / WEEK)
    sums: list[int] = []
    for weeks in range(first, first + WEEKS):
        begin, end = (_weeks_before(moment, weeks, zone) for moment in (until - length * HOUR, until))
        if begin < since:
            break
        sums.append(counts.between(begin, end))
    return median(sums) if len(sums) >= LEAST_WEEKS else None


def _weeks_before(moment: datetime, weeks: int, zone: tzinfo) -> datetime:
    """The same time on the wall so many weeks before."""
    wall = moment.astimezone(zone).replace(tzinfo=None) - weeks * WEEK
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _poisson(events: int, expected: float) -> float:
    """The chance of so many events or fewer, where `expected` come on the average; 1 where there are not fewer."""
    if events >= expected:
        return 1.0
    term = math.exp(events * math.log(expected) - expected - math.lgamma(events + 1))
    total, count = term, events
    while count > 0 and term > total * 1e-12:  # what is left is nothing beside it
        term *= count / expected
        count -= 1
        total += term
    return total
