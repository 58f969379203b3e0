"""Tasks on sites and assignments, each from an empty session in a real browser: a store connected, many assignments at once, what is parked."""

import base64
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from console.pages.rendering import HTMX
from custom_events.catalog import assignments, sites
from custom_events.values.deliveries import Platform
from tests.console.api.raw_rows import parked_delivery
from tests.console.api.world import World
from tests.ui.accessibility import broken_rules

expect.set_options(timeout=60_000)
SHOPS = 12
_REFUSED = sa.text("""
INSERT INTO landing.refused_events (received_at, site_id, platform, reason, topic, body_bytes)
VALUES (now(), :site, 'custom', 'wrong_signature', 'order.paid', 10)
""")
_UNDERSTOOD = sa.text(
    "UPDATE app.raw_outcomes SET outcome = 'understood', reason = NULL, new_events = 1 WHERE raw_id = :id"
)


@pytest.fixture(scope="module")
def shops(engine: sa.Engine, world: World) -> list[int]:
    """Twelve sites."""
    with engine.begin() as connection:
        return [
            sites.create(connection, platform=Platform.CUSTOM, name=f"Branch {number:02}", actor="test").id
            for number in range(1, SHOPS + 1)
        ]


def status(page: Page) -> str:
    return page.locator(".toast").inner_text()


@pytest.mark.skipif(not HTMX.exists(), reason="htmx is not there: make setup brings it")
def test_connect_a_store_and_see_its_first_event(signed_in: Page, engine: sa.Engine) -> None:
    signed_in.goto("/sites")
    signed_in.get_by_role("link", name="Connect a store").click()
    signed_in.get_by_role("link", name="Custom sender").click()
    signed_in.get_by_label("Name", exact=True).fill("Shop Kiel")
    signed_in.get_by_label("Currency").fill("EUR")
    signed_in.get_by_role("button", name="Make the site").click()
    assert len(signed_in.locator("#secret").inner_text()) > 20
    assert "/webhooks/custom/" in signed_in.locator("#address").inner_text()
    signed_in.get_by_role("link", name="I have copied it").click()
    expect(signed_in.get_by_text("Nothing landed in the last hour")).to_be_visible()
    with engine.begin() as connection:
        (site,) = sites.search(connection, text="Shop Kiel")
        connection.execute(_REFUSED, {"site": site.id})
    expect(signed_in.get_by_text("1 refused: wrong signature")).to_be_visible()
    assert broken_rules(signed_in) == {}
    expect(signed_in.get_by_text("enter the same secret here and in the store")).to_be_visible()
    with engine.begin() as connection:
        number = parked_delivery(connection, site.id, b'{"id": 1}', "malformed")
        connection.execute(_UNDERSTOOD, {"id": number})
    expect(signed_in.get_by_text("The first signed event is there")).to_be_visible()
    expect(signed_in.get_by_text("gave 1 event")).to_be_visible()
    signed_in.get_by_role("link", name="Assign a definition").click()
    expect(signed_in.get_by_label("Site")).to_have_value(str(site.id))


def test_connect_a_woocommerce_store_by_the_connection_string_that_its_plugin_takes(signed_in: Page) -> None:
    signed_in.goto("/sites")
    signed_in.get_by_role("link", name="Connect a store").click()
    signed_in.get_by_role("link", name="WooCommerce plugin").click()
    signed_in.get_by_label("Name", exact=True).fill("Tea shop")
    signed_in.get_by_role("button", name="Make the site").click()
    prefix, _, document = signed_in.locator("#connection").inner_text().partition(":")
    connection = json.loads(base64.urlsafe_b64decode(document + "=" * (-len(document) % 4)))
    assert prefix == "custom-events-1"
    assert "/webhooks/woocommerce/" in connection["url"]
    expect(signed_in.get_by_text("paste the connection string")).to_be_visible()
    expect(signed_in.locator("#secret, #address")).to_have_count(0)  # the plugin asks for neither
    signed_in.get_by_role("link", name="I have copied it").click()
    expect(signed_in.get_by_role("heading", name="Waiting for Tea shop")).to_be_visible()
    assert connection["secret"] not in signed_in.content()


def test_assign_to_twelve_sites_at_once_override_one_and_undo_it(
    signed_in: Page, engine: sa.Engine, shops: list[int]
) -> None:
    signed_in.goto("/assignments")
    signed_in.get_by_role("link", name="Assign to sites").click()
    signed_in.get_by_label("Definition").select_option("big_order")
    signed_in.get_by_label("Label").fill("spring")
    signed_in.get_by_label("All sites whose name, key or domain holds").check()
    signed_in.get_by_label("Part of the name, key or domain").fill("Branch")
    signed_in.get_by_label("Let it apply at once").check()
    signed_in.get_by_role("button", name="Preview").click()
    expect(signed_in.locator("#counts")).to_contain_text("12 would be made")
    assert broken_rules(signed_in) == {}
    signed_in.get_by_role("button", name="Apply 12 rows").click()
    expect(signed_in.get_by_role("heading", name="Bulk change ")).to_be_visible()
    assert "12 rows are done" in status(signed_in)

    signed_in.goto("/assignments?search=spring&sort=site")
    row = signed_in.get_by_role("row", name="Branch 03")
    row.get_by_text("Change", exact=True).click()
    assert broken_rules(signed_in, "details[open]") == {}
    row.get_by_label("Priority").fill("7")
    row.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_role("row", name="Branch 03")).to_contain_text("priority")
    assert "applies from the next batch on" in status(signed_in)
    with engine.connect() as connection:
        (changed,) = assignments.of_site(connection, shops[2])
        assert assignments.revision(connection, changed.id, 2).payload == {"priority": 7}

    signed_in.goto("/assignments?search=spring")
    signed_in.get_by_label("Choose all of this page").check()
    expect(signed_in.get_by_text("12 chosen.")).to_be_visible()
    signed_in.get_by_role("button", name="Disable …").click()
    signed_in.get_by_label("Why, for the history").fill("a mistake")
    signed_in.get_by_role("button", name="Preview").click()
    signed_in.get_by_role("button", name="Apply 12 rows").click()
    signed_in.get_by_role("navigation").get_by_role("link", name="Bulk changes").first.click()
    expect(signed_in.get_by_role("row", name="a mistake")).to_be_visible()
    signed_in.get_by_role("button", name="Undo bulk change").click()
    expect(signed_in.locator("#counts")).to_contain_text("12 would change")
    assert broken_rules(signed_in) == {}
    signed_in.get_by_role("button", name="Undo 12 rows").click()
    expect(signed_in.get_by_text("It is an undo")).to_be_visible()
    assert "12 rows are undone" in status(signed_in)
    signed_in.goto("/assignments?search=spring&state=enabled")
    expect(signed_in.locator("td.tick")).to_have_count(SHOPS)


def test_a_file_goes_out_is_edited_and_comes_in_with_a_faulty_line(
    signed_in: Page, engine: sa.Engine, world: World, tmp_path: Path
) -> None:
    signed_in.goto(f"/assignments?site_id={world.mine.id}")
    with signed_in.expect_download() as download:
        signed_in.get_by_role("link", name="Export (CSV)").click()
    lines = Path(download.value.path()).read_text().splitlines()
    edited = tmp_path / "assignments.csv"
    added = [f"{world.mine.id},big_order,by file,true,true,", f"{world.mine.id},nothing_like_it,x,true,true,"]
    edited.write_text("\n".join([*lines, *added]))
    signed_in.get_by_role("link", name="Import (CSV)").click()
    signed_in.get_by_label("File").set_input_files(edited)
    expect(signed_in.get_by_label("Lines")).to_have_value("\n".join([*lines, *added]))
    signed_in.get_by_role("button", name="Preview").click()
    faulty = signed_in.get_by_role("row", name=f"line {len(lines) + 2}")
    expect(faulty).to_contain_text("would fail")
    expect(faulty).to_contain_text("nothing_like_it")
    assert broken_rules(signed_in) == {}
    signed_in.get_by_role("button", name="Apply 1 row").click()
    expect(signed_in.get_by_role("row", name=f"line {len(lines) + 1}")).to_contain_text("made")
    assert "1 failed: see why" in status(signed_in)


def test_filters_are_kept_as_a_view_and_found_again(signed_in: Page, shops: list[int]) -> None:
    signed_in.goto("/assignments")
    signed_in.get_by_label("State").select_option("disabled")  # which is applied as it is chosen
    signed_in.get_by_text("Save this view", exact=True).click()
    signed_in.get_by_label("Name of the view").fill("Waiting for me")
    signed_in.get_by_role("button", name="Save", exact=True).click()
    views = signed_in.get_by_role("navigation", name="Saved views")
    expect(views.get_by_role("link", name="Waiting for me")).to_have_attribute("aria-current", "page")
    signed_in.goto("/assignments")
    views.get_by_role("link", name="Waiting for me").click()
    expect(signed_in.get_by_label("State")).to_have_value("disabled")


def test_a_parked_group_is_replayed_and_its_progress_is_found_again(
    signed_in: Page, engine: sa.Engine, world: World
) -> None:
    with engine.begin() as connection:
        for number in range(3):
            parked_delivery(connection, world.mine.id, f'{{"id": {4711 + number}}}'.encode(), "unknown_topic")
    signed_in.goto(f"/parked?site_id={world.mine.id}")
    group = signed_in.get_by_role("region", name="unknown topic")
    expect(group).to_contain_text("3 deliveries")
    expect(group).to_contain_text("Switch the webhook off")
    group.get_by_text("Replay", exact=True).click()
    group.get_by_role("button", name="Replay them").click()
    expect(signed_in.get_by_text("3 deliveries were put back")).to_be_visible()
    assert broken_rules(signed_in) == {}
    signed_in.goto("/operations")
    expect(signed_in.get_by_role("row", name="Parked deliveries understood once more")).to_contain_text("succeeded")
    signed_in.goto(f"/parked?site_id={world.mine.id}")
    expect(signed_in.get_by_role("region", name="unknown topic")).to_have_count(0)


@pytest.mark.parametrize("context", [False], indirect=True, ids=["without a script"])
def test_without_a_script_rows_are_ticked_previewed_and_applied(signed_in: Page, shops: list[int]) -> None:
    signed_in.goto("/assignments?search=mine")
    signed_in.get_by_label("Choose big_order, mine on Mine").check()
    signed_in.get_by_role("button", name="Override …").click()
    signed_in.get_by_role("group", name="Priority").get_by_label("override").check()
    signed_in.locator("#f-overrides\\.priority").fill("2")
    signed_in.get_by_role("button", name="Preview").click()
    expect(signed_in.get_by_role("row", name="mine")).to_contain_text("priority: 2")
    signed_in.get_by_role("button", name="Apply 1 row").click()
    expect(signed_in.get_by_text("revision 2 is a draft")).to_be_visible()
