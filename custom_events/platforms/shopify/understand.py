"""Shopify's bytes become commerce events and states; the handler of each topic stands in `topics.py`, how events become webhooks in
`sources.py`."""

import re
from typing import Final

import msgspec

from custom_events.errors import NotUnderstood
from custom_events.platforms.parking import guarded, second_readings
from custom_events.platforms.shopify.delivery import TEST
from custom_events.platforms.shopify.shapes import shape_of
from custom_events.platforms.shopify.sources import (
    EVENT_DELIVERY,
    EVENT_VERSION,
    Mechanism,
    mechanism_of,
    translation_of,
)
from custom_events.platforms.shopify.topics import BODIES, HANDLERS, IGNORED, IGNORED_FAMILIES
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored, parked

_FAMILY = re.compile(r"[^/.]*")


_SECOND: Final = second_readings(BODIES, shape_of)


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, ignored, or parked with a reason."""
    if EVENT_DELIVERY in delivery.headers and mechanism_of(delivery.headers) is Mechanism.EVENT:
        return _understand_event(delivery, site)
    topic = delivery.topic or ""
    handler = HANDLERS.get(topic)
    if handler is not None:
        understood = guarded(handler, delivery, site, _SECOND.get(handler), decodes_times=True)
        return (
            _tests(understood) if understood.events and delivery.headers.get(TEST, "").strip() == "true" else understood
        )
    family = _FAMILY.match(topic)
    reason = IGNORED.get(topic) or (IGNORED_FAMILIES.get(family.group()) if family else None)
    return ignored(reason) if reason else parked("unknown_topic")


def _understand_event(delivery: RawDelivery, site: SiteContext) -> Understood:
    """As the webhook that says the same."""
    translation = translation_of(Mechanism.EVENT, delivery.topic or "", delivery.headers.get(EVENT_VERSION))
    if translation is None:
        return parked("unknown_topic")
    try:
        webhook = translation(delivery)
    except NotUnderstood as error:
        return parked(error.reason, error.sentence)
    except (ValueError, ArithmeticError, RecursionError):
        return parked("unreadable_body")
    # What is left has the headers of no event: it is understood as any webhook.
    return understand(msgspec.structs.replace(webhook, headers={}), site)


def _tests(understood: Understood) -> Understood:
    """A test notification sent from the shop's admin: nothing of it happened, whatever its topic."""
    return msgspec.structs.replace(
        understood, events=tuple([msgspec.structs.replace(event, is_test=True) for event in understood.events])
    )
