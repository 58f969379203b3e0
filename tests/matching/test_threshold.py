"""Thresholds: every scope, period and way to fire, by example and by law."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.matching.threshold import (
    Occurrence,
    Tally,
    affected_until,
    count_function,
    crossing,
    crossings,
    fired,
    look_back,
    period_start,
    reached,
)
from custom_events.values.definitions import Threshold, ThresholdFires, ThresholdMeasure, ThresholdPeriod
from custom_events.values.zones import zone
from tests.matching.building import DAY_0

BERLIN = zone("Europe/Berlin")
SUM = ThresholdMeasure.SUM
EVERY_FURTHER, EVERY_NTH = ThresholdFires.EVERY_FURTHER, ThresholdFires.EVERY_NTH
ROLLING = ThresholdPeriod.ROLLING


def at(day: float, amount: str | None = None, key: str | None = None, currency: str | None = "EUR") -> Occurrence:
    moment = DAY_0 + timedelta(days=day)
    return Occurrence(
        occurred_at=moment,
        key=key or f"k{day:09.4f}",
        amount=None if amount is None else Decimal(amount),
        currency=currency,
    )


def days(threshold: Threshold, *when: float, zone: Any = UTC) -> list[float]:
    return [(one.occurred_at - DAY_0) / timedelta(days=1) for one in fired(threshold, map(at, when), zone)]


@pytest.mark.parametrize(
    ("threshold", "when", "expected"),
    [
        (Threshold(at_least=Decimal(3)), (0, 1, 2, 3), [2]),
        (Threshold(at_least=Decimal(3), fires=EVERY_FURTHER), (0, 1, 2, 3), [2, 3]),
        (Threshold(at_least=Decimal(2), fires=EVERY_NTH), (0, 1, 2, 3, 4), [1, 3]),
        (Threshold(at_least=Decimal(1)), (5, 6), [5]),
        # third within 30 days: the window moves
        (Threshold(at_least=Decimal(3), period=ROLLING, window_days=30), (0, 20, 31, 35), [35]),
        (Threshold(at_least=Decimal(3), period=ROLLING, window_days=30), (0, 1, 2, 3, 40, 41, 42), [2, 42]),
        (Threshold(at_least=Decimal(3), period=ROLLING, window_days=30, fires=EVERY_FURTHER), (0, 1, 2, 3), [2, 3]),
        # exactly 30 days apart is outside; and what falls at the moment it rises was not below
        (Threshold(at_least=Decimal(2), period=ROLLING, window_days=30), (0, 30), []),
        (Threshold(at_least=Decimal(3), period=ROLLING, window_days=30), (0, 10, 20, 30, 40), [20]),
        (Threshold(at_least=Decimal(3), period=ROLLING, window_days=30), (0, 11, 22, 33), [22, 33]),
        # calendar periods begin anew: Monday; 1 April is day 30
        (Threshold(at_least=Decimal(2), period=ThresholdPeriod.DAY), (0, 0.2, 1, 1.1, 1.2), [0.2, 1.1]),
        (Threshold(at_least=Decimal(2), period=ThresholdPeriod.WEEK), (5, 7, 8), [8]),
        (Threshold(at_least=Decimal(2), period=ThresholdPeriod.MONTH), (29, 30, 31), [31]),
        (Threshold(at_least=Decimal(2), period=ThresholdPeriod.QUARTER), (0, 30, 31), [31]),
        (Threshold(at_least=Decimal(2), period=ThresholdPeriod.YEAR), (0, 30), [30]),
    ],
)
def test_fires_on(threshold: Threshold, when: tuple[float, ...], expected: list[float]) -> None:
    assert days(threshold, *when) == pytest.approx(expected)


@pytest.mark.parametrize("measure", list(ThresholdMeasure))
def test_one_pass_places_each_occurrence_as_it_stands_alone(measure: ThresholdMeasure) -> None:
    threshold = Threshold(at_least=Decimal(3), measure=measure, period=ROLLING, window_days=3)
    history = [at(day, "1.50") for day in (0, 1, 2, 2.5, 5)]
    placed = crossings(threshold, history, UTC)
    for this in history:
        alone = crossing(threshold, history, this, UTC)
        assert placed[this.key] == msgspec.structs.replace(alone, counted=())


def test_calendar_periods_are_those_of_the_site() -> None:
    threshold = Threshold(at_least=Decimal(2), period=ThresholdPeriod.DAY)
    # 22:30 and 23:30 in UTC on 2 March: the second is 3 March in Berlin
    late = (0.4375, 0.479167)
    assert len(days(threshold, *late)) == 1
    assert days(threshold, *late, zone=BERLIN) == []


def test_sums_count_amounts_in_each_currency() -> None:
    threshold = Threshold(measure=SUM, at_least=Decimal(500))
    history = [
        at(0, "300"),
        at(1, "400", currency="USD"),
        at(2, "199.99"),
        at(3, None),
        at(4, "0.01"),
        at(5, "100", currency="USD"),
    ]
    assert [one.key for one in fired(threshold, history, UTC)] == [history[4].key, history[5].key]
    only = Threshold(measure=SUM, at_least=Decimal(500), currency="USD")
    assert [one.key for one in fired(only, history, UTC)] == [history[5].key]
    outside = crossing(only, history, history[0], UTC)
    assert (outside.fires, outside.counted) == (False, ())


def test_every_nth_of_a_sum_fires_on_each_further_multiple() -> None:
    threshold = Threshold(measure=SUM, at_least=Decimal(100), fires=EVERY_NTH)
    amounts = ["60", "60", "60", "250"]
    assert [one.amount for one in fired(threshold, [at(day, amount) for day, amount in enumerate(amounts)], UTC)] == [
        Decimal(60),
        Decimal(250),
    ]
    assert fired(Threshold(at_least=Decimal(0), fires=EVERY_NTH), [at(0)], UTC) == []
    # a sum that rises from below is at a multiple when it is above 0
    falling = ["-250", "40", "90", "180", "50"]
    assert [one.amount for one in fired(threshold, [at(day, amount) for day, amount in enumerate(falling)], UTC)] == [
        Decimal(50)
    ]


def test_a_sum_that_fell_may_be_reached_again() -> None:
    threshold = Threshold(measure=SUM, at_least=Decimal(100), period=ROLLING, window_days=30)
    assert len(fired(threshold, [at(0, "150"), at(100, "150")], UTC)) == 2


def test_the_key_breaks_ties() -> None:
    same = [at(0, key=key) for key in ("b", "c", "a")]
    assert [one.key for one in fired(Threshold(at_least=Decimal(3)), same, UTC)] == ["c"]
    assert not reached(Threshold(at_least=Decimal(3)), same, same[0], UTC)


def test_the_crossing_tells_what_was_counted() -> None:
    threshold = Threshold(at_least=Decimal(2), period=ROLLING, window_days=10)
    found = crossing(threshold, [at(0), at(8), at(9), at(30)], at(10), UTC)
    assert (found.before, found.after, found.fires) == (3, 3, False)
    assert [one.key for one in found.counted] == [at(8).key, at(9).key, at(10).key]


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (ThresholdPeriod.DAY, datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC)),
        (ThresholdPeriod.WEEK, datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 8, 23, tzinfo=UTC)),
        # summer time began on 29 March
        (ThresholdPeriod.MONTH, datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)),
        (ThresholdPeriod.QUARTER, datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)),
        (ThresholdPeriod.YEAR, datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)),
        (ThresholdPeriod.LIFETIME, None, None),
    ],
)
def test_how_far_an_event_looks_and_reaches(
    period: ThresholdPeriod, first: datetime | None, last: datetime | None
) -> None:
    threshold = Threshold(at_least=Decimal(1), period=period)
    assert look_back(threshold, DAY_0, BERLIN) == first
    assert affected_until(threshold, DAY_0, BERLIN) == last


def test_a_rolling_window_looks_and_reaches_as_far_as_it_is_long() -> None:
    threshold = Threshold(at_least=Decimal(1), period=ROLLING, window_days=30)
    assert look_back(threshold, DAY_0, BERLIN) == DAY_0 - timedelta(days=30)
    assert affected_until(threshold, DAY_0, BERLIN) == DAY_0 + timedelta(days=30)
    assert period_start(ROLLING, DAY_0, BERLIN) is None


# ---------------------------------------------------------------- laws
thresholds = st.builds(
    Threshold,
    measure=st.sampled_from(ThresholdMeasure),
    at_least=st.sampled_from([Decimal(1), Decimal(2), Decimal(3), Decimal("100.50")]),
    period=st.sampled_from(ThresholdPeriod),
    window_days=st.sampled_from([1, 7, 30]),
    fires=st.sampled_from(ThresholdFires),
    currency=st.sampled_from([None, "EUR"]),
)
# Few distinct times, so that ties and exact window edges are common.
histories = st.lists(
    st.builds(
        lambda day, key, amount, currency: at(day, amount, f"k{key}", currency),
        st.integers(0, 12).map(lambda sixth: sixth * 5),
        st.integers(0, 10_000),
        st.sampled_from([None, "0", "40.20", "100.50"]),
        st.sampled_from(["EUR", "USD"]),
    ),
    max_size=12,
    unique_by=lambda one: one.key,
)
law = settings(max_examples=60, deadline=None)


@law
@given(thresholds, histories, st.randoms())
def test_any_permutation_gives_the_same(threshold: Threshold, history: list[Occurrence], random: Any) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert fired(threshold, shuffled, BERLIN) == fired(threshold, history, BERLIN)


@law
@given(thresholds, histories)
def test_one_by_one_is_all_at_once(threshold: Threshold, history: list[Occurrence]) -> None:
    whole = {one.key for one in fired(threshold, history, BERLIN)}
    assert {one.key for one in history if reached(threshold, history, one, BERLIN)} == whole


@law
@given(thresholds, histories, st.randoms(), st.integers(1, 4))
def test_any_batching_and_any_lateness_settles_at_the_same(
    threshold: Threshold, history: list[Occurrence], random: Any, size: int
) -> None:
    """Batches in any order; after each, only what `affected_until` names is looked at again."""
    arriving = list(history)
    random.shuffle(arriving)
    known: list[Occurrence] = []
    made: set[str] = set()
    for start in range(0, len(arriving), size):
        batch = arriving[start : start + size]
        known += batch
        for late in batch:
            until = affected_until(threshold, late.occurred_at, BERLIN)
            for one in known:
                if one.occurred_at >= late.occurred_at and (until is None or one.occurred_at <= until):
                    (made.add if reached(threshold, known, one, BERLIN) else made.discard)(one.key)
    assert made == {one.key for one in fired(threshold, history, BERLIN)}


@law
@given(thresholds, histories)
def test_looking_back_is_enough(threshold: Threshold, history: list[Occurrence]) -> None:
    for one in history:
        since = look_back(threshold, one.occurred_at, BERLIN)
        seen = [
            other
            for other in history
            if other.occurred_at <= one.occurred_at and (since is None or other.occurred_at >= since)
        ]
        assert reached(threshold, seen, one, BERLIN) is reached(threshold, history, one, BERLIN)


@law
@given(thresholds, histories, st.sampled_from([Decimal(1), Decimal("1.5"), Decimal(2), Decimal("Infinity")]))
def test_counting_decides_as_the_crossing_does(
    threshold: Threshold, history: list[Occurrence], at_least: Decimal
) -> None:
    threshold = msgspec.structs.replace(threshold, at_least=at_least)
    counts = count_function(threshold)
    for one in history if counts is not None else ():
        assert counts(reversed(history), one.occurred_at, one.key) is crossing(threshold, history, one, BERLIN).fires


def test_what_no_count_decides_is_tallied() -> None:
    nth = Threshold(at_least=Decimal("1.5"), fires=EVERY_NTH)
    tallied = [
        Threshold(measure=SUM, at_least=Decimal(3)),
        Threshold(at_least=Decimal(3), period=ThresholdPeriod.MONTH),
        Threshold(at_least=Decimal("NaN")),
        nth,
        msgspec.structs.replace(nth, at_least=Decimal(0)),
    ]
    assert [count_function(one) for one in tallied] == [None] * len(tallied)
    assert count_function(Threshold(at_least=Decimal("1.5"))) is not None


def test_an_event_that_stands_in_the_history_at_another_time_is_counted_once() -> None:
    counts = count_function(Threshold(at_least=Decimal(2)))
    assert counts is not None
    assert not counts([at(0, key="k")], DAY_0 + timedelta(days=1), "k")
    assert counts([at(0, key="j")], DAY_0 + timedelta(days=1), "k")


def test_a_count_in_a_rolling_window_is_decided_by_what_lies_in_it() -> None:
    third = Threshold(at_least=Decimal(3), period=ROLLING, window_days=30)
    decides = count_function(third)
    assert decides is not None
    for when in ((0, 20, 31, 35), (0, 1, 2, 3, 40, 41, 42), (0, 10, 20, 30, 40), (0, 11, 22, 33)):
        history = [at(day) for day in when]
        decided = [each for each in history if decides(history, each.occurred_at, each.key)]
        assert decided == fired(third, history, UTC)


def test_places_are_numbered_within_their_period() -> None:
    for period, numbers in ((ThresholdPeriod.MONTH, [1, 2, 3, 1, 2]), (ThresholdPeriod.LIFETIME, [1, 2, 3, 4, 5])):
        tally = Tally(Threshold(at_least=Decimal(2), period=period), UTC)
        assert [tally.take(at(day)).number for day in (0, 1, 29, 30, 31)] == numbers  # 1 April is day 30
