"""Laws that hold for every tree and every event."""

from collections.abc import Callable
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from custom_events.conditions.compile import compile_condition, compile_item_filter
from custom_events.conditions.explain import deciding_leaves, explain_condition, lines
from custom_events.conditions.facts import Facts
from custom_events.conditions.fields import Scope
from custom_events.conditions.interpret import interpret
from custom_events.conditions.render import render
from custom_events.conditions.runtime import items_of
from custom_events.conditions.schema import json_schema
from custom_events.conditions.validate import Severity, parse, read_tree, validate
from custom_events.values.events import CommerceEvent, LineItem, from_json, to_json
from tests.conditions.examples import BERLIN, ORDER, PAID
from tests.conditions.strategies import any_json, events, facts, hostile_events, item_trees, trees

law = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def holds(tree: object, event: CommerceEvent, known: Facts) -> bool:
    condition = compile_condition(tree)
    assert not condition.problems
    verdict = condition.holds(event, known)
    assert isinstance(verdict, bool)
    return verdict


@law
@given(trees, events | hostile_events, facts)
def test_compiled_judged_leaf_by_leaf_and_explained_agree(tree: Any, event: CommerceEvent, known: Facts) -> None:
    verdict = holds(tree, event, known)
    node = compile_condition(tree).node
    assert node is not None
    assert interpret(node, event, known) is verdict
    explained = explain_condition(tree, event, known)
    assert explained.holds is verdict
    assert explained.tree is not None
    assert explained.tree.holds is verdict
    assert deciding_leaves(explained.tree)
    assert lines(explained.tree)
    msgspec.json.encode(explained)


@law
@given(st.lists(trees, min_size=1, max_size=3), events | hostile_events, facts)
def test_de_morgan(children: list[Any], event: CommerceEvent, known: Facts) -> None:
    turned = [{"not": child} for child in children]
    assert holds({"not": {"all": children}}, event, known) is holds({"any": turned}, event, known)
    assert holds({"not": {"any": children}}, event, known) is holds({"all": turned}, event, known)


@law
@given(trees, events | hostile_events, facts)
def test_not_turns_round_and_twice_is_none(tree: Any, event: CommerceEvent, known: Facts) -> None:
    assert holds({"not": tree}, event, known) is not holds(tree, event, known)
    assert holds({"not": {"not": tree}}, event, known) is holds(tree, event, known)


@law
@given(st.lists(trees, min_size=2, max_size=4), st.randoms(), events, facts, st.sampled_from(["all", "any"]))
def test_the_order_of_siblings_does_not_matter(
    children: list[Any], random: Any, event: CommerceEvent, known: Facts, word: str
) -> None:
    shuffled = list(children)
    random.shuffle(shuffled)
    assert holds({word: children}, event, known) is holds({word: shuffled}, event, known)


@law
@given(item_trees, events, facts)
def test_quantifiers_over_items(tree: Any, event: CommerceEvent, known: Facts) -> None:
    some = holds({"any_item": tree}, event, known)
    assert holds({"no_item": tree}, event, known) is not some
    has_items = bool(items_of(event))
    assert holds({"all_items": tree}, event, known) is (
        has_items and not holds({"any_item": {"not": tree}}, event, known)
    )
    chosen = compile_item_filter(tree)
    assert chosen is not None
    number = sum(1 for item in items_of(event) or () if chosen(item, event, known))
    assert (number > 0) is some
    if items_of(event) is not None:
        assert holds({"measure": "count", "items": tree, "op": "=", "value": number}, event, known)


@law
@given(trees, events, facts)
def test_an_event_that_was_stored_gives_the_same_verdict(tree: Any, event: CommerceEvent, known: Facts) -> None:
    assert holds(tree, from_json(to_json(event)), known) is holds(tree, event, known)


@law
@given(any_json, events, facts)
def test_unknown_json_never_raises(tree: Any, event: CommerceEvent, known: Facts) -> None:
    problems = validate(tree, currencies=("EUR", "USD"))
    condition = compile_condition(tree)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    assert bool(errors) is (condition.node is None) or tree is None
    if errors and tree is not None:
        assert condition.holds(event, known) is False
        assert all(problem.wrong and problem.right and str(problem) for problem in errors)
    assert render(tree)
    assert "\n" not in render(tree)
    compile_item_filter(tree)
    assert explain_condition(tree, event, known).holds is condition.holds(event, known)


@pytest.fixture(scope="module")
def published() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(trees)
def test_what_is_valid_satisfies_the_published_schema(published: jsonschema.Draft202012Validator, tree: Any) -> None:
    node, problems = read_tree(tree)
    assert node is not None, problems
    assert published.is_valid(tree)
    assert "\n" not in render(tree)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(any_json)
def test_what_the_schema_refuses_has_problems(published: jsonschema.Draft202012Validator, tree: Any) -> None:
    assume(isinstance(tree, dict))
    if not published.is_valid(tree):
        assert validate(tree)


@law
@given(item_trees)
def test_item_trees_stand_only_inside_items(tree: Any) -> None:
    assert read_tree(tree, Scope.ITEM)[0] is not None
    assert read_tree(tree)[0] is None


@pytest.mark.parametrize(
    "around",
    [
        lambda tree: tree,
        lambda tree: {"all": [tree]},
        lambda tree: {"any": [tree]},
        lambda tree: {"not": {"not": tree}},
    ],
)
def test_a_time_of_an_item_is_on_the_sites_clock_wherever_it_stands(around: Callable[[Any], Any]) -> None:
    boots = LineItem(sku="VIP-1", properties={"fetched": "2026-03-07T00:15:00"})  # in Berlin, 23:15 in UTC
    fetched = msgspec.structs.replace(PAID, order=msgspec.structs.replace(ORDER, items=(boots,)))
    early = {"field": "item.properties.fetched", "op": "before", "value": "2026-03-06T23:20:00Z"}
    tree = around({"any_item": early})
    assert holds(tree, fetched, BERLIN)
    assert interpret(parse(tree), fetched, BERLIN)
