"""The laws of the one engine, pure: whatever is stored, pages of any size come to what the whole comes to; transactions go to one each."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.matching.match import Match, match
from custom_events.pipeline.comparison import (
    LAST_KEY,
    Comparison,
    Kept,
    Rank,
    compare,
    decide_transactions,
    is_redecided,
    key_of_row,
    rank_of,
)
from custom_events.pipeline.conversion import transaction_id
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.paged_comparison import PagedComparison, Period
from custom_events.values.events import CommerceEvent
from custom_events.values.reasons import FULLY_REFUNDED, SAME_TRANSACTION, TOO_LATE
from tests.matching.building import DAY_0, SITE, assignment, compiled_rules, paid

RULE = 1
RULES = compiled_rules(assignment(RULE))
PERIOD = Period(DAY_0 + timedelta(days=3), DAY_0 + timedelta(days=7))
DEDUP_KEYS = st.sampled_from(["a", "b", "c"])


class Known(NamedTuple):
    """A stored event."""

    event_id: int
    event: CommerceEvent
    site_id: int = SITE

    @property
    def key(self) -> str:
        return self.event.key


class Row(NamedTuple):
    """A custom event that stands."""

    id: int
    commerce_event_id: int
    dedup_key: str
    rank: Rank
    transaction_id: str | None
    assignment_id: int = RULE
    is_withdrawn: bool = False


class History(NamedTuple):
    """Events in the order of the store's time, with the key that each wants (None: it does not match), and what is stored."""

    wanted: list[tuple[Known, str | None]]
    rows: list[Row]

    def in_period(self) -> list[tuple[Known, str | None]]:
        return [(known, key) for known, key in self.wanted if PERIOD.since <= known.event.occurred_at < PERIOD.until]

    @property
    def keeps_keys(self) -> bool:
        """Whether no event that has a custom event wants another key than this has."""
        key_of_event = {row.commerce_event_id: row.dedup_key for row in self.rows}
        return all(key in (None, key_of_event.get(known.event_id, key)) for known, key in self.wanted)


def matched_of(known: Known, dedup_key: str) -> Matched:
    (made,) = match(known.event, SITE, RULES)
    return Matched(msgspec.structs.replace(made, dedup_key=dedup_key), known)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to nine events of three orders; keys and custom events among them as it comes, each key had by one custom event."""
    days = sorted(draw(st.lists(st.integers(0, 9), min_size=1, max_size=9)))
    orders = [draw(st.sampled_from(["1", "2", "3"])) for _ in days]
    events = [
        msgspec.structs.replace(paid(order, day=day), key=f"order.paid:{place}")
        for place, (day, order) in enumerate(zip(days, orders, strict=True))
    ]
    known = [Known(place, event) for place, event in enumerate(events, start=1)]
    wanted = [(one, draw(st.none() | DEDUP_KEYS)) for one in known]
    free = ["a", "b", "c"]
    rows: list[Row] = []
    for one in draw(st.permutations(known)):
        key = draw(st.none() | st.sampled_from(free)) if free else None
        if key is not None:
            free.remove(key)
            moment = one.event.occurred_at, one.key
            rows.append(Row(100 + one.event_id, one.event_id, key, moment, transaction_id(SITE, one.event)))
    return History(wanted, rows)


def whole(history: History) -> Comparison[Row]:
    """Everything at once."""
    here = history.in_period()
    matched = [matched_of(known, key) for known, key in here if key is not None]
    return compare(matched, asked_for(history, {known.event_id for known, _ in here}, matched), judged_of(here))


def in_pages(history: History, sizes: list[int]) -> Comparison[Row]:
    """The same, page by page."""
    pages = PagedComparison[Row](PERIOD, {RULE}, lambda _: True)
    here, result = history.in_period(), Comparison[Row]([], [], [])
    while here:
        size = sizes.pop() if sizes else len(here)
        page, here = here[:size], here[size:]
        matched = [matched_of(known, key) for known, key in page if key is not None]
        ids = {known.event_id for known, _ in page}
        own = [row for row in history.rows if row.commerce_event_id in ids]
        first = page[0][0].event.occurred_at, page[0][0].key
        found = pages.compare(first, matched, own, asked_for(history, set(), matched), judged_of(page))
        for sums, more in zip(result, found, strict=True):
            sums.extend(more)
    result.withdrawn.extend(pages.finish())
    return result


def asked_for(history: History, ids: set[int], matched: list[Matched]) -> list[Row]:
    keys = {one.match.dedup_key for one in matched}
    return [row for row in history.rows if row.commerce_event_id in ids or row.dedup_key in keys]


def judged_of(page: list[tuple[Known, str | None]]) -> dict[int, tuple[int]]:
    return {known.event_id: (RULE,) for known, _ in page}


def standing(history: History, found: Comparison[Row]) -> list[tuple[int, str]]:
    """What stands afterwards: events and their keys."""
    after = {row.id: (row.commerce_event_id, row.dedup_key) for row in history.rows}
    for row in found.withdrawn:
        del after[row.id]  # withdrawn once
    for row, one in found.kept:
        after[row.id] = one.site_event.event_id, one.match.dedup_key
    return sorted([*after.values(), *((one.site_event.event_id, one.match.dedup_key) for one in found.added)])


def changes_of(found: Comparison[Row]) -> Any:
    kept = sorted((one.row.id, one.matched.match.event_key) for one in found.kept)
    return sorted(map(rank_of, found.added)), kept, sorted(row.id for row in found.withdrawn)


@settings(max_examples=600, deadline=None)
@given(histories(), st.lists(st.integers(1, 3), max_size=8))
def test_pages_of_any_size_come_to_what_the_whole_comes_to(history: History, sizes: list[int]) -> None:
    once, paged = whole(history), in_pages(history, list(sizes))
    assert standing(history, paged) == standing(history, once)
    keys = [key for _, key in standing(history, once)]
    assert len(keys) == len(set(keys))
    if history.keeps_keys:
        assert changes_of(paged) == changes_of(once)


@settings(max_examples=300, deadline=None)
@given(histories())
def test_comparing_again_finds_nothing(history: History) -> None:
    found = whole(history)
    places = {known.event_id: known for known, _ in history.wanted}
    after = [
        Row(number, event_id, key, (places[event_id].event.occurred_at, places[event_id].key), None)
        for number, (event_id, key) in enumerate(standing(history, found))
    ]
    again = whole(history._replace(rows=after))
    assert (again.added, again.withdrawn) == ([], [])
    assert all((one.row.commerce_event_id, one.row.dedup_key) == key_of_kept(one) for one in again.kept)


def key_of_kept(kept: Kept[Row]) -> tuple[int, str]:
    return kept.matched.site_event.event_id, kept.matched.match.dedup_key


def test_what_only_one_event_can_have_is_withdrawn_at_once() -> None:
    """`may_move` says no: nothing is remembered for later pages."""
    known = Known(1, paid("1", day=4))
    row = Row(7, 1, "a", (known.event.occurred_at, known.key), None)
    pages = PagedComparison[Row](PERIOD, (), lambda _: False)
    assert pages.compare(row.rank, [], [row], [], {1: (RULE,)}).withdrawn == [row]
    assert pages.finish() == []
    assert key_of_row(row) == (RULE, "a")


class Conversion(NamedTuple):
    """One that wants a transaction, or has it."""

    transaction: tuple[int, str] | None
    rank: tuple[bool, datetime, str, int]
    site_id: int | None = SITE


ranks = st.tuples(st.booleans(), st.integers(0, 3).map(lambda day: DAY_0 + timedelta(days=day)), st.sampled_from("xyz"))
conversions = st.builds(
    lambda transaction, rank, assignment: Conversion(transaction, (*rank, assignment)),
    st.none() | st.tuples(st.just(5), st.sampled_from(["t1", "t2"])),
    ranks,
    st.integers(1, 9),
)
holders = st.lists(conversions, max_size=4).map(
    lambda found: list({one.transaction: one for one in found if one.transaction is not None}.values())
)


@settings(max_examples=400, deadline=None)
@given(st.lists(conversions, max_size=6, unique_by=lambda one: (one.transaction, one.rank)), holders, st.booleans())
def test_a_transaction_goes_to_the_first_that_wants_it_or_stays(
    wanting: list[Conversion], holding: list[Conversion], elsewhere: bool
) -> None:
    holding = [one._replace(site_id=SITE + 1) if elsewhere else one for one in holding]
    goes, displaced = decide_transactions(wanting, holding)
    assert len(goes) == len(wanting)
    for transaction in {one.transaction for one in wanting} - {None}:
        these = [one for one in wanting if one.transaction == transaction]
        sent = [one for one, is_sent in zip(wanting, goes, strict=True) if is_sent and one.transaction == transaction]
        stays = [one for one in holding if one.transaction == transaction and one not in displaced]
        assert len(sent) + len(stays) == 1
        assert all(one.rank == min(other.rank for other in these) for one in sent)
        assert all(elsewhere or one.rank < min(other.rank for other in these) for one in stays)
    assert all(is_sent for one, is_sent in zip(wanting, goes, strict=True) if one.transaction is None)


def test_a_holder_of_whom_only_the_moment_is_known_gives_way_at_the_same_moment() -> None:
    """The drain knows no key of it; `rematch` looks at the keys then."""
    holder = Conversion((5, "t"), (True, DAY_0, LAST_KEY, 0), None)
    wants = Conversion((5, "t"), (True, DAY_0, "order.paid:1", 3))
    assert decide_transactions([wants], [holder]) == ([True], [holder])
    later = wants._replace(rank=(True, DAY_0 + timedelta(seconds=1), "order.paid:1", 3))
    assert decide_transactions([later], [holder]) == ([False], [])


def test_what_decides_again() -> None:
    reasons: Iterable[tuple[str | None, str | None, bool]] = [
        (None, None, False),
        (None, "consent_denied", True),
        ("consent_denied", None, True),
        ("consent_denied", "click_too_old", True),
        ("consent_denied", "consent_denied", False),
        (SAME_TRANSACTION, None, True),
        (FULLY_REFUNDED, None, False),
        (None, TOO_LATE, False),
        ("consent_denied", TOO_LATE, False),
        (TOO_LATE, None, True),
    ]
    assert [is_redecided(before, after) for before, after, _ in reasons] == [expected for *_, expected in reasons]


def test_a_match_is_ranked_by_moment_and_key() -> None:
    (made,) = match(paid("1"), SITE, RULES)
    assert isinstance(made, Match)
    assert rank_of(Matched(made, Known(1, paid("1")))) == (DAY_0, made.event_key)
