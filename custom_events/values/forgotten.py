"""Who was forgotten, as keyed hashes, and what stands in the place of ids that would lead back to them. Pure.

A digest is HMAC-SHA-256 by the installation's own key over site, kind and identifier: without the key nobody can try out addresses
or order numbers, with it the same person is known again. A pseudonym is such a digest as text; the same id always gets the same
one, so that what was interrupted goes on where it stopped.
"""

import hashlib
import hmac
from enum import StrEnum
from typing import Final

KEY_BYTES: Final = 32
DIGEST_BYTES: Final = 16
REDACTED: Final = "redacted"  # reason of deliveries that tell of somebody who was forgotten
PSEUDONYM: Final = f"{REDACTED}:"
BLANK_HEADERS: Final = "{}"  # with an empty body: the delivery was redacted. A delivery as received always has headers


class SubjectKind(StrEnum):
    """By what somebody is known again."""

    ORDER = "order"
    CART = "cart"
    SUBSCRIPTION = "subscription"
    CUSTOMER = "customer"
    EMAIL = "email"  # of its SHA-256, as events have it
    PHONE = "phone"  # likewise
    SITE = "site"  # everybody of a site


class Subjects:
    """Digests and pseudonyms of one site's people."""

    def __init__(self, key: bytes, site_id: int) -> None:
        self._key = key
        self._site = f"{site_id}\0".encode()

    def digest(self, kind: str, value: str) -> bytes:
        """Of an identifier: 16 bytes."""
        text = self._site + f"{kind}\0{value}".encode("utf-8", "replace")
        return hmac.digest(self._key, text, hashlib.sha256)[:DIGEST_BYTES]

    def pseudonym(self, kind: str, value: str) -> str:
        """What stands for an id, 41 characters; a pseudonym stays as it is."""
        return value if value.startswith(PSEUDONYM) else PSEUDONYM + self.digest(kind, value).hex()

    def natural_key(self, key: str) -> str:
        """What stands for a natural key; its type stays readable."""
        kind, _, rest = key.partition(":")
        return key if rest.startswith(PSEUDONYM) else f"{kind}:{self.pseudonym('event', key)}"


def is_redacted_delivery(headers: str, body_bytes: int) -> bool:
    """Whether a stored delivery (its headers as JSON text, the length of its body) was redacted."""
    return body_bytes == 0 and headers == BLANK_HEADERS
