"""BigCommerce's bytes become commerce events and states: those of an order that we read. A hook becomes nothing but the order to read."""

from typing import Final

from custom_events.platforms.bigcommerce.delivery import named_order
from custom_events.platforms.bigcommerce.shapes import shape_of
from custom_events.platforms.bigcommerce.topics import BODIES, HANDLERS, HINTS, IGNORED, IGNORED_FAMILIES
from custom_events.platforms.parking import guarded, second_readings
from custom_events.platforms.parse import wrong_shape
from custom_events.values.deliveries import (
    ORDER_TO_BE_READ,
    RawDelivery,
    SiteContext,
    Understood,
    ignored,
    parked,
)

_SECOND: Final = second_readings(BODIES, shape_of)


def _understand_hint(delivery: RawDelivery, site: SiteContext) -> Understood:
    """A hook that names an order: nothing of it is believed but that."""
    del site
    if named_order(delivery.body) is None:
        raise wrong_shape("$.data.id", "Expected the number of an order")
    return ignored(ORDER_TO_BE_READ)


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, ignored, or parked with a reason."""
    topic = delivery.topic or ""
    handler = HANDLERS.get(topic)
    if handler is not None:
        return guarded(handler, delivery, site, _SECOND[handler], decodes_times=True)
    if topic in HINTS:
        return guarded(_understand_hint, delivery, site)
    reason = IGNORED.get(topic)
    if reason is None:
        words = topic.split("/")
        reason = IGNORED_FAMILIES.get(words[1]) if words[0] == "store" and len(words) > 1 else None
    return ignored(reason) if reason else parked("unknown_topic")
