"""Below a prefix, which the proxy takes away or leaves in the path: every address of every page stays below it, and no header moves it."""

import re
from collections.abc import Iterator

import httpx
import pytest

from console.api.app import create_app
from console.pages.install import all_pages
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.world import PASSWORD, World
from tests.console.pages.conftest import BROWSER
from tests.console.pages.test_rights import MINE, path_of

PREFIX = "/tools/custom-events"
HOST = "https://events.example"
ADDRESSES = re.compile(r'\b(?:href|src|action|hx-get|hx-post)="([^"]*)"')


@pytest.fixture(scope="module")
def prefixed(database: str, settings: Settings, world: World) -> Iterator[httpx.Client]:
    """Ana, at a console that knows its prefix."""
    told = settings.model_copy(update={"console_url": f"{HOST}{PREFIX}/"})
    with asking(create_app(database, told)) as made:
        made.headers.update({**BROWSER, "Host": "events.example"})
        answer = made.post(f"{PREFIX}/sign-in", data={"login": "ana@example.org", "password": PASSWORD})
        cookie = answer.headers["set-cookie"].partition(";")[0]  # Secure: the client keeps it for https alone
        made.headers["Cookie"] = cookie
        yield made


def _addresses(client: httpx.Client, world: World, shown_below: str, asked_below: str) -> Iterator[tuple[str, str]]:
    """Each page's path with where each of its links, forms and files leads, for a browser that sees it below `shown_below`."""
    for page in all_pages():
        if page.operation.method != "GET":
            continue
        if page.path == "/help/models":  # there where `make models` has been
            continue
        path = path_of(page, world, MINE)
        answer = client.get(f"{asked_below}{path}")
        # 409: a story without a subject; 400: an install that names no shop
        assert answer.status_code in (200, 303, 400, 409), f"{path}: {answer.status_code}"
        for address in ADDRESSES.findall(answer.text):
            yield path, str(httpx.URL(f"{HOST}{shown_below}{path}").join(address.replace("&amp;", "&")))


def test_a_proxy_that_takes_the_prefix_away(browser: httpx.Client, world: World) -> None:
    outside = [pair for pair in _addresses(browser, world, PREFIX, "") if not pair[1].startswith(f"{HOST}{PREFIX}/")]
    assert outside == []


def test_a_proxy_that_leaves_the_prefix_in_the_path(prefixed: httpx.Client, world: World) -> None:
    outside = [
        pair for pair in _addresses(prefixed, world, PREFIX, PREFIX) if not pair[1].startswith(f"{HOST}{PREFIX}/")
    ]
    assert outside == []


def test_files_and_the_way_of_forms_below_the_prefix(prefixed: httpx.Client, world: World) -> None:
    for path in ("/static/console/console.css", "/static/console/typed.js", "/static/docs.js", "/healthz"):
        for asked in (f"{PREFIX}{path}", path):  # left in the path, and taken away
            assert prefixed.get(asked, headers={"Accept": "*/*"}).status_code == 200
    answer = prefixed.post(f"{PREFIX}/sites/{world.mine.id}/pause", data={"reason": "x"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"../../sites/{world.mine.id}")
    assert prefixed.post(f"{PREFIX}/sites/{world.mine.id}/resume").status_code == 303


def test_its_own_address_has_a_slash_behind_it(prefixed: httpx.Client) -> None:
    answer = prefixed.get(PREFIX)
    assert (answer.status_code, answer.headers["location"]) == (308, "custom-events/")
    assert prefixed.get(f"{PREFIX}/").status_code == 200


def test_the_api_names_addresses_with_the_prefix(prefixed: httpx.Client, world: World) -> None:
    given = {"platform": "custom", "name": "Shop Gera", "currency": "EUR"}
    made = prefixed.post(
        f"{PREFIX}/api/v1/sites", json=given, headers={**world.headers("administrator"), "Accept": "application/json"}
    )
    assert made.headers["location"].startswith(f"{PREFIX}/api/v1/sites/")
    assert prefixed.get(f"{PREFIX}/openapi.json").json()["servers"] == [{"url": PREFIX}]
    nothing = prefixed.get(f"{PREFIX}/api/v1/nothing")
    assert nothing.headers["content-type"] == "application/problem+json"


def test_no_header_moves_it(browser: httpx.Client, world: World) -> None:
    headers = {"X-Forwarded-Prefix": "/evil", "X-Script-Name": "/evil", "X-Forwarded-Host": "evil.example"}
    plain, asked = (browser.get("/sites", headers=more) for more in ({}, headers))
    assert "evil" not in asked.text
    assert ADDRESSES.findall(plain.text) == ADDRESSES.findall(asked.text)
    assert "servers" not in browser.get("/openapi.json", headers=headers).json()
