"""What a Shopify order's body says without its clock, in a fraction of the time that understanding it takes.

A body shows the whole order. Of the times that say when something was changed, understanding reads the order's own alone (`orders.py`), as the
clock of all that the body says. So two bodies that differ in such times alone say the same, one of them later.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Final

import msgspec

from custom_events.platforms.base import Gist
from custom_events.platforms.shopify.delivery import TEST
from custom_events.platforms.shopify.orders import understand_order
from custom_events.platforms.shopify.sources import EVENT_DELIVERY
from custom_events.platforms.shopify.topics import HANDLERS

_ID: Final = re.compile(rb'\{"id":([1-9][0-9]{0,19}),')  # all of Shopify's orders begin so
_CLOCK: Final = b'"updated_at":"'
# As Shopify writes times, with its closing quote. What is written otherwise counts as a part of the body.
_TIME: Final = re.compile(rb'([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][01][0-9]:[0-5][0-9]))"')


class _Head(msgspec.Struct, gc=False):
    updated_at: str


_HEAD: Final = msgspec.json.Decoder(_Head)


class OrderRepeats:
    """See `RepeatReader`."""

    topics = frozenset(topic for topic, handler in HANDLERS.items() if handler is understand_order)
    clock_name = "updated_at"

    def order_named(self, body: bytes) -> str | None:
        """See `RepeatReader.order_named`."""
        match = _ID.match(body)
        return None if match is None else match[1].decode()

    def gist(self, topic: str, headers: str, body: bytes) -> Gist | None:
        """See `RepeatReader.gist`. None of test notifications, of what came as an event, and of a body whose clock is written in another way."""
        if TEST in headers or EVENT_DELIVERY in headers:
            return None
        try:
            clock = _moment(_HEAD.decode(body).updated_at.encode() + b'"')
        except (ValueError, OverflowError):  # no JSON, no text, no time
            return None
        digest = hashlib.sha256(topic.encode())
        first, *rest = body.split(_CLOCK)
        digest.update(first)
        left_out: list[int] = []
        for place, part in enumerate(rest):
            time = _TIME.match(part)
            if time is not None:
                left_out.append(place)
                try:
                    _moment(time[0])
                except (ValueError, OverflowError):  # understanding may count it as odd
                    return None
            digest.update(_CLOCK)
            digest.update(part if time is None else part[time.end(1) :])
        digest.update(repr(left_out).encode())
        return Gist(clock, digest.digest())


def _moment(text: bytes) -> datetime:
    """A time with its closing quote. Raises ValueError or OverflowError for anything else."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("It is no time as Shopify writes them")
    return datetime.fromisoformat(match[1].decode()).astimezone(UTC)
