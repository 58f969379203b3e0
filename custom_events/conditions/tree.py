"""The condition tree as frozen nodes. JSON forms:

{"all": [...]}  {"any": [...]}  {"not": {...}}
{"field": "order.total", "op": ">=", "value": "200.00", "currency": "EUR"}
{"field": "customer.tags", "op": "contains", "value": "vip", "ignore_case": true}
{"any_item": {...}}  {"all_items": {...}}  {"no_item": {...}}        trees over item.* fields
{"measure": "quantity", "items": {...}, "op": ">=", "value": 3}      of the items that satisfy a tree
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from custom_events.conditions.fields import Field
from custom_events.conditions.operators import Operator


class ItemsWord(StrEnum):
    """Quantifiers over line items. Without items, any_item and all_items are false and no_item is true."""

    ANY = "any_item"
    ALL = "all_items"
    NONE = "no_item"


class MeasureWord(StrEnum):
    """What is measured over the items that satisfy a tree."""

    COUNT = "count"  # lines
    QUANTITY = "quantity"  # pieces
    TOTAL = "total"  # money


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """The comparing half of a leaf or a measure. `given` is the value as written, `literal` what it was read as."""

    __test__ = False  # pytest: not a test class

    operator: Operator
    given: Any = None
    literal: Any = None
    currency: str | None = None
    ignore_case: bool = False


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison."""

    field: Field
    test: Test


class AllOf(msgspec.Struct, frozen=True):
    """Every one."""

    children: tuple["Node", ...]


class AnyOf(msgspec.Struct, frozen=True):
    """At least one."""

    children: tuple["Node", ...]


class Not(msgspec.Struct, frozen=True):
    """The other way round."""

    child: "Node"


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """A quantified tree over the line items."""

    word: ItemsWord
    child: "Node"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A number made of the items that satisfy a tree (all items without one), compared."""

    word: MeasureWord
    child: "Node | None" = None
    test: Test


Node = AllOf | AnyOf | Not | Items | Measure | Leaf


def children_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    match node:
        case AllOf() | AnyOf():
            return node.children
        case Not() | Items():
            return (node.child,)
        case Measure():
            return () if node.child is None else (node.child,)
        case Leaf():
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, depth first."""
    yield node
    for child in children_of(node):
        yield from walk(child)


def fields_of(node: Node) -> frozenset[str]:
    """Names of all fields the tree asks for."""
    return frozenset(part.field.name for part in walk(node) if isinstance(part, Leaf))


def needs_history(node: Node) -> bool:
    """Whether the tree asks for facts about the customer from our own state."""
    return any(isinstance(part, Leaf) and part.field.history for part in walk(node))
