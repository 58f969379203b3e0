"""Pages count for the quota as operations of the API do, and say in words that it is used up."""

from collections.abc import Iterator

import httpx
import pytest

from console.api.app import create_app
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.world import PASSWORD, World
from tests.console.pages.conftest import BROWSER

DAY_S = 86_400  # no window ends while these tests run
PER_CALLER, PER_ADDRESS = 3, 2


@pytest.fixture
def client(database: str, settings: Settings) -> Iterator[httpx.Client]:
    """A browser, of which nothing has been counted yet."""
    changed = {
        "api_limit_window_s": DAY_S,
        "api_requests_per_caller": PER_CALLER,
        "api_requests_per_address": PER_ADDRESS,
    }
    with asking(create_app(database, settings.model_copy(update=changed))) as made:
        made.headers.update(BROWSER)
        yield made


def _is_refused_in_words(answer: httpx.Response) -> None:
    assert answer.status_code == 429
    assert answer.headers["content-type"].startswith("text/html")
    assert "Too many requests" in answer.text
    assert "Try again in" in answer.text
    assert 0 < int(answer.headers["retry-after"]) <= DAY_S
    assert ";r=0;" in answer.headers["ratelimit"]


def test_a_session_has_one_quota_for_pages_and_api(client: httpx.Client, world: World) -> None:
    signed_in = client.post("/sign-in", data={"login": "ana@example.org", "password": PASSWORD})
    assert signed_in.status_code == 303
    assert f";r={PER_ADDRESS - 1};" in signed_in.headers["ratelimit"]
    assert client.get("/sites").status_code == 200
    address, json = f"/api/v1/sites/{world.mine.id}", {"Accept": "application/json"}
    assert client.get(address, headers=json).headers["ratelimit"].startswith('"caller";r=1;')
    again = client.post("/sites/new", data={})
    assert again.status_code == 422, "a form that is shown again counts once"
    _is_refused_in_words(client.get("/sites"))
    _is_refused_in_words(client.post("/sites/new", data={}))
    assert client.get(address, headers=json).status_code == 429


def test_an_address_has_a_quota_for_whoever_is_not_signed_in(client: httpx.Client) -> None:
    assert client.get("/sites").headers["location"].startswith("sign-in"), "who is led elsewhere counts, too"
    assert client.get("/sign-in").status_code == 200
    _is_refused_in_words(client.get("/sites"))
    _is_refused_in_words(client.get("/sign-in"))
    assert client.get("/static/console/palette.css").status_code == 200
