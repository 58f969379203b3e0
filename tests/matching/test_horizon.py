"""How far an event reaches."""

from datetime import timedelta
from decimal import Decimal

from custom_events.matching.horizon import Horizon, horizon
from custom_events.matching.plan import SitePlan
from custom_events.values.definitions import Assignment, Dedup, DedupPer, Threshold, ThresholdPeriod, ThresholdScope
from custom_events.values.events import EventType
from tests.matching.building import DAY_0, SITE, assignment, plan

PAID = EventType.ORDER_PAID
FIRST = {"field": "customer.orders_before", "op": "=", "value": 0}
MONTH = Threshold(at_least=Decimal(3), period=ThresholdPeriod.ROLLING, window_days=30)


def site(*assignments: Assignment) -> SitePlan:
    found = plan(*assignments).site(SITE)
    assert found is not None
    return found


def test_most_events_stand_alone() -> None:
    assert horizon(site(assignment()), PAID, DAY_0) is None
    assert horizon(site(assignment(threshold=MONTH)), EventType.ORDER_REFUNDED, DAY_0) is None


def test_a_window_reaches_as_far_as_it_is_long_to_both_sides() -> None:
    rules = site(assignment(1), assignment(2, threshold=MONTH, trigger=(PAID, EventType.SUBSCRIPTION_RENEWED)))
    month = timedelta(days=30)
    assert horizon(rules, PAID, DAY_0) == Horizon(
        kinds=frozenset({PAID, EventType.SUBSCRIPTION_RENEWED}),
        since=DAY_0 - month,
        until=DAY_0 + month,
        whole_site=False,
    )


def test_the_widest_wins() -> None:
    found = horizon(
        site(
            assignment(1, threshold=MONTH),
            assignment(2, threshold=Threshold(at_least=Decimal(2), scope=ThresholdScope.SITE)),
        ),
        PAID,
        DAY_0,
    )
    assert found is not None
    assert (found.since, found.until, found.whole_site) == (None, None, True)


def test_facts_and_deduplication_windows_reach_everywhere() -> None:
    windowed = assignment(1, dedup=Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=3))
    for rules in (site(windowed), site(assignment(1, conditions=FIRST))):
        found = horizon(rules, PAID, DAY_0)
        assert found is not None
        assert (found.since, found.until) == (None, None)


def test_a_paid_order_reaches_rules_that_wait_for_other_events_but_ask_for_orders_before() -> None:
    signup = assignment(1, trigger=(EventType.CUSTOMER_CREATED,), conditions=FIRST)
    found = horizon(site(signup), PAID, DAY_0)
    assert found is not None
    assert found.kinds == {PAID, EventType.CUSTOMER_CREATED}
    assert horizon(site(signup), EventType.CUSTOMER_CREATED, DAY_0) is None
