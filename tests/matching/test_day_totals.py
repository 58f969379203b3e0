"""The law of whole days: what their sums say is what every event says that is taken one by one, before a change and after it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from custom_events.matching.day_totals import DayKey, DayPlace, DayTotal, has_days, places, to_read, without
from custom_events.matching.threshold import Occurrence, crossings
from custom_events.values.definitions import Threshold, ThresholdFires, ThresholdMeasure, ThresholdPeriod
from custom_events.values.zones import zone_or_utc

ZONE = zone_or_utc("Europe/Berlin")
BEGIN = datetime(2026, 10, 20, 21, tzinfo=UTC)  # a change of clocks and of month lies within the days that follow
CALENDAR = [period for period in ThresholdPeriod if period is not ThresholdPeriod.ROLLING]

thresholds = st.builds(
    Threshold,
    at_least=st.sampled_from([Decimal(1), Decimal(3), Decimal("7.5")]),
    measure=st.sampled_from(ThresholdMeasure),
    period=st.sampled_from(CALENDAR),
    fires=st.sampled_from(ThresholdFires),
    currency=st.sampled_from([None, "EUR"]),
)
amounts = st.sampled_from([None, Decimal(1), Decimal(2), Decimal(0), Decimal(4), Decimal("0.5"), Decimal(-2)])
happened = st.lists(
    st.tuples(st.integers(0, 20 * 24), amounts, st.sampled_from(["EUR", "EUR", "CHF", None])), min_size=1, max_size=14
)


def occurrences_of(rows: list[tuple[int, Decimal | None, str | None]]) -> list[Occurrence]:
    return [
        Occurrence(occurred_at=BEGIN + timedelta(hours=hour), key=f"e{place}", amount=amount, currency=currency)
        for place, (hour, amount, currency) in enumerate(rows)
    ]


def day_of(occurrence: Occurrence) -> DayKey:
    return occurrence.occurred_at.astimezone(ZONE).date(), occurrence.currency


def totals_of(occurrences: Iterable[Occurrence]) -> dict[DayKey, DayTotal]:
    totals: dict[DayKey, DayTotal] = {}
    for occurrence in occurrences:
        totals[day_of(occurrence)] = totals.get(day_of(occurrence), DayTotal()).plus(occurrence)
    return totals


@given(thresholds, happened)
def test_a_day_that_decides_says_what_each_of_its_events_says(
    threshold: Threshold, rows: list[tuple[int, Decimal | None, str | None]]
) -> None:
    occurrences = occurrences_of(rows)
    one_by_one = crossings(threshold, occurrences, ZONE)
    by_day = places(threshold, totals_of(occurrences))
    for occurrence in occurrences:
        assert by_day[day_of(occurrence)].verdict in (None, one_by_one[occurrence.key].fires)


@given(thresholds, happened, st.data())
def test_a_verdict_differs_only_on_a_day_that_is_read(
    threshold: Threshold, rows: list[tuple[int, Decimal | None, str | None]], data: st.DataObject
) -> None:
    occurrences = occurrences_of(rows)
    keys = [occurrence.key for occurrence in occurrences]
    come, gone = (data.draw(st.sets(st.sampled_from(keys), max_size=3)) for _ in range(2))
    now = [occurrence for occurrence in occurrences if occurrence.key not in gone - come]
    before = [occurrence for occurrence in occurrences if occurrence.key not in come]
    added = [(day_of(occurrence), occurrence) for occurrence in occurrences if occurrence.key in come]
    removed = [(day_of(occurrence), occurrence) for occurrence in occurrences if occurrence.key in gone - come]
    earlier = without(totals_of(now), added, removed)
    assert {key: total for key, total in earlier.items() if total.events} == totals_of(before)
    was, is_now = (crossings(threshold, those, ZONE) for those in (before, now))
    days: set[date] = to_read(threshold, earlier, totals_of(now))
    for occurrence in now:
        if occurrence.key in was and was[occurrence.key].fires != is_now[occurrence.key].fires:
            assert day_of(occurrence)[0] in days


def test_a_day_with_amounts_of_which_nobody_knows_whether_they_fall_is_read() -> None:
    threshold = Threshold(at_least=Decimal(100), measure=ThresholdMeasure.SUM, period=ThresholdPeriod.MONTH)
    known, unknown = DayTotal(3, Decimal(9), 0), DayTotal(3, Decimal(9), None)
    day = date(2026, 10, 20)
    assert places(threshold, {(day, "EUR"): known})[day, "EUR"].verdict is False
    assert places(threshold, {(day, "EUR"): unknown})[day, "EUR"].verdict is None
    assert unknown.plus(Occurrence(occurred_at=BEGIN, key="e", amount=Decimal(-1))).falling is None
    assert not has_days(Threshold(at_least=Decimal(1), period=ThresholdPeriod.ROLLING, window_days=3))


OCTOBER, NEXT_DAY, NOVEMBER = date(2026, 10, 20), date(2026, 10, 21), date(2026, 11, 1)
SEVEN_A_MONTH = Threshold(
    at_least=Decimal(7), measure=ThresholdMeasure.SUM, period=ThresholdPeriod.MONTH, currency="EUR"
)


def test_the_place_of_a_day_is_what_its_period_held_before() -> None:
    totals = {
        (NOVEMBER, "EUR"): DayTotal(1, Decimal(9)),
        (OCTOBER, "EUR"): DayTotal(2, Decimal(5)),
        (OCTOBER, "CHF"): DayTotal(4, Decimal(50)),
        (NEXT_DAY, "EUR"): DayTotal(1, Decimal(3)),
    }
    assert places(SEVEN_A_MONTH, totals) == {
        (OCTOBER, "EUR"): DayPlace(0, Decimal(0), verdict=False),
        (OCTOBER, "CHF"): DayPlace(0, Decimal(0), verdict=False),
        (NEXT_DAY, "EUR"): DayPlace(2, Decimal(5), verdict=None),
        (NOVEMBER, "EUR"): DayPlace(0, Decimal(0), verdict=None),
    }
    counted = Threshold(at_least=Decimal(7), period=ThresholdPeriod.MONTH)
    assert places(counted, totals) == {
        (OCTOBER, "EUR"): DayPlace(0, Decimal(0), verdict=False),
        (OCTOBER, "CHF"): DayPlace(0, Decimal(0), verdict=False),
        (NEXT_DAY, "EUR"): DayPlace(6, Decimal(6), verdict=None),
        (NOVEMBER, "EUR"): DayPlace(0, Decimal(0), verdict=False),
    }


def test_beyond_the_threshold_every_further_day_fires_without_being_read() -> None:
    further = msgspec.structs.replace(SEVEN_A_MONTH, fires=ThresholdFires.EVERY_FURTHER)
    reached, beyond = DayTotal(2, Decimal(7)), DayTotal(1, Decimal(3))
    assert places(further, {(OCTOBER, "EUR"): reached, (NEXT_DAY, "EUR"): beyond}) == {
        (OCTOBER, "EUR"): DayPlace(0, Decimal(0), verdict=None),
        (NEXT_DAY, "EUR"): DayPlace(2, Decimal(7), verdict=True),
    }


def test_only_days_whose_verdicts_may_have_changed_are_read() -> None:
    below, more, above, higher = (DayTotal(1, Decimal(amount)) for amount in (2, 3, 8, 9))
    key = (OCTOBER, "EUR")
    assert to_read(SEVEN_A_MONTH, {}, {key: above}) == {OCTOBER}
    assert to_read(SEVEN_A_MONTH, {key: above}, {}) == {OCTOBER}
    assert to_read(SEVEN_A_MONTH, {key: above}, {key: higher}) == {OCTOBER}
    assert to_read(SEVEN_A_MONTH, {key: above}, {key: above}) == set()
    assert to_read(SEVEN_A_MONTH, {key: below}, {key: more}) == set()


def test_amounts_below_zero_are_counted_as_they_come_and_go() -> None:
    back = Occurrence(occurred_at=BEGIN, key="e", amount=Decimal(-2))
    assert DayTotal(1, Decimal(5)).plus(back) == DayTotal(2, Decimal(3), 1)
    assert DayTotal(2, Decimal(3), 1).plus(back, -1) == DayTotal(1, Decimal(5), 0)
