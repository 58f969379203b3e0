"""Custom senders as the registry holds them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from custom_events.platforms.base import Delivery, PlainWebhooks, Secret
from custom_events.platforms.custom import delivery as deliveries
from custom_events.platforms.custom import signature
from custom_events.platforms.custom.understand import understand
from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood


class Custom(PlainWebhooks):
    """See `StorePlatform`."""

    name = Platform.CUSTOM
    title = "Custom webhooks"
    makes_secret = False
    kept_headers = deliveries.KEPT

    def instructions(self, site_key: str, url: str) -> list[str]:
        """See `StorePlatform.instructions`."""
        del site_key
        return [
            f"Post JSON to {url}, signed with the secret below",
            "  (docs/reference/custom-webhooks.md has the headers, the fields, and an example in Python and curl).",
        ]

    def check(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
    ) -> Refusal | None:
        """Our own timestamped scheme."""
        return signature.check(headers, body, secrets, now, replay_window_s)

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """From the headers; the topic from the body's `type` where no header says it."""
        return deliveries.describe(headers, body)

    def understand(self, delivery: RawDelivery, site: SiteContext) -> Understood:
        """See `understand.py`."""
        return understand(delivery, site)


PLATFORM = Custom()
