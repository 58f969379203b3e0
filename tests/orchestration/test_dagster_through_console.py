"""Somebody signs in to the console and opens the real page of Dagster, without another login: until they sign out, or may no longer."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from pydantic import SecretStr

from console.api.app import create_app
from custom_events.access import api_keys, people
from custom_events.access.roles import Grant, Role
from custom_events.postgres import connect, role_logins
from custom_events.postgres.role_logins import Program
from custom_events.settings import Settings
from orchestration.dagster_sessions import READ_AGAIN_S, Sessions
from orchestration.dagster_webserver_guarded import App, Guard
from tests.console.api.asking import asking

ADMINISTRATOR, VIEWER, PASSWORD = "ana@example.org", "vic@example.org", "four words and more"
CONSOLE, DAGSTER = "http://127.0.0.1:8080", "http://127.0.0.1:3000"
TOKEN = "a-token-of-chance"
FROM_HERE = {"sec-fetch-site": "same-origin"}
A_PAGE = {"accept": "text/html"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The real webserver, of no code."""
    with (
        DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget(), read_only=True) as context,
    ):
        app: Any = create_app_from_workspace_process_context(context)
        yield app


@pytest.fixture
def guard(dagster: App, engine: sa.Engine, clock: Clock) -> Iterator[Guard]:
    """In front of it, asking the database by the pipeline's own login."""
    with engine.begin() as connection:
        url = role_logins.make(connection, [Program.PIPELINE])[Program.PIPELINE]
    own = connect.engine(url, name="tests")
    yield Guard(dagster, TOKEN, frozenset(), Sessions(own, clock), CONSOLE)
    own.dispose()


@pytest.fixture
def console(database: str, engine: sa.Engine, settings: Settings) -> Iterator[httpx.Client]:
    with engine.begin() as connection:
        for login, role in ((ADMINISTRATOR, Role.ADMINISTRATOR), (VIEWER, Role.VIEWER)):
            people.add(
                connection, login=login, display_name=login, grants=(Grant(role=role),), actor="test", password=PASSWORD
            )
    with asking(create_app(database, settings), base_url=CONSOLE) as client:
        client.headers.update(FROM_HERE)
        yield client


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        _env_file=None,
        local_directory=tmp_path_factory.mktemp("local"),
        dagster_token=SecretStr(TOKEN),
        operations_at_once=0,
    )


def ask(guard: Guard, method: str, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
    async def main() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=DAGSTER) as client:
            return await client.request(method, path, headers=headers, **more)

    return asyncio.run(main())


def sign_in(console: httpx.Client, login: str) -> None:
    assert console.post("/sign-in", data={"login": login, "password": PASSWORD}).status_code == 303


def opened(guard: Guard, console: httpx.Client, path: str = "/") -> dict[str, str]:
    """What the browser sends to Dagster's page once the console has led it there."""
    led = console.get("/dagster/open", params={"path": path})
    assert led.status_code == 303, led.text
    address = urlsplit(led.headers["location"])
    assert f"{address.scheme}://{address.netloc}" == DAGSTER
    let_in = ask(guard, "GET", f"{address.path}?{address.query}", A_PAGE)
    assert (let_in.status_code, let_in.headers["location"]) == (303, path)
    return {"cookie": let_in.headers["set-cookie"].partition(";")[0]}


def version(guard: Guard, headers: dict[str, str]) -> httpx.Response:
    return ask(guard, "POST", "/graphql", {**headers, **FROM_HERE}, json={"query": "{ version }"})


def test_whoever_is_signed_in_opens_it_until_they_sign_out(guard: Guard, console: httpx.Client, clock: Clock) -> None:
    sign_in(console, ADMINISTRATOR)
    assert 'href="dagster/open"' in console.get("/dagster").text
    cookie = opened(guard, console, "/runs?view=all")
    page = ask(guard, "GET", "/runs?view=all", {**cookie, **A_PAGE})
    assert page.status_code == 200
    assert "nonce-" in page.headers["content-security-policy"]  # of Dagster's making
    assert "version" in version(guard, cookie).json()["data"]
    assert console.post("/sign-out").status_code == 303
    clock.now += READ_AGAIN_S
    assert version(guard, cookie).status_code == 401
    led = ask(guard, "GET", "/runs?view=all", {**cookie, **A_PAGE}).headers["location"]
    signing_in = console.get(led.removeprefix(CONSOLE), headers=A_PAGE)
    assert signing_in.status_code == 303
    assert "/sign-in?next=dagster%2Fopen%3Fpath%3D%252Fruns" in f"/{signing_in.headers['location'].lstrip('./')}"


def test_who_may_no_longer_and_who_never_might_do_not(
    guard: Guard, console: httpx.Client, clock: Clock, engine: sa.Engine
) -> None:
    sign_in(console, VIEWER)
    assert console.get("/dagster/open").status_code == 403
    sign_in(console, ADMINISTRATOR)
    cookie = opened(guard, console)
    assert version(guard, cookie).status_code == 200
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.role_grants SET role = 'publisher' WHERE role = 'administrator'"))
    assert version(guard, cookie).status_code == 200  # an answer of the database is good for some seconds
    clock.now += READ_AGAIN_S
    assert version(guard, cookie).status_code == 401
    assert console.get("/dagster/open").status_code == 403


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "https://evil.example", "/a b", ""])
def test_a_ticket_goes_to_dagster_alone(guard: Guard, console: httpx.Client, path: str) -> None:
    sign_in(console, ADMINISTRATOR)
    address = urlsplit(console.get("/dagster/open", params={"path": path}).headers["location"])
    assert (f"{address.scheme}://{address.netloc}", address.path) == (DAGSTER, "/")


def test_a_program_is_given_no_ticket(console: httpx.Client, engine: sa.Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        grants = (Grant(role=Role.ADMINISTRATOR),)
        _, key = api_keys.make(connection, name="deploy", grants=grants, actor="test")
    answer = console.get("/dagster/open", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    assert "ticket" not in answer.text
