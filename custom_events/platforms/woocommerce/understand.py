"""WooCommerce's bytes become commerce events and states; the handler of each topic stands in `topics.py`."""

from functools import partial
from typing import Any

from custom_events.platforms.parking import Handler, Reading, SecondReading, guarded
from custom_events.platforms.woocommerce.others import other_reading
from custom_events.platforms.woocommerce.shapes import shape_of
from custom_events.platforms.woocommerce.topics import ACTION_PREFIXES, BODIES, HANDLERS, IGNORED
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored, parked


def _second_reading(topic: str, handler: Handler, document: Any) -> Reading | Understood:
    """What the body is after all: perhaps not what its topic says."""
    return other_reading(document, topic) or Reading(handler, shape_of(BODIES[handler]))


_SECOND: dict[str, SecondReading] = {
    topic: partial(_second_reading, topic, handler) for topic, handler in HANDLERS.items()
}


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, ignored, or parked with a reason."""
    topic = delivery.topic or ""
    handler = HANDLERS.get(topic)
    if handler is not None:
        return guarded(handler, delivery, site, _SECOND[topic])
    if topic.startswith(ACTION_PREFIXES):
        return ignored("action_topic", "A hook's first argument says nothing of an order")
    reason = IGNORED.get(topic)
    return ignored(reason) if reason else parked("unknown_topic")
