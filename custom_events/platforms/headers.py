"""Header values, which anybody may write: bounded, and parsed without raising."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from custom_events.values.deliveries import Refusal
from custom_events.values.times import cut

MAX_HEADER_CHARS = 255  # longest topic, id or domain that is believed; the platforms' own are under 100
_SHA256_BYTES = 32
OF_EVERY_SENDER = ("content-type", "user-agent")  # kept of every delivery: which program sent it, and in what form


# RFC 9110, 5.6.3: optional white space around a value is no part of it. httptools leaves what stands at the end, h11 does not; it is
# taken off where a value is read, as taking it off every header of every delivery costs as much as reading the signature.
BLANKS = " \t"


def bounded(value: str | None) -> str | None:
    """The value without surrounding blanks; None when it is missing, empty or longer than MAX_HEADER_CHARS."""
    text = value.strip() if value else ""
    return text if text and len(text) <= MAX_HEADER_CHARS else None


def rfc3339(value: str | None) -> datetime | None:
    """An RFC 3339 time as aware UTC, or None. Digits beyond microseconds are cut (Shopify sends nanoseconds)."""
    text = bounded(value)
    if text is None:
        return None
    try:
        moment = msgspec.convert(cut(text), datetime)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (msgspec.ValidationError, OverflowError):
        return None


def check_base64_hmac(signature: str | None, body: bytes, secrets: Iterable[bytes]) -> Refusal | None:
    """None when one of the secrets gives `given` = base64(HMAC-SHA256(body)); compared on decoded bytes, in constant time."""
    signature = signature.strip(BLANKS) if signature else None
    if not signature:
        return Refusal.NO_SIGNATURE
    try:
        digest = binascii.a2b_base64(signature, strict_mode=True)
    except (binascii.Error, ValueError):  # ValueError: characters beyond ASCII
        return Refusal.MALFORMED_SIGNATURE
    if len(digest) != _SHA256_BYTES:
        return Refusal.MALFORMED_SIGNATURE
    matched = False
    for secret in secrets:
        matched |= hmac.compare_digest(hmac.digest(secret, body, "sha256"), digest)
    return None if matched else Refusal.WRONG_SIGNATURE


def base64_hmac(body: bytes, secret: bytes) -> str:
    """base64(HMAC-SHA256(secret, body)): what Shopify and WooCommerce put beside a body."""
    return base64.b64encode(hmac.digest(secret, body, "sha256")).decode()
