"""Shopify's bytes become commerce events and states; the handler of each topic stands in `topics.py`."""

import re

import msgspec

from custom_events.platforms.parking import guarded
from custom_events.platforms.shopify.delivery import TEST
from custom_events.platforms.shopify.topics import HANDLERS, IGNORED, IGNORED_FAMILIES
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored, parked

_FAMILY = re.compile(r"[^/.]*")


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, ignored, or parked with a reason."""
    topic = delivery.topic or ""
    handler = HANDLERS.get(topic)
    if handler is not None:
        found = guarded(handler, delivery, site)
        return _tests(found) if found.events and delivery.headers.get(TEST) == "true" else found
    family = _FAMILY.match(topic)
    reason = IGNORED.get(topic) or (IGNORED_FAMILIES.get(family.group()) if family else None)
    return ignored(reason) if reason else parked("unknown_topic")


def _tests(found: Understood) -> Understood:
    """A test notification sent from the shop's admin: nothing of it happened, whatever its topic."""
    return msgspec.structs.replace(
        found, events=tuple([msgspec.structs.replace(event, is_test=True) for event in found.events])
    )
