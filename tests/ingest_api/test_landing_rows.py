"""What is stored of a request, and what makes two deliveries the same."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.platforms.base import Delivery, StorePlatform
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries.landing import Delivered, Refused
from custom_events.values.deliveries import Refusal, key_of_id, keys_of_id
from ingest_api import landing_rows
from ingest_api.landing_rows import RateWindow


def test_dedup_keys_differ_by_id_else_by_topic_and_body() -> None:
    same = landing_rows.dedup_key(Delivery(delivery_id="1"), b"x")
    assert len(bytes.fromhex(same)) == 16
    assert same == landing_rows.dedup_key(Delivery(delivery_id="1", topic="other"), b"y")
    without = [
        landing_rows.dedup_key(Delivery(topic=topic), body)
        for topic, body in ((None, b"x"), ("a", b"x"), ("a", b"y"), ("ax", b""))
    ]
    assert len({same, *without}) == 5
    # As they are stored: another spelling would take every repeated delivery for a new one.
    assert landing_rows.dedup_key(Delivery(topic="orders/paid"), b"{}") == "1f521fd24cb8911f40e04fe2d35e8ca6"


def test_where_the_body_decides_too_another_one_is_another_delivery_that_the_id_still_finds() -> None:
    keys = [
        bytes.fromhex(landing_rows.dedup_key(Delivery(delivery_id=name, body_decides=True), body))
        for name, body in (("1", b"x"), ("1", b"y"), ("2", b"x"))
    ]
    assert [len(key) for key in keys] == [16, 16, 16]
    assert len(set(keys)) == 3
    first, last = keys_of_id("1")
    assert [first <= key <= last for key in (*keys, key_of_id("1"))] == [True, True, False, True]


@given(st.text(), st.text(), st.binary())
def test_no_text_in_a_header_survives_as_more_than_printable_ascii(name: str, text: str, body: bytes) -> None:
    delivery = Delivery(topic=text, delivery_id="d", event_id=text, triggered_at=datetime.now(UTC), api_version=text)
    plain = landing_rows.plain(landing_rows.delivered(1, delivery, {name: text}, body))
    refused = landing_rows.plain(
        Refused(
            site_id=None, platform="shopify", reason=Refusal.TOO_OLD, topic=text, headers={name: text}, body_bytes=1
        )
    )
    for each in (plain.topic, refused.topic, *plain.headers, *refused.headers.values()):
        assert each is not None
        assert each.isascii()
        assert each.isprintable()


def test_a_row_says_what_its_delivery_says() -> None:
    described = Delivery(
        topic="t", delivery_id="d", event_id="e", triggered_at=datetime.now(UTC), api_version="2026-10"
    )
    row = landing_rows.delivered(7, described, {"x": "y"}, b"body")
    assert (row.site_id, row.topic, row.delivery_id, row.event_id) == (7, "t", "d", "e")
    assert (row.triggered_at, row.api_version, row.body_bytes) == (described.triggered_at, "2026-10", 4)
    assert (row.dedup_key, row.headers) == (landing_rows.dedup_key(described, b"body"), {"x": "y"})


def test_what_is_printable_stays_as_it_is_and_the_rest_is_escaped() -> None:
    delivery = Delivery(topic="order.paid ~", event_id="a\n\xe9€", triggered_at=datetime.now(UTC))
    plain = landing_rows.plain(landing_rows.delivered(1, delivery, {"x-a": "b\x7f"}, b"body"))
    assert isinstance(plain, Delivered)
    assert (plain.topic, plain.event_id, plain.triggered_at) == ("order.paid ~", r"a\x0a\xe9\u20ac", None)
    assert (plain.headers, plain.body_bytes) == ({"x-a": r"b\x7f"}, 4)


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda platform: platform.name)
def test_no_platform_keeps_signatures_credentials_or_what_is_unknown(platform: StorePlatform) -> None:
    assert not any("signature" in name or "hmac" in name for name in platform.kept_headers)
    assert all(name == name.lower() for name in platform.kept_headers)
    named = dict.fromkeys(platform.kept_headers, "kept")
    others = {"authorization": "a", "cookie": "b", "x-forwarded-for": "192.0.2.1", "x-anything": "c"}
    assert landing_rows.kept_headers(named | others, platform.kept_headers) == named


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [0.0]
    monkeypatch.setattr("ingest_api.landing_rows.time.time", lambda: now[0])
    return now  # type: ignore[return-value]


def test_room_is_bounded_by_count_and_size_and_comes_back(clock: list[float]) -> None:
    room = RateWindow(2, 10, 100)
    assert [room.takes(60), room.takes(60), room.takes(40), room.takes(0)] == [True, False, True, False]
    clock[0] = 10.0
    assert room.takes(100)
    clock[0] = 20.0
    small = RateWindow(9, 10, 100)
    assert [small.takes(size) for size in (60, 30, 20, 10)] == [True, True, False, True]
