"""Tasks of people who look: why an order was not sent, what a number counts, what comes just now; and a key for a program."""

import csv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from console.pages.rendering import HTMX
from console.pages.routes.deliveries import EVERY_S
from custom_events.catalog import assignments, definitions
from tests import marts
from tests import world as pipeline
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID, upload
from tests.console.api.raw_rows import parked_delivery
from tests.console.api.world import World
from tests.ui.test_tasks import AXE, axe_faults

LATER = datetime(2090, 1, 1, tzinfo=UTC)
SIZES = ((380, 800), (1280, 900), (3840, 2160))


@pytest.fixture(scope="module")
def order(database: str, engine: sa.Engine, world: World) -> int:
    """The site of order 1042, which is too small for what is sent of it."""
    made = pipeline.World(database, engine)
    site = made.site("kiel")
    config = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": ">=", "value": 200}}
    with engine.begin() as connection:
        definitions.create(connection, key="dear", name="Dear", config=config, author="ana")
        definitions.publish(connection, "dear", 1, by="ana")
        assignments.assign(connection, site, "dear", "shop", author="ana")
    made.land(site, "orders/paid", pipeline.paid_order(1042, at=datetime.now(UTC) - timedelta(hours=2)))
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver has this thread's event loop
        elsewhere.submit(made.drain).result()
    return site


def test_find_why_order_1042_was_not_sent(signed_in: Page, order: int) -> None:
    signed_in.get_by_role("navigation").get_by_role("link", name="Deliveries", exact=True).click()
    signed_in.get_by_label("Find one").fill("1042")
    signed_in.get_by_role("button", name="Find").click()
    expect(signed_in.get_by_role("heading", name="Order #1042")).to_be_visible()
    expect(signed_in.locator("#outcome")).to_contain_text("No assignment matched it")
    verdict = signed_in.locator("details.verdict", has_text="The conditions do not hold")
    verdict.locator("summary").click()
    expect(verdict.locator(".tree .no", has_text="order.total")).to_contain_text("100")
    signed_in.get_by_role("link", name="with its body").click()
    expect(signed_in.locator("#masked")).to_contain_text("•••")
    expect(signed_in.locator("#masked")).not_to_contain_text("person7@example.org")


def test_release_what_is_held_of_a_site(signed_in: Page, engine: sa.Engine, world: World) -> None:
    with engine.begin() as connection:
        for number in range(3):
            upload(connection, world.mine.id, f"h{number}", state="held", reason="delay", not_before=LATER)
    signed_in.goto("/uploads")
    signed_in.locator(".chip", has_text="held").click()
    signed_in.get_by_label("Site").select_option(label="Mine")
    signed_in.get_by_text("Release all of this site", exact=True).click()
    signed_in.get_by_role("button", name="Release them").click()
    expect(signed_in.locator(".toast")).to_contain_text("3 uploads are released")


def test_make_an_api_key_use_it_and_revoke_it(signed_in: Page, server: str, world: World) -> None:
    signed_in.get_by_role("navigation").get_by_role("link", name="API keys", exact=True).click()
    signed_in.get_by_role("link", name="New API key").first.click()
    signed_in.get_by_label("What it is for").fill("nightly export")
    signed_in.get_by_label("Where").select_option(label="Mine")
    signed_in.get_by_role("button", name="Make the key").click()
    key = signed_in.locator("#key").inner_text()

    def asked() -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.get(f"{server}/api/v1/uploads", headers=headers, trust_env=False, timeout=60).status_code

    assert asked() == 200
    signed_in.get_by_role("link", name="I have copied it").click()
    row = signed_in.get_by_role("row", name="nightly export")
    expect(row).to_contain_text("Mine")
    row.get_by_text("Revoke", exact=True).click()
    row.get_by_role("button", name="Revoke it").click()
    expect(signed_in.locator(".toast")).to_contain_text("good no longer")
    assert asked() == 401


def test_a_number_of_the_overview_leads_to_as_many_rows(signed_in: Page, engine: sa.Engine, world: World) -> None:
    with engine.begin() as connection:
        parked_delivery(connection, world.mine.id, b'{"id": 31}', "malformed")
    signed_in.goto(f"/?site_id={world.mine.id}")
    row = signed_in.locator("#today").get_by_role("row", name="conversions", exact=False).first
    count = int(row.locator("td").first.inner_text())
    row.get_by_role("link").first.click()
    expect(signed_in.get_by_role("heading", name="Uploads")).to_be_visible()
    assert signed_in.locator("tbody tr").count() == count
    signed_in.goto(f"/?site_id={world.mine.id}")
    signed_in.locator(".pipeline").get_by_role("link", name="parked").click()
    expect(signed_in.get_by_role("region", name="malformed")).to_contain_text("1 delivery")


@pytest.mark.skipif(not HTMX.exists(), reason="htmx is not there: make setup brings it")
def test_the_tail_is_paused_and_goes_on(signed_in: Page, engine: sa.Engine, world: World) -> None:
    def lands(number: int) -> str:
        with engine.begin() as connection:
            return str(parked_delivery(connection, world.mine.id, f'{{"id": {number}}}'.encode(), "malformed"))

    signed_in.goto(f"/deliveries?site_id={world.mine.id}")
    signed_in.get_by_role("link", name="Follow as they come").click()
    first = signed_in.get_by_role("link", name=lands(41), exact=True)
    expect(first).to_be_visible()
    first.focus()
    second = signed_in.get_by_role("link", name=lands(42), exact=True)
    expect(second).to_be_visible()
    expect(first).to_be_focused()  # rows are put in, and nothing else is taken away
    signed_in.get_by_role("link", name="Pause", exact=True).click()
    expect(signed_in.locator("#following")).to_contain_text("Paused")
    assert f"site_id={world.mine.id}" in signed_in.url
    asked: list[str] = []
    signed_in.on("request", lambda request: asked.append(request.url))
    third = lands(43)
    signed_in.wait_for_timeout(EVERY_S * 1_000 + 500)  # as long as it would have taken
    assert asked == []
    signed_in.get_by_role("link", name="Continue").click()
    expect(signed_in.get_by_role("link", name=third, exact=True)).to_be_visible()


@pytest.fixture(scope="module")
def filled(engine: sa.Engine, world: World, order: int) -> Callable[[], tuple[str, ...]]:
    """Pages with something in every part of them."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with engine.begin() as connection:
        marts.make(connection)
        of_site = {"site_id": world.mine.id, "site_name": "Mine", "day": yesterday}
        marts.add(connection, "fct_accuracy_daily", **of_site, orders=4, sent=2, withheld=1, waiting=1)
        marts.add(
            connection,
            "fct_funnel_daily",
            **of_site,
            received=9,
            landed=8,
            matched=4,
            accepted=2,
            withheld=1,
            waiting=1,
        )
        conversions = {
            "definition_key": "big_order",
            "definition_name": "Big",
            "assignment_label": "mine",
            "currency": "EUR",
        }
        marts.add(connection, "fct_conversions_by_definition", **of_site, **conversions, matched=2, value_matched=40)
        upload(connection, world.mine.id, "for-the-account")
        connection.execute(
            sa.text(
                "INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, unattributable, events,"
                " google_successful, google_failed, google_pending, google_read_at, updated_at)"
                " SELECT id, :action, :day, 42, 42, 35, 42, 7, 35, 0, now(), now() FROM app.ads_accounts WHERE customer_id = :account"
            ),
            {"action": ACTION_ID, "day": yesterday, "account": CUSTOMER_ID},
        )
    paths = (
        "/",
        "/reports",
        "/uploads",
        f"/ads-accounts/{CUSTOMER_ID}/comparison",
        "/settings",
        "/help?search=withheld+consent",
    )
    story = f"/orders/story?site_id={order}&subject=1042"
    return lambda: (*paths, story)


def test_read_the_report_of_a_site_and_export_it(
    signed_in: Page, filled: Callable[[], tuple[str, ...]], world: World
) -> None:
    filled()
    signed_in.get_by_role("navigation").get_by_role("link", name="Reports", exact=True).click()
    signed_in.get_by_label("Site").select_option(label="Mine")  # which is applied as it is chosen
    signed_in.wait_for_url(f"**site_id={world.mine.id}**")
    expect(signed_in.get_by_text("of 4 paid orders")).to_be_visible()
    with signed_in.expect_download() as download:
        signed_in.get_by_role("link", name="Export (CSV)").first.click()
    days = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert sum(int(day["matched"]) for day in days) == 4


def test_find_an_answer_in_the_help(signed_in: Page) -> None:
    signed_in.get_by_role("navigation").get_by_role("link", name="Help", exact=True).click()
    signed_in.get_by_label("Search").fill("withheld consent")
    signed_in.get_by_role("button", name="Search").click()
    signed_in.locator("ol.found a").first.click()
    expect(signed_in.locator(".manual")).to_contain_text("consent")


def test_choose_how_pages_look(signed_in: Page) -> None:
    signed_in.get_by_role("link", name="Account", exact=True).click()
    signed_in.get_by_role("button", name="dark", exact=True).click()
    expect(signed_in.locator("html")).to_have_attribute("data-theme", "dark")
    signed_in.get_by_role("navigation").get_by_role("link", name="Uploads", exact=True).click()
    expect(signed_in.locator("html")).to_have_attribute("data-theme", "dark")


def test_pages_full_of_figures_fit_every_window_and_keep_nobody_out(
    signed_in: Page, filled: Callable[[], tuple[str, ...]]
) -> None:
    found: dict[str, object] = {}
    for path in filled():
        for width, height in SIZES:
            signed_in.set_viewport_size({"width": width, "height": height})
            signed_in.goto(path)
            if (wide := signed_in.evaluate("document.documentElement.scrollWidth - window.innerWidth")) > 0:
                found[f"{path} at {width}"] = wide
        for summary in signed_in.locator("details.numbers > summary").all():
            summary.click()
        if Path(AXE).exists():
            found |= {f"{path} {rule}": nodes for rule, nodes in axe_faults(signed_in).items()}
    assert found == {}
