"""What a custom sender's headers say; without a topic header the body's `type` is the topic."""

from collections.abc import Mapping

import msgspec

from custom_events.platforms import timestamped
from custom_events.platforms.base import Delivery
from custom_events.platforms.headers import OF_EVERY_SENDER, bounded

KEPT = (*OF_EVERY_SENDER, *timestamped.KEPT)


class _Typed(msgspec.Struct):
    type: str | None = None


_TYPE = msgspec.json.Decoder(_Typed)


def describe(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Topic, id and time. Never raises: an unreadable body has no topic."""
    delivery = timestamped.describe(headers)
    if delivery.topic is not None:
        return delivery
    try:
        topic = bounded(_TYPE.decode(body).type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return delivery
    return msgspec.structs.replace(delivery, topic=topic)
