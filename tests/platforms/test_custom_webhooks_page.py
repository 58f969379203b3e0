"""docs/reference/custom-webhooks.md says what the code does: its examples run, its names are the code's."""

import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from custom_events.platforms import timestamped
from custom_events.platforms.attributes import MAX_ENTRIES
from custom_events.platforms.custom import bodies, parts, schema
from custom_events.platforms.parse import MAX_ID_CHARS
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.clicks import ConsentStatus
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext
from custom_events.values.events import EventType
from tests.platforms.sample_bodies import PATHS, body_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/custom-webhooks.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found, language
    return found.group(1)


def test_the_example_gives_the_keys_below_it() -> None:
    delivery = RawDelivery(topic="order.paid", body=block("json").encode())
    found = PLATFORMS[Platform.CUSTOM].understand(delivery, SiteContext(site_id=1, platform=Platform.CUSTOM))
    assert [event.key for event in found.events] == block("keys").split()
    paid = found.events[1]
    assert (str(paid.amount), paid.currency, paid.clicks[0].id) == ("120.00", "CHF", "EAIaIQobChMI-example")
    assert paid.consent is not None
    assert paid.consent.ad_personalization is ConsentStatus.DENIED


def test_the_signatures_in_the_page_are_right() -> None:
    message = b"v2\n1785658500\n\nevt-1\norder.paid\n{}"
    expected = hmac.new(b"example-secret", message, hashlib.sha256).hexdigest()
    headers = {timestamped.TIMESTAMP: "1785658500", timestamped.EVENT_ID: "evt-1", timestamped.TOPIC: "order.paid"}
    signature = timestamped.sign_v2(headers, b"{}", b"example-secret")
    assert block("signature").strip() == f"v2={expected}" == signature
    expected = hmac.new(b"example-secret", b"1785658500.{}", hashlib.sha256).hexdigest()
    assert block("signature-v1").strip() == f"v1={expected}" == timestamped.sign("1785658500", b"{}", b"example-secret")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
@pytest.mark.parametrize("page", ["README.md", "docs/how-to/configure-by-api.md"])
def test_the_shell_that_pages_sign_with_signs_by_the_second_version(page: str) -> None:
    text = (ROOT / page).read_text()
    assert "Signature: v2=$signature" in text
    line = re.search(r"^ *(signature=.*)$", text, re.MULTILINE)
    assert line, page
    body, now = '{"discount":"100%s"}', "1785658500"
    done = subprocess.run(
        ["sh", "-c", f'{line.group(1)}; printf %s "$signature"', "sh", body],
        env={**os.environ, "SECRET": "example-secret", "now": now, "body": body},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    expected = timestamped.sign_v2({timestamped.TIMESTAMP: now}, body.encode(), b"example-secret")
    assert f"v2={done.stdout}" == expected


def test_the_python_in_the_page_compiles() -> None:
    compile(block("python"), "custom-webhooks.md", "exec")


def test_every_header_is_named() -> None:
    for name in (
        timestamped.TIMESTAMP,
        timestamped.SIGNATURE,
        timestamped.EVENT_ID,
        timestamped.TOPIC,
        timestamped.KEY_ID,
    ):
        assert name in PAGE.lower()


def test_every_type_is_named() -> None:
    types = set(
        re.findall(r"^\| `([a-z_.]+)` \|", PAGE.partition("## Types")[2].partition("## Fields")[0], re.MULTILINE)
    )
    assert types - {"type"} == {kind.value for kind in EventType}


@pytest.mark.parametrize(
    ("word", "struct"),
    [
        ("Event", bodies.Body),
        ("order", bodies.Order),
        ("items", bodies.Item),
        ("refund", bodies.Refund),
        ("subscription", bodies.Subscription),
        ("cart", bodies.Cart),
        ("customer", bodies.Customer),
        ("clicks", bodies.Clicks),
        ("consent", bodies.ConsentBody),
        ("utm", bodies.Utm),
    ],
)
def test_every_field_is_named(word: str, struct: type[msgspec.Struct]) -> None:
    found = re.search(rf"^\*\*{word}\*\*(.*?)\n\n", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    named = set(re.findall(r"`([a-z_]+)`", found.group(1)))
    assert set(struct.__struct_fields__) <= named
    assert named - set(struct.__struct_fields__) <= {"occurred_at", "granted", "denied", "unknown", "total"}


def test_every_limit_is_the_codes() -> None:
    assert f"at most {MAX_ENTRIES}, each at most {parts.MAX_PROPERTY_BYTES:,} bytes" in PAGE
    assert f"at most {MAX_ID_CHARS} characters" in PAGE


def test_every_body_that_is_understood_satisfies_the_published_schema() -> None:
    validator = Draft202012Validator(schema.schema())
    validator.validate(json.loads(block("json")))
    for path in (path for path in PATHS if path.parent.name == "custom"):
        topic, body = path.stem.partition("--")[0], body_of(path)
        found = PLATFORMS[Platform.CUSTOM].understand(
            RawDelivery(topic=topic, body=body), SiteContext(site_id=1, platform=Platform.CUSTOM, currency="EUR")
        )
        if found.outcome is Outcome.UNDERSTOOD and not found.odd_leaves:
            validator.validate(json.loads(body))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "order.shipped"},
        {"occurred_at": None},
        {"order": {"id": "1"}},
        {"order": {"id": "1", "total": "12,50", "currency": "EUR"}},
        {"misspelt": 1},
    ],
)
def test_the_schema_refuses_what_would_be_parked(wrong: dict[str, Any]) -> None:
    body = {
        "type": "order.paid",
        "occurred_at": "2026-11-25T10:00:00Z",
        "order": {"id": "1", "total": 1.5, "currency": "EUR"},
    }
    validator = Draft202012Validator(schema.schema())
    validator.validate(body)
    assert not validator.is_valid(body | wrong)
