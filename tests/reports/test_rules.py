"""When a schedule is due: once a day whatever the clocks do, in order, and wherever one begins to look."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.reports.periods import PeriodName
from custom_events.reports.rules import (
    Every,
    ScheduleRule,
    in_words,
    moment_in_words,
    next_times,
    occurrences,
    problems,
)
from custom_events.values import zones

ZONES = st.sampled_from(
    ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "Africa/Casablanca")
)
TIMES = st.times().map(lambda at: f"{at:%H:%M}")
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2037, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
RULES = st.builds(
    ScheduleRule,
    every=st.sampled_from(Every),
    at=TIMES,
    weekday=st.integers(1, 7),
    month_day=st.integers(1, 31),
    time_zone=ZONES,
)
HALF_PAST_TWO = ScheduleRule(every=Every.DAY, at="02:30", time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("night", "moments"),
    [
        (date(2026, 3, 29), ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),  # 02:30 is left out: 03:30
        (
            date(2026, 10, 25),
            ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
        ),  # 02:30 comes twice: the first
    ],
)
def test_half_past_two_comes_once_in_both_nights(night: date, moments: list[str]) -> None:
    since = datetime(night.year, night.month, night.day - 1, tzinfo=UTC)
    due = list(occurrences(HALF_PAST_TWO, since, since + timedelta(days=3)))
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in due] == moments


@given(RULES, MOMENTS)
def test_moments_rise_and_are_the_same_from_wherever_one_looks(rule: ScheduleRule, since: datetime) -> None:
    """Each looked for from just after the one before: what a planner does that was away and one that never was, alike."""
    times = next_times(rule, since, 6)
    assert times[0] >= since
    assert all(before < after for before, after in pairwise(times))
    one_by_one = [since]
    for _ in range(6):
        one_by_one.append(
            next_times(rule, one_by_one[-1] + timedelta(microseconds=1 if len(one_by_one) > 1 else 0), 1)[0]
        )
    assert one_by_one[1:] == times


@given(RULES.filter(lambda rule: rule.every is not Every.HOUR), MOMENTS)
def test_each_day_has_one_moment_at_most_and_it_is_the_time_said(rule: ScheduleRule, since: datetime) -> None:
    zone = zones.zone(rule.time_zone)
    for moment in next_times(rule, since, 6):
        there = moment.astimezone(zone)
        assert (
            f"{there:%H:%M}" == rule.at or there.replace(fold=0).utcoffset() != (there - timedelta(hours=3)).utcoffset()
        )
        if rule.every is Every.WEEK:
            assert there.isoweekday() == rule.weekday
        if rule.every is Every.MONTH:
            assert there.day == rule.month_day or (there + timedelta(days=1)).day == 1


@given(RULES.filter(lambda rule: rule.every is Every.HOUR), MOMENTS)
def test_an_hourly_rule_comes_each_hour(rule: ScheduleRule, since: datetime) -> None:
    gaps = [after - before for before, after in pairwise(next_times(rule, since, 30))]
    assert all(
        timedelta(minutes=30) <= gap <= timedelta(minutes=90) for gap in gaps
    )  # clocks of Lord Howe move by half an hour


def test_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    rule = ScheduleRule(every=Every.MONTH, at="00:05", month_day=31)
    days = [moment.date() for moment in next_times(rule, datetime(2027, 1, 1, tzinfo=UTC), 4)]
    assert [(day.month, day.day) for day in days] == [(1, 31), (2, 28), (3, 31), (4, 30)]


@pytest.mark.parametrize(
    ("rule", "period", "paths"),
    [
        (ScheduleRule(every=Every.DAY, at="24:00"), PeriodName.YESTERDAY, ["rule.at"]),
        (ScheduleRule(every=Every.DAY, at="6:00"), PeriodName.YESTERDAY, ["rule.at"]),
        (ScheduleRule(every=Every.DAY, at="noon"), PeriodName.YESTERDAY, ["rule.at"]),
        (ScheduleRule(every=Every.WEEK, weekday=8), PeriodName.LAST_ISO_WEEK, ["rule.weekday"]),
        (ScheduleRule(every=Every.MONTH, month_day=0), PeriodName.LAST_MONTH, ["rule.month_day"]),
        (ScheduleRule(every=Every.DAY, time_zone="Berlin"), PeriodName.YESTERDAY, ["rule.time_zone"]),
        (ScheduleRule(every=Every.DAY), PeriodName.LAST_MONTH, ["rule.every"]),
        (ScheduleRule(every=Every.HOUR), PeriodName.YESTERDAY, ["rule.every"]),
        (ScheduleRule(every=Every.MONTH), PeriodName.LAST_MONTH, []),
    ],
)
def test_what_cannot_be_used_is_named(rule: ScheduleRule, period: PeriodName, paths: list[str]) -> None:
    assert [problem.path for problem in problems(rule, period)] == paths


def test_a_rule_that_was_not_checked_is_no_rule() -> None:
    with pytest.raises(ValueError, match="no time of day"):
        next_times(ScheduleRule(every=Every.DAY, at="noon"), datetime(2026, 1, 1, tzinfo=UTC), 1)


def test_rules_and_moments_in_words() -> None:
    zone = "Europe/Berlin"
    assert in_words(HALF_PAST_TWO) == "every day at 02:30, Europe/Berlin"
    assert (
        in_words(ScheduleRule(every=Every.WEEK, at="06:30", time_zone=zone)) == "every Monday at 06:30, Europe/Berlin"
    )
    assert in_words(ScheduleRule(every=Every.MONTH, month_day=3)) == "on day 3 of every month at 06:00, UTC"
    assert in_words(ScheduleRule(every=Every.HOUR, at="00:07")) == "every hour at minute 07, UTC"
    moment = datetime(2026, 11, 30, 5, 30, tzinfo=UTC)
    assert moment_in_words(moment, zone) == "Monday, 30 November 2026, 06:30 (UTC+01:00)"
