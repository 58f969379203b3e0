"""How Shopify tells us, and from which version on in which form: a parser is chosen by mechanism, topic and API version.

Webhooks keep the shape of the REST resources in every version that we have seen; their handlers (`topics.py`) are the parsers. Events
carry the payload of our own GraphQL query; here is how each of their topics becomes the webhook that says the same. Another topic, or
another shape of one from a version on, is a line of `EVENT_SOURCES`.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from custom_events.platforms.headers import bounded
from custom_events.platforms.shopify.event_orders import order_webhook
from custom_events.values.deliveries import RawDelivery

# Of Events, without the `X-` of webhooks.
EVENT_SIGNATURE: Final = "shopify-hmac-sha256"
EVENT_ID: Final = "shopify-event-id"
EVENT_DELIVERY: Final = "shopify-webhook-id"
EVENT_VERSION: Final = "shopify-api-version"
EVENT_SHOP: Final = "shopify-shop-domain"
EVENT_TRIGGERED_AT: Final = "shopify-triggered-at"
KEPT_OF_EVENTS: Final = (EVENT_ID, EVENT_DELIVERY, EVENT_VERSION, EVENT_SHOP, EVENT_TRIGGERED_AT)

Translation = Callable[[RawDelivery], RawDelivery]


class Mechanism(StrEnum):
    """By which of its two ways Shopify told us."""

    WEBHOOK = "webhook"
    EVENT = "event"


class Source(NamedTuple):
    """How a topic is read from an API version on."""

    since: str
    translation: Translation


# Mechanism, topic -> its sources, the newest first.
EVENT_SOURCES: Final[Mapping[tuple[Mechanism, str], tuple[Source, ...]]] = {
    (Mechanism.EVENT, f"Order/{action}"): (Source("2026-10", order_webhook),)
    for action in ("create", "update", "delete")
}


class _Kind(msgspec.Struct, gc=False):
    topic: str
    action: str


_KIND: Final = msgspec.json.Decoder(_Kind)


def mechanism_of(headers: Mapping[str, str]) -> Mechanism:
    """By the headers alone: those of Events have no `X-`."""
    is_event = EVENT_DELIVERY in headers and "x-shopify-topic" not in headers
    return Mechanism.EVENT if is_event else Mechanism.WEBHOOK


def event_topic(body: bytes) -> str | None:
    """The topic of an event, `Order/update`: resource and action, which stand in its signed body. None where they do not."""
    try:
        kind = _KIND.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return bounded(f"{kind.topic}/{kind.action}")


def translation_of(mechanism: Mechanism, topic: str, version: str | None) -> Translation | None:
    """How a topic of this mechanism is read in this API version (`unstable` and none: the newest). None: not at all, or by its handler."""
    known = EVENT_SOURCES.get((mechanism, topic), ())
    if version is None or not version[:4].isdigit():
        return known[0].translation if known else None
    return next((source.translation for source in known if source.since <= version), None)
