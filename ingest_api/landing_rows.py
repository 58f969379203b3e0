"""From a request to the row that is stored: what is kept of headers and body, and what makes two deliveries the same."""

import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from custom_events.platforms.base import Delivery
from custom_events.platforms.dedup_keys import dedup_key
from custom_events.queries.landing import Delivered, Refused


def kept_headers(headers: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Headers as they are stored: those of `names` (`StorePlatform.kept_headers`). Whoever forwards to us may add credentials, addresses
    of people and a thousand others."""
    return {name: headers[name] for name in names if name in headers}


def delivered(site_id: int, delivery: Delivery, headers: Mapping[str, str], body: bytes) -> Delivered:
    """The row of a verified delivery; `headers` are those that are kept."""
    return Delivered(
        site_id=site_id,
        topic=delivery.topic,
        dedup_key=dedup_key(delivery, body),
        delivery_id=delivery.delivery_id,
        event_id=delivery.event_id,
        triggered_at=delivery.triggered_at,
        api_version=delivery.api_version,
        headers=headers,
        body_bytes=len(body),
    )


def plain(row: Delivered | Refused) -> Delivered | Refused:
    """The same row with texts that any database takes: ASCII without control characters, the rest escaped; no sender's time."""
    changes: dict[str, Any] = {
        name: _printable(value) for name, value in msgspec.structs.asdict(row).items() if isinstance(value, str)
    }
    changes["headers"] = {_printable(name): _printable(value) for name, value in row.headers.items()}
    if isinstance(row, Delivered):
        changes["triggered_at"] = None
    return msgspec.structs.replace(row, **changes)


def _printable(text: str) -> str:
    escaped = text.encode("ascii", "backslashreplace").decode()
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in escaped)


class RateWindow:
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
