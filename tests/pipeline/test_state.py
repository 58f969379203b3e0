"""Merging is commutative, associative and idempotent, so that order of arrival cannot matter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.pipeline import state
from custom_events.pipeline.state import CustomerState, OrderState, RefundState, SubscriptionState
from custom_events.values.events import CommerceEvent, EventType, Order

START = datetime(2026, 11, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours))
MAYBE = st.none() | MOMENTS
WORDS = st.sampled_from([None, "paid", "pending", "refunded", "processing", "unheard-of"])
AMOUNTS = st.sampled_from([Decimal(0), Decimal("9.90"), Decimal(10)])

ORDERS = st.builds(
    OrderState,
    st.sampled_from([None, "#1", "#2"]),
    MAYBE,
    MAYBE,
    WORDS,
    WORDS,
    MAYBE,
    MAYBE,
    MAYBE,
    st.sampled_from([None, "EUR", "USD"]),
    st.none() | AMOUNTS,
    AMOUNTS,
    st.sampled_from([None, "c:1", "c:2"]),
    st.booleans(),
)
REFUNDS = st.builds(RefundState, AMOUNTS, st.sampled_from([None, "EUR", "USD"]), MAYBE)
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


def test_moments_keep_the_earliest_that_anybody_told() -> None:
    told = state.merge_orders(order(paid_at=START), OrderState(state_at=START + timedelta(days=1)))
    assert told.paid_at == START
    assert state.earliest(None, None) is None


def test_of_two_evidences_the_older_is_nearer_then_the_earlier_station() -> None:
    def event(status: str, hours: int = 0, order: bool = True) -> CommerceEvent:
        at = START + timedelta(hours=hours)
        facts = Order(id="1", created_at=START, updated_at=at, financial_status=status) if order else None
        return CommerceEvent(type=EventType.ORDER_PAID, key="k", occurred_at=START, evidence_at=at, order=facts)

    assert state.evidence_rank(event("refunded")) < state.evidence_rank(event("paid", hours=1))
    assert state.evidence_rank(event("pending")) < state.evidence_rank(event("paid"))
    assert state.evidence_rank(event("paid", order=False)) < state.evidence_rank(event("paid"))
