"""What a group of deliveries that are committed together holds."""

import asyncio

import zstandard

from custom_events.platforms.base import Delivery
from ingest_api import landing_rows as made
from ingest_api.groups import BUSY_FROM, Group, Waiting


def test_bodies_of_few_that_wait_are_compressed_smaller() -> None:
    body = " ".join(str(number * 7919) for number in range(400)).encode()

    def stored(count: int) -> list[bytes]:
        rows = [made.delivered(1, Delivery(topic=None, delivery_id=str(number)), {}, body) for number in range(count)]
        group = Group(Waiting("shopify", row, body, lambda _: None) for row in rows)
        bodies = asyncio.run(group.bodies())
        return [bodies[row.body_from - 1 : row.body_from - 1 + row.body_size] for row in rows]

    calm, busy = stored(BUSY_FROM - 1), stored(BUSY_FROM)
    assert max(map(len, calm)) < min(map(len, busy))
    assert {zstandard.decompress(piece) for piece in calm + busy} == {body}
