"""Each sample body beside what it must be understood as (expected/). After a wanted change:

CUSTOM_EVENTS_WRITE_EXPECTED=1 pytest tests/platforms/test_samples.py, and read the diff.
"""

import os
from pathlib import Path

import msgspec
import pytest

from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext, Understood
from custom_events.values.events import EventType, from_json, to_json
from tests.platforms.sample_bodies import PATHS as CASES
from tests.platforms.sample_bodies import body_of

HERE = Path(__file__).parent
_ENCODER = msgspec.json.Encoder(decimal_format="string")


def _understood(path: Path) -> Understood:
    platform = Platform(path.parent.name)
    topic = path.stem.partition("--")[0]
    site = SiteContext(
        site_id=1,
        platform=platform,
        shop_domain="fjard.myshopify.com",
        currency="EUR",
        time_zone="Europe/Lisbon",
        default_country="SE",
    )
    delivery = RawDelivery(
        topic=topic.replace("__", "/"),
        body=body_of(path),
        headers={"x-shopify-triggered-at": "2026-11-22T10:00:00.123456789Z"},
    )
    return PLATFORMS[platform].understand(delivery, site)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sample_is_understood_as_expected(path: Path) -> None:
    expected_path = HERE / "expected" / path.parent.name / path.name
    verdict = msgspec.json.decode(_ENCODER.encode(_understood(path)))
    if verdict["shown_at"] is None:  # said by our plugin's bodies alone
        del verdict["shown_at"]
    found = msgspec.json.format(msgspec.json.encode(verdict), indent=1) + b"\n"
    if os.environ.get("CUSTOM_EVENTS_WRITE_EXPECTED"):
        expected_path.parent.mkdir(parents=True, exist_ok=True)
        expected_path.write_bytes(found)
    assert msgspec.json.decode(found) == msgspec.json.decode(expected_path.read_bytes())


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_events_survive_the_database_and_name_nobody(path: Path) -> None:
    body = body_of(path).decode()
    for event in _understood(path).events:
        text = to_json(event)
        assert from_json(text) == event
        assert event.occurred_at.utcoffset() == event.evidence_at.utcoffset() == event.occurred_at - event.occurred_at
        for word in ("example.org", "example.com", "example.net", "Lindqvist", "Ferreira", "912 345", "174 06 05"):
            assert word.encode() not in text
    assert "\\u0000" not in body


def test_all_samples_together_give_every_type_of_event() -> None:
    kinds = {event.type for path in CASES for event in _understood(path).events}
    assert kinds == set(EventType)


def test_keys_are_unique_within_a_body() -> None:
    for path in CASES:
        keys = [event.key for event in _understood(path).events]
        assert len(keys) == len(set(keys)), path


def test_whatever_is_not_understood_has_a_reason() -> None:
    for path in CASES:
        understood = _understood(path)
        assert (understood.reason is None) == (understood.outcome is Outcome.UNDERSTOOD), path
