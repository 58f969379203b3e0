"""The explanation's steps and its two outer forms."""

from decimal import Decimal

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.matching.explain import MAX_SHOWN_OCCURRENCES, explain, explanation_lines, to_json
from custom_events.matching.match import NO_HISTORY, History
from custom_events.matching.threshold import Occurrence
from custom_events.values.definitions import Threshold, ThresholdMeasure
from custom_events.values.events import EventType
from custom_events.values.reasons import Reason
from tests.matching.building import DAY_0, assignment, compiled_rules, paid

BIG = {"field": "order.total", "op": ">=", "value": "200"}


def test_a_no_names_the_leaf_that_decided() -> None:
    found = explain(paid(), assignment(conditions=BIG))
    assert (found.fires, found.reason, found.match) == (False, Reason.CONDITIONS_NOT_MET, None)
    assert explanation_lines(found) == [
        "order.paid:1 -> assignment 1 (assignment 1): no match",
        "  The conditions do not hold.",
        "  trigger: order.paid, waits for order.paid",
        "  no  order.total >= 200   (is 100.00)",
    ]
    assert (found.definition_revision_id, found.assignment_revision_id) == (101, 201)


def test_a_yes_has_key_value_click_and_time() -> None:
    rule = assignment(1, threshold=Threshold(at_least=Decimal(1)), group="g")
    text = explanation_lines(explain(paid(), rule, compiled_rules=compiled_rules(rule)))
    assert text[0].endswith("fires")
    assert text[1] == "  It fired, and nothing keeps it back."
    assert "  threshold: 0 before, 1 with it, at least 1; 1 counted" in text
    assert "  group g: assignment 1 keeps it" in text
    assert "  key o:1, value 100.00 EUR, not before 2026-03-02T12:00:00+00:00" in text
    assert "  consent unknown, click gclid" in text


def test_a_withheld_match_fires_and_says_why_it_stays() -> None:
    found = explain(paid(), assignment(ads_action=None))
    assert (found.fires, found.reason) == (True, Reason.NO_ADS_ACTION)
    assert "names no ads action" in found.sentence
    assert any(line.endswith("click none") for line in explanation_lines(explain(paid(clicks=()), assignment())))


def test_other_reasons() -> None:
    assert explain(paid(is_test=True), assignment()).reason is Reason.TEST_ORDER
    other = explain(paid(type=EventType.ORDER_CREATED), assignment())
    assert (other.reason, other.trigger.holds) == (Reason.OTHER_TRIGGER, False)
    broken = explain(paid(), assignment(conditions={"all": []}))
    assert broken.reason is Reason.CONDITIONS_NOT_READABLE
    assert "  conditions: all: the group is empty; at least one condition, or remove the group" in explanation_lines(
        broken
    )


def test_the_threshold_shows_the_newest_it_counted() -> None:
    rule = assignment(1, threshold=Threshold(at_least=Decimal(3)))
    past = [Occurrence(occurred_at=DAY_0, key=f"a{number:04}", customer="c:1") for number in range(500)]
    found = explain(paid(day=1), rule, history=History(counted={1: past}))
    assert found.reason is Reason.THRESHOLD_NOT_REACHED
    assert found.threshold is not None
    assert (found.threshold.before, found.threshold.after, found.threshold.number_counted) == (500, 501, 501)
    assert len(found.threshold.counted) == MAX_SHOWN_OCCURRENCES
    assert found.threshold.counted[-1].key == "order.paid:1"


def test_of_an_unknown_customer_no_threshold_is_shown() -> None:
    rule = assignment(1, threshold=Threshold(at_least=Decimal(1)))
    found = explain(paid(customer=None), rule)
    assert (found.reason, found.threshold) == (Reason.CUSTOMER_UNKNOWN, None)
    assert explain(paid(), assignment(1)).threshold is None


def test_a_sums_threshold_shows_how_many_events_it_added() -> None:
    rule = assignment(
        1, threshold=Threshold(measure=ThresholdMeasure.SUM, field="order.total", at_least=Decimal(900), currency="EUR")
    )
    many = Occurrence(occurred_at=DAY_0, key="a", customer="c:1", amount=Decimal(300), currency="EUR", events=7)
    explanation = explain(paid(day=1), rule, history=History(counted={1: [many]}))
    assert explanation.threshold is not None
    assert (explanation.threshold.before, explanation.threshold.after, explanation.threshold.number_counted) == (
        300,
        400,
        8,
    )


def test_a_draft_is_explained_in_its_sites_time_zone() -> None:
    night = {"field": "time.hour", "op": "=", "value": 21}
    assert explain(
        paid(), assignment(9, conditions=night), compiled_rules=compiled_rules(assignment(1), zone="Asia/Tokyo")
    ).fires
    assert explain(paid(), assignment(9, conditions=night), time_zone="Asia/Tokyo").fires
    assert not explain(paid(), assignment(9, conditions=night)).fires


def test_json_has_amounts_as_text() -> None:
    rule = assignment(conditions=BIG)
    found = msgspec.json.decode(to_json(explain(paid(total="250.00"), rule)))
    assert found["match"]["value"] == "250.00"
    assert found["conditions"]["tree"]["value"] == "250.00"


def test_what_an_explanation_of_a_group_knows_of_its_rivals() -> None:
    first_order = {"field": "customer.orders_before", "op": "=", "value": 0}
    rules = (
        assignment(1, group="g", priority=9, threshold=Threshold(at_least=Decimal(2))),
        assignment(2, group="g", priority=5, conditions=first_order),
        assignment(3, group="g"),
        assignment(4, group="other", priority=99),
    )
    compiled = compiled_rules(*rules)
    earlier = History(counted={1: [Occurrence(occurred_at=DAY_0, key="a", customer="c:1")]})

    def contest(facts: Facts, history: History) -> tuple[int, tuple[int, ...]] | None:
        step = explain(paid(day=1), rules[2], facts, history, compiled).group
        return None if step is None else (step.winner, step.candidates)

    assert contest(Facts(orders_before=1), NO_HISTORY) == (3, (3,))
    assert contest(Facts(orders_before=0), NO_HISTORY) == (2, (2, 3))
    assert contest(Facts(orders_before=1), earlier) == (1, (1, 3))
