"""Named values that a store's extensions put beside an order (cart attributes, order meta), as bounded text.

Conditions may test them by name. They are free text by strangers, so they are bounded, and what plainly names a person
(an e-mail address, a key that says phone, address, IP ...) is left out: nothing in an event names a person in clear.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

MAX_ENTRIES = 100  # of one order or line; real orders have under 30
MAX_NAME_CHARS = 128
MAX_VALUE_CHARS = 500

Pair = tuple[str, Any]

_PERSONAL_NAME = re.compile(
    r"e-?mail|phone|mobile|address|first_?name|last_?name|full_?name|surname|birth|passport|(?:^|_)ip(?:_|$)|user_agent|iban|card_?n",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
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
    return bool(name) and len(name) <= MAX_NAME_CHARS and _PERSONAL_NAME.search(name) is None


def flattened(pairs: Iterable[Pair]) -> dict[str, str]:
    """Name -> text, the last of a repeated name; at most MAX_ENTRIES, each at most MAX_VALUE_CHARS, nothing that names a person."""
    texts: dict[str, str] = {}
    for name, value in pairs:
        if not _is_kept(name):
            continue
        value_text = value if type(value) is str else as_text(value)
        if value_text and not ("@" in value_text and _EMAIL.search(value_text)):
            texts[name] = value_text if len(value_text) <= MAX_VALUE_CHARS else value_text[:MAX_VALUE_CHARS]
            if len(texts) >= MAX_ENTRIES:
                break
    return texts


def named(values: list[NameValue] | dict[str, Any] | None) -> list[Pair]:
    """Shopify's two shapes of the same: a list of {name, value} (orders) and an object (carts)."""
    if not values:
        return []
    if isinstance(values, dict):
        return list(values.items())
    return [(pair.name, pair.value) for pair in values if pair.name]
