"""Phone numbers as people write them at home, among other words: which digits are one is known by the country alone.

What counts is found by `phonenumbers` and is a number of that country. One that begins with the zero that is dialled at home may be grouped
in any way; another one as its country writes it, and not without a sign. What follows a word for a number of something else is none.
Texts that shops compose (titles, SKUs, numbers of orders) are not asked: docs/decisions/0063 has the figures.
"""

import re
from functools import lru_cache
from typing import Final

MOST_CHARS: Final = 2_000  # of a text that is looked through: 80 us for 40 of them with digits
_LEAST: Final = re.compile(r"\d(?:[ ()/.\-]{0,3}\d){6}")  # seven digits, as the shortest numbers have
_SIGN: Final = re.compile(r"[ ()/.\-]")
_ZERO: Final = re.compile(r"\(?0")
_OF_SOMETHING: Final = re.compile(
    r"(?:#\s?|\b(?:order|invoice|item|article|art|sku|ref\w*|no|nr|id|ean|gtin|isbn|batch|lot|los|serial|tracking|parcel|voucher|postnummer"
    r"|bestell\w*|auftrag\w*|rechnung\w*|kunden\w*|artikel\w*|commande|facture|pedido|factura|ordine|fattura|numero|num)\W{0,3}|\d[/.,-])$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4_096)
def holds_home_number(text: str, country: str) -> bool:
    """Whether the text holds a phone number as it is written at home in a country (ISO 3166 alpha-2)."""
    text = text[:MOST_CHARS]
    if _LEAST.search(text) is None:
        return False
    import phonenumbers

    matcher, leniency = phonenumbers.PhoneNumberMatcher, phonenumbers.Leniency
    numbers = [
        match
        for match in matcher(text, country.upper(), leniency.VALID)
        if not _OF_SOMETHING.search(text[: match.start])
    ]
    if any(_ZERO.match(match.raw_string) and "." not in match.raw_string for match in numbers):  # dates have points
        return True
    return any(numbers) and any(
        _SIGN.search(match.raw_string) and not _OF_SOMETHING.search(text[: match.start])
        for match in matcher(text, country.upper(), leniency.EXACT_GROUPING)
    )
