"""Is this delivery from the store's hook? By a header that whoever makes the hook chooses, and that is sent with each delivery.

It is no signature: it covers neither the body nor a time. So nothing of a delivery is believed but that some order may have changed, which
is then read from the store's API; the worst that a delivery of somebody else could do is to have an order read once more.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from custom_events.platforms.base import Secret
from custom_events.platforms.headers import BLANKS, MAX_HEADER_CHARS
from custom_events.values.deliveries import Refusal

TOKEN: Final = "x-custom-events-token"  # noqa: S105  (a header's name)


def check(headers: Mapping[str, str], secrets: Iterable[Secret]) -> Refusal | None:
    """None when the header holds one of the secrets. Digests are compared, so that not even a secret's length shows in the time."""
    token = headers.get(TOKEN, "").strip(BLANKS)
    if not token:
        return Refusal.NO_SIGNATURE
    if len(token) > MAX_HEADER_CHARS:
        return Refusal.MALFORMED_SIGNATURE
    token_digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
    is_known = False
    for secret in secrets:
        is_known |= hmac.compare_digest(token_digest, hashlib.sha256(secret.value).digest())
    return None if is_known else Refusal.WRONG_SIGNATURE
