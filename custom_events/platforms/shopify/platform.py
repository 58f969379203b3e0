"""Shopify as the registry holds it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from custom_events.platforms.base import Delivery, Secret
from custom_events.platforms.shopify import delivery as deliveries
from custom_events.platforms.shopify import signature
from custom_events.platforms.shopify.understand import understand
from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood


class Shopify:
    """See `StorePlatform`."""

    name = Platform.SHOPIFY

    def check(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
    ) -> Refusal | None:
        """Shopify signs the body only: neither `now` nor the window plays a part."""
        del now, replay_window_s
        return signature.check(headers, body, secrets)

    def is_handshake(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Shopify has no unsigned hello."""
        del headers, body
        return False

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """From the headers alone."""
        del body
        return deliveries.describe(headers)

    def understand(self, delivery: RawDelivery, site: SiteContext) -> Understood:
        """See `understand.py`."""
        return understand(delivery, site)
