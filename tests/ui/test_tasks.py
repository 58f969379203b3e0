"""Tasks as people have them, each from an empty session in a real browser: no fault on any page, no request to another host."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from console.pages.install import all_pages
from console.pages.rendering import HTMX
from console.pages.vendored import TAKEN
from tests.console.api.ledger_rows import upload
from tests.console.api.raw_rows import parked_delivery
from tests.console.api.world import END_SESSIONS, PASSWORD, World
from tests.console.pages.test_rights import MINE, path_of

expect.set_options(timeout=60_000)
AXE = TAKEN["axe-core/axe.min.js"]


def test_sign_in_go_round_by_the_menu_and_sign_out(signed_in: Page) -> None:
    for name in (
        "Deliveries",
        "Orders",
        "Custom events",
        "Uploads",
        "Sites",
        "Definitions",
        "Assignments",
        "Audit trail",
    ):
        signed_in.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
        expect(signed_in.get_by_role("navigation").get_by_role("link", name=name, exact=True)).to_have_attribute(
            "aria-current", "page"
        )
    signed_in.get_by_role("button", name="Sign out").click()
    expect(signed_in.get_by_role("button", name="Sign in")).to_be_visible()


def test_make_an_event_for_dear_orders_publish_it_and_assign_it(signed_in: Page) -> None:
    signed_in.goto("/definitions/new")
    signed_in.get_by_label("Key").fill("dear")
    signed_in.get_by_label("Name").fill("Dear order")
    signed_in.get_by_role("button", name="Keep as a draft").click()
    expect(signed_in.locator(".toast")).to_contain_text("is a draft")
    signed_in.get_by_role("link", name="Publish the draft").click()
    expect(signed_in.get_by_text("When order.paid happens and order.total >= 200 EUR")).to_be_visible()
    signed_in.get_by_role("button", name="Publish revision 1").click()
    expect(signed_in.locator(".toast")).to_contain_text("applies from the next batch on")
    signed_in.goto("/assignments/new")
    signed_in.get_by_label("Site").select_option(label="Mine")
    signed_in.get_by_label("Definition").select_option("dear")
    signed_in.get_by_label("Label").fill("from 500")
    signed_in.get_by_role("button", name="Assign").click()
    signed_in.get_by_role("link", name="Override").click()
    signed_in.get_by_label("priority").check()
    signed_in.locator("#f-overrides\\.priority").fill("3")
    signed_in.get_by_role("button", name="Keep as a draft").click()
    signed_in.get_by_text("Publish the draft", exact=True).click()
    signed_in.get_by_role("button", name="Publish it").click()
    expect(signed_in.get_by_role("row", name="priority")).to_contain_text("overridden here")


def test_hold_a_conversion_and_release_it(signed_in: Page, engine: sa.Engine, world: World) -> None:
    with engine.begin() as connection:
        reference = upload(connection, world.mine.id, "1042")
    signed_in.goto("/uploads?state=queued")
    signed_in.locator(f"a[href='uploads/{reference}']").click()
    signed_in.get_by_text("Hold", exact=True).click()
    signed_in.locator("form[action$='/hold']").get_by_label("Why, in words").fill("prices are wrong")
    signed_in.get_by_role("button", name="Hold it").click()
    expect(signed_in.locator("#state")).to_contain_text("Held by hand: prices are wrong")
    signed_in.get_by_text("Release", exact=True).click()
    signed_in.get_by_role("button", name="Release it").click()
    expect(signed_in.locator(".toast")).to_contain_text("It is released")


def test_times_are_those_of_who_looks_and_utc_is_there_too(signed_in: Page) -> None:
    signed_in.goto("/audit")
    time = signed_in.locator("time").first
    expect(time).to_have_attribute("data-local", "Europe/Berlin")
    assert (time.get_attribute("title") or "").endswith(" UTC")
    assert "UTC" not in time.inner_text()


@pytest.mark.skipif(not HTMX.exists(), reason="htmx is not there: make setup brings it")
def test_deliveries_are_followed_as_they_come(signed_in: Page, engine: sa.Engine, world: World) -> None:
    signed_in.goto("/deliveries?live=yes")
    with engine.begin() as connection:
        number = parked_delivery(connection, world.mine.id, b'{"id": 4712}', "malformed")
    expect(signed_in.get_by_role("link", name=str(number), exact=True)).to_be_visible()


@pytest.mark.skipif(not HTMX.exists(), reason="htmx is not there: make setup brings it")
def test_where_a_session_ends_what_is_followed_leads_to_where_people_sign_in(
    signed_in: Page, engine: sa.Engine
) -> None:
    signed_in.goto("/deliveries?live=yes")
    with engine.begin() as connection:
        connection.execute(END_SESSIONS)
    expect(signed_in.get_by_role("button", name="Sign in")).to_be_visible()
    assert signed_in.url.endswith("sign-in?next=deliveries%3Flive%3Dyes")


def test_a_link_of_the_demo_signs_one_in(page: Page) -> None:
    page.goto(f"/sign-in#login=ana%40example.org&password={PASSWORD.replace(' ', '+')}")
    page.wait_for_selector("h1:has-text('Overview')")
    assert "#" not in page.url


@pytest.mark.parametrize("context", [False], indirect=True, ids=["without a script"])
def test_without_a_script_it_is_read_and_used(signed_in: Page, world: World) -> None:
    signed_in.goto("/sites")
    signed_in.get_by_label("Name, key or domain").fill("Mine")
    signed_in.get_by_role("button", name="Filter").click()
    signed_in.get_by_role("link", name="Mine").click()
    signed_in.get_by_text("Pause", exact=True).click()
    signed_in.get_by_role("button", name="Pause the site").click()
    expect(signed_in.locator(".toast")).to_contain_text("The site is paused")
    signed_in.get_by_text("Resume", exact=True).click()
    signed_in.get_by_role("button", name="Resume the site").click()
    expect(signed_in.locator(".toast")).to_contain_text("The site is active")


def test_every_page_fits_a_narrow_window_and_keeps_nobody_out(signed_in: Page, world: World) -> None:
    """No page is wider than a phone; axe finds nothing, and leaves nothing undecided. Both themes' contrast: test_palette.py."""
    signed_in.set_viewport_size({"width": 380, "height": 800})
    found: dict[str, object] = {}
    for page in all_pages():
        # A page of the models is there where `make models` has been; a sign-in, and a story without a subject, are no pages to read.
        if page.operation.method != "GET" or page.path in ("/sign-in", "/orders/story", "/help/models"):
            continue
        if page.path.startswith("/shopify/"):  # 400, of which the browser complains: nobody has named a shop
            continue
        path = path_of(page, world, MINE)
        signed_in.goto(path)
        wide = signed_in.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0 and not path.startswith("/help/"):
            found[f"{path} too wide"] = wide
        if Path(AXE).exists():
            found |= {f"{path} {rule}": nodes for rule, nodes in axe_faults(signed_in).items()}
    assert found == {}


def test_filters_fold_away_on_a_phone_but_for_a_search(signed_in: Page) -> None:
    signed_in.set_viewport_size({"width": 380, "height": 800})
    signed_in.goto("/assignments?state=enabled")
    expect(signed_in.get_by_label("Label or definition's key")).to_be_visible()
    expect(signed_in.get_by_label("State", exact=True)).not_to_be_visible()
    signed_in.get_by_text("Filters (1 chosen)").click()
    expect(signed_in.get_by_label("State", exact=True)).to_be_visible()
    signed_in.set_viewport_size({"width": 1280, "height": 800})
    expect(signed_in.get_by_label("State", exact=True)).to_be_visible()
    expect(signed_in.get_by_text("Filters (1 chosen)")).not_to_be_visible()


def axe_faults(page: Page) -> dict[str, object]:
    """Rules that are broken, with where; run in the page's own world, since its policy lets no script of others in."""
    page.evaluate(AXE.read_text())
    answer = page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
    broken = [*answer["violations"], *answer["incomplete"]]
    return {one["id"]: [node["target"] for node in one["nodes"]][:3] for one in broken}


def test_a_page_that_is_on_its_way_says_so(signed_in: Page) -> None:
    """Of a form that is sent, and of one that a script keeps back: an event of a test's own sends nothing."""
    sent = """async kept => {
      document.addEventListener("submit", event => { if (kept) event.preventDefault(); }, { once: true });
      document.querySelector("main form").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
      await new Promise(done => setTimeout(done, 20));
      return document.body.hasAttribute("data-loading");
    }"""
    assert not signed_in.evaluate(sent, True)
    assert signed_in.evaluate(sent, False)
    signed_in.goto("/uploads")
    assert not signed_in.evaluate("document.body.hasAttribute('data-loading')")


@pytest.mark.skipif(not Path(AXE).exists(), reason="axe is not there: make setup brings it")
def test_a_bad_pair_of_colours_is_found(signed_in: Page) -> None:
    """What says that pages can be read by everybody would say where one cannot."""
    signed_in.goto("/account")
    signed_in.evaluate("document.querySelector('h1').style = 'color: #aaa; background: #fff'")
    assert "color-contrast" in axe_faults(signed_in)
