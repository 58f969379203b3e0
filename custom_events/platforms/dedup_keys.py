"""What makes two deliveries the same."""

import hashlib

from custom_events.platforms.base import Delivery
from custom_events.values.deliveries import DEDUP_KEY_BYTES, key_of_id, key_of_id_and_body


def dedup_key(delivery: Delivery, body: bytes) -> str:
    """Hex of 16 bytes: of SHA-256 over the delivery id, halves of those over id and body where both decide, or over topic and body
    where the platform gives no such id."""
    if delivery.delivery_id is not None:
        if delivery.body_decides:
            return key_of_id_and_body(delivery.delivery_id, body).hex()
        return key_of_id(delivery.delivery_id).hex()
    digest = hashlib.sha256(b"body\0" + (delivery.topic or "").encode() + b"\0")
    digest.update(body)
    return digest.hexdigest()[: 2 * DEDUP_KEY_BYTES]
