"""Shopify as the registry holds it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from custom_events.platforms.base import Delivery, PlainWebhooks, RestatementReader, Secret, ShopDomain
from custom_events.platforms.shopify import delivery as deliveries
from custom_events.platforms.shopify import signature
from custom_events.platforms.shopify.restatements import OrderRestatements
from custom_events.platforms.shopify.sources import EVENT_SHOP
from custom_events.platforms.shopify.understand import understand
from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood

# The topics that tell of an order's whole life, as Shopify's admin calls them (docs/reference/platforms.md 1.2).
WEBHOOKS: Final = (
    *("Order creation", "Order payment", "Order update", "Order cancellation", "Order deletion"),
    *("Refund create", "Checkout creation", "Customer creation"),
)


class Shopify(PlainWebhooks):
    """See `StorePlatform`."""

    name = Platform.SHOPIFY
    title = "Shopify"
    shop_domain = ShopDomain(header="x-shopify-shop-domain", other_header=EVENT_SHOP, example="my-shop.myshopify.com")
    makes_secret = True
    kept_headers = deliveries.KEPT
    restatements: RestatementReader | None = OrderRestatements()
    own_settings = frozenset({"subscription_sources"})

    def instructions(self, site_key: str, url: str) -> list[str]:
        """See `StorePlatform.instructions`."""
        return [
            "In Shopify's admin: Settings > Notifications > Webhooks > Create webhook, once for each of:",
            f"  {', '.join(WEBHOOKS)}",
            f"  Format JSON, URL {url}, the newest API version.",
            "The page then shows the secret that signs them. Enter it here:",
            f"  custom-events site secret add {site_key}",
            "(An app's webhooks are signed with the app's client secret: enter that one. Our own app does all of this by itself: docs/how-to/connect-shopify.md.)",
        ]

    def check(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
    ) -> Refusal | None:
        """Shopify signs the body only: neither `now` nor the window plays a part."""
        del now, replay_window_s
        return signature.check(headers, body, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """From the headers; of an event the topic from its body."""
        return deliveries.describe(headers, body)

    def understand(self, delivery: RawDelivery, site: SiteContext) -> Understood:
        """See `understand.py`."""
        return understand(delivery, site)


PLATFORM = Shopify()
