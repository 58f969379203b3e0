"""Is this delivery from Shopify? base64(HMAC-SHA256(raw body, app client secret)) (docs/reference/platforms.md 1.4).

Several secrets are tried: the old and the new one while they rotate, and the per-shop secret of webhooks made by hand.
The signature covers neither topic nor shop; the receiver knows the site, and understanding compares the body with both.
"""

from collections.abc import Mapping, Sequence

from custom_events.platforms.base import Secret
from custom_events.platforms.headers import base64_hmac, check_base64_hmac
from custom_events.platforms.shopify.sources import EVENT_SIGNATURE
from custom_events.values.deliveries import Refusal

SIGNATURE = "x-shopify-hmac-sha256"


def sign(body: bytes, secret: bytes) -> str:
    """The value of X-Shopify-Hmac-Sha256."""
    return base64_hmac(body, secret)


def check(headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> Refusal | None:
    """None when one of the secrets signs exactly these bytes, else why not."""
    return check_base64_hmac(
        headers.get(SIGNATURE) or headers.get(EVENT_SIGNATURE), body, (secret.value for secret in secrets)
    )
