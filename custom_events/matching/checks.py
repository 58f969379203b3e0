"""What is wrong with a configuration, all at once, each with its path: `conditions.all[1].value`, `threshold.field`."""

import re
from collections.abc import Collection, Iterator
from decimal import Decimal

import msgspec

from custom_events.conditions.fields import FieldType, Scope, find_field, nearest_names
from custom_events.conditions.problems import Problem, Severity
from custom_events.conditions.validate import CURRENCY_CODE_LETTERS, validate
from custom_events.matching.money import is_amount
from custom_events.values.definitions import (
    CartRule,
    Dedup,
    DedupPer,
    DefinitionConfig,
    Threshold,
    ThresholdMeasure,
    ThresholdPeriod,
    ValueRule,
    ValueSource,
)
from custom_events.values.deliveries import Platform

MAX_CLICK_WINDOW_DAYS = 90  # Google keeps a click id for 90 days (reference: google-ads 2.2)
MAX_DELAY_MINUTES = 60 * 24 * 30  # a month: enough for every return period, well inside the click window
MAX_WINDOW_DAYS = 3_660  # of thresholds and deduplication: ten years, longer than events are kept

_AMOUNTS = (FieldType.MONEY, FieldType.NUMBER, FieldType.INTEGER, FieldType.OPEN)
_MERCHANT = re.compile(r"[0-9]{1,18}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_LANGUAGE = re.compile(r"[a-z]{2}\Z")
_BRACES = re.compile(r"\{[^{}]*\}")
_ACTION = re.compile(r"[0-9]{10}/[0-9]+\Z")


def config_problems(
    config: DefinitionConfig, *, currencies: Collection[str] = (), platform: Platform | None = None
) -> list[Problem]:
    """Errors and warnings of an effective configuration. `currencies` and `platform` of the site add warnings."""
    problems = list(_plain(config))
    if config.conditions is not None:
        found = validate(config.conditions, currencies=currencies, platform=platform)
        problems += [_below("conditions", problem) for problem in found]
    if config.threshold is not None:
        problems += _threshold(config.threshold)
    problems += _dedup(config.dedup)
    problems += _value(config.value, currencies, platform)
    return problems


def _wrong(path: str, wrong: str, right: str) -> Problem:
    return Problem(path=path, wrong=wrong, right=right)


def _below(root: str, problem: Problem) -> Problem:
    path = root if not problem.path else f"{root}.{problem.path}"
    return msgspec.structs.replace(problem, path=path)


def _plain(config: DefinitionConfig) -> Iterator[Problem]:
    if not config.trigger:
        yield _wrong("trigger", "there is no trigger", "at least one type of event, such as order.paid")
    if not 1 <= config.click_window_days <= MAX_CLICK_WINDOW_DAYS:
        yield _wrong("click_window_days", f"{config.click_window_days} days", f"1 to {MAX_CLICK_WINDOW_DAYS}")
    if not 0 <= config.delay_minutes <= MAX_DELAY_MINUTES:
        yield _wrong("delay_minutes", f"{config.delay_minutes} minutes", f"0 to {MAX_DELAY_MINUTES}")
    if config.valid_from is not None and config.valid_until is not None and config.valid_from > config.valid_until:
        yield _wrong("valid_until", f"{config.valid_until} is before valid_from, {config.valid_from}", "a later day")
    if config.group is not None and not config.group.strip():
        yield _wrong("group", "the group has no name", "a name, or null for no group")
    if config.ads_action is not None and not _ACTION.match(config.ads_action):
        yield _wrong(
            "ads_action", f"{config.ads_action[:60]!r} names no ads action", "<ten digits of the account>/<action id>"
        )
    if config.tell.cart is not None:
        yield from _cart(config.tell.cart)


def _cart(rule: CartRule) -> Iterator[Problem]:
    if not _MERCHANT.match(rule.merchant_id):
        yield _wrong("tell.cart.merchant_id", f"{rule.merchant_id[:40]!r} is no merchant centre's id", "its digits")
    for name, pattern in (("country", _COUNTRY), ("language", _LANGUAGE)):
        said = getattr(rule, name)
        if said is not None and not pattern.match(said):
            right = "two capitals, DE for example" if name == "country" else "two small letters, de for example"
            yield _wrong(f"tell.cart.{name}", f"{said[:40]!r} is no {name}", right)
    parts = _BRACES.findall(rule.item_id)
    lone = set("{}") & set(_BRACES.sub("", rule.item_id))
    if not parts or not set(parts) <= {"{sku}", "{product_id}", "{variant_id}"} or lone:
        right = "text with {sku}, {product_id} or {variant_id} in it, such as shopify_DE_{product_id}_{variant_id}"
        yield _wrong("tell.cart.item_id", f"{rule.item_id[:60]!r} makes no product's id", right)


def _threshold(threshold: Threshold) -> Iterator[Problem]:
    if not threshold.at_least > 0:
        yield _wrong("threshold.at_least", f"{threshold.at_least} is always reached", "a number above 0")
    if threshold.measure is ThresholdMeasure.COUNT and threshold.at_least != threshold.at_least.to_integral_value():
        yield _wrong("threshold.at_least", f"{threshold.at_least} events cannot be counted", "a whole number")
    if threshold.period is ThresholdPeriod.ROLLING:
        yield from _window("threshold.window_days", threshold.window_days)
    elif threshold.window_days is not None:
        yield _wrong(
            "threshold.window_days", f"a {threshold.period} period has no window", "remove it, or choose rolling"
        )
    if threshold.measure is ThresholdMeasure.COUNT:
        for name in ("field", "currency"):
            if getattr(threshold, name) is not None:
                yield _wrong(f"threshold.{name}", f"a count has no {name}", "remove it, or choose sum")
    elif threshold.field is not None:
        yield from _amount_field("threshold.field", threshold.field)
    yield from _currency("threshold.currency", threshold.currency)


def _dedup(dedup: Dedup) -> Iterator[Problem]:
    if dedup.per is DedupPer.CUSTOMER_WINDOW:
        yield from _window("dedup.window_days", dedup.window_days)
    elif dedup.window_days is not None:
        yield _wrong(
            "dedup.window_days", f"deduplication per {dedup.per} has no window", "remove it, or choose customer_window"
        )


def _value(rule: ValueRule, currencies: Collection[str], platform: Platform | None) -> Iterator[Problem]:
    if (
        rule.source is ValueSource.FIXED
        and rule.fixed is None
        and not any(one.fixed for one in rule.by_currency.values())
    ):
        yield _wrong("value.fixed", "the fixed amount is missing", "an amount, or one for each currency in by_currency")
    if rule.source is ValueSource.FIELD:
        if rule.field is None:
            yield _wrong("value.field", "the field is missing", "an amount field, such as order.subtotal")
        else:
            yield from _amount_field("value.field", rule.field)
    if rule.items is not None:
        if rule.source is not ValueSource.ITEMS_TOTAL:
            yield _wrong(
                "value.items",
                f"the source {rule.source} does not look at items",
                "choose items_total, or remove the tree",
            )
        found = validate(rule.items, currencies=currencies, platform=platform, scope=Scope.ITEM)
        yield from (_below("value.items", problem) for problem in found)
    yield from _currency("value.currency", rule.currency)
    yield from _numbers("value", rule.fixed, rule.factor, rule.at_least, rule.at_most)
    for code, one in rule.by_currency.items():
        yield from _currency(f"value.by_currency.{code[:20]}", code)
        yield from _numbers(f"value.by_currency.{code[:20]}", one.fixed, one.factor, one.at_least, one.at_most)
        if currencies and code not in currencies:
            yield Problem(path=f"value.by_currency.{code[:20]}", wrong=f"the site never uses {code}", right=f"it uses {', '.join(sorted(currencies))}",
                          severity=Severity.WARNING)  # fmt: skip


def _numbers(
    path: str, fixed: Decimal | None, factor: Decimal | None, least: Decimal | None, most: Decimal | None
) -> Iterator[Problem]:
    for name, amount in (("fixed", fixed), ("factor", factor), ("at_least", least), ("at_most", most)):
        if amount is not None and not (is_amount(amount) and amount >= 0):
            yield _wrong(f"{path}.{name}", f"{amount} is no amount", "a number from 0")
            return
    if factor == 0:
        yield _wrong(f"{path}.factor", "a factor of 0 makes every value 0", "a number above 0, or the source none")
    if least is not None and most is not None and least > most:
        yield _wrong(f"{path}.at_most", f"{most} is below at_least, {least}", "a larger amount")


def _window(path: str, days: int | None) -> Iterator[Problem]:
    if days is None:
        yield _wrong(path, "the window is missing", "a number of days")
    elif not 1 <= days <= MAX_WINDOW_DAYS:
        yield _wrong(path, f"{days} days", f"1 to {MAX_WINDOW_DAYS}")


def _currency(path: str, code: str | None) -> Iterator[Problem]:
    if code is not None and not (
        len(code) == CURRENCY_CODE_LETTERS and code.isascii() and code.isalpha() and code.isupper()
    ):
        yield _wrong(path, f"{code[:20]!r} is no currency code", "three capital letters of ISO 4217, such as EUR")


def _amount_field(path: str, name: str) -> Iterator[Problem]:
    field = find_field(name)
    if field is None or field.scope is not Scope.EVENT:
        near = ", ".join(nearest_names(name, Scope.EVENT))
        yield _wrong(
            path, f"there is no field {name[:100]!r}", f"nearest: {near}" if near else "see the catalogue of fields"
        )
    elif field.type not in _AMOUNTS:
        yield _wrong(path, f"{name} is a {field.type}", "a field of money or numbers")
