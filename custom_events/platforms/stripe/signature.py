"""Is this delivery from Stripe? `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>...]`, each v1 an HMAC-SHA256 over "<seconds>.<raw body>".

The key is the endpoint's signing secret as it is shown (`whsec_...`, all of it). While a secret is rolled Stripe signs with both, so there may be
several v1; v0 is a fake one for tests, and counts for nothing. Source: docs.stripe.com/webhooks, "Verify webhook signatures manually".
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from custom_events.platforms.base import Secret
from custom_events.platforms.headers import BLANKS
from custom_events.values.deliveries import Refusal

SIGNATURE: Final = "stripe-signature"
MOST_PARTS: Final = 20  # of the header; Stripe sends three, and one more for each secret that is being rolled
_SECONDS: Final = re.compile(r"[0-9]{1,11}\Z")
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}\Z")


def sign(body: bytes, secret: bytes, now: datetime) -> str:
    """The value of Stripe-Signature. Used by the tests and the sandbox."""
    seconds = str(int(now.timestamp()))
    return f"t={seconds},v1={_digest(seconds, body, secret).hex()}"


def check(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
) -> Refusal | None:
    """None when a secret signs the body and the time is within the window; the age is looked at last."""
    header = headers.get(SIGNATURE, "").strip(BLANKS)
    if not header:
        return Refusal.NO_SIGNATURE
    parts = [part.strip(BLANKS).partition("=") for part in header.split(",", MOST_PARTS)[:MOST_PARTS]]
    seconds = next((value for name, _, value in parts if name == "t"), "")
    digests = [value for name, _, value in parts if name == "v1" and _DIGEST.match(value)]
    if not _SECONDS.match(seconds) or not digests:
        return Refusal.MALFORMED_SIGNATURE
    is_signed = False
    for secret in secrets:
        expected = _digest(seconds, body, secret.value)
        for digest in digests:
            is_signed |= hmac.compare_digest(expected, bytes.fromhex(digest))
    if not is_signed:
        return Refusal.WRONG_SIGNATURE
    return None if abs(now.timestamp() - int(seconds)) <= replay_window_s else Refusal.TOO_OLD


def _digest(seconds: str, body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, seconds.encode() + b"." + body, "sha256")
