"""What Stripe says of a delivery: all of it stands in the body. The event's id is the same on every retry, so it decides what is a duplicate."""

from typing import Final

import msgspec

from custom_events.platforms.base import Delivery
from custom_events.platforms.headers import OF_EVERY_SENDER, bounded
from custom_events.values.times import from_epoch

KEPT: Final = OF_EVERY_SENDER


class _Head(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    created: int | None = None
    api_version: str | None = None


_HEAD: Final = msgspec.json.Decoder(_Head)


def describe(body: bytes) -> Delivery:
    """Topic, id and time. Never raises: an unreadable body has none."""
    try:
        head = _HEAD.decode(body)
        triggered_at = None if head.created is None else from_epoch(head.created)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError, OSError):
        return Delivery()
    event_id = bounded(head.id)
    return Delivery(
        topic=bounded(head.type),
        delivery_id=event_id,
        event_id=event_id,
        triggered_at=triggered_at,
        api_version=bounded(head.api_version),
    )
