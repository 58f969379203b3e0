"""Normalising and hashing what identifies a person, the way Google asks (docs/reference/google-ads.md 2.4).

Written as plain functions with test vectors, since public examples contradict each other: dots and `+suffix` are removed
for gmail.com and googlemail.com only.
"""

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_HEX64 = re.compile(r"[0-9a-fA-F]{64}\Z")
_SHA256_HEX_CHARS = 64
_E164_CHARS = 16  # a plus and 15 digits (ITU-T E.164); some countries' plans allow more
_SEPARATORS = re.compile(r"[\s().\-/]")
# `+`, a country's calling code, and the rest of the number.
_E164 = re.compile(
    r"\+(?=\d{7,15}\Z)(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|(?:2[1-689]|3[578]|42|5[09]|6[789]|8[0578]|9[679])\d)(0?[1-9]\d*)\Z",
    re.ASCII,
)
# Mexico: the 1 that mobile numbers had after +52 until 2019, and what was dialled before them at home. The library no longer knows it.
_MEXICO = 52
_MEXICO_BEFORE_2019 = re.compile(r"(?:1|01|04[45])(\d{10})\Z")
_GMAIL = ("gmail.com", "googlemail.com")


def is_sha256_hex(text: str) -> bool:
    """Whether it is a SHA-256 in hexadecimal, whatever its case."""
    return _HEX64.match(text) is not None


def normalise_email(email: str) -> str | None:
    """Trimmed, lower-case; dots and `+suffix` gone for Gmail. None when it cannot be an address."""
    address = email.strip().lower()
    local, at, domain = address.rpartition("@")
    if not at or not local or "." not in domain or len(address.split()) != 1:
        return None
    if domain not in _GMAIL:
        return address
    local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local else None


def email_sha256(email: str | None) -> str | None:
    """SHA-256 of the normalised address, lower-case hex; a value that is a hash already stays as it is."""
    if not email:
        return None
    if len(email) >= _SHA256_HEX_CHARS and _HEX64.match(email.strip()):
        return email.strip().lower()
    address = normalise_email(email)
    return sha256_hex(address) if address else None


def phone_sha256(phone: str | None, country: str | None) -> str | None:
    """SHA-256 of the E.164 form; national numbers need the order's country (ISO 3166 alpha-2). None when invalid."""
    if not phone:
        return None
    if len(phone) >= _SHA256_HEX_CHARS and _HEX64.match(phone.strip()):
        return phone.strip().lower()
    number = to_e164(phone, country)
    return sha256_hex(number) if number else None


@lru_cache(maxsize=65_536)
def to_e164(phone: str, country: str | None) -> str | None:
    """`+<digits>`, or None where phonenumbers calls the number impossible, or possible within its own area only.

    The library decides; a number that is written as E.164 is compared with what it knows of the calling code, which costs
    a hundredth of asking it (about 100 us a number).
    """
    compact, written = phone, _E164.match(phone)
    if written is None:
        compact = _SEPARATORS.sub("", phone)
        written = _E164.match(compact)
    if written is not None and _is_as_written(written[1], written[2]):
        return compact
    return _by_library(phone, compact, (country or "").upper() or None)


def _is_as_written(calling_code: str, rest: str) -> bool:
    """Whether the library would read the number digit by digit and call it possible."""
    lengths, prefix = _plan_of(calling_code)
    stripped = prefix.match(rest) if prefix is not None else None
    return len(rest) in lengths and (stripped is None or stripped.end() == 0)


@lru_cache(maxsize=512)
def _plan_of(calling_code: str) -> tuple[frozenset[int], re.Pattern[str] | None]:
    """Of a calling code: how long numbers after it can be, and what a trunk prefix at their beginning looks like."""
    import phonenumbers

    code = int(calling_code)
    region = phonenumbers.region_code_for_country_code(code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        return frozenset(), None
    prefix = metadata.national_prefix_for_parsing
    return frozenset(metadata.general_desc.possible_length), re.compile(prefix) if prefix else None


def _by_library(phone: str, compact: str, region: str | None) -> str | None:
    import phonenumbers

    try:
        number = _without_plus(compact, region) or phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        number = _mended(number)
    if number is None:
        return None
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return digits if len(digits) <= _E164_CHARS else None


def _without_plus(compact: str, region: str | None) -> "PhoneNumber | None":
    """`4915112345678` in Germany: the country's own calling code without its plus, where a number at home would begin with the trunk
    prefix, and where the library calls the number valid so. Read as a number at home it would be somebody else's."""
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None) if region else None
    if metadata is None or not metadata.national_prefix or not compact.isdecimal():
        return None
    if not compact.startswith(str(metadata.country_code)) or compact.startswith(metadata.national_prefix):
        return None
    number = phonenumbers.parse(f"+{compact}")
    return number if phonenumbers.is_valid_number(number) else None


def _mended(number: "PhoneNumber") -> "PhoneNumber | None":
    """An impossible number as it is dialled today, where that is known and makes it valid."""
    import phonenumbers

    old = None
    if number.country_code == _MEXICO:
        old = _MEXICO_BEFORE_2019.match(phonenumbers.national_significant_number(number))
    if old is None:
        return None
    mended = phonenumbers.parse(f"+{_MEXICO}{old.group(1)}")
    return mended if phonenumbers.is_valid_number(mended) else None


def sha256_hex(text: str) -> str:
    """Lower-case hex of SHA-256 over UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
