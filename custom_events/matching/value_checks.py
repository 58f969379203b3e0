"""What is wrong with a value rule: amounts that are none, settings that do nothing with the chosen source, bounds that exclude all.

A setting that was written for another source is an error: the value that Google gets is not the one that stands there. One that only
changes nothing is a warning.
"""

from collections.abc import Collection, Iterator
from decimal import Decimal

import msgspec

from custom_events.conditions.fields import Scope
from custom_events.conditions.problems import Problem, join
from custom_events.conditions.validate import validate
from custom_events.matching.setting_checks import (
    amount_field,
    currency_code,
    error,
    never_used,
    number_problem,
    warning,
)
from custom_events.values.definitions import CurrencyRule, ValueRule, ValueSource
from custom_events.values.deliveries import Platform

_IS = {
    ValueSource.ORDER_TOTAL: "the order's total",
    ValueSource.ITEMS_TOTAL: "the items' total",
    ValueSource.FIXED: "the fixed amount",
    ValueSource.FIELD: "the field's amount",
    ValueSource.NONE: "none",
}
_PARTS = ("without_tax", "without_shipping", "without_discounts")  # of the order's total
_OF_ITEMS = (
    "it has no effect where the items' amounts are without tax anyway, as on WooCommerce and in shops whose prices are net",
    "remove it, unless the shop's prices include their tax",
)
_AMOUNTS = ("fixed", "factor", "at_least", "at_most")


def value_problems(rule: ValueRule, currencies: Collection[str], platform: Platform | None) -> Iterator[Problem]:
    """Errors and warnings, with their paths (`value.by_currency.EUR.at_most`)."""
    yield from _source(rule)
    yield from _without_effect(rule)
    if rule.items is not None:
        for problem in validate(rule.items, currencies=currencies, platform=platform, scope=Scope.ITEM):
            yield msgspec.structs.replace(problem, path=join_tree("value.items", problem.path))
    yield from currency_code("value.currency", rule.currency)
    whole = CurrencyRule(fixed=rule.fixed, factor=rule.factor, at_least=rule.at_least, at_most=rule.at_most)
    yield from _amounts("value", whole, whole, rule.source)
    for code, here in rule.by_currency.items():
        path = join("value.by_currency", code)
        yield from currency_code(path, code)
        yield from never_used(path, code, currencies, "")
        yield from _of_currency(path, here, whole, rule.source)


def join_tree(root: str, path: str) -> str:
    """The path of a problem in a tree that stands at `root`."""
    return f"{root}.{path}" if path else root


def _source(rule: ValueRule) -> Iterator[Problem]:
    """What the source needs, and what was written for another one."""
    of_currencies = any(entry.fixed is not None for entry in rule.by_currency.values())
    if rule.source is ValueSource.FIXED and rule.fixed is None and not of_currencies:
        yield error("value.fixed", "the fixed amount is missing", "an amount, or one for each currency in by_currency")
    if rule.source is ValueSource.FIELD:
        if rule.field is None:
            yield error("value.field", "the field is missing", "an amount field, such as order.subtotal")
        else:
            yield from amount_field("value.field", rule.field)
    written = (
        ("fixed", rule.fixed, ValueSource.FIXED, "a fixed amount"),
        ("currency", rule.currency, ValueSource.FIXED, "a currency (of a fixed amount)"),
        ("field", rule.field, ValueSource.FIELD, "a field"),
        ("items", rule.items, ValueSource.ITEMS_TOTAL, "a tree of items"),
    )
    for name, value, source, meaning in written:
        if value is not None and rule.source is not source:
            wrong = f"{meaning} has no effect with the source {rule.source}: the value is {_IS[rule.source]}"
            yield error(f"value.{name}", wrong, f"choose the source {source}, or remove it")
    if rule.source is ValueSource.FIXED and rule.currency is not None and rule.fixed is None and of_currencies:
        wrong = "it has no effect: each amount in by_currency is of the currency it stands under"
        yield warning("value.currency", wrong, "remove it, or name a fixed amount for the other currencies")


def _without_effect(rule: ValueRule) -> Iterator[Problem]:
    """What changes nothing with this source."""
    if rule.source is not ValueSource.ORDER_TOTAL:
        for name in _PARTS:
            if not getattr(rule, name):
                continue
            if name == "without_tax" and rule.source is ValueSource.ITEMS_TOTAL:
                yield warning("value.without_tax", *_OF_ITEMS)
                continue
            wrong = f"it has no effect with the source {rule.source}"
            yield warning(f"value.{name}", wrong, "remove it, or choose the source order_total")
    if rule.source is not ValueSource.NONE:
        return
    defaults = ValueRule()
    for name in ("factor", "at_least", "at_most", "by_currency", "refunds_lower_it"):
        if getattr(rule, name) != getattr(defaults, name):
            yield warning(f"value.{name}", "it has no effect with the source none", "remove it, or choose a source")


def _of_currency(path: str, here: CurrencyRule, whole: CurrencyRule, source: ValueSource) -> Iterator[Problem]:
    """One entry of by_currency, by itself and with the rule around it."""
    own = {name: amount for name in _AMOUNTS if (amount := getattr(here, name)) is not None}
    if not own:
        yield warning(path, "it says nothing of its own", f"one of {', '.join(_AMOUNTS)}, or remove it")
    if here.fixed is not None and source is not ValueSource.FIXED:
        wrong = f"a fixed amount has no effect with the source {source}: the value is {_IS[source]}"
        yield error(f"{path}.fixed", wrong, f"choose the source {ValueSource.FIXED}, or remove it")
    for name, amount in own.items():
        if amount == getattr(whole, name):
            yield warning(f"{path}.{name}", f"{amount} is what holds without it", "remove it")
    both = msgspec.structs.replace(whole, **own)
    yield from _amounts(path, here, both, source)


def _amounts(path: str, written: CurrencyRule, whole: CurrencyRule, source: ValueSource) -> Iterator[Problem]:
    """What is written at one place, and what it makes with what holds beside it (`whole`)."""
    problems = list(_each(path, written))
    yield from problems
    least, most = whole.at_least, whole.at_most
    if problems or not (_is_number(least) and _is_number(most) and _is_number(whole.fixed)):
        return
    if least is not None and most is not None and least > most and (written.at_least, written.at_most) != (None, None):
        if written.at_most is not None:
            yield error(f"{path}.at_most", f"{most} is below at_least, {least}", "a larger amount")
        else:
            yield error(f"{path}.at_least", f"{least} is above at_most, {most}", "a smaller amount")
    elif source is ValueSource.FIXED and written.fixed is not None and whole.factor is not None:
        amount = written.fixed * whole.factor
        bound = least if least is not None and amount < least else most if most is not None and amount > most else None
        if bound is not None:
            wrong = f"{written.fixed} is never the value: with factor and bounds it is always {bound}"
            yield warning(f"{path}.fixed", wrong, f"{bound}, or other bounds")


def _each(path: str, rule: CurrencyRule) -> Iterator[Problem]:
    for name in _AMOUNTS:
        amount: Decimal | None = getattr(rule, name)
        if amount is None:
            continue
        if (problem := number_problem(f"{path}.{name}", amount)) is not None:
            yield problem
        elif amount < 0:
            yield error(f"{path}.{name}", f"{amount} is no amount", "a number from 0")
        elif amount == 0 and name == "factor":
            yield error(f"{path}.factor", "a factor of 0 makes every value 0", "a number above 0, or the source none")
        elif amount == 0 and name == "at_most":
            yield error(f"{path}.at_most", "it makes every value 0", "a number above 0, or the source none")


def _is_number(amount: Decimal | None) -> bool:
    return amount is None or amount.is_finite()
