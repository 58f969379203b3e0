"""The reference page of the condition language, made from the catalog and the operators. A test holds the file equal.

`python -m custom_events.conditions.reference` writes docs/reference/conditions.md and its JSON Schema.
"""

from pathlib import Path

from custom_events.conditions.field_lookup import fields_by_name, open_paths
from custom_events.conditions.fields import Field, FieldType, Scope
from custom_events.conditions.literals import (
    MAX_DURATION_DAYS,
    MAX_LIST_VALUES,
    MAX_PATTERN_CHARACTERS,
    MAX_TEXT_CHARACTERS,
)
from custom_events.conditions.operators import MEANINGS, find_operator, operators_of
from custom_events.conditions.schema import schema_text
from custom_events.conditions.validate import MAX_DEPTH, MAX_NODES
from custom_events.values.numbers import MAX_DECIMALS, MAX_WHOLE_DIGITS

PAGE = Path("docs/reference/conditions.md")
SCHEMA = Path("docs/reference/conditions.schema.json")

_INTRODUCTION = f"""# Conditions

Made from the code by `python -m custom_events.conditions.reference`; a test holds this page and
[the JSON Schema](conditions.schema.json) equal to it. What the other settings of a rule mean: [what rules mean](rules.md).

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

**Time.** Hours, weekdays and dates are those of the site's time zone, by the release of the time zone database that comes with this
version, whatever the machine has. `within_last` looks back from the event, not from now: a late event or a replay gives the verdict
that would have been given on time. A date is written `2026-11-01`, a time `2026-11-01T08:30:00Z` or with an offset; week dates
(`2026-W05`), ordinal dates and dates without dashes are none. An open value without an offset is on the site's clock. What is finer than
a microsecond is cut.

**Numbers** have at most {MAX_WHOLE_DIGITS} digits before the point and {MAX_DECIMALS} after it; NaN and Infinity are none. An id of more
digits is a text: in quotes.

**Patterns** are RE2 (linear time; no look-around, no back-references), searched for anywhere unless tied by `^` and `$`. `\\d`, `\\w`, `\\s`,
`\\b` and `[[:alpha:]]` know ASCII only: `^\\w+$` is not found in `Müller`, and `M\\b` is; letters of every language are `\\pL`, digits
`\\p{{Nd}}`, blanks `[\\s\\p{{Z}}]`.

**Upper and lower case** with `"ignore_case": true`: comparisons of texts fold by Unicode's full rules (`=` holds for `STRASSE` and `Straße`), patterns
letter by letter (`strasse` is not found in `Straße`). For letters that have one of each, as `é` and `É`, both say the same.

**Open paths** are read as what the condition asks for: compared with a number as a number, with `true` as a boolean, else as
text; what cannot be read so is missing.

Limits: {MAX_DEPTH} levels, {MAX_NODES} conditions in a tree, {MAX_LIST_VALUES:,} values in a list, {MAX_TEXT_CHARACTERS:,} characters in a text,
{MAX_PATTERN_CHARACTERS} in a pattern, {MAX_DURATION_DAYS:,} days in a duration.
"""

_AMOUNTS = """## Amounts and tax

Amounts are in the order's currency: on Shopify the shop's, whatever the shopper paid in. Whether tax is in one:

| amount | Shopify | WooCommerce | custom |
|---|---|---|---|
| `order.total`, `order.current_total`, `order.refunded`, `order.paid_amount`, `order.gift_card` | yes | yes | yes |
| `refund.amount`, `refund.shipping` | yes | yes | yes |
| `order.tip` | yes (tips have none) | not said | yes |
| `order.tax`, `order.shipping_tax`, `order.discount_tax`, `item.tax` | is tax | is tax | is tax |
| `order.shipping` | where `taxes_included` | no | where `taxes_included` |
| `order.discount`, `order.shipping_discount` | where `taxes_included` | no | where `taxes_included` |
| `order.subtotal` | where `taxes_included` | no | as the sender says |
| `item.price`, `item.total`, `item.discount` | where `taxes_included` | no | where `taxes_included` |
| `order.total_without_tax` | no | no | no |
| `order.total_without_shipping` | yes | yes | yes |
| `cart.total` | yes, once the checkout knows it | not said | as the sender says |
| `subscription.amount` | not said | yes | as the sender says |

`order.taxes_included` is the shop's setting on Shopify (a body of an old API version may not say it: then amounts count as without
tax), always false on WooCommerce, whose parts are without tax whatever the shop's prices are, and what the sender says otherwise.

What an order is without tax, shipping or discounts, here and in value rules, is worked out in one place: shipping and discounts are
taken with their tax, or without it where the rule is without tax too. The tax of a part is `order.shipping_tax`, `order.discount_tax`
or `item.tax`; where prices hold tax and nobody says that of a part, it is the order's tax in proportion to its total.

`order.total` is all that was sold. Gift cards are a way of paying and part of it, though WooCommerce's own total is without them; so
are tips, duties and fees. What was taken out, exchanged or given back later does not lower it, and what was added raises it.
`order.current_total` is what Shopify says is left; of WooCommerce it is 0 for an order that was set to refunded, else missing. A
current total of 0 that nothing explains (no refund, cancellation or void, and pieces left) is missing as well. Conditions see the order
as it was when the event happened, thresholds count that event's amount; the value of a conversion follows what becomes of the order
(see [Values](values.md)).
"""


def reference_page() -> str:
    """docs/reference/conditions.md, whole."""
    parts = [
        _INTRODUCTION,
        _operators(),
        _fields("Fields of the event", Scope.EVENT),
        _fields("Fields of a line item", Scope.ITEM),
        _open_paths(),
        _AMOUNTS,
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
    rows += [_row(field) for field in fields_by_name().values() if field.scope is scope]
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
