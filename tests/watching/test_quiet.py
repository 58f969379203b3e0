"""Laws of the watch of traffic: steady traffic alarms nobody, silence is always found in a time that the usual decides."""

import math
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.values.zones import zone
from custom_events.watching import quiet as law
from custom_events.watching.quiet import LEAST_USUAL, WINDOWS_H, Hour, quiet

HOUR = timedelta(hours=1)
# Weeks that hold a change to summer time or back, of both halves of the earth, and weeks without one.
ENDS = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((4, 6), (11, 9), (7, 20), (4, 13))]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
HISTORY_H = 24 * 7 * 9


def traffic(random: Random, end: datetime, name: str, a_day: float, *, closed_at_night: bool) -> list[Hour]:
    """Poisson traffic by the clock on the wall: little at night or none, less on Sundays."""
    there = zone(name)
    hours: list[Hour] = []
    for place in range(HISTORY_H, 0, -1):
        at = end - place * HOUR
        local = at.astimezone(there)
        weight = 1 + math.sin((local.hour - 8) / 24 * 2 * math.pi) if 6 <= local.hour < 23 else 0.05
        if closed_at_night and not 6 <= local.hour < 23:
            weight = 0
        expected = a_day * weight / 17 * (0.6 if local.weekday() == 6 else 1.0)
        count = poisson(random, expected)
        if count:
            hours.append(Hour(at, count))
    return hours


def poisson(random: Random, expected: float) -> int:
    if expected > 50:
        return max(0, round(random.gauss(expected, math.sqrt(expected))))
    limit, product, count = math.exp(-expected), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    end=st.sampled_from(ENDS),
    name=st.sampled_from(ZONES),
    a_day=st.sampled_from([0.5, 3.0, 20.0, 200.0, 5_000.0]),
    closed_at_night=st.booleans(),
)
def test_steady_traffic_alarms_nobody(
    seed: int, end: datetime, name: str, a_day: float, *, closed_at_night: bool
) -> None:
    hours = traffic(Random(seed), end, name, a_day, closed_at_night=closed_at_night)
    since = end - HISTORY_H * HOUR
    for back in range(0, 24 * 10, 5):
        until = end - back * HOUR
        assert quiet([hour for hour in hours if hour.at < until], since, until, zone(name)) is None


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    end=st.sampled_from(ENDS),
    name=st.sampled_from(ZONES),
    a_day=st.sampled_from([3.0, 20.0, 200.0, 5_000.0]),
    hour=st.integers(0, 23),
    closed_at_night=st.booleans(),
)
def test_silence_is_found_as_soon_as_enough_is_missing(
    seed: int, end: datetime, name: str, a_day: float, hour: int, *, closed_at_night: bool
) -> None:
    """It began some hours before `end`: as many as bring what must be missing, by the usual of the weeks before."""
    hours = traffic(Random(seed), end, name, a_day, closed_at_night=closed_at_night)
    since, there = end - HISTORY_H * HOUR, zone(name)
    counts = law._Counts(hours)
    until = end - hour * HOUR
    needed = next(
        length for length in WINDOWS_H if (law._usual(counts, since, until, length, there) or 0.0) >= LEAST_USUAL
    )
    silent = [one for one in hours if one.at < until - needed * HOUR]
    found = quiet(silent, since, until, there)
    assert found is not None
    assert found.hours >= needed


@pytest.mark.parametrize(("a_day", "within_h"), [(2_400.0, 1), (240.0, 4), (24.0, 36), (10.0, 72), (5.0, 168)])
def test_how_long_it_takes_at_even_traffic(a_day: float, within_h: int) -> None:
    end = datetime(2026, 7, 20, tzinfo=UTC)
    step = timedelta(days=1 / a_day)
    counts: dict[datetime, int] = {}
    at = end - HISTORY_H * HOUR
    while at < end - within_h * HOUR:
        begin = at.replace(minute=0, second=0, microsecond=0)
        counts[begin] = counts.get(begin, 0) + 1
        at += step
    hours = [Hour(begin, count) for begin, count in sorted(counts.items())]
    found = quiet(hours, end - HISTORY_H * HOUR, end, UTC)
    assert found is not None
    assert found.events == 0


def steady(end: datetime, count: int, length: int = HISTORY_H) -> list[Hour]:
    return [Hour(end - place * HOUR, count) for place in range(length, 0, -1)]


def test_without_three_weeks_of_history_nothing_is_judged() -> None:
    end = datetime(2026, 7, 20, tzinfo=UTC)
    three_weeks = 3 * 7 * 24
    for history, is_judged in ((three_weeks - 24, False), (three_weeks + 24, True)):
        hours = steady(end, 100, history)[:-12]
        assert (quiet(hours, end - history * HOUR, end, UTC) is not None) is is_judged


def test_one_hole_of_a_week_is_no_new_usual_and_traffic_that_is_back_is_not_quiet() -> None:
    end = datetime(2026, 7, 20, tzinfo=UTC)
    since = end - HISTORY_H * HOUR
    hole = [hour for hour in steady(end, 100) if not end - timedelta(days=9) <= hour.at < end - timedelta(days=7)]
    assert quiet(hole, since, end, UTC) is None
    outage = [hour for hour in steady(end, 100) if not end - timedelta(hours=40) <= hour.at < end - timedelta(hours=2)]
    assert quiet(outage, since, end, UTC) is None
    assert quiet([hour for hour in outage if hour.at < end - timedelta(hours=2)], since, end, UTC) is not None


def test_a_third_of_the_usual_is_quiet_and_two_thirds_are_not() -> None:
    end = datetime(2026, 7, 20, tzinfo=UTC)
    since = end - HISTORY_H * HOUR
    for share, is_quiet in ((33, True), (67, False)):
        hours = steady(end, 100)[:-48] + [Hour(end - place * HOUR, share) for place in range(48, 0, -1)]
        assert (quiet(hours, since, end, UTC) is not None) is is_quiet


def test_the_chance_of_so_few() -> None:
    assert law._poisson(0, 10) == pytest.approx(math.exp(-10))
    assert law._poisson(2, 4) == pytest.approx(math.exp(-4) * (1 + 4 + 8))
    assert law._poisson(4, 4) == 1.0
    assert law._poisson(40_000, 50_000) < 1e-300
