"""With JavaScript off every list and every detail page is read, and plain forms are sent."""

import pytest
from playwright.sync_api import Page, expect

from console.pages.install import all_pages
from tests.console.api.world import World
from tests.console.pages.test_rights import MINE, path_of
from tests.ui.conftest import LIMIT_MS

expect.set_options(timeout=LIMIT_MS)
pytestmark = pytest.mark.parametrize("context", [False], indirect=True, ids=["without a script"])
# A sign-in of who is signed in, and a story without a subject, are no pages to read.
NOT_READ = (
    "/sign-in",
    "/orders/story",
    "/help/models",
    "/shopify/install",
    "/shopify/callback",
)  # where nobody has asked for them


def test_every_page_is_read(signed_in: Page, world: World) -> None:
    bare: dict[str, str] = {}
    for page in all_pages():
        if page.operation.method != "GET" or page.path in NOT_READ:
            continue
        path = path_of(page, world, MINE)
        answer = signed_in.goto(path)
        assert answer is not None
        text = signed_in.locator("main").inner_text()
        if answer.status != 200 or not signed_in.locator("h1").is_visible() or len(text) < 40:
            bare[path] = f"{answer.status}: {text}"
    assert bare == {}


def test_a_plain_form_is_sent(signed_in: Page) -> None:
    signed_in.goto("/sites/new?way=custom")
    signed_in.get_by_label("Name", exact=True).fill("Shop Jena")
    signed_in.get_by_label("Currency").fill("EUR")
    signed_in.get_by_label("Time zone").fill("Europe/Berlin")
    signed_in.get_by_role("button", name="Make the site").click()
    expect(signed_in.get_by_role("heading", name="Shop Jena is made")).to_be_visible()
