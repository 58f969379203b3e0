"""Differences of revisions as sentences: of conditions each one that differs, and nothing where nothing does."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from console.pages.differences import Difference, of_conditions, of_definitions, of_overrides
from custom_events.catalog import diff
from tests.conditions import strategies

TOTAL = {"field": "order.total", "op": ">=", "value": "200", "currency": "EUR"}
DEARER = {**TOTAL, "value": "300"}
GERMAN = {"field": "order.billing_country", "op": "=", "value": "DE"}
VIP = {"any_item": {"all": [{"field": "item.sku", "op": "starts_with", "value": "VIP"}]}}
GIFT = {"any_item": {"all": [{"field": "item.sku", "op": "starts_with", "value": "GIFT"}]}}


def sentences(old: Any, new: Any) -> list[tuple[str | None, str | None, str]]:
    return [(each.old, each.new, each.note) for each in of_conditions("conditions", old, new)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (TOTAL, TOTAL, []),
        (None, TOTAL, [("always", "order.total >= 200 EUR", "")]),
        (TOTAL, DEARER, [("order.total >= 200 EUR", "order.total >= 300 EUR", "")]),
        (
            {"all": [TOTAL, GERMAN]},
            {"all": [DEARER, GERMAN]},
            [("order.total >= 200 EUR", "order.total >= 300 EUR", "")],
        ),
        ({"all": [TOTAL]}, {"all": [TOTAL, GERMAN]}, [(None, "order.billing_country = DE", "")]),
        ({"all": [GERMAN, TOTAL]}, {"all": [TOTAL]}, [("order.billing_country = DE", None, "")]),
        (
            {"all": [{"any": [TOTAL, GERMAN]}]},
            {"all": [{"any": [DEARER, GERMAN]}]},
            [("order.total >= 200 EUR", "order.total >= 300 EUR", "one of several of which any is enough")],
        ),
        ({"not": TOTAL}, {"not": DEARER}, [("order.total >= 200 EUR", "order.total >= 300 EUR", "negated")]),
        ({"all": [VIP]}, {"all": [GIFT]}, [("any item: sku starts with VIP", "any item: sku starts with GIFT", "")]),
        ({"all": [TOTAL]}, {"any": [TOTAL]}, [("order.total >= 200 EUR", "order.total >= 200 EUR", "")]),
    ],
)
def test_conditions(old: Any, new: Any, said: list[tuple[str | None, str | None, str]]) -> None:
    assert sentences(old, new) == said


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.trees, strategies.trees)
def test_two_trees_differ_by_a_sentence_or_not_at_all_and_each_can_be_read(old: Any, new: Any) -> None:
    said = sentences(old, new)
    assert bool(said) == bool(diff.changes(old, new))
    assert all(each is not None for before, after, _ in said for each in (before or after,))
    assert not any("not readable" in (sentence or "") for before, after, _ in said for sentence in (before, after))


def test_settings_of_a_definition() -> None:
    old = {"trigger": ["order.paid"], "priority": 1, "conditions": TOTAL}
    new = {"trigger": ["order.paid"], "value": {"factor": "0.5"}, "conditions": DEARER}
    assert of_definitions(old, new) == (
        Difference(name="conditions", old="order.total >= 200 EUR", new="order.total >= 300 EUR"),
        Difference(name="what it is worth", old="with the order's total", new="with the order's total times 0.5"),
        Difference(name="priority", old="1", new="0"),
    )
    assert of_definitions(old, old) == ()
    assert [each.old for each in of_definitions(None, old)] == [None, None, None]
    assert of_definitions({"trigger": [], "later": 1}, {"trigger": [], "later": 2})[0].new == "2"  # of another version


def test_settings_of_an_assignment_are_inherited_or_overridden() -> None:
    assert of_overrides({"priority": 3}, {"also": GERMAN}) == (
        Difference(name="priority", old="3", new="inherited"),
        Difference(name="further conditions, added to those", old="inherited", new="order.billing_country = DE"),
    )
    assert of_overrides(None, {"ads_action": None}) == (Difference(name="ads action", old=None, new="none"),)
