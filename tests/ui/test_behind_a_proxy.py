"""A real browser, a proxy with a prefix, and two consoles that answer in turns: no process remembers anything."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from console.api.app import create_app
from console.pages.rendering import HTMX
from custom_events.settings import Settings
from tests.console.api.world import PASSWORD, World
from tests.ui.conftest import LIMIT_MS, Watched
from tests.ui.servers import proxy, serving

expect.set_options(timeout=LIMIT_MS)
PREFIX = "/tools/custom-events"


@pytest.fixture(params=[True, False], ids=["taken away", "left in the path"])
def behind(request: pytest.FixtureRequest, database: str, settings: Settings, world: World) -> Iterator[str]:
    """The address below which the proxy shows two consoles. Only where it leaves the prefix in the path they are told of it."""
    takes_away: bool = request.param
    url = "http://127.0.0.1" if takes_away else f"http://127.0.0.1{PREFIX}"
    told = settings.model_copy(update={"console_url": url})
    with (
        serving(create_app(database, told)) as first,
        serving(create_app(database, told), path="/healthz") as second,
        serving(proxy(PREFIX, (first, second), takes_away=takes_away)) as address,
    ):
        yield f"{address}{PREFIX}"


@pytest.fixture
def page(chromium: Browser, behind: str) -> Iterator[Page]:
    """A page that may ask for nothing outside the prefix, and on which nothing may go wrong."""
    context = chromium.new_context()
    context.set_default_timeout(LIMIT_MS)
    watched = Watched(behind)
    made = context.new_page()
    watched.watch(made)
    yield made
    context.close()
    assert watched.faults == []
    assert watched.elsewhere == []


def test_it_is_used_as_anywhere_else(page: Page, behind: str, world: World) -> None:
    page.goto(f"{behind}/sites/{world.mine.id}")
    page.get_by_label("Login").fill("ana@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    page.get_by_text("Pause", exact=True).click()
    page.get_by_label("Why").fill("stocktaking")
    page.get_by_role("button", name="Pause the site").click()
    expect(page.get_by_role("status").filter(has_text="The site is paused")).to_be_visible()
    page.get_by_text("Resume", exact=True).click()
    page.get_by_role("button", name="Resume the site").click()
    expect(page.get_by_role("status").filter(has_text="The site is active")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Overview", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert page.url == f"{behind}/"
    if HTMX.exists():
        with page.expect_response(lambda answer: "live=yes" in answer.url and answer.request.resource_type == "fetch"):
            page.goto(f"{behind}/deliveries?live=yes")
    page.goto(f"{behind}/docs")
    expect(page.get_by_role("heading", name="Custom Events")).to_be_visible()
