"""Nobody opens Dagster's page without a session of the console, and no page of elsewhere acts through a browser that has one."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from custom_events.access import dagster_entry
from custom_events.settings import Settings
from orchestration import dagster_webserver_guarded as guarded
from orchestration.dagster_sessions import Sessions
from orchestration.dagster_webserver_guarded import COOKIE, Guard

TOKEN = "a-token-of-chance"
KEY = TOKEN.encode()
CONSOLE = "https://console.example/events"
GOOD, ENDED = 7, 8  # sessions of the console
WITH_COOKIE = {"cookie": f"{COOKIE}={dagster_entry.mark(GOOD, KEY)}"}
OF_ENDED = {"cookie": f"{COOKIE}={dagster_entry.mark(ENDED, KEY)}"}
A_PAGE = {"accept": "text/html,*/*"}


class SomeSessions(Sessions):
    """Of which one is good, as long as nobody ends it."""

    def __init__(self) -> None:
        self.good, self.is_away = {GOOD}, False

    async def may_open(self, session_id: int) -> bool:
        if self.is_away:
            raise sa.exc.OperationalError("", {}, Exception())
        return session_id in self.good


async def dagster(scope: Any, receive: Any, send: Any) -> None:
    """Whatever is asked is there, and says which headers it was sent."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": "a line of a log"})
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"dagster=1")]})
        await send({"type": "http.response.body", "body": b",".join(name for name, _ in scope["headers"])})


SESSIONS = SomeSessions()
GUARD = Guard(dagster, TOKEN, frozenset({"dagster.example"}), SESSIONS, CONSOLE)


def ask(
    method: str, path: str, headers: dict[str, str], host: str = "127.0.0.1:3000", guard: Guard = GUARD
) -> httpx.Response:
    async def main() -> httpx.Response:
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 401),
        ("GET", "/?ticket=another", {}, 401),
        ("GET", f"/?ticket={dagster_entry.mark(GOOD, KEY)}", {}, 401),
        ("GET", f"/?ticket={dagster_entry.ticket(GOOD, b'another', now=time.time())}", {}, 401),
        ("GET", "/", {"cookie": f"{COOKIE}=another"}, 401),
        ("GET", "/", {"cookie": f"{COOKIE}={TOKEN}"}, 401),
        ("GET", "/", {"cookie": f"{COOKIE}=7."}, 401),
        ("GET", "/", OF_ENDED, 401),
        ("POST", "/graphql", {**OF_ENDED, "sec-fetch-site": "same-origin", **A_PAGE}, 401),
        ("GET", "/", {"cookie": "\x00=;"}, 401),
        ("GET", "/", {"authorization": "Bearer another"}, 401),
        ("GET", "/", {"authorization": f"Basic {TOKEN}"}, 401),
        ("GET", "/runs", WITH_COOKIE, 200),
        ("GET", "/runs", {"authorization": f"Bearer {TOKEN}"}, 200),
        ("GET", "/server_info", {}, 200),
        ("POST", "/server_info?ticket=x", {}, 200),
        ("POST", "/graphql", {}, 401),
        ("POST", f"/graphql?ticket={dagster_entry.ticket(GOOD, KEY, now=time.time())}", {}, 401),
        ("POST", "/graphql", WITH_COOKIE, 403),  # a browser says from where it comes; this one does not
        ("POST", "/graphql", {**WITH_COOKIE, "sec-fetch-site": "cross-site"}, 403),
        ("POST", "/graphql", {**WITH_COOKIE, "sec-fetch-site": "same-site"}, 403),
        ("POST", "/graphql", {**WITH_COOKIE, "origin": "https://evil.example"}, 403),
        ("POST", "/graphql", {**WITH_COOKIE, "sec-fetch-site": "same-origin", "origin": "null"}, 403),
        ("POST", "/graphql", {**WITH_COOKIE, "sec-fetch-site": "same-origin"}, 200),
        ("POST", "/graphql", {**WITH_COOKIE, "origin": "http://127.0.0.1:3000"}, 200),
        ("POST", "/graphql", {**WITH_COOKIE, "origin": "http://["}, 403),
        ("POST", "/graphql", {"authorization": f"Bearer {TOKEN}"}, 200),
        # A picture of another page of this machine: Dagster carries changes out by GET, too.
        ("GET", "/graphql?query=mutation", {**WITH_COOKIE, "sec-fetch-site": "same-site", "accept": "image/*"}, 403),
        ("GET", "/graphql/?query=mutation", {**WITH_COOKIE, "accept": "image/*"}, 403),
        ("GET", "/graphql?query=mutation", {**WITH_COOKIE, "sec-fetch-site": "same-origin"}, 200),
        ("GET", "/graphql", {**WITH_COOKIE, "sec-fetch-site": "cross-site", "accept": "text/html"}, 200),
        ("GET", "/runs", {"cookie": f'of_others={{"a": 1}}; {WITH_COOKIE["cookie"]}'}, 200),
    ],
)  # fmt: skip
def test_who_may_what(method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = ask(method, path, headers)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:3000", 200), ("localhost", 200), ("[::1]:3000", 200), ("dagster.example", 200), ("evil.example", 421), ("[", 421)],
)  # fmt: skip
def test_a_name_that_is_led_here_is_not_ours(host: str, status: int) -> None:
    assert ask("GET", "/server_info", {"host": host}).status_code == status
    assert ask("GET", "/", {**WITH_COOKIE, "host": host}).status_code == status


def a_ticket(age_s: float = 0) -> str:
    return dagster_entry.ticket(GOOD, KEY, now=time.time() - age_s)


def test_a_ticket_opens_the_page_once_and_stands_in_the_address_no_longer() -> None:
    ticket = a_ticket()
    answer = ask("GET", f"/runs?ticket={ticket}&view=all", {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?view=all")
    cookie = f"{COOKIE}={dagster_entry.mark(GOOD, KEY)}"
    assert answer.headers["set-cookie"] == f"{cookie}; Path=/; HttpOnly; SameSite=Lax"
    assert ask("GET", "/runs", {"cookie": cookie}).status_code == 200
    assert ask("GET", f"/runs?ticket={ticket}", A_PAGE).status_code == 401  # and the browser is not led in a circle
    assert ask("GET", f"/?ticket={a_ticket()}", {}).headers["location"] == "/"
    assert ask("GET", f"/?ticket={a_ticket(dagster_entry.TICKET_S + 2)}", {}).status_code == 401


@pytest.mark.parametrize("headers", [{}, OF_ENDED, {"cookie": f"{COOKIE}=another"}])
def test_whoever_has_no_good_session_is_led_to_the_console_and_comes_back_where_they_were(
    headers: dict[str, str],
) -> None:
    answer = ask("GET", "/runs/a%20b?view=all&of=me", {**A_PAGE, **headers})
    assert answer.status_code == 303
    address = httpx.URL(answer.headers["location"])
    assert str(address).startswith(f"{CONSOLE}/dagster/open?")
    assert address.params["path"] == "/runs/a%20b?view=all&of=me"


def test_a_session_that_is_ended_opens_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SESSIONS, "good", set())
    assert ask("GET", "/runs", WITH_COOKIE).status_code == 401
    monkeypatch.setattr(SESSIONS, "is_away", True)  # nothing fails open
    assert ask("GET", "/runs", WITH_COOKIE).status_code == 503


def test_logins_of_the_console_and_others_do_not_reach_dagster_nor_cookies_of_its_a_browser() -> None:
    cookies = f"custom_events_session=secret; {WITH_COOKIE['cookie']}"
    for headers in ({"cookie": cookies}, {"authorization": f"Bearer {TOKEN}"}):
        answer = ask("GET", "/runs", {**headers, "x-of-dagster": "stays"})
        names = answer.text.split(",")
        assert "x-of-dagster" in names
        assert not {"cookie", "authorization"} & set(names)
        assert "set-cookie" not in answer.headers
    assert "cookie" not in ask("GET", "/server_info", {"cookie": cookies}).text.split(",")


def test_what_is_led_elsewhere_stays_here_and_nobody_frames_it() -> None:
    assert ask("GET", f"/%09/evil.example?ticket={a_ticket()}", {}).headers["location"] == "/%09/evil.example"
    assert ask("GET", "/runs", WITH_COOKIE).headers["x-frame-options"] == "SAMEORIGIN"


def of_websocket(headers: dict[str, str], *, ends: bool = False) -> list[str]:
    """What a client is sent that asks twice; `ends`: its session is ended between."""
    sent: list[Any] = []
    asked = iter(["websocket.receive", "websocket.receive", "websocket.disconnect"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        if ends and len(sent) == 2:
            SESSIONS.good.clear()
        return {"type": next(asked)}

    lines = [(name.encode(), value.encode()) for name, value in {"host": "127.0.0.1:3000", **headers}.items()]
    scope = {"type": "websocket", "path": "/graphql", "headers": lines, "query_string": b""}
    asyncio.run(GUARD(scope, receive, send))
    return [message["type"].removeprefix("websocket.") for message in sent]


def test_a_websocket_is_asked_the_same() -> None:
    of_ours = {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-origin"}
    assert of_websocket({**WITH_COOKIE, **of_ours}) == ["accept", "send", "send"]
    assert of_websocket({**of_ours, "authorization": f"Bearer {TOKEN}"}) == ["accept", "send", "send"]
    assert of_websocket({**WITH_COOKIE, "origin": "https://evil.example"}) == ["close"]
    assert of_websocket({"origin": "http://127.0.0.1:3000"}) == ["close"]
    assert of_websocket({**OF_ENDED, **of_ours, **A_PAGE}) == ["close"]


def test_a_websocket_ends_with_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SESSIONS, "good", {GOOD})
    assert of_websocket({**WITH_COOKIE, "sec-fetch-site": "same-origin"}, ends=True) == ["accept", "send", "close"]


def test_the_lifespan_is_dagsters() -> None:
    asyncio.run(GUARD({"type": "lifespan"}, None, None))  # type: ignore[arg-type]


def test_the_webserver_is_started_behind_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn
    from dagster_webserver import cli

    served: list[Any] = []
    monkeypatch.setattr(cli, "uvicorn", SimpleNamespace())
    monkeypatch.setattr(uvicorn, "run", lambda app, **how: served.append((app, how)))
    monkeypatch.setattr(cli, "main", lambda: cli.uvicorn.run(dagster, port=1))
    url = SecretStr("postgresql://nobody@127.0.0.1:1/nowhere")  # nothing is asked of it here
    given: dict[str, Any] = {"_env_file": None, "database_url": url, "dagster_token": SecretStr(TOKEN)}
    monkeypatch.setattr(guarded, "settings", lambda: Settings(**given, console_port=81))
    guarded.main()
    ((app, how),) = served
    assert isinstance(app, Guard)
    assert how == {"port": 1}
    assert ask("GET", "/", A_PAGE, guard=app).headers["location"].startswith("http://127.0.0.1:81/dagster/open?")
    of_tls = {**given, "dagster_url": "https://dagster.example/", "console_url": CONSOLE}
    monkeypatch.setattr(guarded, "settings", lambda: Settings(**of_tls))
    guarded.main()
    app = served[1][0]
    cookie = ask("GET", f"/?ticket={a_ticket()}", {}, "dagster.example", app).headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert cookie.endswith("; Secure")
    assert ask("GET", "/", A_PAGE, "dagster.example", app).headers["location"].startswith(f"{CONSOLE}/dagster/open?")
    monkeypatch.setattr(guarded, "settings", lambda: Settings(**{**given, "dagster_token": SecretStr("short; Path=/")}))
    with pytest.raises(SystemExit, match="16 characters"):
        guarded.main()
    monkeypatch.setattr(guarded, "settings", lambda: Settings(_env_file=None))
    with pytest.raises(SystemExit, match="CUSTOM_EVENTS_DAGSTER_TOKEN"):
        guarded.main()
