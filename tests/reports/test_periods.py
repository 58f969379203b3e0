"""Periods relative to a run: by local days, over month ends and nights on which clocks change."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.reports.periods import WORDS, Period, PeriodName, period_of, start_of
from custom_events.values import zones

ZONES = st.sampled_from(
    ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "UTC", "Asia/Beirut")
)
MOMENTS = st.datetimes(datetime(2001, 1, 2), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("yesterday", "2026-02-28", "2026-02-28"),
        ("last_7_days", "2026-02-22", "2026-02-28"),
        ("last_iso_week", "2026-02-16", "2026-02-22"),
        ("last_month", "2026-02-01", "2026-02-28"),
        ("month_to_date", "2026-03-01", "2026-03-01"),
        ("today", "2026-03-01", "2026-03-01"),
    ],
)
def test_a_sunday_that_begins_a_month(name: str, first: str, last: str) -> None:
    """23:30 UTC of the last of February is the first of March in Berlin."""
    period = period_of(PeriodName(name), datetime(2026, 2, 28, 23, 30, tzinfo=UTC), "Europe/Berlin")
    assert (str(period.first), str(period.last)) == (first, last)


@given(st.sampled_from(PeriodName), MOMENTS, ZONES)
def test_a_period_has_the_days_that_its_name_says(name: PeriodName, at: datetime, zone: str) -> None:
    period = period_of(name, at, zone)
    today = at.astimezone(zones.zone(zone)).date()
    days = (period.last - period.first).days + 1
    assert days == {"last_7_days": 7, "last_iso_week": 7}.get(name, days)
    match name:
        case PeriodName.MONTH_TO_DATE | PeriodName.TODAY:
            assert period.last == today
        case PeriodName.LAST_ISO_WEEK:
            assert period.first.isoweekday() == 1
            assert period.last < today <= period.last + timedelta(days=7)
        case PeriodName.LAST_MONTH:
            assert period.first.day == 1
            assert (period.last + timedelta(days=1)) == today.replace(day=1)
        case _:
            assert period.last == today - timedelta(days=1)


@given(st.dates(date(2001, 1, 1), date(2040, 1, 1)), ZONES)
def test_days_follow_each_other_without_a_gap(day: date, zone: str) -> None:
    """A moment before a day's first is of another day, and its first moment is of it, also where no midnight is."""
    begins = start_of(day, zone)
    there = zones.zone(zone)
    if zone != "Pacific/Apia":  # which left a whole day out
        assert begins.astimezone(there).date() == day
    assert (begins - timedelta(microseconds=1)).astimezone(there).date() < day
    period = Period(first=day, last=day, zone=zone)
    assert period.ends_at == start_of(day + timedelta(days=1), zone)
    assert period.begins_at <= period.ends_at


def test_a_day_of_a_changed_clock_has_its_own_length() -> None:
    lengths = [
        Period(first=day, last=day, zone="Europe/Berlin")
        for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 1))
    ]
    hours = [(period.ends_at - period.begins_at) / timedelta(hours=1) for period in lengths]
    assert hours == [23, 25, 24]


def test_what_it_is_called() -> None:
    one, some = (Period(first=date(2026, 11, day), last=date(2026, 11, 29), zone="UTC") for day in (29, 23))
    assert (str(one), one.key) == ("2026-11-29", "2026-11-29")
    assert (str(some), some.key) == ("2026-11-23 to 2026-11-29", "2026-11-23_2026-11-29")
    assert set(WORDS) == set(PeriodName)
