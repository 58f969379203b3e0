"""WooCommerce as the registry holds it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from custom_events.platforms.base import Delivery, Secret
from custom_events.platforms.woocommerce import delivery as deliveries
from custom_events.platforms.woocommerce import signature
from custom_events.platforms.woocommerce.understand import understand
from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood


class WooCommerce:
    """See `StorePlatform`."""

    name = Platform.WOOCOMMERCE

    def check(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
    ) -> Refusal | None:
        """Native signature, or our plugin's."""
        return signature.check(headers, body, secrets, now, replay_window_s)

    def is_handshake(self, headers: Mapping[str, str], body: bytes) -> bool:
        """The ping that a webhook sends when it is saved."""
        return deliveries.is_ping(headers, body)

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """From the headers alone."""
        del body
        return deliveries.describe(headers)

    def understand(self, delivery: RawDelivery, site: SiteContext) -> Understood:
        """See `understand.py`."""
        return understand(delivery, site)
