"""Connections to the console: a head comes within its bounds, or the connection ends; what keeps to them is served."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from console import protocol
from console.protocol import ConsoleProtocol

LIMIT_S = 60  # for whatever is to happen; nothing here takes as long
HEAD = b"GET / HTTP/1.1\r\nHost: console\r\n\r\n"

Scenario = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


async def _app(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def run(scenario: Scenario) -> Any:
    """The scenario with a connection to a server of this protocol."""

    async def whole() -> Any:
        config = uvicorn.Config(_app, http=ConsoleProtocol, lifespan="off", log_config=None)
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: ConsoleProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(scenario(reader, writer), LIMIT_S)
            finally:
                writer.close()

    return asyncio.run(whole())


@pytest.mark.parametrize("sent", [b"", b"G", HEAD[:-2]], ids=["nothing", "a byte", "all but the end"])
def test_a_head_that_does_not_come_ends_the_connection(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(protocol, "HEAD_LIMIT_S", 0.2)

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(sent)
        return await reader.read()

    assert run(slow) == b""


def test_a_head_without_an_end_ends_the_connection() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD[:-2] + b"X-Long: ")
        for _ in range(2 * protocol.HEAD_LIMIT_BYTES // 4096):
            writer.write(b"x" * 4096)
        assert await reader.read() == b""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "HEAD_LIMIT_S", LIMIT_S)
        with suppress(ConnectionResetError):  # how what was still on its way may be answered
            run(endless)


def test_what_keeps_to_the_bounds_is_served_and_bodies_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"y" * (4 * protocol.HEAD_LIMIT_BYTES)

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for limit in (LIMIT_S, 0.0):  # a head that is there at once needs no time, whatever its body takes
            monkeypatch.setattr(protocol, "HEAD_LIMIT_S", limit)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert await reader.readexactly(len(body)) == body

    run(twice)
