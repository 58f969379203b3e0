"""The days that a report is about, relative to the moment at which it is due. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from custom_events.values import zones

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


class PeriodName(StrEnum):
    """A period relative to a report's run. All but the last two have ended when the report is due."""

    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last_7_days"
    LAST_ISO_WEEK = "last_iso_week"
    LAST_MONTH = "last_month"
    MONTH_TO_DATE = "month_to_date"
    TODAY = "today"


WORDS: Final[Mapping[PeriodName, str]] = {
    PeriodName.YESTERDAY: "the day before",
    PeriodName.LAST_7_DAYS: "the seven days before",
    PeriodName.LAST_ISO_WEEK: "the week before, Monday to Sunday",
    PeriodName.LAST_MONTH: "the month before",
    PeriodName.MONTH_TO_DATE: "the month until that day",
    PeriodName.TODAY: "the day until then",
}


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Days from `first` to `last`, both included, in the zone of this IANA name."""

    first: date
    last: date
    zone: str

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def key(self) -> str:
        """The days, for keys and names of files: 2026-11-29, or 2026-11-23_2026-11-29."""
        return str(self.first) if self.first == self.last else f"{self.first}_{self.last}"

    @property
    def begins_at(self) -> datetime:
        """The first moment of the first day, UTC."""
        return start_of(self.first, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The first moment after the last day, UTC."""
        return start_of(self.last + _DAY, self.zone)


def period_of(name: PeriodName, at: datetime, zone: str) -> Period:
    """The period of this name of a report that is due at a moment. Raises KeyError for a zone nobody knows."""
    today = at.astimezone(zones.zone(zone)).date()
    first, last = _DAYS[name](today)
    return Period(first=first, last=last, zone=zone)


def start_of(day: date, zone: str) -> datetime:
    """The first moment of a day in a zone, UTC: midnight, or where clocks are put forward at midnight the moment at which they are."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zones.zone(zone))
    return midnight.astimezone(UTC)


def _last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - _DAY
    return last.replace(day=1), last


def _last_week(today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday())
    return monday - _WEEK, monday - _DAY


_DAYS: Final[Mapping[PeriodName, Callable[[date], tuple[date, date]]]] = {
    PeriodName.YESTERDAY: lambda today: (today - _DAY, today - _DAY),
    PeriodName.LAST_7_DAYS: lambda today: (today - _WEEK, today - _DAY),
    PeriodName.LAST_ISO_WEEK: _last_week,
    PeriodName.LAST_MONTH: _last_month,
    PeriodName.MONTH_TO_DATE: lambda today: (today.replace(day=1), today),
    PeriodName.TODAY: lambda today: (today, today),
}
