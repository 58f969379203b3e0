"""The shorter way of deliveries, on real sockets: the same answers as uvicorn's own, whatever the pieces."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from custom_events.settings import Settings
from ingest_api import protocol
from ingest_api.app import Receiver, create_app
from tests.ingest_api.server import LIMIT_S, Client, Failing, Holding, Watched, known, serving

Wire = Callable[..., bytes]
Query = Callable[..., list[Any]]
Make = Callable[..., Settings]
Serve = Callable[..., Any]
BODY = b'{"id": 1}'
LANDED = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ndelivery: landed\r\n\r\n"
DUPLICATE = LANDED.replace(b"landed", b"duplicate")
CLOSING = LANDED.replace(b"landed\r\n", b"landed\r\nconnection: close\r\n")


@pytest.fixture
def serve(receiver_settings: Make, sites: None) -> Serve:
    """Runs `(server, app, client)` against a server of its own; `options` are uvicorn's, the rest are settings."""

    def run(
        scenario: Callable[[uvicorn.Server, Any, Client], Awaitable[None]],
        kind: type[Receiver] = Watched,
        options: dict[str, Any] | None = None,
        **changed: Any,
    ) -> None:
        async def main() -> None:
            app = create_app(receiver_settings(**changed), kind=kind)
            async with serving(app, **(options or {})) as (server, connect):
                client = await connect()
                await client.send(b"GET /webhooks/shopify/nobody HTTP/1.1\r\nHost: x\r\n\r\n")
                await client.answer()
                await known(app)
                app.by_asgi.clear()  # type: ignore[attr-defined]
                await scenario(server, app, client)

        asyncio.run(main())

    return run


def test_a_whole_delivery_goes_the_shorter_way(serve: Serve, wire: Wire, rows: Query) -> None:
    async def scenario(_: Any, app: Watched, client: Client) -> None:
        for webhook_id, answer in (("w1", LANDED), ("w1", DUPLICATE), ("w2", LANDED)):
            await client.send(wire(BODY, webhook_id))
            assert await client.answer() == answer
        await client.send(wire(BODY, "w3", path="/webhooks/shopify"))
        assert await client.answer() == LANDED
        assert app.by_asgi == []
        await client.send(wire(BODY, "w4")[:-1], BODY[-1:])
        assert await client.answer() == LANDED
        assert app.by_asgi == ["/webhooks/shopify/shop-key"], "in pieces it goes uvicorn's way"

    serve(scenario)
    first, *_, last = rows("SELECT * FROM landing.raw_events ORDER BY id")
    assert (first.delivery_id, last.delivery_id) == ("w1", "w4")
    assert bytes(first.body) == bytes(last.body)
    ours = {"x-shopify-webhook-id", "x-shopify-event-id", "x-shopify-triggered-at"}
    assert {k: v for k, v in first.headers.items() if k not in ours} == {
        k: v for k, v in last.headers.items() if k not in ours
    }
    assert set(first.headers) == set(last.headers) > ours
    assert rows("SELECT sum(received), sum(landed), sum(duplicates) FROM landing.receipts") == [(5, 4, 1)]


UNUSUAL: dict[str, tuple[int, dict[str, Any]]] = {
    "another path": (404, {"path": "/elsewhere"}),
    "another platform": (404, {"path": "/webhooks/ebay/shop-key"}),
    "no address": (404, {"path": "/webhooks/shopify/a/b"}),
    "no key, though the domain is a site's": (
        404,
        {"path": "/webhooks/woocommerce", "x_shopify_shop_domain": "woo.example"},
    ),
    "a site of another platform": (401, {"path": "/webhooks/shopify/woo-key"}),
    "an unknown site": (401, {"path": "/webhooks/shopify/nobody"}),
    "a wrong signature": (401, {"secret": b"wrong"}),
    "no signature": (401, {"x_shopify_hmac_sha256": None}),
    "a removed site": (410, {"path": "/webhooks/shopify/removed-key"}),
    "escaped": (200, {"path": "/webhooks/shopify/shop%2Dkey"}),
    "with a query": (200, {"path": "/webhooks/shopify/shop-key?a=b"}),
    "another method": (405, {"method": "PUT"}),
    "the last of its connection": (200, {"connection": "close"}),
    "old": (200, {"version": "1.0"}),
    "to another protocol, when uvicorn leaves the body out": (401, {"connection": "upgrade", "upgrade": "h2c"}),
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_everything_else_is_answered_as_before(serve: Serve, wire: Wire, case: str) -> None:
    status, changed = UNUSUAL[case]

    async def scenario(_: Any, app: Watched, client: Client) -> None:
        await client.send(wire(BODY, "w1", **changed))
        assert (await client.answer()).startswith(b"HTTP/1.1 %d " % status)
        assert len(app.by_asgi) == 1

    serve(scenario)


def test_blanks_at_the_end_of_header_values(serve: Serve, wire: Wire, rows: Query) -> None:
    """llhttp leaves them in the values; they are no part of them (RFC 9110), on either way."""

    def padded(request: bytes, blanks: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        return b"\r\n".join([first, *(line + blanks for line in lines)]) + b"\r\n\r\n" + body

    async def scenario(_: Any, app: Watched, client: Client) -> None:
        for number, blanks in enumerate((b" ", b"\t", b" \t "), 1):
            await client.send(padded(wire(BODY, f"w{number}"), blanks))
            assert await client.answer() == LANDED
            await client.send(padded(wire(BODY, f"w{number}", path="/webhooks/shopify"), blanks))
            assert await client.answer() == DUPLICATE
        assert app.by_asgi == []
        await client.send(padded(wire(BODY, "w4"), b" \t")[:-1], BODY[-1:])
        assert await client.answer() == LANDED
        await client.send(padded(wire(b"x" * 200, "w5"), b"\t"))
        assert (await client.answer()).startswith(b"HTTP/1.1 413 ")

    serve(scenario, body_limit_bytes=100)
    landed = rows("SELECT delivery_id, topic, triggered_at FROM landing.raw_events ORDER BY id")
    assert [(row.delivery_id, row.topic) for row in landed] == [(f"w{n}", "orders/paid") for n in range(1, 5)]
    assert all(row.triggered_at is not None for row in landed)


def test_bodies_that_are_too_large_chunked_or_waited_for(serve: Serve, wire: Wire) -> None:
    async def scenario(_: Any, app: Watched, client: Client) -> None:
        await client.send(wire(b"x" * 101, "w1"))
        assert (await client.answer()).startswith(b"HTTP/1.1 413 ")
        head = wire(BODY, "w2", content_length=None, transfer_encoding="chunked")[: -len(BODY)]
        await client.send(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
        assert await client.answer() == LANDED
        await client.send(wire(BODY, "w3", expect="100-continue")[: -len(BODY)])
        assert await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), LIMIT_S) == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(BODY)
        assert await client.answer() == LANDED
        await client.send(wire(BODY, "w4", expect="100-continue"))
        assert await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), LIMIT_S) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert await client.answer() == LANDED
        assert len(app.by_asgi) == 4

    serve(scenario, body_limit_bytes=100)


def test_the_ping_and_a_full_queue(serve: Serve, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(_: Any, app: Watched, client: Client) -> None:
        form = b"webhook_id=12"
        head = "POST /webhooks/woocommerce/woo-key HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n"
        await client.send(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + form)
        assert await client.answer() == LANDED.replace(b"landed", b"ping")
        with monkeypatch.context() as patch:
            patch.setattr("ingest_api.writer.WAITING_LIMIT_BYTES", 0)
            await client.send(wire(BODY, "w1"))
            assert (await client.answer()).startswith(b"HTTP/1.1 503 ")
        await client.send(wire(BODY, "w1"))
        assert await client.answer() == LANDED
        assert len(app.by_asgi) == 2

    serve(scenario)


def test_requests_sent_ahead_are_answered_in_their_order(serve: Serve, wire: Wire) -> None:
    async def scenario(_: Any, app: Holding, client: Client) -> None:
        health = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        await client.send(wire(BODY, "w1") + health + wire(BODY, "w2"))
        assert (len(app.tells), app.by_asgi) == (1, []), "the others wait for the first"
        app.tells[0](True)
        assert await client.answer() == LANDED
        assert (await client.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
        async with asyncio.timeout(LIMIT_S):
            while len(app.tells) < 2:
                await asyncio.sleep(0.001)
        app.tells[1](False)
        assert await client.answer() == DUPLICATE
        await client.send(wire(BODY, "w3"))
        assert len(app.by_asgi) == 2
        app.tells[2](None)
        busy = await client.answer()
        assert busy.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"retry-after: 5\r\n" in busy

    serve(scenario, Holding)


def test_what_was_taken_is_answered_before_the_server_stops(serve: Serve, wire: Wire) -> None:
    async def scenario(server: uvicorn.Server, app: Holding, client: Client) -> None:
        await client.send(wire(BODY, "w1"))
        (connection,) = server.server_state.connections
        server.should_exit = True
        async with asyncio.timeout(LIMIT_S):
            while connection.cycle.keep_alive:  # type: ignore[union-attr]
                await asyncio.sleep(0.001)
        app.tells[0](True)
        assert await client.end() == CLOSING

    serve(scenario, Holding)


def test_a_client_that_goes_away_is_not_answered(serve: Serve, wire: Wire) -> None:
    async def scenario(server: uvicorn.Server, app: Holding, client: Client) -> None:
        await client.send(wire(BODY, "w1"))
        client.writer.close()
        async with asyncio.timeout(LIMIT_S):
            while server.server_state.connections:
                await asyncio.sleep(0.001)
        before = server.server_state.total_requests
        app.tells[0](True)
        assert server.server_state.total_requests == before

    serve(scenario, Holding)


def test_nonsense_after_a_delivery_closes_the_connection(serve: Serve, wire: Wire) -> None:
    async def scenario(_: Any, app: Holding, client: Client) -> None:
        await client.send(wire(BODY, "w1") + b"nonsense\r\n\r\n")
        app.tells[0](True)
        assert (await client.end()).startswith(b"HTTP/1.1 400 ")

    serve(scenario, Holding)


def test_a_fault_is_met_again_on_uvicorns_way(serve: Serve, wire: Wire) -> None:
    async def scenario(_: Any, app: Watched, client: Client) -> None:
        await client.send(wire(BODY, "w1"))
        assert (await client.answer()).startswith(b"HTTP/1.1 500 ")
        assert len(app.by_asgi) == 1

    serve(scenario, Failing)


@pytest.mark.parametrize("options", [{"date_header": True}, {"limit_concurrency": 1000}, {"access_log": True}])
def test_what_only_uvicorn_does_is_left_to_it(serve: Serve, wire: Wire, options: dict[str, Any]) -> None:
    async def scenario(_: Any, app: Watched, client: Client) -> None:
        await client.send(wire(BODY, "w1"))
        assert (b"date:" in await client.answer()) == ("date_header" in options)
        assert len(app.by_asgi) == 1

    serve(scenario, options=options)


def test_in_any_pieces_the_answer_is_the_same(receiver_settings: Make, sites: None, wire: Wire, rows: Query) -> None:
    whole = {
        "landed": wire(BODY, "w1"),
        "refused": wire(BODY, "w1", secret=b"wrong"),
        "nobody": wire(BODY, "w1", path="/webhooks/shopify/nobody"),
        "empty": wire(b"", "w2"),
        "health": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "chunked": wire(BODY, "w1", content_length=None, transfer_encoding="chunked")[: -len(BODY)]
        + b"4\r\n" + BODY[:4] + b"\r\n%x\r\n" % (len(BODY) - 4) + BODY[4:] + b"\r\n0\r\n\r\n",
        "large": wire(b"x" * 1_001, "w1"),
    }  # fmt: skip
    counted = 0

    async def answers(connect: Callable[[], Awaitable[Client]], names: list[str], pieces: list[bytes]) -> list[bytes]:
        client = await connect()
        await client.send(*pieces)
        said = [await client.answer() for _ in names]
        client.writer.close()
        return said

    with asyncio.Runner() as runner:
        app = create_app(receiver_settings(body_limit_bytes=1_000), kind=Watched)
        context = serving(app)
        _, connect = runner.run(context.__aenter__())
        runner.run(known(app))
        alone = {name: runner.run(answers(connect, [name], [whole[name]]))[0] for name in whole}
        alone |= {name: alone[name].replace(b"landed", b"duplicate") for name in ("landed", "empty")}
        counted = sum(name != "health" for name in whole)

        @examples(max_examples=60, deadline=None)
        @given(st.lists(st.sampled_from(sorted(whole)), min_size=1, max_size=3), st.data())
        def law(names: list[str], data: st.DataObject) -> None:
            nonlocal counted
            sent = b"".join(whole[name] for name in names)
            cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1), max_size=4)))
            pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
            assert runner.run(answers(connect, names, pieces)) == [alone[name] for name in names]
            counted += sum(name != "health" for name in names)

        law()
        runner.run(context.__aexit__(None, None, None))
    assert rows("SELECT sum(received), sum(landed) FROM landing.receipts") == [(counted, 2)]


def test_the_names_of_a_head_are_remembered_in_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[bytes, tuple[str, ...]] = {}
    monkeypatch.setattr(protocol, "_HEADS", kept)
    for number in range(3 * protocol.KEPT_HEADS):
        assert protocol.names_of(b"Host\nX-%d" % number) == ("host", f"x-{number}")
        assert len(kept) <= protocol.KEPT_HEADS
    kept.clear()
    assert protocol.names_of(b"A" * protocol.KEPT_HEAD_BYTES) == ("a" * protocol.KEPT_HEAD_BYTES,)
    assert protocol.names_of(b"A" * protocol.KEPT_HEAD_BYTES + b"\nB")[1] == "b"
    assert len(kept) == 1
