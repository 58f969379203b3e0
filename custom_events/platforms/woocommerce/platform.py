"""WooCommerce as the registry holds it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from custom_events.platforms.base import Delivery, RestatementReader, Secret, ShopDomain
from custom_events.platforms.woocommerce import delivery as deliveries
from custom_events.platforms.woocommerce import signature
from custom_events.platforms.woocommerce.understand import understand
from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood

# The topics that tell of an order's whole life, as WooCommerce calls them (docs/reference/platforms.md 2.1).
WEBHOOKS: Final = ("Order created", "Order updated", "Order restored", "Order deleted")


class WooCommerce:
    """See `StorePlatform`."""

    name = Platform.WOOCOMMERCE
    title = "WooCommerce"
    shop_domain: ShopDomain | None = None
    has_plugin = True
    makes_secret = False
    kept_headers = deliveries.KEPT
    restatements: RestatementReader | None = None
    own_settings: frozenset[str] = frozenset({"cod_paid_when", "take_sub_orders", "payment_lost_statuses"})

    def instructions(self, site_key: str, url: str) -> list[str]:
        """See `StorePlatform.instructions`."""
        del site_key
        return [
            "With our plugin (docs/how-to/connect-woocommerce.md): WooCommerce > Custom Events, paste the connection string.",
            "Without it, in WooCommerce: Settings > Advanced > Webhooks > Add webhook, once for each of:",
            f"  {', '.join(WEBHOOKS)}",
            f"  Status Active, Delivery URL {url},",
            "  the secret below, API version v3. Create them as an administrator: their user must be able to read orders.",
        ]

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


PLATFORM = WooCommerce()
