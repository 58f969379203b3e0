"""WooCommerce's bytes become commerce events and states; the handler of each topic stands in `topics.py`."""

from custom_events.platforms.parking import guarded
from custom_events.platforms.woocommerce.topics import ACTION_PREFIXES, HANDLERS, IGNORED
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored, parked


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, ignored, or parked with a reason."""
    topic = delivery.topic or ""
    handler = HANDLERS.get(topic)
    if handler is not None:
        return guarded(handler, delivery, site)
    if topic.startswith(ACTION_PREFIXES):
        return ignored("action_topic", "A hook's first argument says nothing of an order")
    reason = IGNORED.get(topic)
    return ignored(reason) if reason else parked("unknown_topic")
