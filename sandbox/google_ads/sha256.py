"""Hashes of user data in the two encodings of the Data Manager API."""

import base64
import binascii

from sandbox.google_ads.data_manager_reasons import Reason
from sandbox.google_ads.formats import SHA256_BYTES, is_sha256_hex

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def encoding_problem(text: str, encoding: str) -> Reason | None:
    """What is wrong with a hash in `encoding` (HEX or BASE64); None when nothing is."""
    if encoding == "HEX":
        if is_sha256_hex(text):
            return None
        return Reason.INVALID_SHA256_FORMAT if _HEX_DIGITS.issuperset(text) else Reason.INVALID_HEX_ENCODING
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return Reason.INVALID_BASE64_ENCODING
    return None if len(raw) == SHA256_BYTES else Reason.INVALID_SHA256_FORMAT


def as_hex(text: str, encoding: str) -> str:
    """A valid hash as lower-case hexadecimal."""
    return text.lower() if encoding == "HEX" else base64.b64decode(text).hex()
