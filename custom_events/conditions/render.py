"""Conditions in one line, for people: `order.total >= 200.00 EUR and any item: sku starts with VIP-`."""

import json
import re
from typing import Any

from custom_events.conditions.fields import Scope
from custom_events.conditions.operators import Presence, Wants
from custom_events.conditions.tree import AllOf, AnyOf, Items, ItemsWord, Leaf, Measure, MeasureWord, Node, Not, Test
from custom_events.conditions.validate import read_tree

MAX_SHOWN_VALUES = 5  # of a list; the rest is counted

_ITEMS = {ItemsWord.ANY: "any item", ItemsWord.ALL: "all items", ItemsWord.NONE: "no item"}
_MEASURES = {MeasureWord.COUNT: "number", MeasureWord.QUANTITY: "quantity", MeasureWord.TOTAL: "total"}
_PLAIN = re.compile(r"[\w.:/@+-]+\Z")


def render(tree: object) -> str:
    """One line for a JSON tree. A tree that cannot be read says so; None is `always`."""
    if tree is None:
        return "always"
    node, problems = read_tree(tree)
    if node is None:
        return f"not readable ({' '.join(str(problems[0]).split())})"  # what people wrote may hold line breaks
    return render_node(node)


def render_node(node: Node) -> str:
    """One line for a node."""
    match node:
        case AllOf():
            return _joined(" and ", node.children, AnyOf)
        case AnyOf():
            return _joined(" or ", node.children, AllOf)
        case Not():
            return f"not ({render_node(node.child)})"
        case Items():
            return f"{_ITEMS[node.word]}: {_below(node.child)}"
        case Measure():
            which = "all items" if node.child is None else f"items with {_below(node.child)}"
            return f"{_MEASURES[node.word]} of {which} {_render_test(node.test)}"
        case Leaf():
            name = node.field.name.removeprefix("item.") if node.field.scope is Scope.ITEM else node.field.name
            return f"{name} {_render_test(node.test)}"


def _joined(word: str, children: tuple[Node, ...], other: type[AllOf] | type[AnyOf]) -> str:
    """The children with `word` between them. Groups of the other kind get brackets; so do conditions over items, unless last,
    since nobody would see where they end."""
    texts: list[str] = []
    for child in children:
        text = render_node(child)
        is_group = isinstance(child, other) and len(child.children) > 1
        brackets = is_group or (isinstance(child, Items) and child is not children[-1])
        texts.append(f"({text})" if brackets else text)
    return word.join(texts)


def _below(child: Node) -> str:
    text = render_node(child)
    return f"({text})" if isinstance(child, AllOf | AnyOf) and len(child.children) > 1 else text


def _render_test(test: Test) -> str:
    words = test.operator.words
    if test.operator.op in (Presence.EXISTS, Presence.MISSING):
        return words
    case = " (any case)" if test.ignore_case else ""
    currency = f" {test.currency}" if test.currency else ""
    return f"{words} {_value(test)}{currency}{case}"


def _value(test: Test) -> str:
    value = test.given
    match test.operator.wants:
        case Wants.DURATION:
            unit, amount = next(iter(value.items()))
            return f"{amount} {unit[:-1] if amount == 1 else unit}"
        case Wants.RANGE | Wants.INTEGER_RANGE | Wants.MOMENTS:
            return f"{_one(value[0])} and {_one(value[1])}"
        case _ if isinstance(value, list | tuple):
            shown = ", ".join(_one(item) for item in value[:MAX_SHOWN_VALUES])
            more = len(value) - MAX_SHOWN_VALUES
            return f"{shown} and {more} more" if more > 0 else shown
        case _:
            return _one(value)


def _one(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _PLAIN.match(value) else json.dumps(value, ensure_ascii=False)
    return str(value)
