"""BigCommerce as the registry holds it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from custom_events.platforms.base import Delivery, PlainWebhooks, Secret
from custom_events.platforms.bigcommerce import delivery as deliveries
from custom_events.platforms.bigcommerce import signature
from custom_events.platforms.bigcommerce.topics import SUBSCRIBED
from custom_events.platforms.bigcommerce.understand import understand
from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood


class BigCommerce(PlainWebhooks):
    """See `StorePlatform`."""

    name = Platform.BIGCOMMERCE
    title = "BigCommerce"
    makes_secret = False
    kept_headers = deliveries.KEPT

    def instructions(self, site_key: str, url: str) -> list[str]:
        """See `StorePlatform.instructions`."""
        del site_key
        return [
            "In BigCommerce: Settings > Store-level API accounts > Create; OAuth scopes Orders and Order Transactions, read-only.",
            "Enter the store's hash and the access token here as the key by which orders are read: hooks only name an order.",
            "Then make a hook (POST /v3/hooks) with that token for each of these scopes:",
            *(f"  {scope}" for scope in SUBSCRIBED),
            f"  destination {url},",
            f'  headers {{"{signature.TOKEN.title()}": the secret below}} (docs/how-to/connect-bigcommerce.md has the command).',
        ]

    def check(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
    ) -> Refusal | None:
        """The hook's own header; the body proves nothing."""
        del body, now, replay_window_s
        return signature.check(headers, secrets)

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """From the body: the headers say nothing."""
        del headers
        return deliveries.describe(body)

    def understand(self, delivery: RawDelivery, site: SiteContext) -> Understood:
        """See `understand.py`."""
        return understand(delivery, site)


PLATFORM = BigCommerce()
