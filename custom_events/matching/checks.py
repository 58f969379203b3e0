"""What is wrong with a configuration, all at once, each with its path: `conditions.all[1].value`, `threshold.field`."""

import re
from collections.abc import Collection, Iterator

import msgspec

from custom_events.conditions.problems import Problem
from custom_events.conditions.validate import validate
from custom_events.matching.setting_checks import (
    amount_field,
    currency_code,
    error,
    never_used,
    number_problem,
    warning,
)
from custom_events.matching.value_checks import join_tree, value_problems
from custom_events.values.definitions import (
    CartRule,
    Dedup,
    DedupPer,
    DefinitionConfig,
    Threshold,
    ThresholdMeasure,
    ThresholdPeriod,
)
from custom_events.values.deliveries import Platform

MAX_CLICK_WINDOW_DAYS = 90  # Google keeps a click id for 90 days (docs/reference/google-ads.md 2.2)
MINUTES_PER_DAY = 60 * 24
MAX_DELAY_MINUTES = MINUTES_PER_DAY * 30  # a month: enough for every return period, well inside the click window
MAX_WINDOW_DAYS = 3_660  # of thresholds and deduplication: ten years, longer than events are kept

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
        faults = validate(config.conditions, currencies=currencies, platform=platform)
        problems += [msgspec.structs.replace(problem, path=join_tree("conditions", problem.path)) for problem in faults]
    if config.threshold is not None:
        problems += _threshold(config.threshold, currencies)
    problems += _dedup(config.dedup)
    problems += value_problems(config.value, currencies, platform)
    return problems


def _plain(config: DefinitionConfig) -> Iterator[Problem]:
    if not config.trigger:
        yield error("trigger", "there is no trigger", "at least one type of event, such as order.paid")
    for place, kind in enumerate(config.trigger):
        if kind in config.trigger[:place]:
            yield warning(f"trigger[{place}]", f"{kind} stands here twice", "once")
    if not 1 <= config.click_window_days <= MAX_CLICK_WINDOW_DAYS:
        yield error("click_window_days", f"{config.click_window_days} days", f"1 to {MAX_CLICK_WINDOW_DAYS}")
    if not 0 <= config.delay_minutes <= MAX_DELAY_MINUTES:
        yield error("delay_minutes", f"{config.delay_minutes} minutes", f"0 to {MAX_DELAY_MINUTES}")
    if config.valid_from is not None and config.valid_until is not None and config.valid_from > config.valid_until:
        yield error("valid_until", f"{config.valid_until} is before valid_from, {config.valid_from}", "a later day")
    if config.group is not None and not config.group.strip():
        yield error("group", "the group has no name", "a name, or null for no group")
    if config.ads_action is not None and not _ACTION.match(config.ads_action):
        yield error(
            "ads_action", f"{config.ads_action[:60]!r} names no ads action", "<ten digits of the account>/<action id>"
        )
    if config.group is None and config.priority:
        wrong = f"a priority of {config.priority} has no effect without a group"
        yield warning("priority", wrong, "name the group, or remove it")
    yield from _too_late(config)
    if config.extra_data.cart is not None:
        yield from _cart(config.extra_data.cart)


def _too_late(config: DefinitionConfig) -> Iterator[Problem]:
    """A click window that the delay reaches beyond Google's."""
    days = config.delay_minutes // MINUTES_PER_DAY
    left = MAX_CLICK_WINDOW_DAYS - days
    if (
        days > 0
        and config.delay_minutes <= MAX_DELAY_MINUTES
        and left < config.click_window_days <= MAX_CLICK_WINDOW_DAYS
    ):
        wrong = (
            f"with a click window of {config.click_window_days} days, clicks of more than {left} days before the event are past "
            f"Google's {MAX_CLICK_WINDOW_DAYS} days when it is over"
        )
        yield warning("delay_minutes", wrong, f"click_window_days: {left}, or a shorter delay")


def _cart(rule: CartRule) -> Iterator[Problem]:
    if not _MERCHANT.match(rule.merchant_id):
        yield error(
            "extra_data.cart.merchant_id", f"{rule.merchant_id[:40]!r} is no merchant centre's id", "its digits"
        )
    for name, pattern in (("country", _COUNTRY), ("language", _LANGUAGE)):
        said = getattr(rule, name)
        if said is not None and not pattern.match(said):
            right = "two capitals, DE for example" if name == "country" else "two small letters, de for example"
            yield error(f"extra_data.cart.{name}", f"{said[:40]!r} is no {name}", right)
    parts = _BRACES.findall(rule.item_id)
    lone = set("{}") & set(_BRACES.sub("", rule.item_id))
    if not parts or not set(parts) <= {"{sku}", "{product_id}", "{variant_id}"} or lone:
        right = "text with {sku}, {product_id} or {variant_id} in it, such as shopify_DE_{product_id}_{variant_id}"
        yield error("extra_data.cart.item_id", f"{rule.item_id[:60]!r} makes no product's id", right)


def _threshold(threshold: Threshold, currencies: Collection[str]) -> Iterator[Problem]:
    at_least = threshold.at_least
    if (problem := number_problem("threshold.at_least", at_least)) is not None:
        yield problem
    elif at_least <= 0:
        yield error("threshold.at_least", f"{at_least} is always reached", "a number above 0")
    elif threshold.measure is ThresholdMeasure.COUNT and at_least != at_least.to_integral_value():
        yield error("threshold.at_least", f"{at_least} events cannot be counted", "a whole number")
    if threshold.period is ThresholdPeriod.ROLLING:
        yield from _window("threshold.window_days", threshold.window_days)
    elif threshold.window_days is not None:
        wrong = f"a {threshold.period} period has no window"
        yield error("threshold.window_days", wrong, "remove it, or choose rolling")
    yield from currency_code("threshold.currency", threshold.currency)
    if threshold.measure is ThresholdMeasure.COUNT:
        for name in ("field", "currency"):
            if getattr(threshold, name) is not None:
                yield error(f"threshold.{name}", f"a count has no {name}", "remove it, or choose sum")
        return
    if threshold.field is not None:
        yield from amount_field("threshold.field", threshold.field)
    yield from never_used("threshold.currency", threshold.currency, currencies, ": nothing is ever summed")


def _dedup(dedup: Dedup) -> Iterator[Problem]:
    if dedup.per is DedupPer.CUSTOMER_WINDOW:
        yield from _window("dedup.window_days", dedup.window_days)
    elif dedup.window_days is not None:
        wrong = f"deduplication per {dedup.per} has no window"
        yield error("dedup.window_days", wrong, "remove it, or choose customer_window")


def _window(path: str, days: int | None) -> Iterator[Problem]:
    if days is None:
        yield error(path, "the window is missing", "a number of days")
    elif not 1 <= days <= MAX_WINDOW_DAYS:
        yield error(path, f"{days} days", f"1 to {MAX_WINDOW_DAYS}")
