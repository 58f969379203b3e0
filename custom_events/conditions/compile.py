"""Stored trees become functions, once for each distinct tree.

Compiling is total: a tree that cannot be read becomes a condition that is never true and carries its problems, so that one
broken stored rule stops nothing else.
"""

from collections.abc import Callable
from functools import lru_cache, partial

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.conditions.fields import Scope
from custom_events.conditions.interpret import interpret
from custom_events.conditions.problems import Problem
from custom_events.conditions.source import Source, condition_function, item_function
from custom_events.conditions.tree import Node, fields_of, needs_history
from custom_events.conditions.validate import read_tree
from custom_events.values.events import CommerceEvent, LineItem

MAX_KEPT_CONDITIONS = (
    20_000  # about 3 kB each; 1,000 sites x 5 assignments had 1,500 distinct ones (performance, "Matching")
)

Predicate = Callable[[CommerceEvent, Facts], bool]
ItemFilter = Callable[[LineItem, CommerceEvent, Facts], bool]


class Condition(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A tree ready to be asked. `holds(event, facts)` never raises. Equal trees give the same object while it is kept."""

    holds: Predicate
    node: Node | None = None  # None: no conditions at all, or a tree with problems
    problems: tuple[Problem, ...] = ()
    fields: frozenset[str] = frozenset()
    needs_history: bool = False


def _always(_event: CommerceEvent, _facts: Facts) -> bool:
    return True


def _never(_event: CommerceEvent, _facts: Facts) -> bool:
    return False


ALWAYS = Condition(holds=_always)


def compile_condition(tree: object) -> Condition:
    """The condition of a stored tree; None (no conditions) holds for every event."""
    if tree is None:
        return ALWAYS
    key = _key(tree)
    return _from_tree(tree) if key is None else _from_key(key)


def compile_item_filter(tree: object) -> ItemFilter | None:
    """A function that picks the line items that satisfy a tree over item.* fields; None when the tree cannot be read."""
    node, _ = read_tree(tree, Scope.ITEM)
    if node is None:
        return None
    source = Source()
    function = item_function(source, source.expression(node))

    def satisfies(item: LineItem, event: CommerceEvent, facts: Facts) -> bool:
        try:
            return bool(function(item, event.currency, event, facts))
        except Exception:  # noqa: BLE001 - an item whose values cannot be compared does not satisfy
            return False

    return satisfies


def clear() -> None:
    """Forgets every compiled condition (tests, and after a reload of the catalog)."""
    _from_key.cache_clear()


def _key(tree: object) -> bytes | None:
    """The same bytes for equal trees; None for what is no JSON."""
    try:
        return msgspec.json.encode(tree, order="deterministic")
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return None


@lru_cache(maxsize=MAX_KEPT_CONDITIONS)
def _from_key(key: bytes) -> Condition:
    return _from_tree(msgspec.json.decode(key))


def _from_tree(tree: object) -> Condition:
    node, problems = read_tree(tree)
    if node is None:
        return Condition(holds=_never, problems=tuple(problems))
    return Condition(
        holds=condition_function(node, partial(interpret, node)),
        node=node,
        fields=fields_of(node),
        needs_history=needs_history(node),
    )
