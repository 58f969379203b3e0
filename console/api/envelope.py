"""Around every request, whatever serves it: its id, the headers that protect who reads the answer, one line in the log, and an answer
also where a part of ours failed unexpectedly."""

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.api import problems
from console.api.problems import ProblemError
from console.api.request_metrics import RequestMetrics
from console.api.translation import INTERNAL_DETAIL
from custom_events.logs import frames_of

REQUEST_ID: Final = "X-Request-Id"
HSTS: Final = (
    "max-age=31536000; includeSubDomains"  # a year (ASVS 5 3.4.1); hosts below the console's own are its alone
)
_ID_BYTES: Final = 16  # 128 bits: two requests never share one
_ACCEPTED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
# Nothing is loaded from elsewhere, nothing is written into pages: scripts and styles are files of ours.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PROTECTION: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_LOG = structlog.get_logger(__name__)


def _raw(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


_ID: Final = REQUEST_ID.lower().encode()
_FILE, _SHOWN = _raw({"Cache-Control": "no-cache"})[0], _raw({"Cache-Control": "no-store"})[0]


class Envelope:
    """ASGI middleware. `https`: the console is reached by it, so that browsers may be told never to come without; `on_request` is told
    the id of each request."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        https: bool,
        metrics: RequestMetrics,
        on_request: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._on_request = on_request
        self._headers = _raw({**PROTECTION, **({"Strict-Transport-Security": HSTS} if https else {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of connections pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        if self._on_request is not None:
            self._on_request(request_id)
        began = time.monotonic()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Files of ours are asked for anew only where they changed (ETag); what is shown of stores is kept nowhere.
                ours = _FILE if "/static/" in scope["path"] else _SHOWN
                headers = message.get("headers", ())
                names = {name.lower() for name, _ in headers}
                message["headers"] = [
                    *headers,
                    (_ID, request_id.encode()),
                    *(header for header in (ours, *self._headers) if header[0] not in names),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer)
            except Exception as error:  # noqa: BLE001  (whatever it is: the client gets an answer, the log what happened)
                _LOG.error("request_failed", error=type(error).__name__, where=frames_of(error))
                if status == 0:
                    await _send_internal(answer, request_id)
            self._account(scope, status, time.monotonic() - began)

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        """A figure and a line in the log for each request: the route, never the query, which may name people."""
        route = getattr(scope.get("route"), "path", None)
        self._metrics.observe(scope["method"], route, status, seconds)
        level = "debug" if route in ("/healthz", None) else "info"
        getattr(_LOG, level)(
            "request",
            method=scope["method"],
            route=route or "none",
            status=status,
            duration_ms=round(1000 * seconds, 1),
        )


def _request_id(scope: Scope) -> str:
    """The client's, where it is one of a form that may stand in headers and logs; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTED.match(request_id := value.decode("latin-1")):
            return request_id
    return os.urandom(_ID_BYTES).hex()


async def _send_internal(send: Send, request_id: str) -> None:
    problem = ProblemError(problems.INTERNAL, INTERNAL_DETAIL).document(request_id)
    headers = [(b"content-type", problems.MEDIA_TYPE.encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(problem)})
