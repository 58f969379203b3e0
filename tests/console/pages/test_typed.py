"""What the server does for what is typed: it says which form it has taken, and leads back who must sign in again."""

import httpx
import pytest
from fastapi import FastAPI

from console.pages.install import all_pages
from console.pages.typed import COOKIE, FIELD, ReadPages
from tests.console.api.asking import asking
from tests.console.api.world import World
from tests.console.pages.conftest import BROWSER

TOKEN = "0123456789abcdef0123456789abcdef0123"
HERE = "http://127.0.0.1"
ENDED = {**BROWSER, "Cookie": "custom_events_session=ended"}


def test_a_form_that_is_taken_is_named(browser: httpx.Client, world: World) -> None:
    taken = browser.post(f"/sites/{world.mine.id}/resume", data={FIELD: TOKEN})
    assert f"{COOKIE}={TOKEN}; Path=/; Max-Age=600; SameSite=Lax" in taken.headers.get_list("set-cookie")


@pytest.mark.parametrize("token", ["", "x; Path=/evil", "short"])
def test_only_what_the_script_makes_is_said_again(browser: httpx.Client, world: World, token: str) -> None:
    answer = browser.post(f"/sites/{world.mine.id}/resume", data={FIELD: token})
    assert COOKIE not in str(answer.headers.get_list("set-cookie"))


def test_a_form_with_a_fault_is_not_taken(browser: httpx.Client, world: World) -> None:
    answer = browser.post("/sites/new", data={FIELD: TOKEN, "platform": "custom", "name": ""})
    assert answer.status_code == 422
    assert "data-problem" in answer.text
    assert COOKIE not in str(answer.headers.get_list("set-cookie"))


def test_whose_session_has_ended_signs_in_where_they_sent_the_form(app: FastAPI, world: World) -> None:
    path = f"/sites/{world.mine.id}"
    with asking(app) as client:
        answer = client.post(f"{path}/pause", headers={**ENDED, "Referer": f"{HERE}/any/prefix{path}?tab=2"})
        assert answer.status_code == 401
        assert "Your session has ended" in answer.text
        assert f'name="next" value="{path[1:]}?tab=2"' in answer.text
        assert 'action="../../sign-in"' in answer.text
        assert "Your session has ended" not in client.post(f"{path}/pause", headers=BROWSER).text


@pytest.mark.parametrize(
    ("path", "referer", "back"),
    [
        ("/sites/5/pause", "", "sites/5"),
        ("/sites/5/pause", f"{HERE}/sites?state=active", "sites/5"),
        ("/definitions/dear/edit", f"{HERE}/definitions/dear/edit", "definitions/dear/edit"),
        ("/parked/replay", f"{HERE}/p/parked?site_id=3", "parked?site_id=3"),
        ("/api-keys/7/revoke", "", "api-keys"),
        ("/sign-out", "", ""),
        ("/nothing/here", f"{HERE}/?a=b", ""),
        ("/sites/5/pause", f"{HERE}/sites/5?next=//evil.example", "sites/5"),
    ],
)
def test_the_nearest_page_that_is_read(path: str, referer: str, back: str) -> None:
    assert ReadPages(all_pages()).nearest(path, referer) == back
