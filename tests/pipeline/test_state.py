"""Merging is commutative, associative and idempotent, so that order of arrival cannot matter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.pipeline import state
from custom_events.pipeline.state import CustomerState, OrderState, RefundState, SubscriptionState

START = datetime(2026, 11, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours))
MAYBE = st.none() | MOMENTS
WORDS = st.sampled_from([None, "paid", "pending", "refunded", "processing", "unheard-of"])
AMOUNTS = st.sampled_from([Decimal(0), Decimal("9.90"), Decimal(10)])

ITEMS = st.sampled_from([None, '[{"sku":"A"}]', '[{"sku":"B"},{"sku":"C"}]'])


@st.composite
def bodies(draw: st.DrawFn) -> OrderState:
    """What one body shows of an order: it need not speak of payment, of cancellation, or list refunds."""
    at = draw(MOMENTS)
    payment, cancellation = draw(st.booleans()), draw(st.booleans())
    return OrderState(
        number=draw(st.sampled_from([None, "#1", "#2"])),
        ordered_at=draw(MAYBE),
        state_at=at,
        status=draw(WORDS | st.just("trash")),
        financial_status=draw(WORDS),
        paid_at=draw(MAYBE) if payment else None,
        cancelled_at=draw(MAYBE) if cancellation else None,
        currency=draw(st.sampled_from([None, "EUR", "USD"])),
        total=draw(st.none() | AMOUNTS),
        refunded=draw(AMOUNTS),
        customer_key=draw(st.sampled_from([None, "c:1", "c:2"])),
        is_test=draw(st.booleans()),
        current_total=draw(st.none() | AMOUNTS),
        payment_lost_at=draw(MAYBE) if payment else None,
        payment_state_at=at if payment else None,
        cancellation_state_at=at if cancellation else None,
        refunds_listed_at=draw(st.sampled_from([None, at])),
        shown_at=draw(MAYBE),
    )


ORDERS = bodies() | MAYBE.map(lambda at: OrderState(deleted_at=at))
REFUNDS = st.builds(
    RefundState,
    AMOUNTS,
    st.sampled_from([None, "EUR", "USD"]),
    MAYBE,
    MAYBE,
    ITEMS,
    st.none() | AMOUNTS,
    st.sampled_from([None, True]),
)
SUBSCRIPTIONS = st.builds(
    SubscriptionState,
    MAYBE,
    WORDS,
    MAYBE,
    MAYBE,
    st.sampled_from([None, "c:1", "c:2"]),
    st.sampled_from([None, "1", "2"]),
)
CUSTOMERS = st.builds(CustomerState, MOMENTS, st.sampled_from([None, "a", "b"]), st.sampled_from([None, "a", "b"]))

NOUNS: list[Any] = [
    pytest.param(ORDERS, state.merge_orders, id="orders"),
    pytest.param(REFUNDS, state.merge_refunds, id="refunds"),
    pytest.param(SUBSCRIPTIONS, state.merge_subscriptions, id="subscriptions"),
    pytest.param(CUSTOMERS, state.merge_customers, id="customers"),
]


@pytest.mark.parametrize(("rows", "merge"), NOUNS)
@given(data=st.data())
@settings(max_examples=100)
def test_any_order_of_arrival_gives_the_same_row(rows: Any, merge: Any, data: st.DataObject) -> None:
    told = data.draw(st.lists(rows, min_size=3, max_size=3))
    one, two, three = told
    results = {merge(merge(*pair), last) for *pair, last in permutations(told)}
    assert results == {merge(one, merge(two, three))}
    assert merge(one, one) == one
    merged = results.pop()
    assert merge(merged, two) == merged, "told again, nothing changes"


@given(bodies(), st.data())
@settings(max_examples=200)
def test_what_is_said_again_later_is_merged_by_the_short_way_as_by_the_long_one(
    first: OrderState, data: st.DataObject
) -> None:
    moved = {name: data.draw(MAYBE) for name in data.draw(st.sets(st.sampled_from(state.CLOCKS)))}
    again = first._replace(**moved)
    assert state.merge_orders(first, again) == state.merge_orders(again, first)


def order(**fields: Any) -> OrderState:
    return OrderState(state_at=START, **fields)


def test_newest_state_wins_whatever_came_last() -> None:
    old = order(financial_status="paid", total=Decimal(10))
    new = OrderState(state_at=START + timedelta(seconds=1), financial_status="pending", total=Decimal(12))
    assert state.merge_orders(new, old).financial_status == "pending"
    assert state.merge_orders(old, new).total == Decimal(12)


def test_within_one_second_the_later_station_wins() -> None:
    merged = state.merge_orders(order(financial_status="paid"), order(financial_status="pending"))
    assert merged.financial_status == "paid"


def later(hours: int, **fields: Any) -> OrderState:
    at = START + timedelta(hours=hours)
    fields = {"payment_state_at": at, "cancellation_state_at": at, "refunds_listed_at": at} | fields
    return OrderState(state_at=at, **fields)


def merged(*told: OrderState) -> OrderState:
    """The same whatever comes first."""
    (found,) = {reduce(state.merge_orders, order) for order in permutations(told)}
    return found


def test_what_is_undone_belongs_to_the_newest_body() -> None:
    paid, lost = later(1, paid_at=START), later(2, paid_at=START, payment_lost_at=START + timedelta(hours=2))
    unpaid, cancelled = later(3), later(4, paid_at=START, cancelled_at=START)
    assert merged(paid, lost).payment_lost_at == lost.payment_lost_at
    assert merged(paid, lost, later(5, paid_at=START)).payment_lost_at is None
    assert not merged(paid, unpaid).was_paid
    assert merged(paid, unpaid, cancelled).was_paid
    assert merged(cancelled, paid).cancelled_at == START
    assert merged(cancelled, later(5)).cancelled_at is None


def test_a_body_that_does_not_speak_of_it_undoes_nothing() -> None:
    silent = later(9, payment_state_at=None, cancellation_state_at=None, refunds_listed_at=None)
    found = merged(later(1, paid_at=START, cancelled_at=START), silent)
    assert (found.state_at, found.paid_at, found.cancelled_at) == (silent.state_at, START, START)
    assert found.refunds_listed_at == START + timedelta(hours=1)
    found = merged(later(1, paid_at=START), silent, later(2))
    assert (found.was_paid, found.payment_state_at) == (False, START + timedelta(hours=2))


def test_a_row_from_before_there_were_clocks_is_as_old_as_its_state() -> None:
    row = OrderState(state_at=START + timedelta(hours=2), paid_at=START, cancelled_at=START)
    assert merged(row, later(1)).was_paid
    assert not merged(row, later(3)).was_paid
    assert merged(row, later(1)).cancelled_at == START
    assert merged(row, later(3)).cancelled_at is None


def test_a_deletion_stands_until_the_order_is_shown_again() -> None:
    deleted = OrderState(deleted_at=START + timedelta(hours=2))
    assert merged(deleted, later(1)).gone_at == deleted.deleted_at
    assert merged(deleted, later(3)).gone_at is None
    assert merged(deleted, later(3), OrderState(deleted_at=START + timedelta(hours=4))).gone_at is not None
    shown = later(1, shown_at=START + timedelta(hours=3))
    assert merged(deleted, shown).gone_at is None, "it was built after the deletion, whenever it was changed last"


def test_the_trash_is_left_by_any_later_body() -> None:
    trashed = later(2, status="trash", payment_state_at=None, cancellation_state_at=None)
    before = later(1, status="cancelled", cancelled_at=START)
    assert merged(before, trashed).gone_at == trashed.state_at
    assert merged(before, trashed).cancelled_at == START
    assert merged(before, trashed, later(3, status="processing")).gone_at is None


def test_a_refund_is_what_the_newest_body_says() -> None:
    pending = RefundState(Decimal(40), "EUR", START, START + timedelta(hours=1), '[{"sku":"A"}]')
    failed = RefundState(Decimal(0), None, START, START + timedelta(hours=2))
    assert state.merge_refunds(pending, failed) == failed._replace(items=pending.items)
    foreign = RefundState(
        Decimal(44), "CAD", START, START
    )  # before the order's own body said what it is in the shop's currency
    assert state.merge_refunds(pending, foreign)[:2] == (Decimal(40), "EUR")
    same = failed._replace(seen_at=pending.seen_at)
    assert state.merge_refunds(same, pending).amount == 40, "of one moment the larger amount"
    assert state.counts(pending, pending.seen_at)
    assert not state.counts(pending, failed.seen_at), "the newest list does not name it"
    assert not state.counts(failed, None)


def test_how_much_was_given_back() -> None:
    part = RefundState(Decimal(4), "EUR", START, START + timedelta(hours=1))
    gone = part._replace(seen_at=START)
    order = later(1, total=Decimal(10))
    assert state.given_back(order, [part, gone]) == 4
    assert state.given_back(order._replace(status="refunded"), [part]) == 10
    assert state.given_back(order._replace(status="refunded", total=None), []) == 0
    more = part._replace(amount=Decimal(12))
    assert state.given_back(order._replace(status="refunded"), [more]) == 12


def test_moments_that_nobody_undoes_are_the_earliest() -> None:
    told = state.merge_orders(order(ordered_at=START), OrderState(ordered_at=START + timedelta(days=1)))
    assert told.ordered_at == START
    assert state.earliest(None, None) is None
    assert state.latest(None, START) == START
