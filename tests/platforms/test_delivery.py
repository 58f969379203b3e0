"""What headers say: which topic, which duplicate, when, and which hello is a ping."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.errors import NotUnderstood
from custom_events.platforms import timestamped
from custom_events.platforms.base import StorePlatform
from custom_events.platforms.headers import MAX_HEADER_CHARS, bounded, rfc3339
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify import delivery as shopify
from custom_events.platforms.woocommerce import delivery as woo
from custom_events.values.deliveries import Outcome, Platform, SiteContext, TransactionIds, ignored

NOW = datetime(2026, 11, 22, 10, 0, 1, 123456, tzinfo=UTC)
FORM = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}


def test_shopify_webhook_id_decides_what_is_a_duplicate_and_event_id_only_correlates() -> None:
    headers = shopify.signed_headers(
        b"{}",
        b"s",
        topic="orders/paid",
        shop_domain="Fjard.myshopify.com",
        webhook_id="w1",
        event_id="e1",
        triggered_at=NOW,
    )
    found = PLATFORMS[Platform.SHOPIFY].describe(headers, b"{}")
    assert (found.topic, found.delivery_id, found.event_id) == ("orders/paid", "w1", "e1")
    assert found.triggered_at == NOW
    assert (found.api_version, found.shop_domain) == ("2026-10", "fjard.myshopify.com")
    assert headers[shopify.TRIGGERED_AT] == "2026-11-22T10:00:01.123456000Z"
    assert [headers[name] for name in ("content-type", "user-agent")] == ["application/json", "Shopify-Captain-Hook"]


def test_an_event_of_shopify_is_known_by_its_own_headers() -> None:
    headers = {"shopify-webhook-id": "w1", "shopify-event-id": "e1", "shopify-api-version": "2026-10"}
    found = PLATFORMS[Platform.SHOPIFY].describe(headers, b'{"topic":"Order","action":"update"}')
    assert (found.topic, found.delivery_id, found.event_id) == ("Order/update", "w1", "e1")
    assert found.api_version == "2026-10"


def test_shopify_trigger_time_keeps_an_offset() -> None:
    moment = NOW.astimezone(timezone(timedelta(hours=-4)))
    headers = shopify.signed_headers(
        b"", b"s", topic="t", shop_domain="s", webhook_id="w", event_id=None, triggered_at=moment
    )
    assert headers[shopify.EVENT_ID] == "w"
    assert shopify.triggered_at(headers) == NOW


def test_a_body_without_time_needs_the_trigger_time() -> None:
    with pytest.raises(NotUnderstood, match="no time") as refusal:
        shopify.triggered_at({shopify.TRIGGERED_AT: "yesterday"})
    assert refusal.value.reason == "no_store_time"


def test_a_request_without_headers_describes_as_nothing() -> None:
    for platform in PLATFORMS.values():
        found = platform.describe({}, b"")
        assert found.topic is found.delivery_id is found.triggered_at is found.shop_domain is None


def test_woocommerce_delivery_id_repeats_within_a_second_so_it_decides_nothing() -> None:
    headers = woo.signed_headers(
        b"{}", b"s", topic="order.created", source="https://Moinho.example/", webhook_id=1, delivery_id="d1"
    )
    found = PLATFORMS[Platform.WOOCOMMERCE].describe(headers, b"{}")
    assert (found.topic, found.delivery_id, found.event_id) == ("order.created", None, "d1")
    assert found.shop_domain == "moinho.example"
    sent = ("content-type", "x-wc-webhook-resource", "x-wc-webhook-event", woo.WEBHOOK_ID, woo.SOURCE)
    assert [headers[name] for name in sent] == ["application/json", "order", "created", "1", "https://Moinho.example/"]


def test_a_source_may_be_a_bare_host() -> None:
    assert woo.describe({woo.SOURCE: "moinho.example/shop"}).shop_domain == "moinho.example"
    assert woo.describe({woo.SOURCE: "https:///"}).shop_domain is None


def test_the_plugins_event_id_decides_what_is_a_duplicate() -> None:
    headers = timestamped.signed_headers(b"{}", b"s", now=NOW, event_id="uuid-1", topic="order.paid")
    found = PLATFORMS[Platform.WOOCOMMERCE].describe({**headers, woo.TOPIC: "order.updated"}, b"{}")
    assert (found.topic, found.delivery_id, found.event_id) == ("order.paid", "uuid-1", "uuid-1")
    assert found.body_decides, "another body under a known id is another delivery"
    assert found.triggered_at == NOW.replace(microsecond=0)
    other = {**headers, timestamped.TIMESTAMP: headers[timestamped.TIMESTAMP] + "\xa0"}
    assert PLATFORMS[Platform.WOOCOMMERCE].describe(other, b"{}").triggered_at is None


@pytest.mark.parametrize(
    ("headers", "body", "topic"),
    [
        ({timestamped.TOPIC: "order.paid"}, b'{"type":"other"}', "order.paid"),
        ({}, b'{"x":[1],"type":"order.paid"}', "order.paid"),
        ({}, b'{"type":7}', None),
        ({}, b'{"type":null}', None),
        ({}, b"not json", None),
        ({}, b'{"type":"\xed\xa0\x80"}', None),
        ({}, b"[" * 100_000, None),
    ],
)
def test_a_custom_senders_topic_may_stand_in_the_body(headers: dict[str, str], body: bytes, topic: str | None) -> None:
    assert PLATFORMS[Platform.CUSTOM].describe(headers, body).topic == topic


def test_the_ping_of_a_saved_webhook_is_a_handshake() -> None:
    ping = PLATFORMS[Platform.WOOCOMMERCE].is_handshake
    assert ping(FORM, b"webhook_id=12")
    assert ping({"content-type": "application/x-www-form-urlencoded"}, b"webhook_id=12")
    assert ping({"content-type": "application/x-www-form-urlencoded; charset=UTF-8; x=1"}, b"webhook_id=12")
    assert not ping(FORM, b"webhook_id=12&x=1")
    assert not ping(FORM, b"webhook_id=12\n")
    assert not ping({"content-type": "application/json"}, b"webhook_id=12")
    assert not ping({}, b"webhook_id=12")
    for signed in ("x-wc-webhook-signature", "x-wc-webhook-topic", timestamped.SIGNATURE):
        assert not ping(FORM | {signed: "x"}, b"webhook_id=12")
    for other in (Platform.SHOPIFY, Platform.CUSTOM):
        assert not PLATFORMS[other].is_handshake(FORM, b"webhook_id=12")


def test_headers_are_bounded() -> None:
    assert bounded(" x ") == "x"
    assert bounded("x" * MAX_HEADER_CHARS) == "x" * MAX_HEADER_CHARS
    assert bounded(" ") is bounded(None) is bounded("x" * (MAX_HEADER_CHARS + 1)) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T10:00:01.123456289Z", NOW),
        ("2026-11-22T05:00:01.123456-05:00", NOW),
        ("2026-11-22T10:00:01", None),  # no offset: whose clock?
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        (None, None),
    ],
)
def test_rfc3339(text: str | None, moment: datetime | None) -> None:
    read = rfc3339(text)
    assert read == moment
    assert read is None or read.tzinfo is UTC


@given(
    platform=st.sampled_from(list(PLATFORMS.values())),
    headers=st.dictionaries(
        st.sampled_from([shopify.TOPIC, shopify.TRIGGERED_AT, shopify.SHOP_DOMAIN, woo.TOPIC, woo.SOURCE, "x"]),
        st.text(),
    ),
    body=st.binary(max_size=64),
)
def test_describing_never_raises(platform: StorePlatform, headers: dict[str, str], body: bytes) -> None:
    platform.describe(headers, body)


def test_what_is_of_no_use_says_why() -> None:
    found = ignored("test_order", "order 7")
    assert (found.outcome, found.reason, found.detail) == (Outcome.IGNORED, "test_order", "order 7")


def test_a_change_of_transaction_ids_begins_with_the_orders_of_its_moment() -> None:
    now, before = (
        TransactionIds.SITE_AND_ID,
        next(ids for ids in TransactionIds if ids is not TransactionIds.SITE_AND_ID),
    )
    site = SiteContext(site_id=1, platform=Platform.CUSTOM, transaction_ids=now, transaction_ids_before=before)
    assert site.transaction_ids_of(NOW) is now
    changed = msgspec.structs.replace(site, transaction_ids_since=NOW)
    moment = timedelta(microseconds=1)
    assert [changed.transaction_ids_of(NOW + step) for step in (-moment, timedelta(), moment)] == [before, now, now]
