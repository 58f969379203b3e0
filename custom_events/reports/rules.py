"""When a schedule is due: hourly, daily, weekly or monthly at a local time, in a zone of the one source of zones. Pure.

A local time that a night leaves out (clocks put forward) is the moment that it would have been: 02:30 in Europe/Berlin runs at 03:30 that
night. One that comes twice is its first. So each day has one moment, and no night has none or two.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final

import msgspec

from custom_events.conditions.problems import Problem
from custom_events.reports.periods import PeriodName
from custom_events.values import zones

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LAST_MONTH_DAY: Final = 31  # in shorter months: their last day
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_MARGIN: Final = timedelta(days=2)  # a zone is up to 14 hours ahead of UTC or 12 behind


class Every(StrEnum):
    """How often."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class ScheduleRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`at`: HH:MM by the clocks of `time_zone` (an IANA name); of an hourly rule the minutes count alone. `weekday`: 1 (Monday) to 7, of a
    weekly one; `month_day`: 1 to 31 of a monthly one, the last day where the month is shorter."""

    every: Every
    at: str = "06:00"
    weekday: int = 1
    month_day: int = 1
    time_zone: str = "UTC"


# The periods that are another one each time that such a rule is due; a longer one would give the same report again.
PERIODS: Final = {
    Every.HOUR: (PeriodName.TODAY, PeriodName.MONTH_TO_DATE),
    Every.DAY: (PeriodName.YESTERDAY, PeriodName.LAST_7_DAYS, PeriodName.MONTH_TO_DATE, PeriodName.TODAY),
    Every.WEEK: tuple(name for name in PeriodName if name is not PeriodName.LAST_MONTH),
    Every.MONTH: tuple(PeriodName),
}


def problems(rule: ScheduleRule, period: PeriodName) -> Iterator[Problem]:
    """What of a rule, with the period of its report, cannot be used."""
    if _time_of(rule) is None:
        yield Problem(path="rule.at", wrong="it is no time of day", right="HH:MM, 06:30 for example")
    if not 1 <= rule.weekday <= len(WEEKDAYS):
        yield Problem(path="rule.weekday", wrong="there is no such weekday", right="1 (Monday) to 7 (Sunday)")
    if not 1 <= rule.month_day <= LAST_MONTH_DAY:
        yield Problem(path="rule.month_day", wrong="no month has this day", right=f"1 to {LAST_MONTH_DAY}")
    if rule.time_zone not in zones.names():
        right = f"an IANA name, {zones.EXAMPLE} for example"
        yield Problem(path="rule.time_zone", wrong="it is no time zone", right=right)
    if period not in PERIODS[rule.every]:
        wrong = f"every {rule.every} the report of {period} would be the same again"
        right = f"a rule that comes less often, or a report of {', '.join(PERIODS[rule.every])}"
        yield Problem(path="rule.every", wrong=wrong, right=right)


def occurrences(rule: ScheduleRule, since: datetime, until: datetime) -> Iterator[datetime]:
    """The moments at which a rule is due, UTC, in order: from `since` on, `until` included. The rule must be without problems."""
    for moment in _from(rule, since):
        if moment > until:
            return
        yield moment


def next_times(rule: ScheduleRule, since: datetime, count: int) -> list[datetime]:
    """The next moments from `since` on at which a rule is due, UTC."""
    return list(islice(_from(rule, since), count))


def in_words(rule: ScheduleRule) -> str:
    """`every Monday at 06:30, Europe/Berlin`."""
    match rule.every:
        case Every.HOUR:
            return f"every hour at minute {rule.at[-2:]}, {rule.time_zone}"
        case Every.DAY:
            when = "every day"
        case Every.WEEK:
            when = f"every {WEEKDAYS[rule.weekday - 1]}"
        case Every.MONTH:
            when = f"on day {rule.month_day} of every month"
    return f"{when} at {rule.at}, {rule.time_zone}"


def moment_in_words(moment: datetime, zone: str) -> str:
    """`Monday, 30 November 2026, 06:30 (UTC+01:00)`."""
    there = moment.astimezone(zones.zone(zone))
    offset = there.strftime("%z")
    day = f"{WEEKDAYS[there.weekday()]}, {there.day} {there:%B %Y}, {there:%H:%M}"
    return f"{day} (UTC{offset[:3]}:{offset[3:5]})"


def _from(rule: ScheduleRule, since: datetime) -> Iterator[datetime]:
    moments = _hourly(rule, since) if rule.every is Every.HOUR else _by_days(rule, since)
    return (moment for moment in moments if moment >= since)


def _hourly(rule: ScheduleRule, since: datetime) -> Iterator[datetime]:
    """One in each hour of UTC: in the repeated hour two, in the hour that is left out none, as clocks show them."""
    zone, minute = zones.zone(rule.time_zone), _at(rule).minute
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while True:
        offset = hour.astimezone(zone).utcoffset() or timedelta(0)
        yield hour + timedelta(minutes=(minute - offset // timedelta(minutes=1)) % 60)
        hour += _HOUR


def _by_days(rule: ScheduleRule, since: datetime) -> Iterator[datetime]:
    zone, at = zones.zone(rule.time_zone), _at(rule)
    day = (since - _MARGIN).date()
    while True:
        if _is_due_on(rule, day):
            yield datetime.combine(day, at, tzinfo=zone).astimezone(UTC)  # fold 0: the first, or what would have been
        day += _DAY


def _is_due_on(rule: ScheduleRule, day: date) -> bool:
    match rule.every:
        case Every.WEEK:
            return day.isoweekday() == rule.weekday
        case Every.MONTH:
            is_last = (day + _DAY).day == 1
            return day.day == rule.month_day or (is_last and day.day < rule.month_day)
        case _:
            return True


def _at(rule: ScheduleRule) -> time:
    at = _time_of(rule)
    if at is None:
        raise ValueError(f"the rule was not checked: {rule.at!r} is no time of day")
    return at


def _time_of(rule: ScheduleRule) -> time | None:
    hours, colon, minutes = rule.at.partition(":")
    if not colon or not all(len(part) == len("06") and part.isascii() and part.isdigit() for part in (hours, minutes)):
        return None
    hour, minute = int(hours), int(minutes)
    return time(hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004  (of a day, of an hour)
