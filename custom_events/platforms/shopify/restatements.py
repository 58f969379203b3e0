"""What a Shopify order's body says without its clock, in a fraction of the time that understanding it takes.

A body shows the whole order. Of the times that say when something was changed, understanding reads the order's own alone (`orders.py`), as the
clock of all that the body says. So two bodies that differ in such times alone say the same, one of them later.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Final

import msgspec

from custom_events.platforms.shopify.delivery import TEST
from custom_events.platforms.shopify.orders import understand_order
from custom_events.platforms.shopify.sources import EVENT_DELIVERY
from custom_events.platforms.shopify.topics import HANDLERS

_ID: Final = re.compile(rb'\{"id":([1-9][0-9]{0,19}),')  # all of Shopify's orders begin so
_CLOCK: Final = b'"updated_at":"'
# Times as Shopify writes them, with their closing quote, and none that no calendar has: understanding would find those odd. What is not of this
# form counts as a part of the body, a 29th of February among it.
_DAY: Final = rb"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_TIME: Final = re.compile(
    rb"([12][0-9]{3}-" + _DAY + rb'T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:Z|[+-](?:0[0-9]|1[0-9]):[0-5][0-9]))"'
)
_IS_TEST, _IS_EVENT = f'"{TEST}"', f'"{EVENT_DELIVERY}"'  # as headers stand in JSON


class _Head(msgspec.Struct, gc=False):
    updated_at: str


_HEAD: Final = msgspec.json.Decoder(_Head)


class OrderRestatements:
    """See `RestatementReader`."""

    topics = frozenset(topic for topic, handler in HANDLERS.items() if handler is understand_order)
    clock_name = "updated_at"

    def order_named(self, body: bytes) -> str | None:
        """See `RestatementReader.order_named`."""
        match = _ID.match(body)
        return None if match is None else match[1].decode()

    def digest(self, topic: str, headers: str, body: bytes) -> bytes | None:
        """See `RestatementReader.digest`. None of test notifications, and of what came as an event."""
        if _IS_TEST in headers or _IS_EVENT in headers:
            return None
        parts = body.split(_CLOCK)
        left_out: list[int] = []
        for place in range(1, len(parts)):
            time = _TIME.match(parts[place])
            if time is not None:
                left_out.append(place)
                parts[place] = parts[place][time.end(1) :]
        parts.append(f"{topic} {left_out}".encode())
        return hashlib.sha256(_CLOCK.join(parts)).digest()

    def clock(self, body: bytes) -> datetime | None:
        """See `RestatementReader.clock`."""
        try:
            time = _TIME.fullmatch(_HEAD.decode(body).updated_at.encode() + b'"')
        except (msgspec.MsgspecError, ValueError, RecursionError):  # no JSON, or no text
            return None
        return None if time is None else datetime.fromisoformat(time[1].decode()).astimezone(UTC)
