"""Headers and bodies of stores: any of them give a description and a verdict, the same each time, whose events outlive being stored."""

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Final

import msgspec

from custom_events.platforms import mentions
from custom_events.platforms.headers import MAX_HEADER_CHARS, rfc3339
from custom_events.platforms.registry import PLATFORMS
from custom_events.redaction import mask
from custom_events.values.deliveries import DEDUP_KEY_BYTES, Outcome, Platform, RawDelivery, SiteContext, Understood
from custom_events.values.events import from_json, to_json, to_stored
from custom_events.values.packed_facts import as_read
from fuzzing import seeds
from fuzzing.target import Target, request_of, require
from ingest_api import landing_rows

_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def understand(platform: Platform, delivery: RawDelivery) -> Understood:
    """The verdict on a delivery, by the law."""
    site = SiteContext(
        site_id=1, platform=platform, currency="EUR", default_country="SE", shop_domain="a.myshopify.com"
    )
    verdict, again = (PLATFORMS[platform].understand(delivery, site) for _ in range(2))
    require(verdict == again, "the same verdict each time")
    require((verdict.reason is None) == (verdict.outcome is Outcome.UNDERSTOOD), "a no has a reason")
    for event in verdict.events:
        text = to_json(event)
        require(from_json(text) == event, "what is written is read again")
        require(from_json(as_read(*to_stored(event))) == event, "and so is what is packed")
        require(_NUL.search(text) is None, "no NUL reaches the database")
        require(event.key.startswith(f"{event.type}:"), "a natural key begins with its type")
    return verdict


def check_body(platform: Platform, data: bytes) -> None:
    """The law for one input: what is described of it is understood, and looked through for people."""
    headers, body = request_of(data)
    described = PLATFORMS[platform].describe(headers, body)
    kept = landing_rows.kept_headers(headers, PLATFORMS[platform].kept_headers)
    verdict = understand(platform, RawDelivery(topic=described.topic, body=body, headers=kept))
    mentions.of_understood(verdict)
    mentions.of_body(body, described.topic, "SE")
    mask.mask(body)


def check_headers(data: bytes) -> None:
    """The law for one input: headers of every platform become a row that any database takes."""
    headers, body = request_of(data)
    for of_store in PLATFORMS.values():
        described = of_store.describe(headers, body)
        require(described == of_store.describe(headers, body), "the same description each time")
        words = (described.topic, described.delivery_id, described.event_id, described.api_version)
        require(all(word is None or 0 < len(word) <= MAX_HEADER_CHARS for word in words), "words are bounded")
        at = described.triggered_at
        require(at is None or at.utcoffset() == timedelta(), "times are UTC")
        row = landing_rows.delivered(1, described, landing_rows.kept_headers(headers, of_store.kept_headers), body)
        require(len(bytes.fromhex(row.dedup_key)) == DEDUP_KEY_BYTES, "a key of its length")
        plain = landing_rows.plain(row)
        texts = [plain.topic or "", *plain.headers, *plain.headers.values()]
        require(all(text.isascii() and (not text or text.isprintable()) for text in texts), "printable ASCII")
        msgspec.json.encode(plain)
    for value in headers.values():
        moment = rfc3339(value)
        require(moment is None or moment.tzinfo is UTC, "times are UTC")


def _header_seeds() -> Iterator[bytes]:
    for platform in PLATFORMS:
        yield from list(seeds.requests_of(platform))[:2]
    yield b"x-shopify-triggered-at: 2026-11-22T10:00:00.123456789Z\nx-shopify-topic: orders/paid\n\n{}"
    yield b"x-custom-events-timestamp: 99999999999\nx-custom-events-event-id:  a \n\n{}"


_HEADER_NAMES: Final = tuple(sorted({name for of_store in PLATFORMS.values() for name in of_store.kept_headers}))

TARGETS: Final = (
    *(
        Target(
            name=f"body_{platform}",
            law="any headers and body: events or a reason, the same each time; events are stored and read again as they are",
            run=lambda data, platform=platform: check_body(platform, data),
            seeds=lambda platform=platform: seeds.requests_of(platform),
            words=(
                "null",
                "true",
                "-0",
                "1e400",
                "1e9999999999999999999",
                "NaN",
                '"\\ud800"',
                '"\\u0000"',
                "0001-01-01T00:00:00Z",
                '"EUR"',
            ),
            most_bytes=8_192,
        )
        for platform in PLATFORMS
    ),
    Target(
        name="headers",
        law="any headers and body: described the same each time, within bounds, as a row that any database takes",
        run=check_headers,
        seeds=_header_seeds,
        words=_HEADER_NAMES,
    ),
)
