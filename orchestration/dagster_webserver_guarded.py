"""Dagster's webserver behind a guard: who opens its page has a token, and no page of elsewhere acts through their browser.

Dagster has neither a login nor a look at where a request comes from: any page in a browser on this machine could start runs (a form that
is sent to 127.0.0.1, a name that is led there). `custom-events up` makes the token anew at each start; the console leads administrators
to the page with it, and a cookie keeps it from then on.
"""

import hmac
import os
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from custom_events.settings import settings
from custom_events.values.hosts import is_local

COOKIE: Final = "custom_events_dagster"
TOKEN_FIELD: Final = "token"  # of the query with which the page is opened  # noqa: S105
_TOKEN: Final = re.compile(r"[0-9A-Za-z_.~-]{16,}")  # stands in a query and in a cookie as it is, and is not guessed
OPEN_PATHS: Final = frozenset({"/server_info"})  # versions alone: the supervisor asks there whether it lives
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_GRAPHQL: Final = "/graphql"  # carries a change out by GET, too, unless it is asked for a page
_OURS: Final = ("same-origin", "none")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_REFUSED: Final = (
    b"Open Dagster from the console (Dagster, for administrators), or with the address that `custom-events up` shows."
)
_HEADERS: Final = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class Guard:
    """ASGI in front of Dagster's app. `hosts`: names by which we are asked, without ports; those of this machine are always among them.
    `is_https`: browsers reach it by https alone."""

    def __init__(self, app: App, token: str, hosts: frozenset[str], *, is_https: bool = False) -> None:
        self._app, self._token, self._hosts = app, token.encode(), hosts
        self._attributes = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_https else "")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._is_asked_by_name(headers):
            await _refuse(scope, send, 421, b"Nobody is here by this name.")
        elif self._is_opened(scope):
            await self._let_in(scope, send)
        elif scope["type"] == "http" and scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
        elif not self._has_token(headers):
            await _refuse(scope, send, 401, _REFUSED)
        elif not self._is_of_ours(scope, headers):
            await _refuse(scope, send, 403, b"A page of another site may not act here.")
        else:
            await self._app(scope, receive, _framed_by_nobody(send))

    def _is_asked_by_name(self, headers: Mapping[str, str]) -> bool:
        try:
            host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        except ValueError:
            return False
        return is_local(host) or host in self._hosts

    def _is_opened(self, scope: Message) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET":
            return False
        token = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get(TOKEN_FIELD)
        return token is not None and self._fits(token)

    async def _let_in(self, scope: Message, send: Send) -> None:
        """To the same address without the token, which then stands in no history of the browser."""
        query = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != TOKEN_FIELD]
        path = "/" + quote(scope["path"].lstrip("/\\"))  # never to another host
        location = f"{path}?{urlencode(query)}" if query else path
        cookie = f"{COOKIE}={self._token.decode()}; {self._attributes}"
        extra = ((b"location", location.encode()), (b"set-cookie", cookie.encode()))
        await _answer(send, 303, b"", extra)

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._fits(bearer.strip())
        # Split by hand: whatever else serves on this machine has its cookies here, too, and http.cookies stops at one that it cannot read.
        pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
        return any(name == COOKIE and self._fits(value) for name, _, value in pairs)

    def _fits(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token)

    def _is_of_ours(self, scope: Message, headers: Mapping[str, str]) -> bool:
        """Whether a request that may change something comes from our own page, or from no page."""
        if scope["type"] == "http" and scope["method"] in _SAFE and not _is_query(scope, headers):
            return True
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site not in _OURS:
            return False
        if origin is not None:
            return origin.partition("://")[2] == headers.get("host")
        return site is not None or "authorization" in headers


def _is_query(scope: Message, headers: Mapping[str, str]) -> bool:
    """Whether Dagster would run a statement of GraphQL for it."""
    return scope["path"].rstrip("/").endswith(_GRAPHQL) and "text/html" not in headers.get("accept", "")


def _framed_by_nobody(send: Send) -> Send:
    """A page of another port of this machine has our cookie in its frames, and could have somebody click in them."""

    async def framed(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name.lower() for name, _ in message["headers"]}
            if b"x-frame-options" not in names:
                message = {**message, "headers": [*message["headers"], (b"x-frame-options", b"SAMEORIGIN")]}
        await send(message)

    return framed


async def _refuse(scope: Message, send: Send, status: int, sentence: bytes) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _answer(send, status, sentence, ())


async def _answer(send: Send, status: int, body: bytes, extra: tuple[tuple[bytes, bytes], ...]) -> None:
    headers = [*_HEADERS, (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """`dagster-webserver` with its own arguments, behind the guard. The token comes from the environment."""
    import uvicorn
    from dagster_webserver import cli

    configured = settings()
    if configured.dagster_token is None:
        raise SystemExit("CUSTOM_EVENTS_DAGSTER_TOKEN is missing: `custom-events up` makes one.")
    token = configured.dagster_token.get_secret_value()
    if _TOKEN.fullmatch(token) is None:
        raise SystemExit(
            "CUSTOM_EVENTS_DAGSTER_TOKEN needs 16 characters or more of A-Z, a-z, 0-9, '-', '_', '.' and '~'. Leave it unset: "
            "`custom-events up` makes one."
        )
    address = urlsplit(configured.dagster_url or "")
    hosts = frozenset({configured.dagster_host, address.hostname or "localhost"})

    def run(app: App, **how: Any) -> None:
        uvicorn.run(Guard(app, token, hosts, is_https=address.scheme == "https"), **how)

    cli.uvicorn = SimpleNamespace(run=run)  # type: ignore[assignment]  # the only place where its app can be had
    cli.main()


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    main()
