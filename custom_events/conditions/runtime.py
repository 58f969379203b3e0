"""What generated condition functions call: reading what is not a plain attribute, and reading open values as a type.

Every function is total over commerce events; what cannot be read is None.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.values import net
from custom_events.values.clicks import Consent
from custom_events.values.events import CommerceEvent, LineItem, Order
from custom_events.values.net import line_total
from custom_events.values.times import read_day_or_moment

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_NUMBER = 40  # characters; longer text is no number (a Decimal of a megabyte is slow to build)

_TRUE = frozenset({"true", "yes", "1", "on"})
_FALSE = frozenset({"false", "no", "0", "off"})
_NO_CONSENT = Consent()
_NO_ITEMS: tuple[LineItem, ...] = ()
# Decimal instead of float: properties.amount = 19.99 compares exactly.
_PROPERTIES = msgspec.json.Decoder(float_hook=Decimal)


def local_time(e: CommerceEvent, f: Facts) -> datetime:
    """The event's time on the site's wall clock."""
    return e.occurred_at.astimezone(f.zone)


def local_date(moment: datetime, f: Facts) -> date:
    """The day of `moment` in the site's time zone."""
    return moment.astimezone(f.zone).date()


def items_of(e: CommerceEvent) -> tuple[LineItem, ...] | None:
    """The lines the event is about: those refunded when the refund names any, else the order's, else the cart's."""
    if e.refund is not None and e.refund.items:
        return e.refund.items
    if e.order is not None:
        return e.order.items
    return e.cart.items if e.cart is not None else None


def total_without_tax(o: Order) -> Decimal | None:
    """Missing where the order does not know its tax."""
    return None if o.tax is None else net.total(o, without_tax=True)


def total_without_shipping(o: Order) -> Decimal | None:
    """With the tax of what is left; missing where nobody says what shipping cost."""
    return None if o.total is None or o.shipping is None else o.total - net.shipping(o, without_tax=False)


def gift_card_share(o: Order) -> Decimal | None:
    """0 to 1; missing where no gift card paid."""
    return o.gift_card / o.total if o.gift_card is not None and o.total else None


def items_total(items: Iterable[LineItem]) -> Decimal | None:
    """Sum of the lines' totals; None as soon as one is unknown."""
    total = Decimal(0)
    for item in items:
        amount = line_total(item)
        if amount is None:
            return None
        total += amount
    return total


def pieces(items: Iterable[LineItem]) -> int:
    """Sum of the lines' quantities."""
    return sum(item.quantity for item in items)


def item_texts(items: Iterable[LineItem], attribute: str) -> tuple[str, ...]:
    """One attribute of all lines, those without it left out."""
    return tuple(text for item in items if (text := getattr(item, attribute)))


def item_categories(items: Iterable[LineItem]) -> tuple[str, ...]:
    """The categories of all lines."""
    return tuple(category for item in items for category in item.categories)


def consent_of(e: CommerceEvent) -> Consent:
    """The event's consent; all unknown when it carries none."""
    return e.consent if e.consent is not None else _NO_CONSENT


def property_at(e: CommerceEvent, path: str) -> Any:
    """The value at a dotted path of the sender's properties: text, bool, int, Decimal, list or dict; None when missing."""
    first, _, rest = path.partition(".")
    raw = e.properties.get(first)
    if raw is None:
        return None
    value: Any = _PROPERTIES.decode(raw)
    for step in rest.split(".") if rest else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


# ---------------------------------------------------------------- open values, read as what the condition asks for
def as_text(value: Any) -> str | None:
    """Text, a number in plain digits, or true/false."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value) if isinstance(value, int) else None


def as_number(value: Any) -> Decimal | None:
    """A JSON number, or text that is one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        number = Decimal(value)
    elif isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            return None
    else:
        return None
    return number if number.is_finite() else None


def as_boolean(value: Any) -> bool | None:
    """A JSON boolean, or one of the usual words for it (true, yes, on, 1; false, no, off, 0)."""
    if isinstance(value, bool):
        return value
    word = (as_text(value) or "").strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def as_time(value: Any, f: Facts) -> datetime | None:
    """A date, or an ISO 8601 time; without an offset it is on the site's wall clock."""
    return read_day_or_moment(value.strip(), f.zone) if isinstance(value, str) else None


def as_texts(value: Any) -> tuple[str, ...]:
    """A list's elements as text; a single value is a list of one."""
    elements = value if isinstance(value, list) else [value]
    return tuple(text for element in elements if (text := as_text(element)))


def as_searchable(value: Any) -> str | tuple[str, ...] | None:
    """For `contains`: text is searched for a part, a list for an element."""
    return as_texts(value) if isinstance(value, list) else as_text(value)


def as_anything(value: Any) -> Any:
    """For `exists`: empty text, list and object count as missing."""
    return None if value in ("", [], {}) else value


# ---------------------------------------------------------------- texts
def folded(texts: Iterable[str]) -> list[str]:
    """The texts without distinction of upper and lower case."""
    return [text.casefold() for text in texts]


def fold(value: Any) -> Any:
    """Text or texts without distinction of upper and lower case."""
    return value.casefold() if isinstance(value, str) else folded(value)


def any_starts(texts: Iterable[str], start: str) -> bool:
    """Whether an element starts with `start`."""
    return any(text.startswith(start) for text in texts)


def any_ends(texts: Iterable[str], end: str) -> bool:
    """Whether an element ends with `end`."""
    return any(text.endswith(end) for text in texts)


def any_matches(texts: Iterable[str], search: Callable[[str], object]) -> bool:
    """Whether the pattern is found in an element."""
    return any(search(text) is not None for text in texts)
