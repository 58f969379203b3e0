"""Stripe's bytes become commerce events and states; the handler of each type of event stands in `topics.py`."""

from typing import Final

from custom_events.platforms.parking import guarded, second_readings
from custom_events.platforms.stripe.shapes import shape_of
from custom_events.platforms.stripe.topics import BODIES, HANDLERS, IGNORED_FAMILIES
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored, parked

_SECOND: Final = second_readings(BODIES, shape_of)


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, ignored, or parked with a reason."""
    topic = delivery.topic or ""
    handler = HANDLERS.get(topic)
    if handler is not None:
        return guarded(handler, delivery, site, _SECOND[handler])
    reason = IGNORED_FAMILIES.get(topic.partition(".")[0])
    return ignored(reason) if reason else parked("unknown_topic")
