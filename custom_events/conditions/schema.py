"""The published JSON Schema of condition trees (draft 2020-12), made from the catalog and the operators.

Editors and other programs check shapes with it; `validate` says more (depth, size, patterns, closed words, nearest names).
Every tree that `validate` accepts satisfies the schema: a law in the tests.
"""

import json
from collections.abc import Iterator
from typing import Any

from custom_events.conditions.field_lookup import fields_by_name, open_paths
from custom_events.conditions.fields import FieldType, Scope
from custom_events.conditions.literals import (
    MAX_LIST_VALUES,
    MAX_PATTERN_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    NUMBER_PATTERN,
)
from custom_events.conditions.operators import Wants, find_operator, operators_of
from custom_events.conditions.tree import ItemsWord, MeasureWord
from custom_events.conditions.validate import MAX_DEPTH, MEASURE_OPERATORS

SCHEMA_ID = "urn:custom-events:conditions"

_CURRENCY = {
    "type": "string",
    "pattern": "^[A-Z]{3}$",
    "description": "ISO 4217; false when the amount's currency differs.",
}
_IGNORE_CASE = {"type": "boolean", "default": False}
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARACTERS}
_NUMBER: dict[str, Any] = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{NUMBER_PATTERN}$"}]}
_MOMENT: dict[str, Any] = {
    "type": "string",
    "description": Wants.MOMENT.value,
    "pattern": "^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]|\\s*$)",
}
_CASED = (Wants.TEXT, Wants.TEXTS, Wants.PATTERN)


def _many(element: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": element, "minItems": 1, "maxItems": MAX_LIST_VALUES}


def _pair(element: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": element, "minItems": 2, "maxItems": 2}


_VALUES: dict[Wants, dict[str, Any]] = {
    Wants.NOTHING: {"type": "null"},
    Wants.TEXT: _TEXT,
    Wants.TEXTS: _many(_TEXT),
    Wants.PATTERN: _TEXT | {"maxLength": MAX_PATTERN_CHARACTERS, "description": Wants.PATTERN.value},
    Wants.NUMBER: _NUMBER,
    Wants.NUMBERS: _many(_NUMBER),
    Wants.RANGE: _pair(_NUMBER),
    Wants.INTEGER: _NUMBER,
    Wants.INTEGERS: _many(_NUMBER),
    Wants.INTEGER_RANGE: _pair(_NUMBER),
    Wants.BOOLEAN: {"type": "boolean"},
    Wants.MOMENT: _MOMENT,
    Wants.MOMENTS: _pair(_MOMENT),
    Wants.DURATION: {
        "type": "object",
        "properties": {unit: {"type": "number", "exclusiveMinimum": 0} for unit in ("minutes", "hours", "days")},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    },
}
# What one operator may be given on an open path: the value decides how it is read.
OPEN_SAMPLES: dict[str, tuple[object, ...]] = {
    "=": ("a", 1, True), "!=": ("a", 1, True), "in": (["a"], [1]), "not_in": (["a"], [1]), "between": ([1, 2], ["2026-01-01"]),
}  # fmt: skip


def json_schema() -> dict[str, Any]:
    """The schema as a JSON object."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Condition of a custom event",
        "description": f"At most {MAX_DEPTH} levels. A comparison with something missing is false; `not` turns it round.",
        "$ref": "#/$defs/condition",
        "$defs": {
            "condition": {"anyOf": [*_groups("condition"), *_over_items(), {"$ref": "#/$defs/leaf"}]},
            "item_condition": {"anyOf": [*_groups("item_condition"), {"$ref": "#/$defs/item_leaf"}]},
            "leaf": {"anyOf": list(_leaves(Scope.EVENT))},
            "item_leaf": {"anyOf": list(_leaves(Scope.ITEM))},
        },
    }


def schema_text() -> str:
    """The schema as it stands in docs/reference/conditions.schema.json."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


def _only(word: str, below: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {word: below}, "required": [word], "additionalProperties": False}


def _groups(name: str) -> Iterator[dict[str, Any]]:
    child = {"$ref": f"#/$defs/{name}"}
    for word in ("all", "any"):
        yield _only(word, {"type": "array", "items": child, "minItems": 1})
    yield _only("not", child)


def _over_items() -> Iterator[dict[str, Any]]:
    child = {"$ref": "#/$defs/item_condition"}
    for word in ItemsWord:
        yield _only(word.value, child)
    for operators, value in (
        ([op for op in MEASURE_OPERATORS if op != "between"], _NUMBER),
        (["between"], _pair(_NUMBER)),
    ):
        properties: dict[str, Any] = {
            "measure": {"enum": [word.value for word in MeasureWord]},
            "items": {"anyOf": [child, {"type": "null"}]},
            "op": {"enum": operators},
            "value": value,
            "currency": _CURRENCY,
        }
        yield {
            "type": "object",
            "properties": properties,
            "required": ["measure", "op", "value"],
            "additionalProperties": False,
        }


def _leaves(scope: Scope) -> Iterator[dict[str, Any]]:
    """One alternative for each type of field and kind of value."""
    for kind in FieldType:
        names: dict[str, Any] = {
            "enum": [field.name for field in fields_by_name().values() if field.type is kind and field.scope is scope]
        }
        if kind is FieldType.OPEN:
            prefixes = "|".join(
                path.prefix.replace(".", "\\.") for path in open_paths().values() if path.scope is scope
            )
            names = {"type": "string", "pattern": f"^({prefixes})\\.[\\s\\S]+$"}
        elif not names["enum"]:
            continue
        for wants, operators in _by_wants(kind).items():
            yield _leaf(names, operators, wants, is_money=kind is FieldType.MONEY)


def _by_wants(kind: FieldType) -> dict[Wants, list[str]]:
    fields: dict[Wants, list[str]] = {}
    for op in operators_of(kind):
        for sample in OPEN_SAMPLES.get(op, ("a",)) if kind is FieldType.OPEN else (None,):
            operator = find_operator(kind, op, sample)
            if operator is not None:
                fields.setdefault(operator.wants, []).append(op)
    return fields


def _leaf(names: dict[str, Any], operators: list[str], wants: Wants, *, is_money: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {"field": names, "op": {"enum": operators}, "value": _VALUES[wants]}
    properties["currency"] = _CURRENCY if is_money and wants is not Wants.NOTHING else {"type": "null"}
    properties["ignore_case"] = _IGNORE_CASE if wants in _CASED else {"const": False}
    required = ["field", "op"] if wants is Wants.NOTHING else ["field", "op", "value"]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
