"""Every problem has a path, what is wrong and what would be right; all of them at once."""

from decimal import Decimal
from typing import Any

import pytest

from custom_events.conditions.field_lookup import nearest_names
from custom_events.conditions.fields import Scope
from custom_events.conditions.problems import Severity, kind_of
from custom_events.conditions.validate import MAX_DEPTH, MAX_NODES, parse, validate
from custom_events.errors import InvalidConfiguration
from custom_events.values.deliveries import Platform

GOOD = {"field": "order.total", "op": ">=", "value": "200.00"}


def nested(depth: int) -> Any:
    return GOOD if depth == 1 else {"not": nested(depth - 1)}


CASES: list[tuple[Any, str, str, str]] = [
    (None, "", "nothing (null)", "an object with one of"),
    ([], "", "a list", "an object"),
    ("a", "", "a text", "an object"),
    (3, "", "a number", "an object"),
    (True, "", "true or false", "an object"),
    ({}, "", "a condition with nothing", "exactly one of"),
    ({"all": [GOOD], "any": [GOOD]}, "", "all, any", "exactly one of"),
    ({"al": [GOOD]}, "al", "no kind of condition", "did you mean all?"),
    ({"zzzzzz": 1}, "zzzzzz", "no kind of condition", "one of all"),
    ({"all": []}, "all", "the group is empty", "at least one"),
    ({"any": {}}, "any", "an object", "a list of conditions"),
    ({"all": [GOOD, {"not": {"any": [3]}}]}, "all[1].not.any[0]", "a number", "an object"),
    ({"field": "order.totl", "op": ">", "value": 1}, "field", "no field 'order.totl'", "nearest: order.total"),
    ({"field": "total", "op": ">", "value": 1}, "field", "no field 'total'", "order.total"),
    ({"field": "qqqqqqqqqqqqq", "op": ">", "value": 1}, "field", "no field", "catalog"),
    ({"field": 3, "op": ">", "value": 1}, "field", "a number", "order.total"),
    ({"field": "item.sku", "op": "=", "value": "a"}, "field", "cannot be asked here", "any_item"),
    ({"any_item": {"field": "order.total", "op": ">", "value": 1}}, "any_item.field", "cannot be asked here", "item.*"),
    ({"any_item": {"any_item": GOOD}}, "any_item.any_item", "inside one another", "item.*"),
    ({"any_item": {"measure": "count", "op": ">", "value": 1}}, "any_item.measure", "inside one another", "item.*"),
    ({"field": "order.total", "op": "contains", "value": "a"}, "op", "takes no operator 'contains'", "=, !=, <"),
    ({"field": "order.total", "value": "a"}, "op", "the operator is missing", "one of ="),
    ({"field": "order.total", "op": 3, "value": "a"}, "op", "cannot be a number", "one of ="),
    ({"field": "order.total", "op": ">"}, "value", "the value is missing", "a number"),
    ({"field": "order.total", "op": ">", "value": "many"}, "value", "'many' is not a number", "digits"),
    ({"field": "order.total", "op": ">", "value": True}, "value", "True is not a number", "a number"),
    ({"field": "order.total", "op": ">", "value": "NaN"}, "value", "NaN is no number", "digits"),
    ({"field": "order.total", "op": ">", "value": 10**40}, "value", "has 41 digits before the point", "at most 15 digits"),
    ({"field": "order.total", "op": ">", "value": float("inf")}, "value", "Infinity is no number", "digits"),
    ({"field": "order.total", "op": "in", "value": []}, "value", "not a list", "a list of numbers"),
    ({"field": "order.total", "op": "in", "value": list(range(1001))}, "value", "1001 values", "at most 1000"),
    ({"field": "order.total", "op": "between", "value": [1]}, "value", "not a pair", "two numbers"),
    ({"field": "order.total", "op": "between", "value": [2, 1]}, "value", "from 2 down to 1", "smaller end first"),
    ({"field": "order.item_count", "op": "=", "value": 1.5}, "value", "not a whole number", "1 or 2"),
    ({"field": "order.total", "op": ">", "value": 1, "currency": "eur"}, "currency", "no currency code", "EUR"),
    ({"field": "order.total", "op": "exists", "currency": "EUR"}, "currency", "comparison of money", "remove"),
    ({"field": "order.item_count", "op": "=", "value": 1, "currency": "EUR"}, "currency", "comparison of money", "remove"),
    ({"field": "order.total", "op": "exists", "value": 1}, "value", "takes no value", "remove"),
    ({"field": "order.status", "op": "=", "value": ""}, "value", "the text is empty", "missing"),
    ({"field": "order.status", "op": "=", "value": 3}, "value", "3 is not a text", "a text"),
    ({"field": "order.status", "op": "=", "value": "x" * 1001}, "value", "1001 characters", "at most 1000"),
    ({"field": "order.status", "op": "matches", "value": "(?=a)"}, "value", "not a pattern RE2 takes", "look-around"),
    ({"field": "order.status", "op": "matches", "value": "a" * 501}, "value", "501 characters", "at most 500"),
    ({"field": "order.status", "op": "matches", "value": "((a{100}){100}){100}"}, "value", "not a pattern RE2 takes", "RE2"),
    ({"field": "order.status", "op": "matches", "value": "\ud800"}, "value", "not a pattern", "RE2"),
    ({"field": "order.status", "op": "=", "value": "a", "ignore_case": 1}, "ignore_case", "a number", "true or false"),
    ({"field": "order.total", "op": ">", "value": 1, "ignore_case": True}, "ignore_case", "texts only", "remove"),
    ({"field": "order.status", "op": "=", "value": "a", "nocase": 1}, "nocase", "means nothing here", "ignore_case"),
    ({"field": "click.present", "op": "=", "value": "yes"}, "value", "neither true nor false", "true or false"),
    ({"field": "time.weekday", "op": "in", "value": ["friday", "freitag"]}, "value", "never freitag", "monday"),
    ({"field": "order.paid_at", "op": "before", "value": "soon"}, "value", "not a time", "a date"),
    ({"field": "order.paid_at", "op": "before", "value": 3}, "value", "not a time", "a date"),
    ({"field": "order.paid_at", "op": "before", "value": "2026-01-01T10:00"}, "value", "time zone", "2026-01-01T10:00Z"),
    ({"field": "order.paid_at", "op": "between", "value": ["2026-01-01", "2026-01-01T10:00Z"]}, "value", "a date, the other a time", "two dates"),
    ({"field": "order.paid_at", "op": "within_last", "value": "30 days"}, "value", "not a duration", "days"),
    ({"field": "order.paid_at", "op": "within_last", "value": {"days": 1, "hours": 2}}, "value", "not a duration", "days"),
    ({"field": "order.paid_at", "op": "within_last", "value": {}}, "value", "not a duration", "days"),
    ({"field": "order.paid_at", "op": "within_last", "value": {"weeks": 1}}, "value", "not a duration", "days"),
    ({"field": "order.paid_at", "op": "within_last", "value": {"days": -1}}, "value", "-1 days", "days"),
    ({"field": "order.paid_at", "op": "within_last", "value": {"days": 10**12}}, "value", "too long", "3660"),
    ({"field": "order.paid_at", "op": "within_last", "value": {"days": 4000}}, "value", "too long", "3660"),
    *(({"field": "order.paid_at", "op": "after", "value": text}, "value", "not a time", '"2026-11-01"') for text in
      ("2026-W05", "2026-W05-1", "20260105", "2026-005", "2026-01-05T10Z", "2026-W05-1T10:00Z", "20260105T100000Z", "2026-1-5")),
    ({"field": "order.paid_at", "op": "between", "value": ["2026-01-01", "2026-W05"]}, "value[1]", "'2026-W05' is not a time", '"2026-11-01"'),
    ({"field": "order.total", "op": ">", "value": 10**15}, "value", "1000000000000000 has 16 digits before the point", "at most 15 digits"),
    ({"field": "order.total", "op": ">", "value": "1234567890123456.5"}, "value", "16 digits before the point", "at most 15 digits"),
    ({"field": "order.total", "op": ">", "value": "0000000000000001"}, "value", "zeros without need", "at most 15 digits"),
    ({"field": "order.total", "op": ">", "value": "1.0000000000000"}, "value", "zeros without need", "12 after it"),
    ({"field": "order.total", "op": ">", "value": 1e30}, "value", "1e+30 has 31 digits", "at most 15 digits"),
    ({"field": "order.total", "op": ">", "value": "1e3"}, "value", "not a number", "digits"),
    ({"field": "order.total", "op": "in", "value": [1, 1e-13]}, "value[1]", "13 digits after the point", "12 after it"),
    ({"field": "order.total", "op": "between", "value": [float("-inf"), 1]}, "value[0]", "-Infinity is no number", "digits"),
    ({"field": "item.quantity", "op": ">", "value": 1}, "field", "cannot be asked here", "any_item"),
    ({"field": "time.hour", "op": "=", "value": -1.5}, "value", "-1.5 is not a whole number", "-2 or -1"),
    ({"field": "meta.id", "op": "=", "value": 6123456789012345678}, "value", "19 digits before the point", "at most 15 digits"),
    ({"field": "order.total", "op": ">", "value": Decimal(10**15)}, "value", "1000000000000000 has 16 digits", "at most 15 digits"),
    ({"field": "order.total", "op": ">", "value": "y" * 61}, "value", f"'{'y' * 59}... is not a number", "digits"),
    ({"field": "order.status", "op": "=", "value": 10**60}, "value", "the number is not a text", "a text"),
    ({"field": "order.status", "op": "=", "value": 1 - 10**60}, "value", f"-{'9' * 59}... is not a text", "a text"),
    ({"field": "order.status", "op": "=", "value": 10**60 - 1}, "value", f"{'9' * 60} is not a text", "a text"),
    ({"field": "order.total", "op": ">", "value": "y" * 58}, "value", f"'{'y' * 58}' is not a number", "digits"),
    ({"measure": "weight", "op": ">", "value": 1}, "measure", "no measure 'weight'", "count, quantity, total"),
    ({"measure": "count", "op": "contains", "value": 1}, "op", "the count of items", "="),
    ({"measure": "count", "op": ">", "value": 1, "currency": "EUR"}, "currency", "comparison of money", "remove"),
    ({"measure": "total", "op": ">", "value": "x", "items": {"all": []}}, "items.all", "empty", "at least one"),
    ({"measure": "count", "op": ">", "value": 1, "field_": 2}, "field_", "means nothing here", "items"),
    (nested(MAX_DEPTH + 1), "not." * 9 + "not", "deeper than 10", "flatten"),
    ({"all": [GOOD] * MAX_NODES}, f"all[{MAX_NODES - 1}]", "more than 500", "in"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "path", "wrong", "right"), CASES, ids=lambda part: str(part)[:50])
def test_problem(tree: Any, path: str, wrong: str, right: str) -> None:
    problems = validate(tree)
    found = [
        problem for problem in problems if problem.path == path and wrong in problem.wrong and right in problem.right
    ]
    assert found, [str(problem) for problem in problems]
    assert all(problem.severity is Severity.ERROR for problem in problems)


def test_all_problems_at_once() -> None:
    tree = {
        "all": [
            {"field": "x", "op": "="},
            {"any": []},
            {"field": "order.total", "op": ">", "value": "a", "currency": "1"},
            GOOD,
        ]
    }
    assert [problem.path for problem in validate(tree)] == [
        "all[0].field",
        "all[1].any",
        "all[2].currency",
        "all[2].value",
    ]


def test_a_measure_tells_both_halves() -> None:
    tree = {"measure": "total", "op": ">", "value": "x", "items": {"all": []}}
    assert {problem.path for problem in validate(tree)} == {"value", "items.all"}


def test_the_deepest_tree_that_is_allowed() -> None:
    assert validate(nested(MAX_DEPTH)) == []
    assert validate({"all": [GOOD] * (MAX_NODES - 1)}) == []


def test_a_huge_wrong_tree_gives_few_problems() -> None:
    tree = {"all": [{"all": [1] * 5000} for _ in range(5000)]}
    assert len(validate(tree)) <= MAX_NODES + 1


def test_currencies_of_the_site_warn() -> None:
    never = validate(GOOD | {"currency": "USD"}, currencies=["EUR"])
    assert [(problem.severity, problem.path) for problem in never] == [(Severity.WARNING, "currency")]
    assert "never uses USD" in never[0].wrong
    mixed = validate(GOOD, currencies=["EUR", "CHF"])
    assert [problem.right for problem in mixed] == ["name one: CHF, EUR"]
    assert validate(GOOD | {"currency": "EUR"}, currencies=["EUR", "CHF"]) == []
    assert validate(GOOD, currencies=["EUR"]) == []


def test_a_field_the_platform_does_not_deliver_warns() -> None:
    tree = {"field": "note_attributes.gift", "op": "exists"}
    assert validate(tree, platform=Platform.SHOPIFY) == []
    warned = validate(tree, platform=Platform.WOOCOMMERCE)
    assert [(problem.severity, problem.path) for problem in warned] == [(Severity.WARNING, "field")]


def test_parse_raises_the_first_problem() -> None:
    parse(GOOD)
    with pytest.raises(InvalidConfiguration, match=r"all\[0\]\.field: there is no field"):
        parse({"all": [{"field": "order.totl", "op": ">", "value": 1}]})


def test_nearest_names_stay_in_their_scope() -> None:
    assert nearest_names("item.skuu", Scope.ITEM)[0] == "item.sku"
    assert all(name.startswith("item.") for name in nearest_names("order.sku", Scope.ITEM))
    assert "note_attributes.NAME" in nearest_names("note_attributes", Scope.EVENT)


def test_kinds_in_words() -> None:
    assert kind_of(object()) == "object"
    assert (kind_of({}), kind_of(None)) == ("an object", "nothing (null)")


@pytest.mark.parametrize(
    ("tree", "hint"),
    [
        ({"field": "order.totl", "op": ">", "value": 1}, "nearest: order.total, order.subtotal, order."),
        ({"feild": "order.total", "op": ">", "value": 1}, "did you mean field? exactly one of"),
        ({"and": [GOOD]}, "did you mean all? one of"),
        ({"or": [GOOD]}, "did you mean any? one of"),
        ({"any_items": GOOD}, "did you mean any_item? one of"),
        ({"field": "order.total", "op": "==", "value": 1}, "did you mean =? one of ="),
        ({"field": "order.total", "op": "=>", "value": 1}, "did you mean >=? one of"),
        ({"field": "order.status", "op": "startswith", "value": "a"}, "did you mean starts_with? one of"),
        ({"field": "order.status", "op": "not in", "value": ["a"]}, "did you mean not_in? one of"),
        ({"field": "order.status", "op": "gte", "value": "a"}, "one of ="),  # texts have no such operator
        ({"field": "sku", "op": "=", "value": "a"}, "item.sku inside any_item, all_items, no_item or a measure; nearest: cart.skus"),
    ],
)  # fmt: skip
def test_what_somebody_may_have_meant_is_said(tree: dict[str, Any], hint: str) -> None:
    (problem,) = validate(tree)
    assert problem.right.startswith(hint)


@pytest.mark.parametrize(
    ("field", "op", "value", "right"),
    [
        ("time.hour", "between", [9, 24], "0 to 23"),
        ("time.day", "=", 0, "1 to 31"),
        ("time.month", "in", [12, 13], "1 to 12"),
    ],
)
def test_a_number_that_a_field_never_is(field: str, op: str, value: Any, right: str) -> None:
    (problem,) = validate({"field": field, "op": op, "value": value})
    assert (problem.path, problem.right, problem.severity) == ("value", right, Severity.WARNING)
    assert "is never" in problem.wrong


def test_a_code_in_small_letters_is_a_warning() -> None:
    country = {"field": "order.shipping_country", "op": "in", "value": ["de", "AT"]}
    (problem,) = validate(country)
    assert problem.severity is Severity.WARNING
    assert "in capitals: de is never found" in problem.wrong
    assert validate({**country, "ignore_case": True}) == []
    assert validate({**country, "op": "matches", "value": "(?i)de"}) == []


@pytest.mark.parametrize(
    ("field", "op", "value", "wrong"),
    [
        ("order.currency", "=", "USD", "the site never uses USD: it is never found"),
        ("event.currency", "!=", "USD", "the site never uses USD: it is never found"),
        ("cart.currency", "in", ["EUR", "USD", "GBP"], "the site never uses GBP, USD: it is never found"),
        ("order.currency", "not_in", ["usd"], None),  # told for its small letters already
        ("order.currency", "=", "EUR", None),
        ("order.currency", "starts_with", "U", None),
        ("order.currency", "=", "EURO", "EURO is no currency code: it is never found"),
        ("order.shipping_country", "in", ["DE", "GER", "Germany"], None),
        ("order.billing_country", "=", "DEU", "DEU is no country code: it is never found"),
        ("customer.country", "=", "DE", None),
    ],
)
def test_codes_that_never_come(field: str, op: str, value: Any, wrong: str | None) -> None:
    found = validate({"field": field, "op": op, "value": value}, currencies=["EUR"])
    assert all(one.severity is Severity.WARNING and one.path == "value" for one in found)
    told = [one.wrong for one in found if "in capitals" not in one.wrong]
    assert told == ([] if wrong is None else [wrong])
