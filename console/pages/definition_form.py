"""The settings of a definition as fields of a form, and back. Each field is called as the API names its faults: `config.dedup.per`.

What the API would refuse because another choice makes it meaningless (a window without a rolling period, a currency of a count) is left
out: its field is hidden then, and people could not find what to empty.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from console.api.bodies import decode
from console.api.problems import FieldError, ProblemError, invalid
from console.pages.ask import Ask
from custom_events.values.definitions import DedupPer, ThresholdMeasure, ThresholdPeriod, ValueSource

PREFIX: Final = "config."


class Kind(StrEnum):
    """How a setting stands in its field."""

    TEXT = "text"
    WHOLE = "whole"  # a whole number
    JSON = "json"
    FLAG = "flag"  # a checkbox; without it: false
    YES_NO = "yes_no"  # a choice; without it: the setting's default
    LINES = "lines"  # several texts, a line each


class Part(NamedTuple):
    """A setting that has a field: its path, how it stands there, and what the field shows where nothing is set."""

    path: str
    kind: Kind
    default: str = ""


PARTS: Final = (
    Part("trigger", Kind.LINES),
    Part("conditions", Kind.JSON),
    Part("threshold.measure", Kind.TEXT),
    Part("threshold.field", Kind.TEXT),
    Part("threshold.currency", Kind.TEXT),
    Part("threshold.at_least", Kind.TEXT),
    Part("threshold.scope", Kind.TEXT, "customer"),
    Part("threshold.period", Kind.TEXT, "lifetime"),
    Part("threshold.window_days", Kind.WHOLE),
    Part("threshold.fires", Kind.TEXT, "on_reaching"),
    Part("dedup.per", Kind.TEXT, "order"),
    Part("dedup.window_days", Kind.WHOLE),
    Part("value.source", Kind.TEXT, "order_total"),
    Part("value.fixed", Kind.TEXT),
    Part("value.currency", Kind.TEXT),
    Part("value.field", Kind.TEXT),
    Part("value.items", Kind.JSON),
    Part("value.without_tax", Kind.FLAG),
    Part("value.without_shipping", Kind.FLAG),
    Part("value.without_discounts", Kind.FLAG),
    Part("value.factor", Kind.TEXT, "1"),
    Part("value.at_least", Kind.TEXT),
    Part("value.at_most", Kind.TEXT),
    Part("value.by_currency", Kind.JSON),
    Part("value.refunds_lower_it", Kind.YES_NO, "yes"),
    Part("group", Kind.TEXT),
    Part("priority", Kind.WHOLE, "0"),
    Part("click_window_days", Kind.WHOLE, "90"),
    Part("delay_minutes", Kind.WHOLE, "0"),
    Part("consent_needed", Kind.TEXT, "click_only_in_europe"),
    Part("valid_from", Kind.TEXT),
    Part("valid_until", Kind.TEXT),
    Part("ads_action", Kind.TEXT),
    Part("extra_data.customer_type", Kind.FLAG),
    Part("extra_data.app_sources", Kind.LINES),
    Part("extra_data.cart", Kind.JSON),
)


def form_of(config: Mapping[str, Any]) -> dict[str, str]:
    """The fields of settings as a revision keeps them (plain JSON, without defaults), by their names."""
    form: dict[str, str] = {}
    for part in PARTS:
        above, _, name = part.path.rpartition(".")
        group: Mapping[str, Any] = (config.get(above) or {}) if above else config
        default = part.default
        if part.path == "threshold.measure" and config.get("threshold") is not None:
            default = ThresholdMeasure.COUNT.value
        form[PREFIX + part.path] = _shown(group.get(name), part.kind) or default
    return form


def settings_of(ask: Ask) -> dict[str, Any]:
    """The settings that a form holds, as plain JSON for the API to judge. Raises 422 for what is no JSON, beside its field."""
    config: dict[str, Any] = {}
    faults: list[FieldError] = []
    for part in PARTS:
        try:
            value = _read(ask, part)
        except ProblemError as problem:
            faults += problem.errors
            continue
        if value is None or not _is_asked(ask, part.path):
            continue
        above, _, name = part.path.rpartition(".")
        (config.setdefault(above, {}) if above else config)[name] = value
    if faults:
        raise invalid(*faults)
    if (
        ask.field(PREFIX + "threshold.measure") == ThresholdMeasure.COUNT
    ):  # the default, which says that there is a threshold
        config.setdefault("threshold", {}).pop("measure", None)
    config.setdefault("trigger", [])
    return config


def json_field(ask: Ask, name: str) -> object:
    """The JSON value of a field; None where it is empty. Raises 422 beside the field for what is none."""
    try:
        return decode(ask.field(name).encode() or b"null")
    except ProblemError as error:
        said = error.detail.removeprefix("The body is no JSON: ").rstrip(".")
        raise invalid(
            FieldError(field=name, problem=f"it is no JSON: {said}", remedy="settings as JSON, as shown before")
        ) from None


def pretty(plain: object) -> str:
    """A value as JSON on several lines."""
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()


def _shown(value: Any, kind: Kind) -> str:
    if value is None or value in ([], {}):
        return ""
    match kind:
        case Kind.JSON:
            return pretty(value)
        case Kind.FLAG:
            return "on" if value else ""
        case Kind.YES_NO:
            return "yes" if value else "no"
        case Kind.LINES:
            return "\n".join(value)
        case _:
            return str(value)


def _read(ask: Ask, part: Part) -> Any:
    """The value of a field; None: it is not set."""
    name = PREFIX + part.path
    if part.kind is Kind.JSON:
        return json_field(ask, name)
    text = ask.field(name)
    if text == part.default:
        return None  # a revision keeps no defaults: they would look like changes
    match part.kind:
        case Kind.FLAG:
            return True if text else None
        case Kind.YES_NO:
            return (text == "yes") if text else None
        case Kind.LINES:
            return [line for line in (line.strip() for line in text.splitlines()) if line] or None
        case Kind.WHOLE:
            digits = text.removeprefix("-")
            return (
                int(text) if digits.isascii() and digits.isdigit() and len(digits) < _LONGEST_NUMBER else text or None
            )
        case _:
            return text or None


_LONGEST_NUMBER: Final = 100  # digits; what is longer stays a text, and is refused as one


def _is_asked(ask: Ask, path: str) -> bool:
    """Whether the choices beside a setting leave it a meaning."""
    above, _, name = path.partition(".")

    def chosen(setting: str) -> str:
        return ask.field(PREFIX + setting)

    if above == "threshold":
        measure = chosen("threshold.measure")
        if not measure:
            return False
        if name in ("field", "currency"):
            return measure != ThresholdMeasure.COUNT
        return name != "window_days" or chosen("threshold.period") == ThresholdPeriod.ROLLING
    source = chosen("value.source") or ValueSource.ORDER_TOTAL
    return {
        "dedup.window_days": chosen("dedup.per") == DedupPer.CUSTOMER_WINDOW,
        "value.fixed": source == ValueSource.FIXED,
        "value.currency": source == ValueSource.FIXED,
        "value.field": source == ValueSource.FIELD,
        "value.items": source == ValueSource.ITEMS_TOTAL,
    }.get(path, True)
