"""What somebody types outlives a server that is restarted, a connection that is lost and a session that ends; what is secret is kept nowhere."""

import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from console.api.app import create_app
from custom_events.catalog import definitions
from custom_events.settings import Settings
from tests.console.api.world import END_SESSIONS, PASSWORD, World
from tests.ui.conftest import LIMIT_MS
from tests.ui.servers import serving

expect.set_options(timeout=LIMIT_MS)
TYPED = '{"trigger": ["order.created"], "priority": 3}'
KEPT = "Object.entries(sessionStorage).map(([key, value]) => `${key} ${value}`).join()"


class Restarted:
    """A console on one port, which tests end and begin again."""

    def __init__(self, database: str, settings: Settings) -> None:
        self._database, self._settings = database, settings
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._stack = ExitStack()
        self.address = self.start()

    def start(self) -> str:
        return self._stack.enter_context(serving(create_app(self._database, self._settings), self._port))

    def stop(self) -> None:
        self._stack.close()


@pytest.fixture
def console(database: str, settings: Settings, world: World) -> Iterator[Restarted]:
    made = Restarted(database, settings)
    yield made
    made.stop()


@pytest.fixture
def typing(chromium: Browser, console: Restarted, engine: sa.Engine, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Ana, in the middle of a definition that is the test's own."""
    key = f"d_{zlib.crc32(request.node.name.encode())}"
    with engine.begin() as connection:
        definitions.create(connection, key=key, name="For typing", config={"trigger": ["order.paid"]}, author="ana")
    context = chromium.new_context(base_url=console.address)
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto(f"/sign-in?next=definitions%2F{key}%2Fedit")
    _sign_in(page)
    page.get_by_label("Why, for the history").fill("they asked for it")
    yield page
    context.close()


def _sign_in(page: Page) -> None:
    page.get_by_label("Login").fill("ana@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def _end_sessions(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(END_SESSIONS)


def _is_there(page: Page) -> None:
    expect(page.get_by_label("Why, for the history")).to_have_value("they asked for it")


def _save(page: Page) -> None:
    page.get_by_role("button", name="Keep as a draft").click()


def _is_taken(page: Page) -> None:
    expect(page.get_by_role("status").filter(has_text="is a draft")).to_be_visible()
    assert page.evaluate(KEPT) == ""


def test_a_server_is_restarted_while_somebody_types(typing: Page, console: Restarted) -> None:
    console.stop()
    _save(typing)
    expect(typing.locator("#away")).to_be_visible()
    _is_there(typing)
    console.start()
    expect(typing.locator("#away")).to_be_hidden()
    _save(typing)
    _is_taken(typing)


def test_a_page_that_is_loaded_again_has_what_was_typed(typing: Page) -> None:
    typing.reload()
    _is_there(typing)
    expect(typing.locator("#typed")).to_be_visible()
    typing.get_by_role("button", name="Discard it").click()
    expect(typing.locator("#typed")).to_be_hidden()
    expect(typing.get_by_label("Why, for the history")).to_have_value("")


def test_a_lost_connection_says_so_and_comes_back(typing: Page) -> None:
    typing.context.set_offline(True)
    expect(typing.locator("#away")).to_be_visible()
    _save(typing)
    _is_there(typing)
    typing.context.set_offline(False)
    expect(typing.locator("#away")).to_be_hidden()
    _save(typing)
    _is_taken(typing)


def test_a_session_is_revoked_while_somebody_types(typing: Page, engine: sa.Engine) -> None:
    typed_on = typing.url
    _end_sessions(engine)
    _save(typing)
    expect(typing.get_by_role("alert")).to_contain_text("Your session has ended")
    _sign_in(typing)
    _is_there(typing)
    assert typing.url == typed_on
    _save(typing)
    _is_taken(typing)


def test_what_somebody_else_changed_meanwhile_is_a_conflict_all_the_same(typing: Page, engine: sa.Engine) -> None:
    key = typing.url.split("/")[-2]
    _end_sessions(engine)
    with engine.begin() as connection:
        definitions.draft(connection, key, {"trigger": ["order.paid"], "priority": 7}, expected=1, author="bea")
    _save(typing)
    _sign_in(typing)
    _is_there(typing)
    _save(typing)
    expect(typing.locator("#conflict [name=reason]")).to_have_value("they asked for it")
    typing.get_by_role("button", name="Keep this as a draft").click()
    _is_taken(typing)


def test_who_signs_out_leaves_nothing_and_secrets_are_kept_nowhere(typing: Page) -> None:
    typing.goto("/sites/new?way=custom")
    typing.get_by_label("Name", exact=True).fill("Shop Kiel")
    typing.get_by_label("Secret", exact=True).fill("very secret words")
    kept = typing.evaluate(KEPT)
    assert "Shop Kiel" in kept
    assert "they asked for it" in kept
    assert "very secret" not in kept
    typing.get_by_role("button", name="Sign out").click()
    expect(typing.get_by_role("button", name="Sign in")).to_be_visible()
    assert typing.evaluate(KEPT) == ""
