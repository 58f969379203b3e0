"""One line for people, the explanation, the reference page and the published schema."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from custom_events.conditions import reference
from custom_events.conditions.explain import (
    MAX_SHOWN_CHARACTERS,
    MAX_SHOWN_ITEMS,
    deciding_leaves,
    explain_condition,
    lines,
    shown,
)
from custom_events.conditions.field_lookup import fields_by_name
from custom_events.conditions.render import render
from custom_events.conditions.schema import json_schema
from custom_events.values.events import LineItem
from tests.conditions.examples import BERLIN, ORDER, PAID, SIGNUP

ROOT = Path(__file__).parents[2]
VIP = {"any_item": {"field": "item.sku", "op": "starts_with", "value": "VIP-"}}
BIG = {"field": "order.total", "op": ">=", "value": "200.00", "currency": "EUR"}
TAG = {"field": "order.tags", "op": "contains", "value": "a b"}


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({"all": [BIG, VIP]}, "order.total >= 200.00 EUR and any item: sku starts with VIP-"),
        ({"all": [VIP, BIG]}, "(any item: sku starts with VIP-) and order.total >= 200.00 EUR"),
        ({"any": [{"all": [BIG, TAG]}, {"all": [BIG]}]}, '(order.total >= 200.00 EUR and order.tags contains "a b") or order.total >= 200.00 EUR'),
        ({"all": [BIG, {"any": [BIG, TAG]}]}, 'order.total >= 200.00 EUR and (order.total >= 200.00 EUR or order.tags contains "a b")'),
        ({"not": BIG}, "not (order.total >= 200.00 EUR)"),
        ({"no_item": {"all": [VIP["any_item"], VIP["any_item"]]}}, "no item: (sku starts with VIP- and sku starts with VIP-)"),
        ({"measure": "total", "items": VIP["any_item"], "op": ">", "value": 5, "currency": "EUR"}, "total of items with sku starts with VIP- > 5 EUR"),
        ({"measure": "count", "op": "between", "value": [1, 2]}, "number of all items between 1 and 2"),
        ({"field": "order.status", "op": "missing"}, "order.status is missing"),
        ({"field": "order.paid_at", "op": "within_last", "value": {"days": 1}}, "order.paid_at within the last 1 day"),
        ({"field": "order.paid_at", "op": "within_last", "value": {"hours": 36}}, "order.paid_at within the last 36 hours"),
        ({"field": "order.paid_at", "op": "between", "value": ["2026-01-01", "2026-02-01"]}, "order.paid_at between 2026-01-01 and 2026-02-01"),
        ({"field": "order.status", "op": "in", "value": list("abcdefg")}, "order.status in a, b, c, d, e and 2 more"),
        ({"field": "order.status", "op": "=", "value": "Paid", "ignore_case": True}, "order.status = Paid (any case)"),
        ({"field": "click.present", "op": "=", "value": True}, "click.present = true"),
        (None, "always"),
        ({"all": []}, "not readable (all: the group is empty; at least one condition, or remove the group)"),
    ],
)  # fmt: skip
def test_one_line(tree: Any, line: str) -> None:
    assert render(tree) == line


def test_the_explanation_shows_every_leaf_with_its_value() -> None:
    tree = {
        "any": [
            {"not": BIG},
            VIP,
            {"field": "order.cancel_reason", "op": "=", "value": "x"},
            {"measure": "count", "op": ">", "value": 5},
        ]
    }
    found = explain_condition(tree, PAID, BERLIN)
    assert found.tree is not None
    assert lines(found.tree) == [
        "yes any of",
        "  no  not",
        "    yes order.total >= 200.00 EUR   (is 250.00)",
        "  yes any item: sku starts with VIP-",
        "    yes item 1: sku starts with VIP-   (is VIP-1)",
        "    no  item 2: sku starts with VIP-   (is SOCK)",
        "  no  order.cancel_reason = x   (missing)",
        "  no  number of all items > 5   (is 2)",
    ]
    assert [leaf.text for leaf in deciding_leaves(found.tree)] == ["any item: sku starts with VIP-"]
    turned = explain_condition({"not": tree}, PAID, BERLIN)
    assert turned.tree is not None
    assert [leaf.kind for leaf in deciding_leaves(turned.tree)] == ["items"]


def test_a_group_of_all_says_so_and_an_empty_list_is_missing() -> None:
    tree = {"all": [BIG, {"field": "order.shipping_methods", "op": "contains", "value": "x"}]}
    found = explain_condition(tree, PAID, BERLIN)
    assert found.tree is not None
    first, _, last = lines(found.tree)
    assert first == "no  all of"
    assert last == "  no  order.shipping_methods contains x   (missing)"
    empty = found.tree.children[1]
    assert (empty.value, empty.missing) == (None, True)


def test_a_time_of_an_item_is_shown_as_the_site_reads_it() -> None:
    item = LineItem(sku="A", quantity=1, properties={"when": "2026-03-05"})
    event = msgspec.structs.replace(PAID, order=msgspec.structs.replace(ORDER, items=(item,)))
    early = {"any_item": {"field": "item.properties.when", "op": "before", "value": "2026-03-06"}}
    found = explain_condition(early, event, BERLIN)
    assert found.tree is not None
    (child,) = found.tree.children
    assert (child.holds, child.value) == (True, "2026-03-05T00:00:00+01:00")


def test_the_explanation_of_no_conditions_and_of_unreadable_ones() -> None:
    assert explain_condition(None, PAID).holds
    broken = explain_condition({"all": []}, PAID)
    assert not broken.holds
    assert broken.problems[0].path == "all"


def test_the_explanation_of_a_large_order_is_bounded() -> None:
    order = msgspec.structs.replace(ORDER, items=tuple(LineItem(sku=f"S{n}", quantity=1) for n in range(500)))
    found = explain_condition(VIP, msgspec.structs.replace(PAID, order=order))
    assert found.tree is not None
    assert len(found.tree.children) == MAX_SHOWN_ITEMS


def test_values_as_text() -> None:
    assert shown(Decimal("1E+3")) == "1000"
    assert shown(Decimal("NaN")) == "NaN"
    assert shown(Decimal("1E+9999")) == "1E+9999"
    assert shown(["a", True, PAID.occurred_at]) == "a, true, 2026-03-06T23:30:00+00:00"
    assert len(shown("x" * 1000)) == MAX_SHOWN_CHARACTERS
    assert shown(3) == "3"


def test_missing_lists_and_facts_are_shown_as_missing() -> None:
    found = explain_condition(
        {
            "all": [
                {"field": "order.tags", "op": "contains", "value": "x"},
                {"field": "order.total", "op": ">", "value": 1},
            ]
        },
        SIGNUP,
    )
    assert found.tree is not None
    assert [child.missing for child in found.tree.children] == [True, True]


def test_the_reference_page_and_the_schema_are_those_of_the_code(tmp_path: Path) -> None:
    reference.write(tmp_path)
    for name in (reference.PAGE, reference.SCHEMA):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text(), (
            f"run: python -m custom_events.conditions.reference ({name})"
        )


def test_every_field_has_a_meaning_and_stands_in_the_page() -> None:
    page = reference.reference_page()
    for name, field in fields_by_name().items():
        assert field.meaning.endswith("."), name
        assert f"| `{name}` |" in page


def test_the_schema_is_a_schema_and_refuses_what_is_wrong() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(schema)))
    assert validator.is_valid(
        {"all": [BIG, VIP, {"field": "properties.a.b", "op": "between", "value": ["2026-01-01", "2026-01-02"]}]}
    )
    wrong: list[Any] = [{"all": []}, {"field": "order.totl", "op": ">", "value": 1}, {"field": "item.sku", "op": "=", "value": "a"}, BIG | {"x": 1},
                        {"any_item": BIG}, {"field": "order.total", "op": ">", "value": "a"}, None, []]  # fmt: skip
    assert not any(validator.is_valid(tree) for tree in wrong)
