"""uvicorn with the receiver's protocol on a real socket, in the test's own event loop, and a client of it."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from custom_events.platforms.base import Secret, StorePlatform
from custom_events.queries.landing import Site
from custom_events.values.deliveries import Platform
from ingest_api.app import Receiver
from ingest_api.groups import OnResult
from ingest_api.protocol import DeliveryProtocol

LIMIT_S = 30.0
SITE = Site(site_id=1, platform=Platform.SHOPIFY, secrets=(Secret(value=b"shopify-secret"),))


class Watched(Receiver):
    """Notes what comes by ASGI."""

    def __init__(self, *given_parts: Any) -> None:
        super().__init__(*given_parts)
        self.by_asgi: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One ASGI connection."""
        if scope["type"] == "http":
            self.by_asgi.append(scope["path"])
        await super().__call__(scope, receive, send)


class Holding(Watched):
    """Stores nothing, and leaves it to the test when a delivery is told."""

    def __init__(self, *given_parts: Any) -> None:
        super().__init__(*given_parts)
        self.tells: list[OnResult] = []

    def store(
        self, platform: StorePlatform, site: Site, headers: Mapping[str, str], body: bytes, on_result: OnResult
    ) -> None:
        """Nothing yet."""
        del platform, site, headers, body
        self.tells.append(on_result)


class Failing(Watched):
    """Has a fault."""

    def store(self, *_: Any) -> None:
        """Fails."""
        raise ZeroDivisionError


class Client:
    """One connection. `send` lets the server see each piece by itself: both are on one event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            for _ in range(3):
                await asyncio.sleep(0)

    async def answer(self) -> bytes:
        """The next answer, head and body."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), LIMIT_S)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head + await asyncio.wait_for(self.reader.readexactly(length), LIMIT_S)

    async def end(self) -> bytes:
        """What comes until the server closes."""
        return await asyncio.wait_for(self.reader.read(), LIMIT_S)


@asynccontextmanager
async def serving(
    app: Receiver, **changed: Any
) -> AsyncGenerator[tuple[uvicorn.Server, Callable[[], Awaitable[Client]]]]:
    """uvicorn as `ingest_api.serve` runs it, and a way to connect."""
    usual = {"access_log": False, "server_header": False, "date_header": False, "proxy_headers": False}
    config = uvicorn.Config(
        app, http=DeliveryProtocol, ws="none", lifespan="on", log_config=None, **{**usual, **changed}
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    task = asyncio.create_task(server.serve([listening]))
    clients: list[Client] = []

    async def connected() -> Client:
        clients.append(Client(*await asyncio.open_connection(*address)))
        return clients[-1]

    try:
        async with asyncio.timeout(LIMIT_S):
            while not server.started:
                await asyncio.sleep(0.01)
        yield server, connected
    finally:
        server.should_exit = True
        for client in clients:
            client.writer.close()
        await asyncio.wait_for(task, LIMIT_S)


async def known(app: Receiver) -> None:
    """Puts the sites in memory: the shorter way waits for nothing."""
    for key in ("shop-key", "woo-key", "removed-key", "@acme.myshopify.com", "@woo.example"):
        assert await app._sites.find(key)
