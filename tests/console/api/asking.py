"""Asking an app without a server: a synchronous httpx client whose requests run in the app's own event loop."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI


class AppTransport(httpx.BaseTransport):
    """Requests as calls of the app, which answers as a server would: what it raises is an answer, too, or the test fails."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, address: str) -> None:
        self._transport = httpx.ASGITransport(app, client=(address, 50_000))
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._ask, request)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        whole = httpx.ByteStream(b"".join(request.stream))  # of a body that comes in parts only the headers tell
        asked = httpx.Request(request.method, request.url, headers=request.headers, stream=whole)
        answer = await self._transport.handle_async_request(asked)
        sent = b"".join([part async for part in answer.aiter_raw()])  # compressed where it is
        return httpx.Response(answer.status_code, headers=answer.headers, content=sent)


@contextmanager
def asking(app: FastAPI, *, base_url: str = "http://127.0.0.1", address: str = "127.0.0.1") -> Iterator[httpx.Client]:
    """A client of the app, which is started and stopped around the block. `address` is where the client is."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        httpx.Client(transport=AppTransport(app, portal, address), base_url=base_url) as client,
    ):
        yield client
