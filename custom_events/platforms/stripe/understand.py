"""Stripe's bytes become commerce events and states; the handler of each type of event stands in `topics.py`."""

from functools import partial
from typing import Any, Final

from custom_events.platforms.parking import Handler, Reading, SecondReading, guarded
from custom_events.platforms.stripe.shapes import shape_of
from custom_events.platforms.stripe.topics import BODIES, HANDLERS, IGNORED_FAMILIES
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored, parked


def _second_reading(handler: Handler, _document: Any) -> Reading:
    return Reading(handler, shape_of(BODIES[handler]))


_SECOND: Final[dict[Handler, SecondReading]] = {handler: partial(_second_reading, handler) for handler in BODIES}


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, ignored, or parked with a reason."""
    topic = delivery.topic or ""
    handler = HANDLERS.get(topic)
    if handler is not None:
        return guarded(handler, delivery, site, _SECOND[handler])
    reason = IGNORED_FAMILIES.get(topic.partition(".")[0])
    return ignored(reason) if reason else parked("unknown_topic")
