"""Servers of a test's own: consoles that may be ended and begun again, and a proxy before them."""

import itertools
import socket
import threading
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

START_S = 60.0
STOP_S = 5
# Of one connection only, or counted anew by whoever sends the body on.
_NOT_HANDED_ON = {
    "connection",
    "content-length",
    "transfer-encoding",
    "content-encoding",
    "keep-alive",
    "date",
    "server",
}


@contextmanager
def serving(app: FastAPI | Starlette, port: int = 0, path: str = "/healthz") -> Generator[str]:
    """The address of the app while the block runs; `port` 0: a free one. `path` answers once it serves."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        running = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="on", ws="none", timeout_graceful_shutdown=STOP_S)
        )
        thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        _wait_for(address + path)
        try:
            yield address
        finally:
            running.should_exit = True
            thread.join(START_S)


def proxy(prefix: str, consoles: Sequence[str], *, takes_away: bool) -> Starlette:
    """A reverse proxy that shows consoles below `prefix`, each request by the next of them; it takes the prefix away, or leaves it in the path."""
    turns = itertools.cycle(consoles)
    client = httpx.AsyncClient(trust_env=False, timeout=START_S, limits=httpx.Limits(max_keepalive_connections=0))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        await client.aclose()

    async def hand_on(request: Request) -> Response:
        path = request.url.path.removeprefix(prefix) if takes_away else request.url.path
        query = f"?{request.url.query}" if request.url.query else ""
        answer = await client.request(
            request.method,
            f"{next(turns)}{path}{query}",
            headers=[(name, value) for name, value in request.headers.items() if name not in _NOT_HANDED_ON],
            content=await request.body(),
        )
        made = Response(answer.content, answer.status_code)
        for name, value in answer.headers.multi_items():
            if name not in _NOT_HANDED_ON:
                made.headers.append(name, value)
        return made

    async def elsewhere(request: Request) -> Response:
        return Response(f"{request.url.path} is of another program", 404)

    methods = ["GET", "POST", "HEAD"]
    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/healthz", lambda _: Response("fine")),
            Route(f"{prefix}/{{rest:path}}", hand_on, methods=methods),
            Route("/{rest:path}", elsewhere, methods=methods),
        ],
    )


def _wait_for(address: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            if httpx.get(address, timeout=START_S, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
    raise AssertionError(f"{address} does not answer")
