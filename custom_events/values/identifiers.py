"""Normalising and hashing what identifies a person, the way Google asks (reference: google-ads 2.4).

Written as plain functions with test vectors, since public examples contradict each other: dots and `+suffix` are removed
for gmail.com and googlemail.com only.
"""

import hashlib
import re
from functools import lru_cache

_HEX64 = re.compile(r"[0-9a-fA-F]{64}\Z")
_SHA256_HEX_CHARS = 64
_SEPARATORS = re.compile(r"[\s().\-/]")
# `+`, a country's calling code, and a digit that is no zero. A zero there is nearly always the trunk prefix of the number at home
# (`+49 (0)30 ...`), which is not dialled from abroad: what the metadata know, as in some countries it is part of the number.
_E164 = re.compile(
    r"\+(?=\d{7,15}\Z)(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|(?:2[1-689]|3[578]|42|5[09]|6[789]|8[0578]|9[679])\d)[1-9]\d*\Z"
)
_GMAIL = ("gmail.com", "googlemail.com")


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
    """`+<digits>`, or None. Numbers written internationally skip the metadata (phonenumbers costs about 100 us a number)."""
    compact = phone if _E164.match(phone) else _SEPARATORS.sub("", phone)
    if _E164.match(compact):
        return compact
    import phonenumbers

    try:
        parsed = phonenumbers.parse(phone, (country or "").upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def sha256_hex(text: str) -> str:
    """Lower-case hex of SHA-256 over UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
