"""Stores of the benchmarks keep to what they are answered; stored bodies are counted."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256

import pytest
import sqlalchemy as sa

from benchmarks.posting import Delivery, Posted, post_all
from benchmarks.stored_bodies import compare
from tests.world import World, paid_order

ANSWERS = {
    "ok": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "busy": b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nretry-after: 0.01\r\n\r\n",
    "rude": b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
    "no": b"HTTP/1.1 401 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
}
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def delivery(text: bytes) -> Delivery:
    return Delivery(b"POST / HTTP/1.1\r\n\r\n" + text, text)


def receiver(script: list[str]) -> Handler:
    """Answers one request after the other by the script; "silence" closes the connection instead."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1_000):
            word = script.pop(0)
            if word == "silence":
                break
            writer.write(ANSWERS[word])
        writer.close()
        await writer.wait_closed()

    return handle


async def posted_to(script: list[str], bodies: list[bytes]) -> Posted:
    server = await asyncio.start_server(receiver(script), "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    async with server:
        return await post_all([address], iter(map(delivery, bodies)), connections=1, rate_per_s=1_000)


def test_503_comes_again_after_retry_after_and_silence_too() -> None:
    posted = asyncio.run(posted_to(["busy", "rude", "silence", "ok", "no", "ok"], [b"a", b"b", b"c"]))
    assert posted.answers == {503: 2, 200: 2, 401: 1}
    assert (posted.silences, posted.without_retry_after, posted.longest_wait_s) == (1, 1, 0.01)
    assert posted.digests == {sha256(text).digest() for text in (b"a", b"c")}
    assert len(posted.answer_s) == 2


def test_bodies_that_are_not_there_and_those_that_are_there_twice(database: str, engine: sa.Engine) -> None:
    world = World(database, engine)
    site = world.site()
    for number in (1, 2):
        world.land(site, "orders/paid", paid_order(number))
    with engine.begin() as connection:
        stored = connection.execute(sa.text("SELECT count(*) FROM landing.raw_events")).scalar_one()
        connection.execute(
            sa.text(
                "INSERT INTO landing.raw_events (landed_week, site_id, topic, dedup_key, signature, headers, body, body_bytes)"
                " SELECT landed_week, site_id, topic, sha256(dedup_key), signature, headers, body, body_bytes FROM landing.raw_events LIMIT 1"
            )
        )
    compared = compare(database, {b"another digest"})
    assert stored == 2
    assert (compared.answered, compared.missing, compared.doubled) == (1, 1, 1)


@pytest.mark.parametrize("rate", [None, 500.0])
def test_every_delivery_is_posted_once(rate: float | None) -> None:
    async def go() -> Posted:
        server = await asyncio.start_server(receiver(["ok"] * 20), "127.0.0.1", 0)
        async with server:
            return await post_all(
                [server.sockets[0].getsockname()],
                iter([delivery(b"%d" % number) for number in range(20)]),
                connections=3,
                rate_per_s=rate,
            )

    posted = asyncio.run(go())
    assert posted.answers == {200: 20}
    assert len(posted.digests) == 20
