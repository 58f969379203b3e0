"""JSON read more tolerantly than msgspec reads it: for bodies that its decoder refuses, never for ordinary ones.

Numbers stay exact: whole ones are int, all others Decimal. A lone surrogate (half of an emoji that PHP cut) and bytes that are no UTF-8
become U+FFFD where a text is read (`clean`); msgspec refuses the whole body for one of them, also in a field that nobody reads.
NaN and Infinity are no JSON.
"""

import json
import re
from decimal import Decimal
from typing import Any

MAX_WHOLE_CHARS = 40  # of a whole number that is kept as one: ids have 19, and Python refuses to read 4,300
MAX_FLOAT_EXPONENT = 308  # beyond, msgspec reads no number where any JSON may stand
REPLACEMENT = "\ufffd"

_BEYOND = Decimal("1E+999999")  # in place of a number that no Decimal holds
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(body: bytes) -> Any:
    """The JSON value; texts may hold lone surrogates still. Raises ValueError for what is no JSON, RecursionError for what is too deep."""
    text = body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return json.loads(text, parse_float=_exact, parse_int=_whole, parse_constant=_refuse)


def is_clean(text: str) -> bool:
    """Whether the text holds no lone surrogate."""
    return _LONE_SURROGATE.search(text) is None


def clean(text: str) -> str:
    """The text with U+FFFD for every lone surrogate."""
    return _LONE_SURROGATE.sub(REPLACEMENT, text)


def cleaned(value: Any) -> Any:
    """Any JSON value with clean texts and with numbers that msgspec takes; the very same object where nothing had to change."""
    if isinstance(value, str):
        return value if is_clean(value) else clean(value)
    if isinstance(value, Decimal):
        return value if value.adjusted() <= MAX_FLOAT_EXPONENT else str(value)
    if isinstance(value, list):
        items = [cleaned(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if isinstance(value, dict):
        fields = {clean(name): cleaned(inner) for name, inner in value.items()}
        same = fields.keys() == value.keys() and all(fields[name] is inner for name, inner in value.items())
        return value if same else fields
    return value


def _exact(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except ArithmeticError:  # an exponent that no number has
        return _BEYOND


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= MAX_WHOLE_CHARS else Decimal(digits)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
