"""Effective settings and where they come from; the checks; the system's definitions."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.conditions.field_lookup import nearest_names
from custom_events.conditions.fields import Scope
from custom_events.conditions.problems import Severity
from custom_events.conditions.render import render
from custom_events.matching.checks import config_problems
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.effective import SETTINGS, Origin, effective, origins
from custom_events.matching.match import match
from custom_events.matching.system import SYSTEM_DEFINITIONS
from custom_events.values import numbers
from custom_events.values.definitions import (
    CartRule,
    ConversionExtras,
    CurrencyRule,
    Dedup,
    DedupPer,
    DefinitionConfig,
    Overrides,
    Threshold,
    ThresholdMeasure,
    ThresholdPeriod,
    ValueRule,
    ValueSource,
)
from custom_events.values.deliveries import Platform
from custom_events.values.events import CommerceEvent, EventType
from tests.conditions.examples import PAID, REFUNDED, RENEWED, SIGNUP
from tests.matching.building import SITE, assignment, paid

BIG = {"field": "order.total", "op": ">=", "value": "200"}
TAG = {"field": "order.tags", "op": "contains", "value": "vip"}
D = Decimal
BASE = DefinitionConfig(trigger=(EventType.ORDER_PAID,), conditions=BIG, priority=3)


def test_every_setting_can_be_overridden() -> None:
    assert set(SETTINGS) | {"also"} == {field.name for field in msgspec.structs.fields(Overrides)}


def test_inherit_replace_add() -> None:
    assert effective(BASE, Overrides()) == BASE
    assert effective(BASE, Overrides(priority=9, group="g")) == msgspec.structs.replace(BASE, priority=9, group="g")
    assert effective(BASE, Overrides(conditions=None)).conditions is None
    assert effective(BASE, Overrides(also=TAG)).conditions == {"all": [BIG, TAG]}
    assert effective(BASE, Overrides(conditions=None, also=TAG)).conditions == TAG
    grouped = msgspec.structs.replace(BASE, conditions={"all": [BIG, BIG]})
    assert effective(grouped, Overrides(also=TAG)).conditions == {"all": [BIG, BIG, TAG]}
    either = msgspec.structs.replace(BASE, conditions={"any": [BIG, BIG]})
    assert effective(either, Overrides(also=TAG)).conditions == {"all": [{"any": [BIG, BIG]}, TAG]}


def test_where_each_setting_comes_from() -> None:
    found = origins(BASE, Overrides(priority=3, also=TAG))
    assert found["trigger"] is Origin.DEFINITION
    assert found["priority"] is Origin.ASSIGNMENT, "the same value, but said here"
    assert found["group"] is Origin.DEFAULT
    assert found["conditions"] is Origin.BOTH
    assert origins(BASE, Overrides())["conditions"] is Origin.DEFINITION
    assert origins(BASE, Overrides(conditions=BIG, also=TAG))["conditions"] is Origin.ASSIGNMENT
    assert origins(DefinitionConfig(trigger=()), Overrides(also=TAG))["conditions"] is Origin.ASSIGNMENT
    assert set(found) == set(SETTINGS)
    said = {name for name, origin in origins(BASE, Overrides()).items() if origin is Origin.DEFINITION}
    assert said == {"trigger", "conditions", "priority"}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 5) | st.just(msgspec.UNSET),
    st.sampled_from([msgspec.UNSET, None, "g"]),
    st.sampled_from([msgspec.UNSET, None, BIG]),
)
def test_overrides_survive_storage(priority: Any, group: Any, conditions: Any) -> None:
    overrides = Overrides(priority=priority, group=group, conditions=conditions)
    stored = msgspec.json.decode(msgspec.json.encode(overrides), type=Overrides)
    assert effective(BASE, stored) == effective(BASE, overrides)


# ---------------------------------------------------------------- checks
def config(**more: Any) -> DefinitionConfig:
    return DefinitionConfig(**({"trigger": (EventType.ORDER_PAID,)} | more))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"trigger": ()}, "trigger"),
    ({"click_window_days": 0}, "click_window_days"),
    ({"click_window_days": 91}, "click_window_days"),
    ({"delay_minutes": -1}, "delay_minutes"),
    ({"valid_from": date(2026, 2, 1), "valid_until": date(2026, 1, 1)}, "valid_until"),
    ({"group": " "}, "group"),
    ({"ads_action": "customers/1/actions/2"}, "ads_action"),
    ({"conditions": {"all": [BIG, {"field": "order.totl", "op": "=", "value": 1}]}}, "conditions.all[1].field"),
    ({"conditions": {}}, "conditions"),
    ({"threshold": Threshold(at_least=D(0))}, "threshold.at_least"),
    ({"threshold": Threshold(at_least=D("2.5"))}, "threshold.at_least"),
    ({"threshold": Threshold(at_least=D(2), period=ThresholdPeriod.ROLLING)}, "threshold.window_days"),
    ({"threshold": Threshold(at_least=D(2), period=ThresholdPeriod.ROLLING, window_days=0)}, "threshold.window_days"),
    ({"threshold": Threshold(at_least=D(2), window_days=3)}, "threshold.window_days"),
    ({"threshold": Threshold(at_least=D(2), field="order.total")}, "threshold.field"),
    ({"threshold": Threshold(at_least=D(2), currency="EUR")}, "threshold.currency"),
    ({"threshold": Threshold(measure=ThresholdMeasure.SUM, at_least=D(2), field="order.totl")}, "threshold.field"),
    ({"threshold": Threshold(measure=ThresholdMeasure.SUM, at_least=D(2), field="order.status")}, "threshold.field"),
    ({"threshold": Threshold(measure=ThresholdMeasure.SUM, at_least=D(2), currency="euro")}, "threshold.currency"),
    ({"dedup": Dedup(per=DedupPer.CUSTOMER_WINDOW)}, "dedup.window_days"),
    ({"dedup": Dedup(window_days=3)}, "dedup.window_days"),
    ({"value": ValueRule(source=ValueSource.FIXED)}, "value.fixed"),
    ({"value": ValueRule(source=ValueSource.FIELD)}, "value.field"),
    ({"value": ValueRule(source=ValueSource.FIELD, field="qqqqqqqqqqqq")}, "value.field"),
    ({"value": ValueRule(items=TAG)}, "value.items"),
    ({"value": ValueRule(source=ValueSource.ITEMS_TOTAL, items=BIG)}, "value.items.field"),
    ({"value": ValueRule(currency="eur")}, "value.currency"),
    ({"value": ValueRule(factor=D(0))}, "value.factor"),
    ({"value": ValueRule(factor=D(-1))}, "value.factor"),
    ({"value": ValueRule(at_most=D("NaN"))}, "value.at_most"),
    ({"value": ValueRule(at_least=D(5), at_most=D(4))}, "value.at_most"),
    ({"value": ValueRule(by_currency={"eur": CurrencyRule()})}, "value.by_currency.eur"),
    ({"value": ValueRule(by_currency={"EUR": CurrencyRule(fixed=D(-1))})}, "value.by_currency.EUR.fixed"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "path"), WRONG, ids=str)
def test_problems_have_their_path(wrong: dict[str, Any], path: str) -> None:
    problems = config_problems(config(**wrong))
    assert path in [problem.path for problem in problems], [str(problem) for problem in problems]


GOOD: list[dict[str, Any]] = [
    {},
    {"conditions": BIG, "ads_action": "1234567890/1", "group": "g"},
    {"threshold": Threshold(measure=ThresholdMeasure.SUM, at_least=D("99.5"), field="properties.points", period=ThresholdPeriod.ROLLING, window_days=30)},
    {"dedup": Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=30)},
    {"value": ValueRule(source=ValueSource.FIXED, by_currency={"EUR": CurrencyRule(fixed=D(3))})},
    {"value": ValueRule(source=ValueSource.ITEMS_TOTAL, items={"field": "item.sku", "op": "exists"}, at_least=D(1), at_most=D(2))},
    {"value": ValueRule(source=ValueSource.FIELD, field="order.subtotal")},
]  # fmt: skip


@pytest.mark.parametrize("good", GOOD, ids=str)
def test_good_settings_have_none(good: dict[str, Any]) -> None:
    assert config_problems(config(**good)) == []


def test_currencies_of_the_site_warn() -> None:
    rule = ValueRule(by_currency={"USD": CurrencyRule(factor=D(2))})
    found = config_problems(config(value=rule, conditions=BIG | {"currency": "USD"}), currencies=["EUR"])
    assert {(problem.path, problem.severity) for problem in found} == {
        ("value.by_currency.USD", Severity.WARNING),
        ("conditions.currency", Severity.WARNING),
    }


# ---------------------------------------------------------------- the system's definitions
def test_the_system_definitions_are_all_there_and_good() -> None:
    assert list(SYSTEM_DEFINITIONS) == [
        "purchase", "first_purchase", "repeat_purchase", "high_value_order", "subscription_start", "subscription_renewal",
        "subscription_cancel", "checkout_start", "add_to_cart", "customer_signup", "refund",
    ]  # fmt: skip
    for key, definition in SYSTEM_DEFINITIONS.items():
        assert definition.key == key
        assert config_problems(definition.config) == []
        assert definition.name
        assert definition.description.endswith(".")
        assert render(definition.config.conditions)


@pytest.mark.parametrize(
    ("event", "orders_before", "expected"),
    [
        (PAID, 0, ["first_purchase", "purchase"]),
        (PAID, 2, ["purchase", "repeat_purchase"]),
        (PAID, None, ["purchase"]),
        (paid(total="500"), None, ["high_value_order", "purchase"]),
        (REFUNDED, 1, ["refund"]),
        (RENEWED, 1, ["subscription_renewal"]),
        (SIGNUP, None, ["customer_signup"]),
    ],
)
def test_what_the_system_definitions_match(
    event: CommerceEvent, orders_before: int | None, expected: list[str]
) -> None:
    rules = [
        msgspec.structs.replace(assignment(number), label=key, config=definition.config)
        for number, (key, definition) in enumerate(SYSTEM_DEFINITIONS.items())
    ]
    compiled_rules = CompiledRules(rules)
    site = compiled_rules.site(SITE)
    assert site is not None
    found = match(event, SITE, compiled_rules, site.facts_with(orders_before=orders_before))
    assert sorted(one.assignment.label for one in found) == expected
    assert all(one.value is not None or one.assignment.config.value.source is ValueSource.NONE for one in found)


def problems_of(paths: str, **config: Any) -> list[str]:
    found = config_problems(DefinitionConfig(trigger=(EventType.ORDER_PAID,), **config), currencies=["EUR"])
    return [problem.wrong for problem in found if problem.path == paths]


@pytest.mark.parametrize("code", ["eur", "EU1", "EURO", "ÄÖÜ", ""])
def test_a_currency_is_three_capitals(code: str) -> None:
    threshold = Threshold(at_least=D(5), measure=ThresholdMeasure.SUM, currency=code)
    assert f"{code!r} is no currency code" in problems_of("threshold.currency", threshold=threshold)


def test_what_a_site_never_has_is_warned_of_wherever_it_stands() -> None:
    gift = {"field": "note_attributes.gift", "op": "exists"}
    config = DefinitionConfig(trigger=(EventType.ORDER_PAID,), conditions=gift)
    assert [one.path for one in config_problems(config, platform=Platform.WOOCOMMERCE)] == ["conditions.field"]
    summed = Threshold(at_least=D(5), measure=ThresholdMeasure.SUM, currency="USD")
    assert len(problems_of("threshold.currency", threshold=summed)) == 1
    items = {"field": "item.price", "op": ">", "value": 1, "currency": "USD"}
    chosen = ValueRule(source=ValueSource.ITEMS_TOTAL, items=items)
    shelved = ValueRule(source=ValueSource.ITEMS_TOTAL, items={"field": "item.categories", "op": "exists"})
    of_shopify = config_problems(DefinitionConfig(trigger=config.trigger, value=shelved), platform=Platform.SHOPIFY)
    assert [one.path for one in of_shopify] == ["value.items.field"]
    assert problems_of("value.items.currency", value=chosen) == ["the site never uses USD: this is never true"]


@pytest.mark.parametrize(
    ("least", "most", "factor", "always"),
    [(None, "15", "2", "15"), ("6", None, "0.5", "6"), ("15", None, "2", None), (None, "10", "0.5", None)],
)
def test_a_fixed_amount_is_compared_with_its_bounds_after_the_factor(
    least: str | None, most: str | None, factor: str, always: str | None
) -> None:
    rule = ValueRule(
        source=ValueSource.FIXED,
        fixed=D(10),
        factor=D(factor),
        at_least=None if least is None else D(least),
        at_most=None if most is None else D(most),
    )
    found = problems_of("value.fixed", value=rule)
    assert [text.rpartition(" ")[2] for text in found] == ([] if always is None else [always])


def test_numbers_that_are_none_raise_nothing_and_too_long_ones_are_named() -> None:
    odd = ValueRule(at_most=D("NaN"), by_currency={"EUR": CurrencyRule(at_least=D(7))})
    assert problems_of("value.at_most", value=odd)
    no_least = ValueRule(at_least=D("NaN"), by_currency={"EUR": CurrencyRule(at_most=D(7))})
    no_amount = ValueRule(source=ValueSource.FIXED, fixed=D("NaN"), by_currency={"EUR": CurrencyRule(at_most=D(7))})
    for rule, path in ((no_least, "value.at_least"), (no_amount, "value.fixed")):
        assert [problem.path for problem in config_problems(config(value=rule))] == [path]
    (wrong,) = problems_of("threshold.at_least", threshold=Threshold(at_least=D(10**15)))
    assert wrong.startswith("1000000000000000 has 16 digits")


@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        (ValueRule(source=ValueSource.ITEMS_TOTAL, without_tax=True), ["value.without_tax"]),
        (ValueRule(source=ValueSource.ITEMS_TOTAL, without_tax=True, without_discounts=True), ["value.without_tax", "value.without_discounts"]),
        (ValueRule(source=ValueSource.FIXED, currency="EUR", by_currency={"EUR": CurrencyRule(fixed=D(3))}), ["value.currency"]),
        (ValueRule(source=ValueSource.FIXED, fixed=D(1), currency="EUR", by_currency={"EUR": CurrencyRule(fixed=D(3))}), []),
        (ValueRule(source=ValueSource.FIXED, fixed=D(10), at_least=D(10)), []),
        (ValueRule(source=ValueSource.FIXED, fixed=D(10), at_most=D(10)), []),
        (ValueRule(at_most=D(1)), []),
        (ValueRule(at_least=D(0)), []),
        (ValueRule(at_least=D(5), at_most=D(5)), []),
        (ValueRule(at_most=D(0)), ["value.at_most"]),
        (ValueRule(at_least=D(5), by_currency={"EUR": CurrencyRule(at_most=D(4))}), ["value.by_currency.EUR.at_most"]),
        (ValueRule(at_most=D(4), by_currency={"EUR": CurrencyRule(at_least=D(5))}), ["value.by_currency.EUR.at_least"]),
        (ValueRule(source=ValueSource.FIXED, fixed=D(10), at_most=D(20), by_currency={"EUR": CurrencyRule(fixed=D(30), factor=D(2))}), ["value.by_currency.EUR.fixed"]),
        (ValueRule(source=ValueSource.FIXED, fixed=D(1), currency="eur"), ["value.currency"]),
        (ValueRule(source=ValueSource.FIXED, by_currency={"eur": CurrencyRule(fixed=D(1))}), ["value.by_currency.eur"]),
    ],
    ids=str,
)  # fmt: skip
def test_nothing_but_what_is_wrong_with_a_value_rule_is_named(rule: ValueRule, paths: list[str]) -> None:
    assert [problem.path for problem in config_problems(config(value=rule))] == paths


def test_a_problem_says_what_would_be_right() -> None:
    (unknown,) = config_problems(config(value=ValueRule(source=ValueSource.FIELD, field="order.totl")))
    assert unknown.right == f"nearest: {', '.join(nearest_names('order.totl', Scope.EVENT))}"
    priced = ValueRule(source=ValueSource.FIXED, by_currency={"USD": CurrencyRule(fixed=D(1))})
    assert problems_of("value.by_currency.USD", value=priced) == ["the site never uses USD"]
    (long,) = config_problems(config(threshold=Threshold(at_least=D(10**15))))
    assert long.right == numbers.RIGHT


MARCH = date(2026, 3, 1)
ROLLING = Threshold(at_least=D(2), period=ThresholdPeriod.ROLLING)


@pytest.mark.parametrize(
    ("settings_", "remedies"),
    [
        ({"click_window_days": 1}, {}),
        ({"click_window_days": 90}, {}),
        ({"click_window_days": 0}, {"click_window_days": "1 to 90"}),
        ({"click_window_days": 91}, {"click_window_days": "1 to 90"}),
        ({"delay_minutes": 30 * 24 * 60, "click_window_days": 60}, {}),
        ({"delay_minutes": 30 * 24 * 60 + 1, "click_window_days": 90}, {"delay_minutes": "0 to 43200"}),
        ({"delay_minutes": 24 * 60, "click_window_days": 89}, {}),
        ({"delay_minutes": 24 * 60 - 1, "click_window_days": 90}, {}),
        ({"delay_minutes": 24 * 60, "click_window_days": 90}, {"delay_minutes": "click_window_days: 89, or a shorter delay"}),
        ({"delay_minutes": 30 * 24 * 60, "click_window_days": 61}, {"delay_minutes": "click_window_days: 60, or a shorter delay"}),
        ({"valid_from": MARCH}, {}),
        ({"valid_from": MARCH, "valid_until": MARCH}, {}),
        ({"priority": 2, "group": "g"}, {}),
        ({"priority": 2}, {"priority": "name the group, or remove it"}),
        ({"trigger": (EventType.ORDER_PAID, EventType.ORDER_CREATED, EventType.ORDER_PAID)}, {"trigger[2]": "once"}),
        ({"threshold": msgspec.structs.replace(ROLLING, window_days=1)}, {}),
        ({"threshold": msgspec.structs.replace(ROLLING, window_days=3660)}, {}),
        ({"threshold": msgspec.structs.replace(ROLLING, window_days=3661)}, {"threshold.window_days": "1 to 3660"}),
        ({"threshold": ROLLING}, {"threshold.window_days": "a number of days"}),
        ({"threshold": Threshold(at_least=D(1), field="order.total")}, {"threshold.field": "remove it, or choose sum"}),
        ({"threshold": Threshold(at_least=D(1), window_days=1)}, {"threshold.window_days": "remove it, or choose rolling"}),
        ({"threshold": Threshold(at_least=D(1))}, {}),
        ({"threshold": Threshold(at_least=D(-1))}, {"threshold.at_least": "a number above 0"}),
        ({"threshold": Threshold(at_least=D("1.5"))}, {"threshold.at_least": "a whole number"}),
        ({"dedup": Dedup(per=DedupPer.CUSTOMER_WINDOW, window_days=0)}, {"dedup.window_days": "1 to 3660"}),
        ({"extra_data": ConversionExtras(cart=CartRule(merchant_id="1", item_id="X_{sku}{product_id}{variant_id}"))}, {}),
        ({"extra_data": ConversionExtras(cart=CartRule(merchant_id="a"))}, {"extra_data.cart.merchant_id": "its digits"}),
        ({"dedup": Dedup(window_days=1)}, {"dedup.window_days": "remove it, or choose customer_window"}),
    ],
    ids=str,
)  # fmt: skip
def test_limits_are_included_and_each_problem_has_its_remedy(
    settings_: dict[str, Any], remedies: dict[str, str]
) -> None:
    assert {problem.path: problem.right for problem in config_problems(config(**settings_))} == remedies
