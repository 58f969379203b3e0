"""Dagster's webserver behind a guard: a session of the console opens its page, and no page of elsewhere acts through their browser.

Dagster has neither a login nor a look at where a request comes from: any page in a browser on this machine could start runs (a form that
is sent to 127.0.0.1, a name that is led there). The console leads administrators here with a ticket, a cookie names their session from then
on, and the database says whether that is good still (docs/decisions/0063). Programs send the token itself, as a bearer.
"""

import hmac
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from sqlalchemy.exc import SQLAlchemyError

from custom_events.access import dagster_entry
from custom_events.settings import Settings, settings
from custom_events.values.hosts import is_local
from orchestration.dagster_sessions import Sessions

COOKIE: Final = "custom_events_dagster"
TICKET_FIELD: Final = "ticket"  # of the query with which the page is opened
_TOKEN: Final = re.compile(r"[0-9A-Za-z_.~-]{16,}")  # goes in a header as it is, and is not guessed
OPEN_PATHS: Final = frozenset({"/server_info"})  # versions alone: the supervisor asks there whether it lives
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_GRAPHQL: Final = "/graphql"  # carries a change out by GET, too, unless it is asked for a page
_OURS: Final = ("same-origin", "none")
_NOT_DAGSTERS: Final = (
    b"cookie",
    b"authorization",
)  # whatever else serves on this host has its cookies here, too: the console's
_POLICY_VIOLATION: Final = 1008  # why a WebSocket is closed (RFC 6455, 7.4.1)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_REFUSED: Final = b"Open Dagster from the console (Dagster, for administrators)."
_SPENT: Final = b"This link was used or is older than a minute. Open Dagster from the console again."
_AWAY: Final = b"The database does not say whether your session is good. Try again."
_HEADERS: Final = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class Guard:
    """ASGI in front of Dagster's app. `hosts`: names by which we are asked, without ports; those of this machine are always among them.
    `console_url`: where people sign in; `is_https`: browsers reach the page by https alone."""

    def __init__(
        self,
        app: App,
        token: str,
        hosts: frozenset[str],
        sessions: Sessions,
        console_url: str,
        *,
        is_https: bool = False,
    ) -> None:
        self._app, self._token, self._hosts, self._sessions = app, token.encode(), hosts, sessions
        self._console_url = console_url.rstrip("/")
        self._cookie = f"__Host-{COOKIE}" if is_https else COOKIE
        self._attributes = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_https else "")
        self._spent: dict[str, float] = {}  # tickets that were used, until they are too old

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._is_asked_by_name(headers):
            await _refuse(scope, send, 421, b"Nobody is here by this name.")
        elif (ticket := _ticket(scope)) is not None:
            await self._let_in(scope, send, ticket)
        elif scope["type"] == "http" and scope["path"] in OPEN_PATHS:
            await self._app(_without_logins(scope), receive, send)
        else:
            try:
                await self._serve(scope, headers, receive, send)
            except SQLAlchemyError:
                await _refuse(scope, send, 503, _AWAY)

    async def _serve(self, scope: Message, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        session_id = self._session_id(headers)
        is_known = await self._sessions.may_open(session_id) if session_id else self._has_token(headers)
        if not is_known and _is_page(scope, headers):
            await self._to_console(scope, send)
        elif not is_known:
            await _refuse(scope, send, 401, _REFUSED)
        elif not self._is_of_ours(scope, headers):
            await _refuse(scope, send, 403, b"A page of another site may not act here.")
        else:
            send = _framed_by_nobody(send)
            if session_id and scope["type"] == "websocket":
                send = self._while_good(send, session_id)
            await self._app(_without_logins(scope), receive, send)

    def _is_asked_by_name(self, headers: Mapping[str, str]) -> bool:
        try:
            host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        except ValueError:
            return False
        return is_local(host) or host in self._hosts

    async def _let_in(self, scope: Message, send: Send, ticket: str) -> None:
        """To the same address without the ticket, which then stands in no history of the browser."""
        now = time.time()
        session_id = dagster_entry.session_of_ticket(ticket, self._token, now=now)
        self._spent = {used: until for used, until in self._spent.items() if until >= now}
        if session_id is None or ticket in self._spent:
            await _answer(send, 401, _SPENT, ())
            return
        self._spent[ticket] = now + dagster_entry.TICKET_S + 1
        query = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != TICKET_FIELD]
        path = "/" + quote(scope["path"].lstrip("/\\"))  # never to another host
        location = f"{path}?{urlencode(query)}" if query else path
        cookie = f"{self._cookie}={dagster_entry.mark(session_id, self._token)}; {self._attributes}"
        extra = ((b"location", location.encode()), (b"set-cookie", cookie.encode()))
        await _answer(send, 303, b"", extra)

    async def _to_console(self, scope: Message, send: Send) -> None:
        """Who is signed in there comes back with a ticket; others sign in first."""
        query = scope["query_string"].decode("latin-1")
        path = quote(scope["path"]) + (f"?{query}" if query else "")
        location = f"{self._console_url}/dagster/open?{urlencode({'path': path})}"
        await _answer(send, 303, b"", ((b"location", location.encode()),))

    def _session_id(self, headers: Mapping[str, str]) -> int | None:
        # Split by hand: whatever else serves on this machine has its cookies here, too, and http.cookies stops at one that it cannot read.
        pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
        marks = (dagster_entry.session_of_mark(value, self._token) for name, _, value in pairs if name == self._cookie)
        return next((session_id for session_id in marks if session_id is not None), None)

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            bearer.strip().encode("utf-8", "replace"), self._token
        )

    def _while_good(self, send: Send, session_id: int) -> Send:
        """A WebSocket stays open for hours: it ends with the session."""
        has_ended = False

        async def sent(message: Message) -> None:
            nonlocal has_ended
            if has_ended:
                return
            if not await self._sessions.may_open(session_id):
                has_ended = True
                message = {"type": "websocket.close", "code": _POLICY_VIOLATION}
            await send(message)

        return sent

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


def _ticket(scope: Message) -> str | None:
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    return dict(parse_qsl(scope["query_string"].decode("latin-1"))).get(TICKET_FIELD)


def _is_page(scope: Message, headers: Mapping[str, str]) -> bool:
    """Whether a browser asks for a page that somebody will see."""
    return scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", "")


def _without_logins(scope: Message) -> Message:
    return {**scope, "headers": [line for line in scope["headers"] if line[0].lower() not in _NOT_DAGSTERS]}


def _is_query(scope: Message, headers: Mapping[str, str]) -> bool:
    """Whether Dagster would run a statement of GraphQL for it."""
    return scope["path"].rstrip("/").endswith(_GRAPHQL) and "text/html" not in headers.get("accept", "")


def _framed_by_nobody(send: Send) -> Send:
    """A page of another port of this machine has our cookie in its frames, and could have somebody click in them. Cookies that Dagster would
    set are the console's host's, too, and go no further."""

    async def framed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [line for line in message["headers"] if line[0].lower() != b"set-cookie"]
            if b"x-frame-options" not in {name.lower() for name, _ in headers}:
                headers.append((b"x-frame-options", b"SAMEORIGIN"))
            message = {**message, "headers": headers}
        await send(message)

    return framed


async def _refuse(scope: Message, send: Send, status: int, sentence: bytes) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
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

    from custom_events.postgres import connect

    configured = settings()
    if configured.dagster_token is None or configured.database_url is None:
        raise SystemExit("CUSTOM_EVENTS_DAGSTER_TOKEN or DATABASE_URL is missing: `custom-events up` sets both.")
    token = configured.dagster_token.get_secret_value()
    if _TOKEN.fullmatch(token) is None:
        raise SystemExit(
            "CUSTOM_EVENTS_DAGSTER_TOKEN needs 16 characters or more of A-Z, a-z, 0-9, '-', '_', '.' and '~'. Leave it unset: "
            "`custom-events up` makes one."
        )
    address = urlsplit(configured.dagster_url or "")
    hosts = frozenset({configured.dagster_host, address.hostname or "localhost"})
    engine = connect.engine(configured.database_url.get_secret_value(), name="dagster-guard", kept=1, more=1)
    sessions, is_https = Sessions(engine), address.scheme == "https"

    def run(app: App, **how: Any) -> None:
        uvicorn.run(Guard(app, token, hosts, sessions, _console_url(configured), is_https=is_https), **how)

    cli.uvicorn = SimpleNamespace(run=run)  # type: ignore[assignment]  # the only place where its app can be had
    cli.main()


def _console_url(configured: Settings) -> str:
    """Where browsers reach the console: as is set, else where it listens."""
    if "console_url" in configured.model_fields_set:
        return configured.console_url
    return f"http://{configured.console_host}:{configured.console_port}"


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    main()
