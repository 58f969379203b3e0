"""Our own signing scheme, for the WooCommerce plugin and for custom senders (docs/reference/platforms.md 2.6).

    X-Custom-Events-Key-Id      which secret signed (optional while a site has one)
    X-Custom-Events-Timestamp   seconds since 1970, as sent
    X-Custom-Events-Event-Id    the sender's own id of the delivery, the same on every retry
    X-Custom-Events-Topic       what the body is about
    X-Custom-Events-Signature   "v2=" + hex(HMAC-SHA256(secret, "v2" LF timestamp LF key id LF event id LF topic LF body))

A header that is not sent is an empty line. The first version, "v1=" + hex(HMAC-SHA256(secret, timestamp + "." + body)), is still taken;
it leaves key id, event id and topic open to whoever can change headers. Unlike the stores' native signatures both cover the time,
so that a captured delivery cannot be replayed later.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from custom_events.platforms.base import Delivery, Secret
from custom_events.platforms.headers import BLANKS, bounded
from custom_events.values.deliveries import Refusal

KEY_ID = "x-custom-events-key-id"
TIMESTAMP = "x-custom-events-timestamp"
EVENT_ID = "x-custom-events-event-id"
TOPIC = "x-custom-events-topic"
SIGNATURE = "x-custom-events-signature"

KEPT = (KEY_ID, TIMESTAMP, EVENT_ID, TOPIC)

_V1, _V2 = "v1=", "v2="
_SIGNATURE_SHAPE = re.compile(r"v[12]=[0-9a-fA-F]{64}\Z")
_TIMESTAMP_SHAPE = re.compile(r"[0-9]{1,11}\Z")  # seconds, until the year 5138


def sign(timestamp: str, body: bytes, secret: bytes) -> str:
    """The value of X-Custom-Events-Signature by the first version, for this timestamp (seconds, as text) and body."""
    return _V1 + hmac.digest(secret, _v1_message(timestamp, body), "sha256").hex()


def sign_v2(headers: Mapping[str, str], body: bytes, secret: bytes) -> str:
    """The value of X-Custom-Events-Signature by the second version, for these headers (names lower-case) and body."""
    return _V2 + hmac.digest(secret, _v2_message(headers, body), "sha256").hex()


def signed_headers(
    body: bytes, secret: bytes, *, now: datetime, event_id: str, topic: str, key_id: str | None = None, version: int = 2
) -> dict[str, str]:
    """The headers a sender of this scheme adds to its request; names lower-case. Used by the sandbox's stores and the tests."""
    timestamp = str(int(now.timestamp()))
    headers = {TIMESTAMP: timestamp, EVENT_ID: event_id, TOPIC: topic}
    if key_id is not None:
        headers[KEY_ID] = key_id
    headers[SIGNATURE] = sign(timestamp, body, secret) if version == 1 else sign_v2(headers, body, secret)
    return headers


def _v1_message(timestamp: str, body: bytes) -> bytes:
    return timestamp.encode() + b"." + body


def _v2_message(headers: Mapping[str, str], body: bytes) -> bytes:
    """What is signed. No header can hold a line feed, so no two deliveries have one message. Header bytes beyond ASCII stay as sent."""
    values = [headers.get(name, "").strip(BLANKS) for name in (TIMESTAMP, KEY_ID, EVENT_ID, TOPIC)]
    return "\n".join(("v2", *values, "")).encode("latin-1", "replace") + body


def is_used(headers: Mapping[str, str]) -> bool:
    """Whether this delivery says it is signed by our own scheme."""
    return SIGNATURE in headers


def check(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
) -> Refusal | None:
    """None when a secret signs the delivery and the timestamp is within the window, on either side of `now`.

    The age is looked at last: whoever has no secret learns nothing but that the signature is wrong.
    """
    signature = headers.get(SIGNATURE, "").strip(BLANKS)
    if not signature:
        return Refusal.NO_SIGNATURE
    timestamp = headers.get(TIMESTAMP, "").strip(BLANKS)
    if not _SIGNATURE_SHAPE.match(signature) or not _TIMESTAMP_SHAPE.match(timestamp):
        return Refusal.MALFORMED_SIGNATURE
    digest = bytes.fromhex(signature[len(_V1) :])
    message = _v2_message(headers, body) if signature.startswith(_V2) else _v1_message(timestamp, body)
    key_id = headers.get(KEY_ID, "").strip(BLANKS) or None
    matched = False
    for secret in secrets:
        if key_id is None or secret.key_id is None or secret.key_id == key_id:
            matched |= hmac.compare_digest(hmac.digest(secret.value, message, "sha256"), digest)
    if not matched:
        return Refusal.WRONG_SIGNATURE
    return None if abs(now.timestamp() - int(timestamp)) <= replay_window_s else Refusal.TOO_OLD


def describe(headers: Mapping[str, str]) -> Delivery:
    """Topic, id and time from our own headers. The event id is the sender's, so with the body it decides what is a duplicate: another
    body under an id that is known is a delivery of its own, as its sender was told that it is on disk."""
    timestamp = headers.get(TIMESTAMP, "").strip(BLANKS)
    event_id = bounded(headers.get(EVENT_ID))
    return Delivery(
        topic=bounded(headers.get(TOPIC)),
        delivery_id=event_id,
        body_decides=True,
        event_id=event_id,
        triggered_at=datetime.fromtimestamp(int(timestamp), UTC) if _TIMESTAMP_SHAPE.match(timestamp) else None,
    )
