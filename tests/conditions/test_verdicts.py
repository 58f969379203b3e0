"""What each operator answers, by example."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from custom_events.conditions import runtime
from custom_events.conditions.compile import ALWAYS, MAX_KEPT_CONDITIONS, clear, compile_condition, compile_item_filter
from custom_events.conditions.facts import NO_FACTS
from custom_events.conditions.field_lookup import fields_by_name, find_field, nearest_names
from custom_events.conditions.fields import FieldType, Scope
from custom_events.conditions.hints import operator_hint
from custom_events.conditions.interpret import field_reader, interpret, judge
from custom_events.conditions.operators import MEANINGS, find_operator, operators_of
from custom_events.conditions.validate import parse
from custom_events.values.events import CommerceEvent, LineItem
from tests.conditions.examples import BERLIN, PAID, REFUNDED, RENEWED, SIGNUP


def ask(tree: Any, event: CommerceEvent = PAID) -> bool:
    condition = compile_condition(tree)
    assert condition.problems == ()
    holds = condition.holds(event, BERLIN)
    assert interpret(parse(tree), event, BERLIN) is holds, "judged leaf by leaf it is the same"
    return holds


def leaf(field: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"field": field, "op": op, **({} if value is None else {"value": value}), **more}


HOLD = [
    leaf("order.total", ">=", "250.00"),
    leaf("order.total", "=", 250),
    leaf("order.total", "<", 250.01),
    leaf("order.total", "!=", "249.99"),
    leaf("order.total", "in", ["1", 250]),
    leaf("order.total", "not_in", [1, 2]),
    leaf("order.total", "between", ["250", "300"]),
    leaf("order.total", ">=", "200.00", currency="EUR"),
    leaf("order.total_without_tax", "=", "210.08"),
    leaf("order.total_without_shipping", "=", "245"),
    leaf("order.item_count", "=", 2),
    leaf("order.quantity", "=", 5),
    leaf("order.skus", "contains_all", ["VIP-1", "SOCK"]),
    leaf("order.categories", "contains", "winter"),
    leaf("order.vendors", "contains", "Acme"),
    leaf("order.status", "=", "processing", ignore_case=True),
    leaf("order.status", "in", ["PROCESSING"], ignore_case=True),
    leaf("order.status", "contains", "cess"),
    leaf("order.status", "ends_with", "ING", ignore_case=True),
    leaf("order.status", "matches", "^pro", ignore_case=True),
    leaf("order.status", "not_in", ["processing"]),
    leaf("order.cancel_reason", "missing"),
    leaf("order.number", "exists"),
    leaf("order.tags", "contains", "PRIORITY", ignore_case=True),
    leaf("order.tags", "contains_any", ["x", "wholesale"]),
    leaf("order.tags", "starts_with", "whole"),
    leaf("order.tags", "ends_with", "RITY", ignore_case=True),
    leaf("order.tags", "matches", "^P.+y$"),
    leaf("order.payment_methods", "exists"),
    leaf("order.shipping_methods", "missing"),
    leaf("order.paid_at", "exists"),
    leaf("order.cancelled_at", "missing"),
    leaf("customer.accepts_marketing", "=", False),
    leaf("customer.accepts_marketing", "!=", True),
    leaf("customer.has_email", "=", True),
    leaf("customer.has_phone", "=", False),
    leaf("customer.known", "=", True),
    leaf("customer.orders_before", ">=", 2),
    leaf("customer.spent_before", ">", 300, currency="EUR"),
    leaf("customer.first_seen", "before", "2026-01-02"),
    leaf("click.present", "=", True),
    leaf("click.kind", "=", "gclid"),
    leaf("click.clicked_at", "within_last", {"days": 6}),
    leaf("click.clicked_at", "between", ["2026-03-01", "2026-03-01"]),
    leaf("utm.source", "=", "google"),
    leaf("utm.campaign", "missing"),
    leaf("consent.ad_user_data", "=", "granted"),
    leaf("consent.ad_storage", "=", "unknown"),
    leaf("event.amount", "=", 250),
    leaf("event.type", "=", "order.paid"),
    # Friday 23:30 in UTC is Saturday 00:30 at the site
    leaf("time.weekday", "=", "saturday"),
    leaf("time.hour", "between", [0, 5]),
    leaf("time.day", "=", 7),
    leaf("time.month", "=", 3),
    leaf("event.occurred_at", "after", "2026-03-06"),
    leaf("event.occurred_at", "before", "2026-03-08"),
    leaf("event.occurred_at", "after", "2026-03-06T23:29:59Z"),
    leaf("note_attributes.gift.wrap", "=", "yes"),
    leaf("note_attributes.gift.wrap", "=", True),
    leaf("note_attributes.points", ">", 12),
    leaf("note_attributes.points", "between", ["12", "13"]),
    leaf("meta._device", "contains", "mob", ignore_case=True),
    leaf("properties.level", "starts_with", "g"),
    leaf("properties.score", "=", 19.99),
    leaf("properties.score", "=", "19.99"),
    leaf("properties.score", "in", [19.99, 3]),
    leaf("properties.trial", "=", False),
    leaf("properties.trial", "=", "false"),
    leaf("properties.a.b.c.0", "=", 1),
    leaf("properties.a.b.c.1", "matches", "X", ignore_case=True),
    leaf("properties.a.b.c.2.d", "!=", False),
    leaf("properties.a.b", "exists"),
    leaf("properties.a.when", "before", "2026-03-06"),
    leaf("properties.a.when", "within_last", {"hours": 48}),
    leaf("properties.a.when", "between", ["2026-03-05", "2026-03-06"]),
    leaf("properties.list", "contains", "red"),
    leaf("properties.list", "contains", "blue", ignore_case=True),
    leaf("properties.list", "contains_any", ["3"]),
    leaf("properties.level", "contains_all", ["gold"]),
    leaf("properties.empty", "missing"),
    leaf("properties.a.b.c.9", "missing"),
    leaf("properties.level.deeper", "missing"),
    {"any_item": leaf("item.sku", "starts_with", "VIP-")},
    {"any_item": {"all": [leaf("item.quantity", ">=", 3), leaf("item.total", "=", 45)]}},
    {"any_item": leaf("item.price", "=", 100, currency="EUR")},
    {"any_item": leaf("item.properties.engraving", "exists")},
    {"all_items": leaf("item.quantity", ">=", 2)},
    {"no_item": leaf("item.sku", "=", "nothing")},
    {"measure": "count", "op": "=", "value": 2},
    {"measure": "quantity", "items": leaf("item.title", "exists"), "op": ">", "value": 4},
    {"measure": "total", "op": "=", "value": "245.00", "currency": "EUR"},
    {"measure": "total", "items": leaf("item.sku", "=", "SOCK"), "op": "between", "value": [45, 45]},
]  # fmt: skip

FAIL = [
    leaf("order.total", ">=", "200.00", currency="USD"),
    leaf("order.total", "!=", "1.00", currency="USD"),
    leaf("order.cancel_reason", "!=", "customer"),  # missing: also != is false
    leaf("order.cancel_reason", "not_in", ["customer"]),
    leaf("order.refunded", "<", 10),
    leaf("order.status", "=", "processing"),
    leaf("order.cancelled_at", "before", "2030-01-01"),
    leaf("refund.amount", ">", 0),
    leaf("subscription.status", "!=", "x"),
    leaf("cart.total", ">=", 0),
    leaf("click.clicked_at", "within_last", {"days": 5}),
    leaf("event.occurred_at", "before", "2026-03-07"),
    leaf("note_attributes.gift.wrap", ">", 1),
    leaf("properties.level", "=", True),
    leaf("properties.trial", "<", 3),
    leaf("properties.a.b", "=", "x"),
    leaf("properties.score", "after", "2026-01-01"),
    leaf("properties.level", "after", "2026-01-01"),
    leaf("properties.list", "starts_with", "red"),
    leaf("properties.list", "contains", "re"),
    {"all_items": leaf("item.sku", "starts_with", "VIP-")},
    {"no_item": leaf("item.sku", "starts_with", "VIP-")},
    {"any_item": leaf("item.price", "=", 100, currency="USD")},
    {"measure": "total", "op": "=", "value": "245.00", "currency": "USD"},
    {"measure": "total", "items": leaf("item.sku", "=", "none"), "op": ">", "value": 0},
]


@pytest.mark.parametrize("tree", HOLD, ids=str)
def test_holds(tree: Any) -> None:
    assert ask(tree) is True
    assert ask({"not": tree}) is False


@pytest.mark.parametrize("tree", FAIL, ids=str)
def test_does_not_hold(tree: Any) -> None:
    assert ask(tree) is False
    assert ask({"not": tree}) is True


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^\w+$", "Müller", False),
        (r"M\b", "Müller", True),
        (r"^\pL+$", "Müller", True),
        (r"[[:alpha:]]", "ü", False),
        (r"\d", "٣", False),
        (r"\p{Nd}", "٣", True),
        (r"\s", "\u00a0", False),
        (r"[\s\p{Z}]", "\u00a0", True),
    ],
)
def test_classes_of_patterns_know_ascii_only(pattern: str, text: str, found: bool) -> None:
    event = msgspec.structs.replace(PAID, note_attributes={"text": text})
    assert ask(leaf("note_attributes.text", "matches", pattern), event) is found


@pytest.mark.parametrize(
    ("value", "text", "equal", "found"),
    [("STRASSE", "Straße", True, False), ("ÉTÉ", "été", True, True), ("οδος", "ΟΔΟΣ", True, True)],
)
def test_case_is_ignored_by_full_rules_in_texts_and_letter_by_letter_in_patterns(
    value: str, text: str, equal: bool, found: bool
) -> None:
    event = msgspec.structs.replace(PAID, note_attributes={"text": text})
    assert ask(leaf("note_attributes.text", "=", value, ignore_case=True), event) is equal
    assert ask(leaf("note_attributes.text", "matches", value, ignore_case=True), event) is found


def test_items_of_a_refund_are_those_refunded() -> None:
    assert ask({"measure": "quantity", "op": "=", "value": 1}, REFUNDED)
    assert ask({"measure": "total", "op": "=", "value": 100, "currency": "EUR"}, REFUNDED)
    assert ask(leaf("refund.amount", "=", 100, currency="EUR"), REFUNDED)
    assert ask(leaf("order.item_count", "=", 2), REFUNDED)


def test_subscription_facts() -> None:
    assert ask(
        {"all": [leaf("subscription.interval_count", "=", 3), leaf("subscription.amount", ">", 18, currency="EUR")]},
        RENEWED,
    )


@pytest.mark.parametrize("word", ["any_item", "all_items"])
def test_without_items_nothing_is_said_about_them(word: str) -> None:
    anything = leaf("item.quantity", ">=", 0)
    assert not ask({word: anything}, SIGNUP)
    assert ask({"no_item": anything}, SIGNUP)
    assert not ask({"measure": "count", "op": ">=", "value": 0}, SIGNUP)
    assert not ask({"measure": "count", "items": anything, "op": ">=", "value": 0}, SIGNUP)


def test_a_fact_that_nobody_knows_is_missing() -> None:
    condition = compile_condition(leaf("customer.orders_before", "=", 0))
    assert condition.needs_history
    assert condition.fields == {"customer.orders_before"}
    assert not condition.holds(PAID, NO_FACTS)


def test_equal_trees_share_one_function_and_the_cache_is_bounded() -> None:
    clear()
    first = compile_condition({"field": "order.total", "op": ">", "value": 1})
    again = compile_condition({"value": 1, "op": ">", "field": "order.total"})
    assert first is again
    assert MAX_KEPT_CONDITIONS < 100_000


def test_no_conditions_hold_for_everything() -> None:
    assert compile_condition(None) is ALWAYS
    assert ALWAYS.holds(SIGNUP, NO_FACTS)


@pytest.mark.parametrize(
    "tree", [{"all": []}, {"field": "order.total", "op": ">", "value": {1, 2}}, 7, {"all": [object()]}]
)
def test_a_tree_that_cannot_be_read_never_holds(tree: Any) -> None:
    condition = compile_condition(tree)
    assert condition.problems
    assert not condition.holds(PAID, NO_FACTS)


@pytest.mark.parametrize("name", [name for name, field in fields_by_name().items() if field.scope is Scope.EVENT])
@pytest.mark.parametrize("event", [PAID, REFUNDED, RENEWED, SIGNUP], ids=lambda event: event.type)
def test_every_field_can_be_read_from_every_event(name: str, event: CommerceEvent) -> None:
    field_reader(name)(event, BERLIN)


@pytest.mark.parametrize("name", ["nothing.here", "item.sku", "meta."])
def test_only_event_fields_have_a_reader(name: str) -> None:
    with pytest.raises(KeyError):
        field_reader(name)


def test_a_hostile_name_is_a_name_and_not_code() -> None:
    name = "properties.x'); raise SystemExit(1) #"
    assert find_field(name) is not None
    assert not ask(leaf(name, "=", "a"))
    assert not ask(leaf('note_attributes.{path}"\\', "exists"))


def test_an_item_whose_values_cannot_be_compared_does_not_satisfy() -> None:
    chosen = compile_item_filter(leaf("item.total", ">", 1))
    assert chosen is not None
    assert not chosen(LineItem(total=Decimal("sNaN")), PAID, BERLIN)
    assert chosen(LineItem(total=Decimal(2)), PAID, BERLIN)
    assert compile_item_filter(leaf("order.total", ">", 1)) is None


def test_a_value_that_cannot_be_compared_makes_its_leaf_false_alone() -> None:
    assert PAID.order is not None
    odd = msgspec.structs.replace(PAID, order=msgspec.structs.replace(PAID.order, total=Decimal("sNaN")))
    large = leaf("order.total", ">", 1)
    assert not ask(large, odd)
    assert ask({"not": large}, odd)
    assert ask({"any": [large, leaf("order.item_count", "=", 2)]}, odd)


def test_open_values_take_every_operator() -> None:
    assert set(operators_of(FieldType.OPEN)) == set(MEANINGS)
    assert find_operator(FieldType.OPEN, "sounds_like", "a") is None


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (runtime.as_anything, {"": None, " ": " ", 0: 0}),
        (
            runtime.as_boolean,
            dict.fromkeys(("true", "Yes", " ON\n", "1", 1, True), True)
            | dict.fromkeys(("False", "no", "off", "0"), False)
            | {0: False, "": None, "2": None, 2: None, None: None},
        ),
        (
            runtime.as_text,
            {
                "": None,
                " a ": " a ",
                True: "true",
                7: "7",
                Decimal("1E+3"): "1000",
                Decimal("0.10"): "0.10",
                None: None,
            },
        ),
        (
            runtime.as_number,
            {"1" * 40: Decimal("1" * 40), "1" * 41: None, " 12.50\t": Decimal("12.50"), "NaN": None, "inf": None}
            | {"": None, "a": None, True: None, None: None, 7: Decimal(7), Decimal("NaN"): None},
        ),
        (runtime.as_texts, {"a": ("a",), "": (), None: (), 7: ("7",)}),
        (runtime.as_searchable, {"a": "a", "": None, None: None}),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_open_values_are_read_as_what_is_asked_for(read: Any, values: dict[Any, Any]) -> None:
    for value, expected in values.items():
        answer = read(value)
        assert (type(answer), answer) == (type(expected), expected), value


def test_open_lists_are_read_element_by_element() -> None:
    elements = ["a", "", 1, None, True, {}, []]
    assert runtime.as_texts(elements) == runtime.as_searchable(elements) == ("a", "1", "true")
    for value in ([], {}):
        assert runtime.as_anything(value) is None
        assert runtime.as_text(value) is runtime.as_number(value) is runtime.as_boolean(value) is None
    assert runtime.as_time(["2026-03-05"], BERLIN) is runtime.as_time(3, BERLIN) is None


def test_a_total_of_items_is_unknown_as_soon_as_that_of_one_is() -> None:
    known, unknown = LineItem(total=Decimal("2.50"), quantity=2), LineItem(quantity=3)
    assert runtime.items_total([known, known]) == Decimal(5)
    assert runtime.items_total([known, unknown, known]) is None
    assert runtime.items_total([]) == 0
    assert runtime.pieces([known, unknown]) == 5


def test_a_measure_shows_its_items_and_what_was_compared() -> None:
    boots = leaf("item.sku", "starts_with", "VIP-")
    tree = parse({"measure": "total", "items": boots, "op": ">=", "value": 200, "currency": "EUR"})
    total = judge(tree, PAID, BERLIN)
    assert (total.node, total.holds, total.value) == (tree, True, Decimal("200.00"))
    assert [(item.item, item.holds) for item in total.children] == [(0, True), (1, False)]
    assert PAID.order is not None
    priceless = msgspec.structs.replace(PAID.order, items=(LineItem(sku="VIP-2", quantity=1),))
    unknown = judge(tree, msgspec.structs.replace(PAID, order=priceless), BERLIN)
    assert (unknown.node, unknown.holds, unknown.value) == (tree, False, None)
    assert [(item.item, item.holds) for item in unknown.children] == [(0, True)]
    assert judge(tree, SIGNUP, BERLIN).children == ()


def test_a_named_field_is_read_from_an_event() -> None:
    assert field_reader("order.total")(PAID, BERLIN) == Decimal("250.00")
    for name in ("no.such", "item.sku"):
        with pytest.raises(KeyError, match=name):
            field_reader(name)


def test_a_pattern_is_found_in_an_element_of_a_list() -> None:
    assert ask(leaf("order.tags", "matches", "^whole"))
    assert not ask(leaf("order.tags", "matches", "^retail"))


@pytest.mark.parametrize(("op", "meant"), [(" EQ ", "="), ("Not In", "not_in"), ("starts with", "starts_with")])
def test_what_other_languages_call_an_operator(op: str, meant: str) -> None:
    assert operator_hint(op, operators_of(FieldType.TEXT)) == f"did you mean {meant}? "


def test_a_field_whose_last_word_is_right_is_near() -> None:
    assert "customer.first_seen" in nearest_names(f"{60 * 'x'}.first_seen", Scope.EVENT)


def test_a_stored_time_may_be_spelt_in_any_way_of_iso_8601() -> None:
    assert ask(leaf("order.paid_at", "after", "2026-W10-5T23:29+00:00"))
    assert not ask(leaf("order.paid_at", "after", "2026-W10-5T23:30+00:00"))


def test_a_place_in_a_list_of_properties_that_is_not_there_is_missing() -> None:
    event = msgspec.structs.replace(PAID, properties={"sizes": msgspec.Raw(b'["S", "M"]')})
    assert ask(leaf("properties.sizes.1", "=", "M"), event)
    for place in ("2", "3", "x"):
        assert runtime.property_at(event, f"sizes.{place}") is None
