"""The reference page of the condition language, made from the catalogue and the operators. A test holds the file equal.

`python -m custom_events.conditions.reference` writes docs/reference/conditions.md and its JSON Schema.
"""

from pathlib import Path

from custom_events.conditions.fields import Field, FieldType, Scope, catalogue, open_paths
from custom_events.conditions.literals import (
    MAX_DURATION_DAYS,
    MAX_LIST_VALUES,
    MAX_PATTERN_CHARACTERS,
    MAX_TEXT_CHARACTERS,
)
from custom_events.conditions.operators import MEANINGS, find_operator, operators_of
from custom_events.conditions.schema import schema_text
from custom_events.conditions.validate import MAX_DEPTH, MAX_NODES

PAGE = Path("docs/reference/conditions.md")
SCHEMA = Path("docs/reference/conditions.schema.json")

_INTRODUCTION = f"""# Conditions

Made from the code by `python -m custom_events.conditions.reference`; a test holds this page and
[the JSON Schema](conditions.schema.json) equal to it.

A condition is a tree of JSON objects:

| form | holds when |
|---|---|
| `{{"all": [...]}}` | every one holds |
| `{{"any": [...]}}` | at least one holds |
| `{{"not": {{...}}}}` | it does not hold |
| `{{"field": ..., "op": ..., "value": ...}}` | the comparison is true; `"currency": "EUR"` beside money, `"ignore_case": true` beside text |
| `{{"any_item": {{...}}}}` | a line item satisfies a tree over `item.*` fields |
| `{{"all_items": {{...}}}}` | there are line items and every one satisfies it |
| `{{"no_item": {{...}}}}` | no line item satisfies it (so also when there are none) |
| `{{"measure": "count", "items": {{...}}, "op": ">=", "value": 2}}` | `count` (lines), `quantity` (pieces) or `total` (money) of the items that satisfy a tree, compared; all items without `items` |

**Two values only.** A comparison with something missing is false, also `!=` and `not_in`; `not` turns it round. So
`{{"not": {{"field": "order.status", "op": "=", "value": "paid"}}}}` holds for an order without status, `!=` does not. Empty text and
empty lists count as missing. Money compared with a currency is false when the amount is in another one.

**Line items** are those refunded when a refund names any, else the order's, else the cart's. A measure of an event without
order, refund and cart is missing; a total is missing when the total of a counted line is.

**Time.** Hours, weekdays and dates are those of the site's time zone. `within_last` looks back from the event, not from now:
a late event or a replay gives the verdict that would have been given on time.

**Patterns** are RE2 (linear time; no look-around, no back-references), searched for anywhere unless tied by `^` and `$`.

**Open paths** are read as what the condition asks for: compared with a number as a number, with `true` as a boolean, else as
text; what cannot be read so is missing.

Limits: {MAX_DEPTH} levels, {MAX_NODES} conditions in a tree, {MAX_LIST_VALUES:,} values in a list, {MAX_TEXT_CHARACTERS:,} characters in a text,
{MAX_PATTERN_CHARACTERS} in a pattern, {MAX_DURATION_DAYS:,} days in a duration.
"""


def reference_page() -> str:
    """docs/reference/conditions.md, whole."""
    parts = [
        _INTRODUCTION,
        _operators(),
        _fields("Fields of the event", Scope.EVENT),
        _fields("Fields of a line item", Scope.ITEM),
        _open_paths(),
    ]
    return "\n".join(parts)


def _operators() -> str:
    rows = ["## Operators\n", "| operator | meaning | for | wants |", "|---|---|---|---|"]
    for op, meaning in MEANINGS.items():
        kinds = [kind for kind in FieldType if op in operators_of(kind)]
        wants = dict.fromkeys(
            operator.wants
            for kind in kinds
            if kind is not FieldType.OPEN and (operator := find_operator(kind, op)) is not None
        )
        rows.append(f"| `{op}` | {meaning} | {', '.join(kinds)} | {'; '.join(wants)} |")
    return "\n".join(rows) + "\n"


def _fields(title: str, scope: Scope) -> str:
    rows = [f"## {title}\n", "| field | type | meaning | example | delivered by |", "|---|---|---|---|---|"]
    rows += [_row(field) for field in catalogue().values() if field.scope is scope]
    return "\n".join(rows) + "\n"


def _row(field: Field) -> str:
    words = f" One of: {', '.join(field.words)}." if field.words else ""
    source = "our own records" if field.history else ", ".join(field.platforms)
    return f"| `{field.name}` | {field.type} | {field.meaning}{words} | `{field.example}` | {source} |"


def _open_paths() -> str:
    rows = ["## Open paths\n", "| path | meaning | example | delivered by |", "|---|---|---|---|"]
    rows += [
        f"| `{path.prefix}.NAME` | {path.meaning} | `{path.example}` | {', '.join(path.platforms)} |"
        for path in open_paths().values()
    ]
    return "\n".join(rows) + "\n"


def write(root: Path = Path()) -> None:
    """Writes the page and the schema below `root`."""
    for path, text in ((PAGE, reference_page()), (SCHEMA, schema_text())):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":  # pragma: no cover
    write()
