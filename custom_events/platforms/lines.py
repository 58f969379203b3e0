"""What a body is understood as, on one line of JSON: the answer of `custom-events understand`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify.delivery import TRIGGERED_AT
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext, Understood

_ENCODER = msgspec.json.Encoder(decimal_format="string")


def understood_line(
    platform: Platform,
    topic: str,
    body: bytes,
    *,
    site: SiteContext | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """One line without its end, of compact JSON:

    {"events": [...]}                                      also "deleted_order_id" where a body says so
    {"events": [], "ignored": reason, "detail": ...}
    {"parked": reason, "detail": ...}

    "odd" names the leaves of another type than theirs, which were read by their evident meaning or as missing.

    Some of Shopify's bodies hold no time of their own; without the delivery's headers (lower-case) they are read as if
    they had been triggered now. Never raises.
    """
    known_headers = {TRIGGERED_AT: datetime.now(UTC).isoformat()} if headers is None else headers
    delivery = RawDelivery(topic=topic, body=body, headers=known_headers)
    context = site or SiteContext(site_id=0, platform=platform)
    return _ENCODER.encode(_answer(PLATFORMS[platform].understand(delivery, context)))


def _answer(understood: Understood) -> dict[str, Any]:
    answer: dict[str, Any]
    if understood.outcome is Outcome.PARKED:
        answer = {"parked": understood.reason}
    else:
        answer = {"events": understood.events}
        if understood.outcome is Outcome.IGNORED:
            answer["ignored"] = understood.reason
        if understood.deleted_order_id is not None:
            answer["deleted_order_id"] = understood.deleted_order_id
    if understood.odd_leaves:
        answer["odd"] = understood.odd_leaves
    if understood.detail is not None:
        answer["detail"] = understood.detail
    return answer
