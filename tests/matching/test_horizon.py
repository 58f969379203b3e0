"""How far an event reaches: whose verdicts it may change when it comes late."""

from decimal import Decimal

from custom_events.matching.compiled_rules import CompiledSite
from custom_events.matching.horizon import changes_later
from custom_events.values.definitions import Assignment, Dedup, DedupPer, Threshold, ThresholdPeriod, ThresholdScope
from custom_events.values.events import EventType
from tests.matching.building import SITE, assignment, compiled_rules

PAID, SIGNUP = EventType.ORDER_PAID, EventType.CUSTOMER_CREATED
FIRST = {"field": "customer.orders_before", "op": "=", "value": 0}
MONTH = Threshold(at_least=Decimal(3), period=ThresholdPeriod.ROLLING, window_days=30)


def site(*assignments: Assignment) -> CompiledSite:
    found = compiled_rules(*assignments).site(SITE)
    assert found is not None
    return found


def test_most_events_stand_alone() -> None:
    assert changes_later(site(assignment()), PAID) == frozenset()
    assert changes_later(site(assignment(threshold=MONTH)), EventType.ORDER_REFUNDED) == frozenset()
    by_customer = assignment(dedup=Dedup(per=DedupPer.CUSTOMER))
    assert changes_later(site(by_customer), PAID) == frozenset(), "who has the key says so itself"


def test_a_threshold_reaches_all_types_that_it_counts() -> None:
    rules = site(assignment(1), assignment(2, threshold=MONTH, trigger=(PAID, EventType.SUBSCRIPTION_RENEWED)))
    assert changes_later(rules, PAID) == {PAID, EventType.SUBSCRIPTION_RENEWED}
    assert changes_later(rules, EventType.ORDER_CREATED) == frozenset()


def test_a_threshold_over_the_site_is_not_the_customers() -> None:
    over_the_site = Threshold(at_least=Decimal(2), scope=ThresholdScope.SITE)
    assert changes_later(site(assignment(threshold=over_the_site)), PAID) == frozenset()
    asking = assignment(threshold=over_the_site, conditions=FIRST)
    assert changes_later(site(asking), PAID) == {PAID}, "what counts depends on the customer's past"
    window = Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=3)
    assert changes_later(site(assignment(threshold=over_the_site, dedup=window)), PAID) == {PAID}


def test_a_paid_order_reaches_rules_that_wait_for_other_events_but_ask_for_orders_before() -> None:
    signup = site(assignment(1, trigger=(SIGNUP,), conditions=FIRST))
    assert changes_later(signup, PAID) == {SIGNUP}
    assert changes_later(signup, SIGNUP) == frozenset()


def test_when_a_customer_was_first_seen_any_event_tells() -> None:
    seen = {"field": "customer.first_seen", "op": "after", "value": "2026-01-01"}
    rules = site(assignment(1, conditions=seen))
    assert changes_later(rules, EventType.CHECKOUT_STARTED) == {PAID}
