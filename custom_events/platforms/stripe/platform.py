"""Stripe as the registry holds it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from custom_events.platforms.base import Delivery, PlainWebhooks, Secret
from custom_events.platforms.stripe import delivery as deliveries
from custom_events.platforms.stripe import signature
from custom_events.platforms.stripe.topics import SUBSCRIBED
from custom_events.platforms.stripe.understand import understand
from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood


class Stripe(PlainWebhooks):
    """See `StorePlatform`."""

    name = Platform.STRIPE
    title = "Stripe"
    makes_secret = True
    kept_headers = deliveries.KEPT

    def instructions(self, site_key: str, url: str) -> list[str]:
        """See `StorePlatform.instructions`."""
        del site_key
        return [
            "In Stripe: Workbench > Webhooks > Add destination, events of your account, payload style Snapshot:",
            *(f"  {topic}" for topic in SUBSCRIBED),
            f"  Endpoint URL {url}; then reveal its signing secret (whsec_...) and enter it here.",
            "Put clicks and consent into the session's metadata when you make it (docs/how-to/connect-stripe.md).",
        ]

    def check(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
    ) -> Refusal | None:
        """Stripe's own scheme, which covers the time."""
        return signature.check(headers, body, secrets, now, replay_window_s)

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """From the body: the headers say nothing."""
        del headers
        return deliveries.describe(body)

    def understand(self, delivery: RawDelivery, site: SiteContext) -> Understood:
        """See `understand.py`."""
        return understand(delivery, site)


PLATFORM = Stripe()
