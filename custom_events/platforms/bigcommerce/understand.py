"""BigCommerce's bytes become commerce events and states: those of an order that we read. A hook becomes nothing but the order to read."""

from functools import partial
from typing import Any, Final

from custom_events.platforms.bigcommerce.delivery import order_of
from custom_events.platforms.bigcommerce.shapes import shape_of
from custom_events.platforms.bigcommerce.topics import BODIES, HANDLERS, IGNORED, IGNORED_FAMILIES
from custom_events.platforms.parking import Handler, Reading, SecondReading, guarded
from custom_events.values.deliveries import (
    ORDER_TO_BE_READ,
    RawDelivery,
    SiteContext,
    Understood,
    ignored,
    parked,
)


def _second_reading(handler: Handler, _document: Any) -> Reading:
    return Reading(handler, shape_of(BODIES[handler]))


_SECOND: Final[dict[Handler, SecondReading]] = {handler: partial(_second_reading, handler) for handler in BODIES}


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, ignored, or parked with a reason."""
    topic = delivery.topic or ""
    handler = HANDLERS.get(topic)
    if handler is not None:
        return guarded(handler, delivery, site, _SECOND[handler], decodes_times=True)
    reason = IGNORED.get(topic)
    if reason == ORDER_TO_BE_READ and order_of(delivery.body) is None:
        return parked("wrong_shape", "Expected the number of an order - at `$.data.id`")
    if reason is None:
        words = topic.split("/")
        reason = IGNORED_FAMILIES.get(words[1]) if words[0] == "store" and len(words) > 1 else None
    return ignored(reason) if reason else parked("unknown_topic")
