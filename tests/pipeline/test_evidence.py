"""An event is what all its bodies say together: of each part the oldest that has it, in any order and any batching."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.pipeline.evidence import MERGED, Evidence, has_all, is_older, merge, parts_of, replace
from custom_events.values.clicks import Click, ClickKind, Consent, ConsentStatus
from custom_events.values.events import (
    Cart,
    CommerceEvent,
    Customer,
    EventType,
    Order,
    Refund,
    Subscription,
    from_json,
    to_json,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
WEEK = date(2026, 11, 2)
MOMENTS = st.integers(0, 2).map(lambda seconds: START + timedelta(seconds=seconds))
AMOUNTS = st.sampled_from([Decimal("9.90"), Decimal(10)])

ORDERS = st.builds(
    Order,
    id=st.just("1"),
    created_at=st.just(START),
    updated_at=MOMENTS,
    total=AMOUNTS,
    financial_status=st.sampled_from([None, "pending", "paid"]),
    status=st.sampled_from([None, "open", "cancelled"]),
)
CUSTOMERS = st.builds(
    Customer,
    key=st.none() | st.sampled_from(["c:7", "e:a"]),
    email_sha256=st.none() | st.sampled_from(["a", "b"]),
    phone_sha256=st.none() | st.sampled_from(["p", "q"]),
    country=st.none() | st.just("DE"),
)
REFUNDS = st.builds(
    Refund,
    id=st.just("2"),
    order_id=st.just("1"),
    amount=AMOUNTS,
    currency=st.none() | st.just("EUR"),
    reason=st.none() | st.sampled_from(["broken", "late"]),
)
SUBSCRIPTIONS = st.builds(
    Subscription,
    id=st.sampled_from(["order:1", "77", "78"]),
    status=st.none() | st.sampled_from(["active", "cancelled"]),
    cancelled_at=st.none() | MOMENTS,
    order_id=st.none() | st.just("1"),
    amount=st.none() | AMOUNTS,
    currency=st.none() | st.just("EUR"),
)
WORDS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), max_size=2)
EVENTS = st.builds(
    CommerceEvent,
    type=st.just(EventType.SUBSCRIPTION_RENEWED),
    key=st.just("subscription.renewed:order:1:1"),
    occurred_at=MOMENTS,
    evidence_at=MOMENTS,
    is_test=st.booleans(),
    order=st.none() | ORDERS,
    refund=st.none() | REFUNDS,
    subscription=st.none() | SUBSCRIPTIONS,
    cart=st.none() | st.builds(Cart, token=st.just("t"), total=AMOUNTS),
    customer=st.none() | CUSTOMERS,
    clicks=st.sampled_from([(), (Click(kind=ClickKind.GCLID, id="a"),), (Click(kind=ClickKind.GCLID, id="b"),)]),
    consent=st.none() | st.builds(Consent, ad_user_data=st.sampled_from(ConsentStatus)),
    utm=WORDS,
    note_attributes=WORDS,
    properties=st.sampled_from([{}, {"a": msgspec.Raw(b"1")}]),
)
SETS = st.lists(EVENTS, min_size=1, max_size=5).map(
    lambda events: [Evidence(event, number, WEEK) for number, event in enumerate(events, start=1)]
)


def together(evidences: list[Evidence]) -> Evidence:
    return reduce(merge, evidences)


@settings(max_examples=200, deadline=None)
@given(SETS, st.data())
def test_any_order_and_any_batching_gives_the_same_event(evidences: list[Evidence], data: st.DataObject) -> None:
    whole = together(evidences)
    shuffled = data.draw(st.permutations(evidences))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(shuffled)), max_size=3)))
    batches = [
        shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True) if start < end
    ]
    stored = together([Evidence(from_json(to_json(one.event)), *one[1:]) for one in map(together, batches)])
    assert stored == whole
    assert to_json(stored.event) == to_json(whole.event)
    for one in evidences:
        assert merge(whole, one) == whole, "told again, nothing changes"
        assert merge(one, whole) == whole


@settings(max_examples=150, deadline=None)
@given(SETS)
def test_of_each_part_the_oldest_body_that_has_it(evidences: list[Evidence]) -> None:
    whole, events = together(evidences), [one.event for one in evidences]
    seconds = {event.evidence_at for event in events}
    assert whole.event.occurred_at == min(event.occurred_at for event in events)
    assert whole.event.evidence_at == min(seconds)
    assert whole.event.is_test == any(event.is_test for event in events)
    assert parts_of(whole.event) & ~MERGED == reduce(lambda bits, event: bits | parts_of(event), events, 0)
    if len(seconds) < len(events):
        return  # of one second the digest decides
    by_age = sorted(events, key=lambda event: event.evidence_at)

    def first(what: Any) -> Any:
        return next((value for event in by_age if (value := what(event)) not in {None, ()}), None)

    assert whole.event.order == first(lambda event: event.order)
    assert (whole.event.clicks or None) == first(lambda event: event.clicks)
    subscription, customer = whole.event.subscription, whole.event.customer
    assert (subscription and subscription.amount) == first(
        lambda event: event.subscription and event.subscription.amount
    )
    assert (customer and customer.email_sha256) == first(lambda event: event.customer and event.customer.email_sha256)


@settings(max_examples=150, deadline=None)
@given(SETS, EVENTS)
def test_understood_again_a_body_says_what_it_says_today(evidences: list[Evidence], today: CommerceEvent) -> None:
    """Also of parts that it gave and no longer gives; what the others gave stays."""
    *others, mended = evidences
    after = replace(together(evidences), Evidence(today, mended.raw_id, WEEK), {mended.raw_id})
    rest = [*others, Evidence(today, mended.raw_id, WEEK)]
    assert parts_of(after.event) & ~parts_of(together(rest).event) & ~MERGED == 0
    assert replace(after, Evidence(today, mended.raw_id, WEEK), {mended.raw_id}) == after
    if not others:
        assert after == Evidence(today, mended.raw_id, WEEK)


def evidence(raw_id: int, seconds: int, **parts: Any) -> Evidence:
    at = START + timedelta(seconds=seconds)
    key = "subscription.renewed:order:1:1"
    event = CommerceEvent(type=EventType.SUBSCRIPTION_RENEWED, key=key, occurred_at=at, evidence_at=at, **parts)
    return Evidence(event, raw_id, WEEK)


def order(status: str = "paid", total: str = "11.70") -> Order:
    return Order(
        id="1", created_at=START, updated_at=START, financial_status=status, total=Decimal(total), currency="EUR"
    )


def test_a_renewal_has_its_order_and_its_contract_whichever_body_is_older() -> None:
    for seconds in (0, 2):
        billing = evidence(1, seconds, subscription=Subscription(id="77", order_id="1"))
        sold = evidence(2, 1, order=order(), subscription=Subscription(id="order:1", order_id="1"))
        event = merge(billing, sold).event
        assert (event.amount, event.currency, event.order_id) == (Decimal("11.70"), "EUR", "1")
        assert event.subscription == Subscription(id="77", order_id="1")
        assert event.occurred_at == event.evidence_at == START + timedelta(seconds=min(seconds, 1))


def test_of_one_second_the_earlier_station_is_nearer_as_a_whole() -> None:
    pending, paid = evidence(2, 0, order=order("pending", "10.00")), evidence(1, 0, order=order("paid", "12.00"))
    assert merge(paid, pending) == merge(pending, paid) == pending
    assert is_older(pending.event, paid.event)


@settings(max_examples=200, deadline=None)
@given(EVENTS, EVENTS)
def test_where_the_older_is_said_to_have_all_it_is_what_both_say(one: CommerceEvent, two: CommerceEvent) -> None:
    older = is_older(one, two)
    nearer, other = (one, two) if older else (two, one)
    if older is not None and has_all(nearer, parts_of(nearer), other, parts_of(other)):
        assert merge(Evidence(nearer, 2, WEEK), Evidence(other, 1, WEEK)) == Evidence(nearer, 2, WEEK)


def test_two_bodies_of_a_kind_need_not_be_taken_apart() -> None:
    older, younger = evidence(1, 0, order=order(), utm={"source": "a"}), evidence(2, 1, order=order("pending"))
    assert has_all(older.event, parts_of(older.event), younger.event, parts_of(younger.event))
    more = evidence(3, 2, utm={"source": "b"}, meta={"a": "b"})
    assert not has_all(older.event, parts_of(older.event), more.event, parts_of(more.event))


@pytest.mark.parametrize(
    ("first", "last"), [(ConsentStatus.UNKNOWN, ConsentStatus.DENIED), (None, ConsentStatus.GRANTED)]
)
def test_a_body_that_says_nothing_of_consent_hides_no_answer(first: ConsentStatus | None, last: ConsentStatus) -> None:
    silent = evidence(1, 0, consent=None if first is None else Consent(ad_user_data=first))
    spoken = evidence(2, 1, consent=Consent(ad_user_data=last))
    assert merge(silent, spoken).event.consent == Consent(ad_user_data=last)
