"""A condition judged node by node, each leaf by the function generated from the same source as the whole condition.

The explanation shows these verdicts. They are also the compiled condition's answer when a value breaks a comparison (a NaN
amount, a time without zone): such a leaf is false, alone.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from custom_events.conditions import runtime
from custom_events.conditions.facts import Facts
from custom_events.conditions.fields import FieldType, Scope
from custom_events.conditions.source import Source, event_function, item_function, value_function
from custom_events.conditions.tree import AllOf, AnyOf, Items, ItemsWord, Leaf, Measure, MeasureWord, Node, Not
from custom_events.values.events import CommerceEvent, LineItem


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One node's verdict. `value` is what was compared (leaves and measures); `children` are in the tree's order, or for
    line items one verdict for each item."""

    node: Node
    holds: bool
    value: Any = None
    children: tuple["Verdict", ...] = ()
    item: int | None = None  # index of the line item this is about


def judge(node: Node, event: CommerceEvent, facts: Facts) -> Verdict:
    """The verdict of every node over an event; nothing is skipped. Never raises."""
    return _judge(node, lambda leaf: _judge_leaf(leaf, event, facts), event, facts)


def interpret(node: Node, event: CommerceEvent, facts: Facts) -> bool:
    """Whether the condition holds, judged leaf by leaf."""
    return judge(node, event, facts).holds


_LeafJudge = Callable[[Leaf], Verdict]


def _judge(node: Node, leaf: _LeafJudge, event: CommerceEvent, facts: Facts) -> Verdict:
    match node:
        case AllOf():
            children = tuple(_judge(child, leaf, event, facts) for child in node.children)
            return Verdict(node=node, holds=all(child.holds for child in children), children=children)
        case AnyOf():
            children = tuple(_judge(child, leaf, event, facts) for child in node.children)
            return Verdict(node=node, holds=any(child.holds for child in children), children=children)
        case Not():
            below = _judge(node.child, leaf, event, facts)
            return Verdict(node=node, holds=not below.holds, children=(below,))
        case Leaf():
            return leaf(node)
        case Items():
            return _judge_items(node, event, facts)
        case Measure():
            return _judge_measure(node, event, facts)


def _each_item(child: Node, event: CommerceEvent, facts: Facts) -> tuple[tuple[LineItem, Verdict], ...]:
    """Every line item with its verdict."""
    currency = event.items_currency
    judged: list[tuple[LineItem, Verdict]] = []
    for index, item in enumerate(runtime.items_of(event) or ()):
        verdict = _judge(
            child, lambda leaf, item=item: _judge_item_leaf(leaf, item, currency, event, facts), event, facts
        )
        judged.append((item, msgspec.structs.replace(verdict, item=index)))
    return tuple(judged)


def _judge_items(node: Items, event: CommerceEvent, facts: Facts) -> Verdict:
    children = tuple(verdict for _, verdict in _each_item(node.child, event, facts))
    some = any(child.holds for child in children)
    match node.word:
        case ItemsWord.ANY:
            holds = some
        case ItemsWord.NONE:
            holds = not some
        case ItemsWord.ALL:
            holds = bool(children) and all(child.holds for child in children)
    return Verdict(node=node, holds=holds, children=children)


def _judge_measure(node: Measure, event: CommerceEvent, facts: Facts) -> Verdict:
    items = runtime.items_of(event)
    children: tuple[Verdict, ...] = ()
    if items is not None and node.child is not None:
        judged = _each_item(node.child, event, facts)
        children = tuple(verdict for _, verdict in judged)
        items = tuple(item for item, verdict in judged if verdict.holds)
    value = None if items is None else _measured(node.word, items)
    if value is None:
        return Verdict(node=node, holds=False, children=children)
    source = Source()
    function = value_function(source, source.test(node.test, FieldType.NUMBER))
    currency = event.items_currency
    fits = node.test.currency is None or node.test.currency == currency
    holds = fits and _held(lambda: function(value, event, facts, currency))
    return Verdict(node=node, holds=holds, value=value, children=children)


def _measured(word: MeasureWord, items: tuple[LineItem, ...]) -> int | Decimal | None:
    match word:
        case MeasureWord.COUNT:
            return len(items)
        case MeasureWord.QUANTITY:
            return runtime.pieces(items)
        case MeasureWord.TOTAL:
            return runtime.items_total(items)


def _judge_leaf(leaf: Leaf, event: CommerceEvent, facts: Facts) -> Verdict:
    test, value = Source(), Source()
    holds = event_function(test, test.expression(leaf))
    read = event_function(value, value.value(leaf.field, leaf.test.operator))
    return Verdict(node=leaf, holds=_held(lambda: holds(event, facts)), value=_read(lambda: read(event, facts)))


def _judge_item_leaf(leaf: Leaf, item: LineItem, currency: str | None, event: CommerceEvent, facts: Facts) -> Verdict:
    test, value = Source(), Source()
    holds = item_function(test, test.expression(leaf))
    read = item_function(value, value.value(leaf.field, leaf.test.operator))
    return Verdict(
        node=leaf,
        holds=_held(lambda: holds(item, currency, event, facts)),
        value=_read(lambda: read(item, currency, event, facts)),
    )


def _held(function: Callable[[], Any]) -> bool:
    """The truth of a leaf; a value that cannot be compared makes it false."""
    try:
        return bool(function())
    except Exception:  # noqa: BLE001 - whatever a hostile value raises, the leaf is false and the rest is judged
        return False


def _read(function: Callable[[], Any]) -> Any:
    """A leaf's value for people; None when it cannot be read."""
    try:
        return function()
    except Exception:  # noqa: BLE001 - see _held
        return None


def field_reader(name: str) -> Callable[[CommerceEvent, Facts], Any]:
    """A function that reads one named field of events, None when missing. Raises KeyError for no such event field."""
    from custom_events.conditions.field_lookup import find_field

    field = find_field(name)
    if field is None or field.scope is not Scope.EVENT:
        raise KeyError(name)
    source = Source()
    return event_function(source, source.value(field))


def currency_reader(name: str) -> Callable[[CommerceEvent, Facts], Any] | None:
    """A function that reads the currency of a named amount of events; None where it has none, or there is no such field."""
    from custom_events.conditions.field_lookup import find_field

    field = find_field(name)
    if field is None or field.scope is not Scope.EVENT or field.currency is None:
        return None
    source = Source()
    return event_function(source, source.currency(field.root, field.currency))
