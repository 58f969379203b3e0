"""Understanding is total and pure: any bytes under any topic give a verdict, the same one each time."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.platforms.bigcommerce import topics as bigcommerce
from custom_events.platforms.custom.topics import TYPES
from custom_events.platforms.shopify import topics as shopify
from custom_events.platforms.stripe import topics as stripe
from custom_events.platforms.woocommerce import topics as woocommerce
from custom_events.values.deliveries import Outcome, Platform, PrivacyRequest, RawDelivery, Understood
from fuzzing.understanding import understand
from tests.platforms.sample_bodies import PATHS, SAMPLES, body_of

TOPICS = [
    *((Platform.SHOPIFY, topic) for topic in shopify.HANDLERS),
    *((Platform.WOOCOMMERCE, topic) for topic in woocommerce.HANDLERS),
    *((Platform.CUSTOM, topic) for topic in (None, *TYPES)),
    *((Platform.STRIPE, topic) for topic in stripe.HANDLERS),
    *((Platform.BIGCOMMERCE, topic) for topic in (*bigcommerce.HANDLERS, *bigcommerce.HINTS)),
]

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "",
            "0",
            "1.00",
            "NaN",
            "-Infinity",
            "1e400",
            "2026-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "\x00",
            "EUR",
        ]
    )
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def verdict(platform: Platform, topic: str | None, body: bytes) -> Understood:
    """By the law that fuzzing holds, too."""
    headers = {"x-shopify-triggered-at": "2026-11-22T10:00:00Z"}
    return understand(platform, RawDelivery(topic=topic, body=body, headers=headers))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as a path."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in inner for found in places(child, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@given(where=st.sampled_from(TOPICS), body=st.binary(max_size=200))
@settings(max_examples=60)
def test_random_bytes(where: tuple[Platform, str | None], body: bytes) -> None:
    verdict(*where, body)


@given(where=st.sampled_from(TOPICS), value=JSON)
@settings(max_examples=100)
def test_random_json(where: tuple[Platform, str | None], value: Any) -> None:
    verdict(*where, msgspec.json.encode(value))


@given(path=st.sampled_from(PATHS), seed=st.randoms(use_true_random=False), new=JSON, changes=st.integers(1, 3))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_sample_with_any_part_replaced(path: Path, seed: random.Random, new: Any, changes: int) -> None:
    platform = Platform(path.parent.name)
    topic: str | None = path.stem.partition("--")[0]
    if platform is Platform.SHOPIFY:
        topic = topic.replace("__", "/") if topic else None
    value = msgspec.json.decode(body_of(path))
    for _ in range(changes):
        value = replaced(value, seed.choice(places(value)), new)
    verdict(platform, topic, msgspec.json.encode(value))


@given(path=st.sampled_from(PATHS), cut=st.integers(0, 4000), flip=st.integers(0, 255))
@settings(max_examples=80)
def test_a_sample_with_damaged_bytes(path: Path, cut: int, flip: int) -> None:
    platform = Platform(path.parent.name)
    topic = path.stem.partition("--")[0]
    body = bytearray(body_of(path))
    body[cut % len(body)] ^= flip
    verdict(platform, topic.replace("__", "/"), bytes(body))
    verdict(platform, topic.replace("__", "/"), bytes(body[: cut % len(body)]))


@pytest.mark.parametrize("where", TOPICS, ids=str)
def test_deep_nesting_is_parked(where: tuple[Platform, str | None]) -> None:
    body = b'{"id":' * 50_000 + b"1" + b"}" * 50_000
    assert verdict(*where, body).outcome is Outcome.PARKED


@pytest.mark.parametrize("where", TOPICS, ids=str)
def test_no_json_is_parked_as_unreadable(where: tuple[Platform, str | None]) -> None:
    found = verdict(*where, b"webhook_id=1")
    assert found.outcome is Outcome.PARKED
    assert found.reason in ("unreadable_body", *PrivacyRequest)  # of the latter the topic alone says what to do


def test_a_nul_in_a_text_does_not_reach_the_database() -> None:
    body = body_of(SAMPLES / "shopify/orders__paid--web.json")
    found = verdict(Platform.SHOPIFY, "orders/paid", body.replace(b'"gift wrap"', b'"gift\\u0000wrap\\\\u0000"'))
    assert "gift\ufffdwrap\\u0000" in found.events[0].note_attributes


def test_a_nul_inside_json_inside_a_text_does_not_either() -> None:
    blob = '{"consent": {"ad_user_data": "granted", "source": "a\\u0000b"}, "utm_source": "a\\u0000b"}'
    body = msgspec.json.decode(body_of(SAMPLES / "shopify/orders__paid--web.json"))
    body["note_attributes"] = [{"name": "_custom_events", "value": blob}]
    assert verdict(Platform.SHOPIFY, "orders/paid", msgspec.json.encode(body)).events[0].consent is None


def test_unknown_topics_are_parked() -> None:
    for platform in (Platform.SHOPIFY, Platform.WOOCOMMERCE, Platform.STRIPE):
        for topic in (None, "", "no/such", "order.exploded", "action.other_hook"):
            assert verdict(platform, topic, b"{}").reason == "unknown_topic"
