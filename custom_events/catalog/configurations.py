"""Reading configurations at the edge: what comes from people and files is decoded and checked before it becomes a revision.

Every problem is an InvalidConfiguration that names the path inside the configuration and says what would be right.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from custom_events.conditions.fields import Scope
from custom_events.conditions.validate import Severity, validate
from custom_events.errors import InvalidConfiguration
from custom_events.values.definitions import (
    DedupPer,
    DefinitionConfig,
    Overrides,
    Threshold,
    ThresholdMeasure,
    ThresholdPeriod,
    ValueRule,
    ValueSource,
)

CLICK_WINDOW_LIMIT_DAYS = 90  # Google accepts no conversion later than that after its click (reference: google-ads 2.3)
DELAY_LIMIT_MINUTES = 60 * 24 * 30  # longer than a month is a mistake in the unit
_ADS_ACTION = re.compile(r"\d{10}/\d+\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?\Z", re.DOTALL)

_Problem = tuple[str, str]  # path, sentence
_Config = TypeVar("_Config", DefinitionConfig, Overrides)


def read_config(raw: Mapping[str, Any] | DefinitionConfig) -> DefinitionConfig:
    """A definition's configuration from plain JSON. Raises InvalidConfiguration."""
    config = _decode(raw, DefinitionConfig)
    check(config)
    return config


def read_overrides(raw: Mapping[str, Any] | Overrides) -> Overrides:
    """An assignment's overrides from plain JSON; whether they fit the definition shows in the effective configuration."""
    overrides = _decode(raw, Overrides)
    _raise_first(_tree_problems("also", overrides.also))
    if overrides.conditions is not msgspec.UNSET:
        _raise_first(_tree_problems("conditions", overrides.conditions))
    return overrides


def to_plain(config: DefinitionConfig | Overrides) -> dict[str, Any]:
    """The inverse of reading: plain JSON as the revision tables keep it; amounts are text, defaults are left out."""
    return msgspec.to_builtins(config)


def check(config: DefinitionConfig) -> None:
    """Raise InvalidConfiguration for the first setting that cannot be used, alone or together with another one."""
    _raise_first(_problems(config))


def _decode(raw: Mapping[str, Any] | _Config, kind: type[_Config]) -> _Config:
    if isinstance(raw, kind):
        raw = to_plain(raw)  # built in code: its fields were never checked
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        what, path = (found["what"], found["path"]) if found is not None else (str(error), None)
        known = ", ".join(kind.__struct_fields__)
        hint = f"; known settings: {known}" if "unknown field" in what and not path else ""
        raise InvalidConfiguration(what[:1].lower() + what[1:] + hint, path=path or "") from None


def _raise_first(problems: Iterator[_Problem]) -> None:
    for path, sentence in problems:
        raise InvalidConfiguration(sentence, path=path)


def _problems(config: DefinitionConfig) -> Iterator[_Problem]:
    if not config.trigger:
        yield "trigger", "at least one event type is needed, order.paid for example"
    yield from _tree_problems("conditions", config.conditions)
    if config.threshold is not None:
        yield from _threshold_problems(config.threshold)
    if config.dedup.per is DedupPer.CUSTOMER_WINDOW and not config.dedup.window_days:
        yield "dedup.window_days", "once per customer and window needs the window in days"
    if (config.dedup.window_days or 1) < 1:
        yield "dedup.window_days", f"{config.dedup.window_days} is not a number of days from 1 on"
    yield from _value_problems(config.value)
    if not 1 <= config.click_window_days <= CLICK_WINDOW_LIMIT_DAYS:
        yield "click_window_days", f"{config.click_window_days} is outside Google's 1 to {CLICK_WINDOW_LIMIT_DAYS} days"
    if not 0 <= config.delay_minutes <= DELAY_LIMIT_MINUTES:
        yield "delay_minutes", f"{config.delay_minutes} is outside 0 to {DELAY_LIMIT_MINUTES} (30 days)"
    if config.valid_from is not None and config.valid_until is not None and config.valid_until < config.valid_from:
        yield "valid_until", f"{config.valid_until} is before valid_from, {config.valid_from}"
    if config.ads_action is not None and not _ADS_ACTION.match(config.ads_action):
        yield (
            "ads_action",
            f'"{config.ads_action}" is not <customer id, ten digits>/<action id>, 1234567890/987 for example',
        )


def _threshold_problems(threshold: Threshold) -> Iterator[_Problem]:
    if threshold.at_least <= 0:
        yield "threshold.at_least", f"{threshold.at_least} is reached before anything happens; it must be above 0"
    if threshold.measure is ThresholdMeasure.COUNT and threshold.at_least != threshold.at_least.to_integral_value():
        yield "threshold.at_least", f"{threshold.at_least} is not a whole number of events"
    if threshold.period is ThresholdPeriod.ROLLING and not threshold.window_days:
        yield "threshold.window_days", "a rolling period needs its length in days"
    if (threshold.window_days or 1) < 1:
        yield "threshold.window_days", f"{threshold.window_days} is not a number of days from 1 on"


def _value_problems(value: ValueRule) -> Iterator[_Problem]:
    if value.source is ValueSource.FIXED and value.fixed is None:
        yield "value.fixed", "a fixed value needs its amount"
    if value.source is ValueSource.FIXED and value.currency is None:
        yield "value.currency", "a fixed value needs its currency, EUR for example"
    if value.currency is not None and not _CURRENCY.match(value.currency):
        yield "value.currency", f'"{value.currency}" is not an ISO 4217 code, EUR for example'
    if value.source is ValueSource.FIELD and not value.field:
        yield "value.field", "a value from a field needs the field's name"
    if value.source is ValueSource.ITEMS_TOTAL and value.items is None:
        yield "value.items", "the total of some items needs the tree that they satisfy"
    yield from _tree_problems("value.items", value.items, Scope.ITEM)
    if value.factor < 0:
        yield "value.factor", f"{value.factor} would give negative values"
    if value.at_least is not None and value.at_most is not None and value.at_most < value.at_least:
        yield "value.at_most", f"{value.at_most} is below at_least, {value.at_least}"


def _tree_problems(place: str, tree: Any, scope: Scope = Scope.EVENT) -> Iterator[_Problem]:
    if tree is None:
        return
    for problem in validate(tree, scope=scope):
        if problem.severity is Severity.ERROR:
            joint = "" if not problem.path or problem.path.startswith("[") else "."
            yield f"{place}{joint}{problem.path}", f"{problem.wrong}; {problem.right}"
