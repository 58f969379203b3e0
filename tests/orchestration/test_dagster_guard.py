"""Nobody opens Dagster's page without its token, and no page of elsewhere acts through a browser that has it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from custom_events.settings import Settings
from orchestration import dagster_webserver_guarded as guarded
from orchestration.dagster_webserver_guarded import COOKIE, Guard

TOKEN = "a-token-of-chance"
WITH_COOKIE = {"cookie": f"{COOKIE}={TOKEN}"}


async def dagster(scope: Any, receive: Any, send: Any) -> None:
    """Whatever is asked is there."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"dagster"})


GUARD = Guard(dagster, TOKEN, frozenset({"dagster.example"}))


def ask(method: str, path: str, headers: dict[str, str], host: str = "127.0.0.1:3000") -> httpx.Response:
    async def main() -> httpx.Response:
        transport = httpx.ASGITransport(GUARD)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 401),
        ("GET", "/?token=another", {}, 401),
        ("GET", "/", {"cookie": f"{COOKIE}=another"}, 401),
        ("GET", "/", {"cookie": "\x00=;"}, 401),
        ("GET", "/", {"authorization": "Bearer another"}, 401),
        ("GET", "/", {"authorization": f"Basic {TOKEN}"}, 401),
        ("GET", "/runs", WITH_COOKIE, 200),
        ("GET", "/runs", {"authorization": f"Bearer {TOKEN}"}, 200),
        ("GET", "/server_info", {}, 200),
        ("POST", "/server_info?token=x", {}, 200),
        ("POST", "/graphql", {}, 401),
        ("POST", f"/graphql?token={TOKEN}", {}, 401),
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
        ("GET", "/runs", {"cookie": f'of_others={{"a": 1}}; {COOKIE}={TOKEN}'}, 200),
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


def test_the_token_opens_the_page_and_stands_in_the_address_no_longer() -> None:
    answer = ask("GET", f"/runs?token={TOKEN}&view=all", {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?view=all")
    assert answer.headers["set-cookie"] == f"{COOKIE}={TOKEN}; Path=/; HttpOnly; SameSite=Lax"
    assert ask("GET", f"/?token={TOKEN}", {}).headers["location"] == "/"


def test_what_is_led_elsewhere_stays_here_and_nobody_frames_it() -> None:
    assert ask("GET", f"/%09/evil.example?token={TOKEN}", {}).headers["location"] == "/%09/evil.example"
    assert ask("GET", "/runs", WITH_COOKIE).headers["x-frame-options"] == "SAMEORIGIN"


def of_websocket(headers: dict[str, str]) -> str:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    lines = [(name.encode(), value.encode()) for name, value in {"host": "127.0.0.1:3000", **headers}.items()]
    scope = {"type": "websocket", "path": "/graphql", "headers": lines, "query_string": b""}
    asyncio.run(GUARD(scope, receive, send))
    return str(sent[0]["type"])


def test_a_websocket_is_asked_the_same() -> None:
    assert (
        of_websocket({**WITH_COOKIE, "origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-origin"})
        == "websocket.accept"
    )
    assert of_websocket({**WITH_COOKIE, "origin": "https://evil.example"}) == "websocket.close"
    assert of_websocket({"origin": "http://127.0.0.1:3000"}) == "websocket.close"


def test_the_lifespan_is_dagsters() -> None:
    asyncio.run(GUARD({"type": "lifespan"}, None, None))  # type: ignore[arg-type]


def test_the_webserver_is_started_behind_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn
    from dagster_webserver import cli

    served: list[Any] = []
    monkeypatch.setattr(cli, "uvicorn", SimpleNamespace())
    monkeypatch.setattr(uvicorn, "run", lambda app, **how: served.append((app, how)))
    monkeypatch.setattr(cli, "main", lambda: cli.uvicorn.run(dagster, port=1))
    monkeypatch.setattr(guarded, "settings", lambda: Settings(_env_file=None, dagster_token=SecretStr(TOKEN)))
    guarded.main()
    ((app, how),) = served
    assert isinstance(app, Guard)
    assert how == {"port": 1}
    of_tls = Settings(_env_file=None, dagster_token=SecretStr(TOKEN), dagster_url="https://dagster.example/")
    monkeypatch.setattr(guarded, "settings", lambda: of_tls)
    guarded.main()
    monkeypatch.setattr("tests.orchestration.test_dagster_guard.GUARD", served[1][0])
    assert ask("GET", f"/?token={TOKEN}", {}, "dagster.example").headers["set-cookie"].endswith("; Secure")
    monkeypatch.setattr(guarded, "settings", lambda: Settings(_env_file=None, dagster_token=SecretStr("short; Path=/")))
    with pytest.raises(SystemExit, match="16 characters"):
        guarded.main()
    monkeypatch.setattr(guarded, "settings", lambda: Settings(_env_file=None))
    with pytest.raises(SystemExit, match="CUSTOM_EVENTS_DAGSTER_TOKEN"):
        guarded.main()
