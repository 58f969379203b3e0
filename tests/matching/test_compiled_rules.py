"""What is compiled once for a set of revisions, and what it says must be looked up."""

from datetime import UTC, date
from decimal import Decimal

import pytest

from custom_events.conditions.facts import Facts
from custom_events.matching.match import NO_HISTORY, History, Settled, match
from custom_events.matching.threshold import Crossing, Occurrence
from custom_events.values.definitions import (
    Assignment,
    Dedup,
    DedupPer,
    Threshold,
    ThresholdScope,
    ValueRule,
    ValueSource,
)
from custom_events.values.events import CommerceEvent, Customer, EventType
from custom_events.values.zones import zone, zone_or_utc
from tests.matching.building import DAY_0, SITE, assignment, compiled_rules, paid

BIG = {"field": "order.total", "op": ">=", "value": "200"}
THIRD = Threshold(at_least=Decimal(3))


def ids(event: CommerceEvent, *assignments: Assignment, history: History = NO_HISTORY) -> list[int]:
    rules = compiled_rules(*assignments)
    return [found.assignment.assignment_id for found in match(event, SITE, rules, history=history)]


def test_the_plan_knows_what_must_be_looked_up() -> None:
    rules = compiled_rules(
        assignment(1, conditions={"field": "customer.orders_before", "op": "=", "value": 0}),
        assignment(2, trigger=(EventType.ORDER_REFUNDED,), dedup=Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=3)),
        assignment(
            3,
            trigger=(EventType.ORDER_CREATED,),
            value=ValueRule(source=ValueSource.FIELD, field="customer.spent_before"),
        ),
        assignment(4, trigger=(EventType.CHECKOUT_STARTED,), threshold=THIRD),
    )
    asked = {kind: (rules.needs_facts(SITE, kind), rules.needs_history(SITE, kind)) for kind in EventType}
    assert asked[EventType.ORDER_PAID] == (True, False)
    assert asked[EventType.ORDER_REFUNDED] == (False, True)
    assert asked[EventType.ORDER_CREATED] == (True, False)
    assert asked[EventType.CHECKOUT_STARTED] == (False, True)
    assert asked[EventType.CUSTOMER_CREATED] == (False, False)
    assert not rules.needs_facts(99, EventType.ORDER_PAID)
    assert not rules.needs_history(99, EventType.ORDER_PAID)


def test_facts_decide_and_carry_the_sites_time_zone() -> None:
    rules = compiled_rules(
        assignment(1, conditions={"field": "customer.orders_before", "op": "=", "value": 0}), zone="Asia/Tokyo"
    )
    site = rules.site(SITE)
    assert site is not None
    first = site.facts_with(orders_before=0)
    assert first.zone == zone("Asia/Tokyo")
    assert len(match(paid(), SITE, rules, first)) == 1
    assert match(paid(), SITE, rules, site.facts_with(orders_before=1)) == []
    assert match(paid(), SITE, rules) == []


@pytest.mark.parametrize("name", [None, "", "Middle/Earth", "../etc/passwd", "a" * 5000, "Europe"])
def test_a_time_zone_nobody_knows_is_utc(name: str | None) -> None:
    assert zone_or_utc(name) is UTC


def test_a_condition_that_many_share_is_asked_once() -> None:
    rules = compiled_rules(*(assignment(number, conditions=BIG) for number in range(1, 6)))
    assert len(rules.sites[SITE].buckets[EventType.ORDER_PAID]) == 1
    assert ids(paid(total="200"), *(assignment(number, conditions=BIG) for number in (3, 1, 2))) == [1, 2, 3]


def test_what_can_be_counted_by_customer() -> None:
    window = Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=3)
    known_before = {"field": "customer.orders_before", "op": "=", "value": 0}
    rules = compiled_rules(
        assignment(1, threshold=THIRD),
        assignment(2, threshold=Threshold(at_least=Decimal(3), scope=ThresholdScope.SITE)),
        assignment(3, threshold=THIRD, dedup=window),
        assignment(4, threshold=THIRD, conditions=known_before),
        assignment(5),
    )
    assert {site: [rule.id for rule in of_site] for site, of_site in rules.countable().items()} == {SITE: [1]}
    assert compiled_rules(assignment(5)).countable() == {}
    assert [rule.counts is not None for rule in rules.sites[SITE].rules] == [True, True, True, True, False]


def test_a_sites_facts_are_those_that_were_read() -> None:
    site = compiled_rules(assignment(1), zone="Asia/Tokyo").sites[SITE]
    known = Facts(zone=zone("Asia/Tokyo"), orders_before=2, spent_before=Decimal(5), first_seen=DAY_0)
    assert site.facts_with(orders_before=2, spent_before=Decimal(5), first_seen=DAY_0) == known


def test_a_rule_that_counts_minds_its_dates_and_its_customer() -> None:
    first = Threshold(at_least=Decimal(1))
    rule = assignment(1, threshold=first, valid_from=date(2026, 3, 3), valid_until=date(2026, 3, 4))
    assert [ids(paid(day=day), rule) for day in (0, 1, 2, 3)] == [[], [1], [1], []]
    assert ids(paid(day=1, customer=Customer()), rule) == []
    of_the_site = assignment(1, threshold=Threshold(at_least=Decimal(1), scope=ThresholdScope.SITE))
    assert ids(paid(customer=None), of_the_site) == [1]


def test_either_date_alone_bounds_a_rule() -> None:
    for counts in (None, Threshold(at_least=Decimal(1))):
        begins = assignment(1, threshold=counts, valid_from=date(2026, 3, 3))
        ends = assignment(1, threshold=counts, valid_until=date(2026, 3, 3))
        assert [ids(paid(day=day), begins) for day in (0, 1, 2)] == [[], [1], [1]]
        assert [ids(paid(day=day), ends) for day in (0, 1, 2)] == [[1], [1], []]


def test_what_is_settled_already_is_not_counted_again() -> None:
    reached = Crossing(before=Decimal(2), after=Decimal(3), fires=True)
    missed = Crossing(before=Decimal(1), after=Decimal(2), fires=False)
    rule = assignment(1, threshold=THIRD)
    two_before = [Occurrence(occurred_at=DAY_0, key=key, customer="c:1") for key in ("a", "b")]
    for place, fires in ((reached, [1]), (missed, []), (None, [])):
        known = History(counted={1: two_before}, settled={1: Settled(crossing=place)})
        assert ids(paid(day=5), rule, history=known) == fires
    assert ids(paid(day=5), rule, history=History(settled={1: Settled(crossing=reached)})) == [1]
