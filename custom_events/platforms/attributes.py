"""Named values that a store's extensions put beside an order (cart attributes, order meta), as bounded text.

Conditions may test them by name. They are free text by strangers, so they are bounded, and what plainly names a person
(`personal.py`: an e-mail address, a phone number, a key that says street, first name, IP ...) is left out: nothing in an event names a person in clear.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from custom_events.platforms.personal import BEGINS, is_personal_name, is_personal_value

MAX_ENTRIES = 100  # of one order or line; real orders have under 30
MAX_NAME_CHARS = 128
MAX_VALUE_CHARS = 500

Pair = tuple[str, Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class NameValue(msgspec.Struct, gc=False):
    """One `{"name": ..., "value": ...}` (Shopify) with any value."""

    name: str | None = None
    value: Any = None


def as_text(value: Any) -> str | None:
    """A JSON value as text: text as it is, true and false as words, numbers in full, the rest as compact JSON; null is None."""
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _ENCODER.encode(value).decode()


@lru_cache(maxsize=4_096)  # the same few names in every order of a shop
def _is_kept(name: str | None) -> bool:
    return bool(name) and len(name) <= MAX_NAME_CHARS and not is_personal_name(name)


def flattened(pairs: Iterable[Pair]) -> dict[str, str]:
    """Name -> text, the last of a repeated name; at most MAX_ENTRIES, each at most MAX_VALUE_CHARS, nothing that names a person."""
    texts: dict[str, str] = {}
    for name, value in pairs:
        if not _is_kept(name):
            continue
        value_text = value if type(value) is str else as_text(value)
        # Most values neither hold a sign of an address or a number nor begin as one: that costs less than asking.
        looks = value_text and (value_text[0] in BEGINS or "@" in value_text or "+" in value_text)
        if value_text and not (looks and is_personal_value(value_text)):
            texts[name] = value_text if len(value_text) <= MAX_VALUE_CHARS else value_text[:MAX_VALUE_CHARS]
            if len(texts) >= MAX_ENTRIES:
                break
    return texts


def named(values: list[NameValue] | dict[str, Any] | None) -> list[Pair]:
    """Shopify's two shapes of the same: a list of {name, value} (orders) and an object (carts); a list that PHP made an object of is
    read as one."""
    if not values:
        return []
    if isinstance(values, dict):
        return [_entry(name, value) for name, value in values.items()]
    return [(pair.name, pair.value) for pair in values if pair.name]


def _entry(name: str, value: Any) -> Pair:
    if type(value) is dict and name.isdigit() and isinstance(value.get("name"), str):
        return value["name"], value.get("value")
    return name, value
