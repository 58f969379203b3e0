"""Every component on one page, for whoever builds pages: there in a checkout only."""

from pathlib import Path

import httpx
import pytest

from console.api.app import create_app
from console.pages import install
from tests.console.api.asking import asking
from tests.console.api.world import World
from tests.console.pages.conftest import BROWSER


def test_it_shows_the_components(browser: httpx.Client) -> None:
    answer = browser.get("/styleguide")
    assert answer.status_code == 200
    for part in ("<table", 'class="field wrong"', 'class="empty"', "confirm", "diff", "<progress"):
        assert part in answer.text, part


def test_an_installation_without_a_checkout_has_no_such_page(
    database: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "CHECKOUT", Path("/nothing/workspace.yaml"))
    with asking(create_app(database, world.settings)) as client:
        headers = {**BROWSER, **world.headers("administrator")}
        assert client.get("/styleguide", headers=headers).status_code == 404
        assert client.get("/sites", headers=headers).status_code == 200
