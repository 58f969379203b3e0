"""The oracle's values. See `oracle.py`."""

import math
from fractions import Fraction
from typing import Any

from tests.oracle.reading import (
    LIMIT,
    Amount,
    Event,
    Rule,
    World,
    currency_of,
    lines_of,
    number,
    part,
    sum_of_lines,
)

NO_MINOR_UNITS = [
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
]
THREE_DIGITS = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
FOUR_DIGITS = ["CLF", "UYW"]


def digits(currency: str | None) -> int:
    if currency in NO_MINOR_UNITS:
        return 0
    return 3 if currency in THREE_DIGITS else 4 if currency in FOUR_DIGITS else 2


def rounded(amount: Fraction, currency: str | None) -> Fraction:
    """To minor units, halves away from zero."""
    unit = 10 ** digits(currency)
    whole = math.floor(abs(amount) * unit + Fraction(1, 2))
    return Fraction(whole if amount >= 0 else -whole, unit)


def value_of(rule: Rule, event: Event, world: World) -> tuple[Amount, str | None]:
    """Value and currency; both None where there is none."""
    settings = rule.get("value") or {}
    currency = _currency_of_source(settings, event)
    here = (settings.get("by_currency") or {}).get(currency or "", {})
    if settings.get("source") == "fixed" and "fixed" not in here:
        currency = settings.get("currency") or currency
    base = _base(settings, here, event, world)
    if base is None or abs(base) >= LIMIT:
        return None, None
    amount = base * Fraction(here.get("factor", settings.get("factor", "1")))
    least, most = (here.get(name, settings.get(name)) for name in ("at_least", "at_most"))
    if least is not None:
        amount = max(amount, Fraction(least))
    if most is not None:
        amount = min(amount, Fraction(most))
    if abs(amount) >= LIMIT:
        return None, None
    return max(rounded(amount, currency), Fraction(0)), currency


def _currency_of_source(settings: dict[str, Any], event: Event) -> str | None:
    """The currency of what a rule starts from: a refund in another one makes the order's money no other money."""
    own, of_order = currency_of(event), part(event, "order", "currency")
    match settings.get("source", "order_total"):
        case "order_total" if number(part(event, "order", "total")) is not None:
            return of_order or own
        case "items_total" if event.get("order") is not None and not part(event, "refund", "items"):
            return of_order or own
        case "field" if settings["field"].partition(".")[0] in ("order", "subscription", "cart"):
            return part(event, settings["field"].partition(".")[0], "currency") or own
    return own


def _base(settings: dict[str, Any], here: dict[str, Any], event: Event, world: World) -> Amount:
    match settings.get("source", "order_total"):
        case "fixed":
            return number(here.get("fixed", settings.get("fixed")))
        case "field":
            return number(world.read(settings["field"], event, None)[0])
        case "items_total":
            lines = lines_of(event)
            if lines is None:
                return None
            return sum_of_lines(one for one in lines if world.holds(settings.get("items"), event, one))
        case "order_total":
            return _order_total(settings, event)
    return None


def _order_total(settings: dict[str, Any], event: Event) -> Amount:
    total = number(part(event, "order", "total"))
    if total is None:
        found = number(part(event, "subscription", "amount"))
        return number(part(event, "cart", "total")) if found is None else found
    order = event["order"]
    if settings.get("without_tax"):
        total -= number(order.get("tax")) or 0
    if settings.get("without_shipping"):
        total -= number(order.get("shipping")) or 0
    if settings.get("without_discounts"):
        total += number(order.get("discount")) or 0
    return total


def worth_after(value: Fraction, currency: str | None, total: Fraction, given_back: Fraction) -> Fraction:
    """What a value is worth after refunds that name no items, of an order that nobody edited."""
    left = max(1 - given_back / total, Fraction(0)) if total > 0 else Fraction(1)
    return rounded(value * min(left, Fraction(1)), currency)
