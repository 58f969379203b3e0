"""Sample bodies of our own, and how a delivery of one is understood."""

from collections.abc import Callable
from pathlib import Path

import pytest

from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Platform, RawDelivery, SiteContext, Understood
from tests.platforms.sample_bodies import SAMPLES, body_of

TRIGGERED_AT = "2026-11-22T10:00:00.123456789Z"

Understand = Callable[..., Understood]


def topic_of(platform: Platform, path: Path) -> str:
    """The topic that a sample's name begins with; Shopify's slash is written as two underscores."""
    topic = path.stem.partition("--")[0]
    return topic.replace("__", "/")


def site(platform: Platform, **settings: object) -> SiteContext:
    given = {"site_id": 1, "shop_domain": "fjard.myshopify.com", "currency": "EUR", "time_zone": "Europe/Lisbon"}
    return SiteContext(platform=platform, **given | settings)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def sample() -> Callable[[Platform, str], bytes]:
    """The bytes of samples/<platform>/<name>.json."""
    return lambda platform, name: body_of(SAMPLES / platform / f"{name}.json")


@pytest.fixture
def understand() -> Understand:
    """understand(platform, topic, body, **site settings) with Shopify's trigger time in the headers."""

    def _understand(platform: Platform, topic: str | None, body: bytes, **settings: object) -> Understood:
        delivery = RawDelivery(topic=topic, body=body, headers={"x-shopify-triggered-at": TRIGGERED_AT})
        return PLATFORMS[platform].understand(delivery, site(platform, **settings))

    return _understand
