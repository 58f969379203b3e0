"""What somebody may have meant: the nearest name, and what other languages call it."""

import difflib
from collections.abc import Sequence

from custom_events.conditions.field_lookup import find_field, nearest_names
from custom_events.conditions.fields import Scope

# Of other rule languages and programming languages, as people type them first.
_WORDS = {"and": "all", "or": "any", "none": "no_item", "every": "all_items", "some": "any_item", "nor": "not"}
_OPERATORS = {
    "==": "=", "===": "=", "eq": "=", "is": "=", "equals": "=", "<>": "!=", "!==": "!=", "ne": "!=", "neq": "!=", "=>": ">=",
    "gte": ">=", "ge": ">=", "=<": "<=", "lte": "<=", "le": "<=", "gt": ">", "lt": "<", "not in": "not_in", "nin": "not_in",
    "regex": "matches", "like": "matches", "includes": "contains", "has": "contains", "is_missing": "missing", "empty": "missing",
    "prefix": "starts_with", "suffix": "ends_with",
}  # fmt: skip
_MEANT = "did you mean {}? "


def word_hint(word: str, known: Sequence[str]) -> str:
    """`did you mean X? ` for a misspelt or foreign kind of condition, else nothing."""
    meant = _WORDS.get(word.lower())
    near = [meant] if meant is not None else difflib.get_close_matches(word.lower(), known, n=1)
    return _MEANT.format(near[0]) if near else ""


def operator_hint(op: str, known: Sequence[str]) -> str:
    """The same for an operator; only one that this type of field takes."""
    meant = _OPERATORS.get(op.strip().lower())
    near = [meant] if meant in known else difflib.get_close_matches(op.strip().lower().replace(" ", "_"), known, n=1)
    return _MEANT.format(near[0]) if near else ""


def field_hint(name: str, scope: Scope) -> str:
    """The nearest names, and where a line item's field is meant, how to ask for it."""
    near = ", ".join(nearest_names(name, scope))
    right = f"nearest: {near}" if near else "see the catalog of fields"
    if scope is Scope.EVENT and find_field(f"item.{name}") is not None:
        return f"item.{name} inside any_item, all_items, no_item or a measure; {right}"
    return right
