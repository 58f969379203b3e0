"""From a request to the row that is stored: what is kept of headers and body, and what makes two deliveries the same."""

import hashlib
import sys
import time
from collections.abc import Mapping

import msgspec
import zstandard

from custom_events.platforms.base import Delivery
from custom_events.queries.landing import Delivered, Refused
from custom_events.values.deliveries import Refusal

ZSTD_LEVEL = (
    3  # 2.0 KB of 6.7 in 39 us (reference: performance, Postgres); higher levels cost more than the disk they save
)
DEDUP_KEY_BYTES = 16

# Credentials of whoever forwards to us. Signatures are kept: with them a delivery can be verified again.
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})

_TO_JSON = msgspec.json.Encoder()
_ZSTD = zstandard.ZstdCompressor(level=ZSTD_LEVEL)  # one for each process: receivers have one thread


def compressed(body: bytes) -> bytes:
    """The exact bytes, as they are stored."""
    return _ZSTD.compress(body)


def headers_json(headers: Mapping[str, str]) -> str:
    """Headers as they are stored: JSON, without secrets."""
    if SECRET_HEADERS.isdisjoint(headers):
        return _TO_JSON.encode(headers).decode()
    return _TO_JSON.encode({name: value for name, value in headers.items() if name not in SECRET_HEADERS}).decode()


def dedup_key(delivery: Delivery, body: bytes) -> bytes:
    """The first 16 bytes of SHA-256 over the delivery id, or over topic and body where the platform gives no such id."""
    if delivery.delivery_id is not None:
        return hashlib.sha256(b"id\0" + delivery.delivery_id.encode()).digest()[:DEDUP_KEY_BYTES]
    digest = hashlib.sha256(b"body\0" + (delivery.topic or "").encode() + b"\0")
    digest.update(body)
    return digest.digest()[:DEDUP_KEY_BYTES]


def delivered(site_id: int, delivery: Delivery, headers: Mapping[str, str], body: bytes) -> Delivered:
    """The row of a verified delivery."""
    return Delivered(
        site_id,
        delivery.topic,
        dedup_key(delivery, body),
        delivery.delivery_id,
        delivery.event_id,
        delivery.triggered_at,
        delivery.api_version,
        headers_json(headers),
        compressed(body),
        len(body),
    )


def refused(
    reason: Refusal,
    platform: str,
    site_id: int | None,
    topic: str | None,
    headers: Mapping[str, str],
    body: bytes | None,
) -> Refused:
    """The row of a refused delivery; `body` is None when it was not read."""
    kept = compressed(body) if body is not None else None
    size = len(body) if body is not None else None
    return Refused(site_id, platform, reason, topic, headers_json(headers), kept, size)


def plain(row: Delivered | Refused) -> Delivered | Refused:
    """The same row with texts that any database takes: ASCII without control characters, the rest escaped; no sender's time."""
    texts = {name: _printable(value) for name, value in row._asdict().items() if isinstance(value, str)}
    if isinstance(row, Delivered):
        return row._replace(**texts, triggered_at=None)
    return row._replace(**texts)


def _printable(text: str) -> str:
    escaped = text.encode("ascii", "backslashreplace").decode()
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in escaped)


class Room:
    """At most `count` things, and `size` of them together, in each window of `window_s` seconds of the clock."""

    def __init__(self, count: int, window_s: int, size: int = sys.maxsize) -> None:
        self._limits = (count, size)
        self._window_s = window_s
        self._window = -1
        self._count = 0
        self._size = 0

    def takes(self, size: int) -> bool:
        """Whether one more of this size has room; if so it is counted."""
        window = int(time.time() // self._window_s)
        if window != self._window:
            self._window, self._count, self._size = window, 0, 0
        if self._count >= self._limits[0] or self._size + size > self._limits[1]:
            return False
        self._count += 1
        self._size += size
        return True
