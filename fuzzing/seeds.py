"""What fuzzing begins with: the small bodies of the tests, as each platform sends them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from custom_events.platforms import timestamped
from custom_events.platforms.shopify import delivery as shopify
from custom_events.platforms.woocommerce import delivery as woocommerce
from custom_events.values.platforms import Platform
from fuzzing.target import request
from tests.platforms.sample_bodies import PATHS, body_of

_TOPIC_HEADERS: Final = {
    Platform.SHOPIFY: shopify.TOPIC,
    Platform.WOOCOMMERCE: woocommerce.TOPIC,
    Platform.CUSTOM: timestamped.TOPIC,
}


@cache
def of_platform(platform: Platform) -> tuple[tuple[str, bytes], ...]:
    """Topic and body of each sample, without its white space."""
    return tuple((_topic(path), _compact(body_of(path))) for path in PATHS if path.parent.name == platform)


def requests_of(platform: Platform) -> Iterator[bytes]:
    """The samples as inputs with the header that names their topic, where the platform has one."""
    header = _TOPIC_HEADERS.get(platform)
    for topic, body in of_platform(platform):
        yield request({} if header is None else {header: topic}, body)


def _topic(path: Path) -> str:
    return path.stem.partition("--")[0].replace("__", "/")


def _compact(body: bytes) -> bytes:
    try:
        value: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    return msgspec.json.encode(value)
