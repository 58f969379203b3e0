"""Why a condition holds or not: its tree with each leaf's value and verdict, as plain values for JSON, pages and the terminal."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from custom_events.conditions.compile import compile_condition
from custom_events.conditions.facts import NO_FACTS, Facts
from custom_events.conditions.interpret import Verdict, judge
from custom_events.conditions.problems import Problem
from custom_events.conditions.render import render_node
from custom_events.conditions.tree import AllOf, AnyOf, Items, Leaf, Measure, Not
from custom_events.values.events import CommerceEvent

MAX_SHOWN_ITEMS = (
    50  # line items of an order shown with their verdicts; B2B orders reach 500 lines (docs/reference/platforms.md 3)
)
MAX_SHOWN_CHARACTERS = 200  # of a value; the rest of a landing page's query explains nothing

_KINDS = {AllOf: "all", AnyOf: "any", Not: "not", Items: "items", Measure: "measure", Leaf: "leaf"}


class ExplainedNode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node: `text` is the condition for people, `value` what was found (None: missing), `holds` the verdict."""

    kind: str
    text: str
    holds: bool
    value: str | None = None
    missing: bool = False
    item: int | None = None  # position of the line item, from 1
    children: tuple["ExplainedNode", ...] = ()


class ConditionExplanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole condition. `tree` is None when there are no conditions or when they cannot be read (then `problems` says why)."""

    holds: bool
    tree: ExplainedNode | None = None
    problems: tuple[Problem, ...] = ()


def explain_condition(tree: object, event: CommerceEvent, facts: Facts = NO_FACTS) -> ConditionExplanation:
    """The tree over this event, judged by the functions that matching uses."""
    condition = compile_condition(tree)
    if condition.node is None:
        return ConditionExplanation(holds=condition.holds(event, facts), problems=condition.problems)
    verdict = judge(condition.node, event, facts)
    return ConditionExplanation(holds=verdict.holds, tree=_explained(verdict))


def deciding_leaves(node: ExplainedNode) -> list[ExplainedNode]:
    """The leaves that decided a verdict: those with the same verdict, down through the groups that carried it."""
    if node.kind in ("leaf", "measure", "items") or not node.children:
        return [node]
    if node.kind == "not":
        return deciding_leaves(node.children[0])
    return [leaf for child in node.children if child.holds is node.holds for leaf in deciding_leaves(child)]


def lines(node: ExplainedNode, depth: int = 0) -> list[str]:
    """The explanation for the terminal, one line for each node."""
    mark = "yes" if node.holds else "no "
    item = f"item {node.item}: " if node.item is not None else ""
    remark = ""
    if node.kind in ("leaf", "measure"):
        remark = "   (missing)" if node.missing else f"   (is {node.value})"
    label = {"all": "all of", "any": "any of", "not": "not"}.get(node.kind, node.text)
    below = [line for child in node.children for line in lines(child, depth + 1)]
    return [f"{'  ' * depth}{mark} {item}{label}{remark}", *below]


def _explained(verdict: Verdict) -> ExplainedNode:
    node = verdict.node
    is_value = isinstance(node, Leaf | Measure)
    is_set = is_value and not (isinstance(node, Leaf) and _is_empty(verdict.value))
    return ExplainedNode(
        kind=_KINDS[type(node)],
        text=render_node(node),
        holds=verdict.holds,
        value=shown(verdict.value) if is_set and verdict.value is not None else None,
        missing=is_value and (verdict.value is None or not is_set),
        item=None if verdict.item is None else verdict.item + 1,
        children=tuple(_explained(child) for child in verdict.children[:MAX_SHOWN_ITEMS])
        if isinstance(node, Items | Measure)
        else tuple(map(_explained, verdict.children)),
    )


def _is_empty(value: Any) -> bool:
    """Empty text and empty lists count as missing."""
    return isinstance(value, str | tuple | list) and not value


def shown(value: Any) -> str:
    """A value as text: decimals in plain digits, times in ISO 8601, lists with commas; bounded."""
    match value:
        case bool():
            text = "true" if value else "false"
        case Decimal():
            text = (
                f"{value:f}" if abs(value.adjusted() if value.is_finite() else 0) < MAX_SHOWN_CHARACTERS else str(value)
            )
        case datetime():
            text = value.isoformat()
        case str():
            text = str(value)
        case Sequence():
            text = ", ".join(map(shown, value))
        case _:
            text = str(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 3] + "..."
