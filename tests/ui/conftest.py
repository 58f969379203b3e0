"""The console in a real Chromium, beside a server of its own for each file of tests. Nothing sleeps: what is waited for is named."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography.fernet import Fernet
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pydantic import SecretStr

from console.api.app import create_app
from custom_events.settings import Settings
from tests.console.api.world import PASSWORD, World
from tests.console.pages.conftest import database, engine, world

__all__ = ["database", "engine", "world"]  # fixtures

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",  # tests run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
LIMIT_MS = 60_000  # CI has two busy cores
START_S = 60.0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Those of an installation of the file's own, which does long operations as they are asked for."""
    key = SecretStr(Fernet.generate_key().decode())
    return Settings(_env_file=None, local_directory=tmp_path_factory.mktemp("local"), secret_key=key)


@pytest.fixture(scope="module")
def server(database: str, settings: Settings, world: World) -> Iterator[str]:
    """The address of a console on the file's database."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(database, settings)
        running = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", ws="none"))
        thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        _wait_for(address)
        yield address
        running.should_exit = True
        thread.join(START_S)


def _wait_for(address: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/healthz", timeout=START_S, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
    raise AssertionError(f"{address} does not answer")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium; the tests are skipped where it is not installed."""
    path = os.environ.get("CHROMIUM", CHROMIUM)
    if not Path(path).exists() and shutil.which(path) is None:
        pytest.skip(f"There is no {path}: apt-get install chromium, or name one by the variable CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=LIMIT_MS)
        yield browser
        browser.close()


# What browsers write to their console when a form is answered by a conflict or by its faults, which a task asks for.
ASKED_FOR = tuple(f"the server responded with a status of {status}" for status in (409, 422))


class Watched:
    """What a browser did beside what it was asked to: faults on pages, and requests to other hosts."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.faults: list[str] = []
        self.elsewhere: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "request", lambda asked: None if asked.url.startswith(self.address) else self.elsewhere.append(asked.url)
        )

    def _said(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and not any(words in said.text for words in ASKED_FOR):
            self.faults.append(said.text)


@pytest.fixture(params=[True], ids=["script"])
def context(request: pytest.FixtureRequest, chromium: Browser, server: str) -> Iterator[BrowserContext]:
    """An empty session in Berlin."""
    made = chromium.new_context(java_script_enabled=request.param, timezone_id="Europe/Berlin", base_url=server)
    made.set_default_timeout(LIMIT_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, server: str) -> Iterator[Page]:
    """A page on which nothing may go wrong, and nothing is loaded from elsewhere."""
    watched = Watched(server)
    made = context.new_page()
    watched.watch(made)
    yield made
    assert watched.faults == []
    assert watched.elsewhere == []


@pytest.fixture
def signed_in(page: Page) -> Page:
    """Ana, an administrator, on the overview."""
    page.goto("/")
    page.get_by_label("Login").fill("ana@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("h1:has-text('Overview')")
    return page
