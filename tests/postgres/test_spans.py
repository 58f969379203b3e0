"""Names and bounds of partitions."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.postgres import spans
from custom_events.tables.registry import PARTITIONED, Span

DAYS = st.dates(date(1971, 1, 1), date(2200, 1, 1))
RAW = next(kind for kind in PARTITIONED if kind.table.name == "raw_events")
EVENTS = next(kind for kind in PARTITIONED if kind.table.name == "commerce_events")


@pytest.mark.parametrize(
    ("span", "day", "begin", "end", "name"),
    [
        (Span.WEEK, date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 23), "2026w47"),
        (Span.WEEK, date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 30), "2026w48"),
        (Span.WEEK, date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 4), "2026w53"),  # ISO year, not calendar year
        (Span.MONTH, date(2026, 11, 30), date(2026, 11, 1), date(2026, 12, 1), "2026m11"),
        (Span.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1), "2026m12"),
        (Span.MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 3, 1), "2028m02"),
    ],
)
def test_examples(span: Span, day: date, begin: date, end: date, name: str) -> None:
    assert spans.span_begin(span, day) == begin
    assert spans.span_end(span, begin) == end
    assert spans.suffix(span, begin) == name


@given(st.sampled_from(Span), DAYS)
def test_a_span_holds_its_day_and_its_name_leads_back(span: Span, day: date) -> None:
    begin = spans.span_begin(span, day)
    assert begin <= day < spans.span_end(span, begin)
    assert spans.begin_of(spans.suffix(span, begin)) == begin
    assert spans.span_begin(span, spans.span_end(span, begin)) == spans.span_end(span, begin)


@given(st.sampled_from(PARTITIONED), DAYS, st.integers(0, 400))
def test_wanted_have_no_gap_and_reach_far_enough(kind: spans.Partitioning, today: date, ahead: int) -> None:
    found = list(spans.wanted(kind, today, ahead))
    assert all(one.end == other.begin for one, other in pairwise(found))
    assert found[kind.behind].begin <= today < found[kind.behind].end
    assert found[-1].begin <= today + timedelta(days=ahead) < found[-1].end
    assert len({one.name for one in found}) == len(found)


@pytest.mark.parametrize("text", ["default", "2026x11", "", "abcdw01"])
def test_other_names_are_nobodys_span(text: str) -> None:
    assert spans.begin_of(text) is None


def test_expired_are_those_that_ended_before_the_cutoff() -> None:
    names = {"raw_events_default", "raw_events_2026w46", "raw_events_2026w47", "raw_events_2026w45"}
    assert [one.name for one in spans.expired(RAW, names, date(2026, 11, 22))] == [
        "raw_events_2026w45",
        "raw_events_2026w46",
    ]
    months = {"commerce_events_2025m12", "commerce_events_2026m01"}
    assert [one.begin for one in spans.expired(EVENTS, months, date(2026, 1, 1))] == [date(2025, 12, 1)]
