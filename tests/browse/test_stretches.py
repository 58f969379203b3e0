"""A list is read in stretches of time that leave out nothing and read nothing twice, from either end."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from custom_events.browse import walk
from custom_events.browse.pages import NEWEST, OLDEST, Place, place_of
from custom_events.values.numbers import MAX_ID
from custom_events.values.time_order import TimeOrder

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
MOST = walk.DOUBLINGS + 3  # stretches: those that grow, what lies before them, and the rest
moments = st.timedeltas(timedelta(days=-4_000), timedelta(days=200)).map(NOW.__add__)
places = st.none() | st.builds(Place, moments, st.integers(1, MAX_ID))


@given(place=places, since=st.none() | moments, until=st.none() | moments, order=st.sampled_from(TimeOrder))
def test_stretches_follow_one_another_to_the_end(
    place: Place | None, since: datetime | None, until: datetime | None, order: TimeOrder
) -> None:
    span = walk.span_of(place or place_of(None, order), since, until, order)
    parts = list(walk.stretches(span, NOW))
    assert 0 < len(parts) <= MOST
    assert parts[0].place == span.place
    for before, after in pairwise(parts):
        if order is TimeOrder.NEWEST:
            assert after.place == Place(before.since - INSTANT, MAX_ID)
        else:
            assert after.place == Place(before.last + INSTANT, 0)
    if order is TimeOrder.NEWEST:
        assert parts[-1].since == (since or OLDEST)
    else:
        assert parts[-1].last == (NEWEST.at if until is None else until - INSTANT)


def test_a_history_is_begun_where_nobody_knows_that_it_began() -> None:
    """All that is too long ago for stretches that grow is one by itself."""
    span = walk.span_of(place_of(None, TimeOrder.OLDEST), None, None, TimeOrder.OLDEST)
    first, *growing, last = walk.stretches(span, NOW)
    assert (first.place.at, last.last) == (OLDEST, NEWEST.at)
    assert NOW - first.last > walk.STRETCH * 2**walk.DOUBLINGS
    assert 0 < len(growing) <= walk.DOUBLINGS + 1
    assert growing[-1].last < NOW
