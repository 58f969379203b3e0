"""Deliveries and refusals for the receiver's writer, and the connections that it makes."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from custom_events.platforms.base import Delivery
from custom_events.postgres import connect
from custom_events.queries.landing import Delivered, Refused
from custom_events.values.deliveries import Refusal
from ingest_api import landing_rows as made
from ingest_api.groups import Answered, Waiting, on_result_of
from ingest_api.writer import Writer

Query = Callable[..., list[Any]]
Play = Callable[..., None]


def delivery(number: int, topic: str = "orders/paid") -> tuple[str, Delivered, bytes]:
    body = b"body %d" % number
    return "shopify", made.delivered(1, Delivery(topic=topic, delivery_id=str(number)), {"a": "b"}, body), body


def refusal(topic: str | None = None) -> tuple[Refused, bytes]:
    row = Refused(site_id=None, platform="shopify", reason=Refusal.NO_SUCH_SITE, topic=topic, headers={}, body_bytes=1)
    return row, b"x"


def land(writer: Writer, platform: str, row: Delivered, body: bytes) -> Answered:
    """What a request does that waits for a future."""
    told: Answered = asyncio.get_running_loop().create_future()
    writer.put(Waiting(platform, row, body, on_result_of(told)))
    return told


class Connections:
    """Connects to the test's database unless told not to, and remembers every connection."""

    def __init__(self, url: str) -> None:
        self._url = connect.receiver_url(url)
        self.down = False
        self.made: list[asyncpg.Connection] = []

    async def connect(self) -> asyncpg.Connection:
        if self.down:
            raise ConnectionRefusedError
        self.made.append(await connect.asyncpg_connect(self._url))
        return self.made[-1]
