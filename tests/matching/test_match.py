"""From an event to its matches."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.dedup import dedup_key
from custom_events.matching.explain import explain
from custom_events.matching.match import (
    NO_HISTORY,
    History,
    Item,
    counted,
    group_winners,
    match,
    match_batch,
    occurrence,
)
from custom_events.matching.threshold import Occurrence
from custom_events.values.clicks import Click, ClickKind, Consent, ConsentStatus
from custom_events.values.definitions import (
    Assignment,
    ConsentNeeded,
    Dedup,
    DedupPer,
    DefinitionConfig,
    Threshold,
    ThresholdFires,
    ThresholdMeasure,
    ThresholdPeriod,
    ThresholdScope,
    ValueRule,
    ValueSource,
)
from custom_events.values.events import CommerceEvent, Customer, EventType, Refund, Subscription
from custom_events.values.reasons import SENTENCES, WITHHOLDING, Reason
from tests.conditions.strategies import events, facts, trees
from tests.matching.building import DAY_0, SITE, assignment, compiled_rules, paid

BIG = {"field": "order.total", "op": ">=", "value": "200"}
THIRD = Threshold(at_least=Decimal(3))


def ids(event: CommerceEvent, *assignments: Assignment, **more: Any) -> list[int]:
    return [found.assignment.assignment_id for found in match(event, SITE, compiled_rules(*assignments), **more)]


def withheld(event: CommerceEvent, **settings_: Any) -> Reason | None:
    (found,) = match(event, SITE, compiled_rules(assignment(**settings_)))
    return found.withheld


def test_a_match_has_all_that_is_recorded() -> None:
    (found,) = match(paid("55", day=1), SITE, compiled_rules(assignment(7, delay_minutes=90)))
    assert found.assignment.assignment_id == 7
    assert (found.event_key, found.dedup_key, found.order_id, found.customer_key) == (
        "order.paid:55",
        "o:55",
        "55",
        "c:1",
    )
    assert (found.value, found.currency) == (Decimal("100.00"), "EUR")
    assert found.occurred_at == DAY_0 + timedelta(days=1)
    assert found.not_before == found.occurred_at + timedelta(minutes=90)
    assert (found.consent, found.withheld) == (ConsentStatus.UNKNOWN, None)
    assert found.click is not None


def test_site_trigger_conditions_and_test_orders() -> None:
    rules = (
        assignment(1),
        assignment(2, conditions=BIG),
        assignment(3, trigger=(EventType.ORDER_REFUNDED, EventType.ORDER_PAID)),
    )
    assert ids(paid(), *rules) == [1, 3]
    assert ids(paid(total="200"), *rules) == [1, 2, 3]
    assert ids(paid(type=EventType.ORDER_REFUNDED), *rules) == [3]
    assert ids(paid(type=EventType.ORDER_CREATED), *rules) == []
    assert ids(paid(is_test=True), *rules) == []
    assert match(paid(), 2, compiled_rules(*rules)) == []


def test_a_broken_stored_condition_matches_nothing_and_stops_nothing_else() -> None:
    rules = compiled_rules(assignment(1, conditions={"field": "no.such", "op": "="}), assignment(2))
    assert [found.assignment.assignment_id for found in match(paid(), SITE, rules)] == [2]
    assert [rule.id for rule in rules.unreadable()] == [1]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-09T22:59:59+00:00", []),
        ("2026-03-09T23:00:00+00:00", [1]),
        ("2026-03-20T22:59:00+00:00", [1]),
        ("2026-03-20T23:00:00+00:00", []),
    ],
)
def test_dates_are_those_of_the_site(moment: str, expected: list[int]) -> None:
    rule = assignment(1, valid_from=date(2026, 3, 10), valid_until=date(2026, 3, 20))
    from datetime import datetime

    event = paid(occurred_at=datetime.fromisoformat(moment))
    assert [
        found.assignment.assignment_id for found in match(event, SITE, compiled_rules(rule, zone="Europe/Berlin"))
    ] == expected


def test_one_end_of_the_dates_is_enough() -> None:
    assert ids(paid(), assignment(1, valid_from=date(2026, 3, 3)), assignment(2, valid_until=date(2026, 3, 2))) == [2]


def test_a_sum_takes_an_amount_in_the_currency_of_what_it_belongs_to() -> None:
    """A refund in another currency makes the order's money no other money."""
    back = Refund(id="9", order_id="1", amount=Decimal(5), currency="USD")
    event = msgspec.structs.replace(paid(), type=EventType.ORDER_REFUNDED, key="order.refunded:1:9", refund=back)

    def counted_as(field: str | None) -> tuple[Decimal | None, str | None]:
        threshold = Threshold(at_least=Decimal(1), measure=ThresholdMeasure.SUM, field=field)
        (rule,) = compiled_rules(assignment(trigger=(EventType.ORDER_REFUNDED,), threshold=threshold)).sites[SITE].rules
        found = occurrence(rule, event, Facts())
        return found.amount, found.currency

    assert counted_as("order.total") == (Decimal(100), "EUR")
    assert counted_as("refund.amount") == counted_as(None) == (Decimal(5), "USD")
    assert counted_as("subscription.amount") == (None, None)
    assert counted_as("properties.points") == (None, "USD")


# ---------------------------------------------------------------- groups
def test_in_a_group_the_highest_priority_fires_alone() -> None:
    rules = (
        assignment(5, group="tier", priority=1),
        assignment(4, group="tier", priority=1),
        assignment(3, group="tier", priority=9, conditions=BIG),
        assignment(2),
        assignment(1, group="other"),
    )
    assert ids(paid(), *rules) == [1, 2, 4]
    assert ids(paid(total="200"), *rules) == [1, 2, 3]
    lost = explain(paid(total="200"), rules[0], compiled_rules=compiled_rules(*rules))
    assert (lost.fires, lost.reason) == (False, Reason.GROUP_LOST)
    assert lost.group is not None
    assert (lost.group.winner, lost.group.candidates) == (3, (3, 4, 5))


def test_among_equals_of_a_group_one_that_is_to_be_made_comes_last() -> None:
    """A draft's negative id stands for the next one."""
    assert ids(paid(), assignment(-7, group="g"), assignment(3, group="g"), assignment(5, group="g")) == [3]


def test_a_group_is_settled_among_those_that_fire() -> None:
    rules = (assignment(1, group="g", priority=9, threshold=THIRD), assignment(2, group="g"))
    assert ids(paid(), *rules) == [2]
    assert group_winners([]) == []


# ---------------------------------------------------------------- why it stays
def test_reasons_to_withhold() -> None:
    hashed = Customer(key="c:1", email_sha256="a" * 64)
    old = Click(kind=ClickKind.GCLID, id="x", clicked_at=DAY_0 - timedelta(days=31))
    later = Click(kind=ClickKind.GCLID, id="y", clicked_at=DAY_0 + timedelta(hours=1))
    denied = Consent(ad_user_data=ConsentStatus.DENIED)
    granted = Consent(ad_user_data=ConsentStatus.GRANTED)
    assert withheld(paid(), ads_action=None) is Reason.NO_ADS_ACTION
    assert withheld(paid(consent=denied)) is Reason.CONSENT_DENIED
    assert withheld(paid(consent=denied), consent_needed=ConsentNeeded.GRANTED) is Reason.CONSENT_DENIED
    assert withheld(paid(), consent_needed=ConsentNeeded.GRANTED) is Reason.CONSENT_UNKNOWN
    assert withheld(paid(consent=granted), consent_needed=ConsentNeeded.GRANTED) is None
    assert withheld(paid(clicks=())) is Reason.NO_CLICK_OR_IDENTIFIER
    assert withheld(paid(clicks=(), customer=hashed)) is None
    assert withheld(paid(clicks=(), customer=Customer(phone_sha256="b" * 64))) is None
    assert withheld(paid(clicks=(old,)), click_window_days=30) is Reason.CLICK_TOO_OLD
    assert withheld(paid(clicks=(old,)), click_window_days=31) is None
    assert withheld(paid(clicks=(old,), customer=hashed), click_window_days=30) is None
    assert withheld(paid(clicks=(later,))) is Reason.CLICK_AFTER_EVENT
    assert withheld(paid(total=None)) is Reason.VALUE_UNKNOWN
    assert withheld(paid(total=None), value=ValueRule(source=ValueSource.NONE)) is None


def test_the_first_usable_click_is_taken() -> None:
    old = Click(kind=ClickKind.GCLID, id="old", clicked_at=DAY_0 - timedelta(days=40))
    good = Click(kind=ClickKind.GBRAID, id="good")
    (found,) = match(paid(clicks=(old, good)), SITE, compiled_rules(assignment(click_window_days=30)))
    assert found.click == good
    explained = explain(paid(clicks=(old, good)), assignment(click_window_days=30))
    assert [(click.usable, click.reason) for click in explained.clicks] == [(False, Reason.CLICK_TOO_OLD), (True, None)]


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
    assert set(Reason) > WITHHOLDING


# ---------------------------------------------------------------- thresholds and keys
def history(number: int, *days: float, customer: str | None = "c:1") -> History:
    return History(
        counted={
            number: [
                Occurrence(occurred_at=DAY_0 + timedelta(days=day), key=f"order.paid:h{day}", customer=customer)
                for day in days
            ]
        }
    )


def test_a_threshold_needs_its_history() -> None:
    rule = assignment(1, threshold=THIRD)
    assert ids(paid(day=5), rule) == []
    assert ids(paid(day=5), rule, history=history(1, 0, 1)) == [1]
    assert ids(paid(day=5), rule, history=history(1, 0, 1, 2)) == []
    assert ids(paid(day=5), rule, history=history(1, 0, 9)) == [], "what came later does not count"
    assert ids(paid(day=5, customer=None), rule, history=history(1, 0, 1)) == []
    assert explain(paid(customer=None), rule).reason is Reason.CUSTOMER_UNKNOWN


def test_a_threshold_of_the_site_counts_everybody() -> None:
    rule = assignment(1, threshold=Threshold(at_least=Decimal(2), scope=ThresholdScope.SITE))
    assert ids(paid(day=1, customer=None), rule, history=history(1, 0, customer="c:9")) == [1]
    of_a_customer = assignment(2, threshold=Threshold(at_least=Decimal(2)))
    assert {
        site: [one.id for one in rules] for site, rules in compiled_rules(rule, of_a_customer).site_wide().items()
    } == {SITE: [1]}
    assert compiled_rules(of_a_customer).site_wide() == {}


def test_the_amount_of_a_sum() -> None:
    def reaches(field: str | None) -> bool:
        return ids(
            paid(), assignment(1, threshold=Threshold(measure=ThresholdMeasure.SUM, field=field, at_least=Decimal(90)))
        ) == [1]

    assert reaches(None)
    assert reaches("order.total")
    assert not reaches("order.shipping")
    assert not reaches("no.such")
    (rule,) = compiled_rules(assignment(threshold=THIRD)).sites[SITE].rules
    assert occurrence(rule, paid(total="NaN"), Facts()).amount is None


KEYS = [
    (Dedup(), "o:1"),
    (Dedup(per=DedupPer.CUSTOMER), "c:c:1"),
    (Dedup(per=DedupPer.EVENT), "order.paid:1"),
    (Dedup(per=DedupPer.SUBSCRIPTION_PERIOD), "order.paid:1"),
    (Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=30), "w:c:1:order.paid:1"),
    (Dedup(per=DedupPer.CUSTOMER_WINDOW), "order.paid:1"),
]


@pytest.mark.parametrize(("dedup", "key"), KEYS, ids=str)
def test_deduplication_keys(dedup: Dedup, key: str) -> None:
    (found,) = match(paid(), SITE, compiled_rules(assignment(dedup=dedup)))
    assert found.dedup_key == key


@pytest.mark.parametrize("per", DedupPer)
def test_what_an_event_lacks_makes_its_own_key(per: DedupPer) -> None:
    bare = paid(customer=None, order=None)
    (found,) = match(
        bare,
        SITE,
        compiled_rules(assignment(dedup=Dedup(per=per, window_days=3), value=ValueRule(source=ValueSource.NONE))),
    )
    assert found.dedup_key == bare.key


def test_the_key_of_a_subscription_period() -> None:
    renewed = paid(
        type=EventType.SUBSCRIPTION_RENEWED,
        order=None,
        subscription=Subscription(id="s1", order_id="9", amount=Decimal(1)),
    )
    rule = assignment(trigger=(EventType.SUBSCRIPTION_RENEWED,), dedup=Dedup(per=DedupPer.SUBSCRIPTION_PERIOD))
    (found,) = match(renewed, SITE, compiled_rules(rule))
    assert found.dedup_key == "s:s1:9"


def test_a_window_is_opened_by_the_first_and_lasts_its_days() -> None:
    rule = assignment(1, dedup=Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=10))

    def key(day: float, *before: float, customer: str = "c:1") -> str:
        (found,) = match(paid("x", day=day), SITE, compiled_rules(rule), history=history(1, *before, customer=customer))
        return found.dedup_key.removeprefix("w:c:1:order.paid:")

    assert key(0) == "x"
    assert key(9.9, 0) == "h0"
    assert key(10, 0) == "x"
    assert key(12, 0, 5, 11) == "h11"
    assert key(12, 0, 5) == "x"
    assert key(3, 5, 9) == "x", "later ones do not open it"
    assert key(3, 0, customer="c:2") == "x", "other customers have their own"


def test_windows_after_a_threshold_count_what_fired() -> None:
    rule = assignment(
        1,
        threshold=Threshold(at_least=Decimal(2), fires=ThresholdFires.EVERY_FURTHER),
        dedup=Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=10),
    )
    (found,) = match(paid("x", day=4), SITE, compiled_rules(rule), history=history(1, 0, 3))
    assert found.dedup_key == "w:c:1:order.paid:h3"


def test_what_counts_for_a_rule() -> None:
    (rule,) = compiled_rules(assignment(1, conditions=BIG, valid_from=date(2026, 3, 3))).sites[SITE].rules
    good = paid(total="200", day=1)
    occurrence = counted(rule, good, Facts())
    assert occurrence is not None
    assert (occurrence.key, occurrence.customer) == (good.key, good.customer_key)
    assert counted(rule, paid(total="200"), Facts()) is None
    assert counted(rule, paid(day=1), Facts()) is None
    assert counted(rule, msgspec.structs.replace(good, is_test=True), Facts()) is None
    assert counted(rule, msgspec.structs.replace(good, type=EventType.ORDER_CREATED), Facts()) is None


def test_a_batch_gives_each_item_its_own_facts_and_history() -> None:
    first_order = {"field": "customer.orders_before", "op": "=", "value": 0}
    rules = compiled_rules(assignment(1, threshold=THIRD), assignment(2, conditions=first_order))
    event = paid(day=5)
    items = [Item(event, SITE), Item(event, SITE, history=history(1, 0, 1)), Item(event, SITE, Facts(orders_before=0))]
    fired = [[found.assignment.assignment_id for found in matches] for matches in match_batch(items, rules)]
    assert fired == [[], [1], [2]]


# ---------------------------------------------------------------- laws
configs = st.builds(
    DefinitionConfig,
    trigger=st.lists(st.sampled_from(EventType), min_size=1, max_size=8, unique=True).map(tuple),
    conditions=st.none() | trees,
    threshold=st.none()
    | st.builds(
        Threshold,
        at_least=st.sampled_from([Decimal(1), Decimal(2)]),
        period=st.sampled_from(ThresholdPeriod),
        window_days=st.just(7),
    ),
    dedup=st.builds(Dedup, per=st.sampled_from(DedupPer), window_days=st.just(7)),
    value=st.builds(
        ValueRule,
        source=st.sampled_from(ValueSource),
        without_tax=st.booleans(),
        fixed=st.just(Decimal(3)),
        field=st.just("refund.amount"),
    ),
    group=st.sampled_from([None, "a", "b"]),
    priority=st.integers(0, 2),
    consent_needed=st.sampled_from(ConsentNeeded),
    valid_from=st.sampled_from([None, date(2026, 3, 4)]),
    ads_action=st.sampled_from([None, "1234567890/1"]),
)
rule_sets = st.lists(configs, min_size=1, max_size=4).map(
    lambda found: [msgspec.structs.replace(assignment(number), config=config) for number, config in enumerate(found)]
)
law = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@law
@given(rule_sets, st.lists(st.tuples(events, facts), max_size=5), st.integers(0, 5))
def test_a_batch_is_one_by_one_and_may_be_split_anywhere(
    rules: list[Assignment], given_: list[tuple[CommerceEvent, Facts]], cut: int
) -> None:
    compiled = CompiledRules(rules)
    items = [Item(event, SITE, known) for event, known in given_]
    whole = match_batch(items, compiled)
    assert whole == [match(item.event, item.site_id, compiled, item.facts) for item in items]
    assert whole == match_batch(items[:cut], compiled) + match_batch(items[cut:], compiled)


@law
@given(rule_sets, events, facts, st.randoms())
def test_the_order_of_assignments_does_not_matter(
    rules: list[Assignment], event: CommerceEvent, known: Facts, random: Any
) -> None:
    shuffled = list(rules)
    random.shuffle(shuffled)
    assert match(event, SITE, CompiledRules(shuffled), known) == match(event, SITE, CompiledRules(rules), known)


@law
@given(rule_sets, events, facts)
def test_the_explanation_says_what_matching_does(rules: list[Assignment], event: CommerceEvent, known: Facts) -> None:
    compiled = CompiledRules(rules)
    made = {found.assignment.assignment_id: found for found in match(event, SITE, compiled, known)}
    for one in rules:
        found = explain(event, one, known, NO_HISTORY, compiled)
        assert found.fires is (one.assignment_id in made)
        assert found.match == made.get(one.assignment_id)
        assert found.reason is (made[one.assignment_id].withheld if found.fires else found.reason)
        assert found.fires or found.reason not in WITHHOLDING


def test_dedup_key_alone() -> None:
    assert dedup_key(Dedup(per=DedupPer.CUSTOMER), paid()) == "c:c:1"
