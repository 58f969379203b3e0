"""Is this delivery from the WooCommerce store? Two ways in (docs/reference/platforms.md 2.1 and 2.6).

native        base64(HMAC-SHA256(raw body, secret)), the secret with its HTML entities decoded as WordPress does
timestamped   our plugin, by the scheme of `platforms/timestamped.py`
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from custom_events.platforms import timestamped
from custom_events.platforms.base import Secret
from custom_events.platforms.headers import base64_hmac, check_base64_hmac
from custom_events.values.deliveries import Refusal

SIGNATURE = "x-wc-webhook-signature"

# wp_specialchars_decode(secret, ENT_QUOTES) knows these entities only, and decodes them once.
_ENTITY = re.compile(
    rb"&(?:amp|#0*38|#[xX]0*26);|&(?P<lt>lt|#0*60|#[xX]0*3[cC]);|&(?P<gt>gt|#0*62|#[xX]0*3[eE]);"
    rb"|&(?P<quot>quot|#0*34|#[xX]0*22);|&(?P<apos>#0*39|#[xX]0*27);"
)
_CHARACTER = {"lt": b"<", "gt": b">", "quot": b'"', "apos": b"'", None: b"&"}


def decoded_secret(secret: bytes) -> bytes:
    """The key WooCommerce signs with: the stored secret after `wp_specialchars_decode(secret, ENT_QUOTES)`."""
    return _ENTITY.sub(lambda match: _CHARACTER[match.lastgroup], secret)


def sign(body: bytes, secret: bytes) -> str:
    """The value of X-WC-Webhook-Signature."""
    return base64_hmac(body, decoded_secret(secret))


def check(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
) -> Refusal | None:
    """None when the plugin's or the native signature fits. A delivery that carries ours is held to ours."""
    if timestamped.is_used(headers):
        return timestamped.check(headers, body, secrets, now, replay_window_s)
    return check_base64_hmac(headers.get(SIGNATURE), body, (decoded_secret(secret.value) for secret in secrets))
