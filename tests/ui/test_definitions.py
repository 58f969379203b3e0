"""Definitions as people write them, in a real browser: built by keyboard, checked and tried meanwhile, merged, looked back, published."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from console.pages.rendering import HTMX
from custom_events.catalog import definitions
from tests.console.api.world import World
from tests.console.pages.past_shop import make_shop
from tests.ui.test_tasks import AXE, axe_faults

expect.set_options(timeout=60_000)
needs_htmx = pytest.mark.skipif(not HTMX.exists(), reason="htmx is not there: make setup brings it")


@pytest.fixture(scope="module")
def shop(database: str, engine: sa.Engine, world: World) -> int:
    """A site called "shop" with six paid orders of 100 to 600 EUR of these days, under a rule that takes them all."""
    with ThreadPoolExecutor(1) as threads:  # the browser's own loop runs in this one
        return threads.submit(make_shop, database, engine, orders=6, first_id=600).result()


@pytest.fixture
def building(signed_in: Page) -> Iterator[Page]:
    """The form for a new definition, with its builder; axe finds nothing on it at the end."""
    signed_in.goto("/definitions/new")
    expect(signed_in.locator("[data-built]").first).to_be_visible()
    yield signed_in
    if AXE.exists():
        assert judged(signed_in) == {}


def judged(page: Page) -> dict[str, object]:
    """What axe finds, but for the contrast of texts in pictures, which it cannot judge: the palette's test has their pair of colours."""
    found = axe_faults(page)
    contrast = cast("list[list[str]]", found.pop("color-contrast", []))
    judged_here = [target for target in contrast if not target[0].startswith("text[")]
    return found | ({"color-contrast": judged_here} if judged_here else {})


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def choose_field(page: Page, part: str, name: str) -> None:
    """Find a field by a part of its name, with the arrow keys, and go on to its value."""
    expect(focused(page)).to_have_attribute("role", "combobox")
    page.keyboard.type(part)
    expect(page.get_by_role("option", name=name).first).to_be_visible()
    press(page, "ArrowDown", "Enter")
    expect(focused(page)).to_have_value(name)


def test_a_nested_condition_is_built_by_keyboard_alone(building: Page, engine: sa.Engine) -> None:
    building.get_by_label("Key", exact=True).fill("by_keyboard")
    building.get_by_label("Name", exact=True).fill("By keyboard")
    add = building.get_by_role("group", name="Group of conditions").get_by_role("button", name="+ Group").first
    add.focus()
    press(building, "Enter")
    choose_field(building, "customer cou", "customer.country")
    press(building, "Tab", "Tab")  # the operator, its value
    building.keyboard.type("DE")
    inner = building.get_by_role("group", name="Group of conditions").last
    inner.get_by_role("button", name="+ Condition").focus()
    press(building, "Space")
    expect(building.get_by_role("status").filter(has_text="A condition is added. In this group: 2.")).to_have_count(1)
    choose_field(building, "tags", "order.tags")
    press(building, "Tab")
    building.keyboard.type("starts")  # a select finds its option so
    press(building, "Tab")
    building.keyboard.type("vip")
    inner.get_by_role("button", name="+ Condition").focus()
    press(building, "Enter", "Escape", "Tab", "Tab", "Tab", "Tab")  # field, operator, read as, value: to any case
    inner.get_by_role("button", name="Remove the condition").last.focus()
    press(building, "Enter")
    expect(building.get_by_role("status").filter(has_text="Removed; left in this group: 2.")).to_have_count(1)
    expect(focused(building)).to_have_value("order.tags")
    building.get_by_role("button", name="Keep as a draft").focus()
    press(building, "Enter")
    expect(building.locator(".toast")).to_contain_text("is a draft")
    with engine.connect() as connection:
        assert definitions.revision(connection, "by_keyboard", 1).payload["conditions"] == {
            "all": [
                {"field": "order.total", "op": ">=", "value": 200, "currency": "EUR"},
                {
                    "any": [
                        {"field": "customer.country", "op": "=", "value": "DE"},
                        {"field": "order.tags", "op": "starts_with", "value": "vip"},
                    ]
                },
            ]
        }


def test_each_kind_of_value_has_its_editor_and_is_written(building: Page) -> None:
    written = building.locator("#f-config\\.conditions")
    building.get_by_text("Written form (JSON)").first.click()
    written.fill("")
    row = building.get_by_role("group", name="Condition")
    building.get_by_role("button", name="+ Condition").first.click()
    for field, op, act, wanted in (
        ("time.weekday", "in", lambda: row.get_by_label("friday").check(), '"value": [\n    "friday"\n  ]'),
        ("customer.accepts_marketing", "=", lambda: row.get_by_label("Value").select_option("false"), '"value": false'),
        ("order.created_at", "within_last", lambda: row.get_by_label("Unit").select_option("hours"), '"hours": 30'),
        (
            "order.created_at",
            "before",
            lambda: row.get_by_label("Value", exact=True).fill("2026-11-01"),
            '"2026-11-01"',
        ),
        ("order.total", "between", lambda: row.get_by_label("To", exact=True).fill("19.90"), '"19.90"'),
        ("order.tags", "contains_any", lambda: row.get_by_label("Values").fill("a\nb"), '"b"'),
        ("order.id", "exists", lambda: None, '"op": "exists"\n}'),
        ("properties.level", "=", lambda: row.get_by_label("Read as").select_option("number"), '"value": 0'),
    ):
        box = row.get_by_role("combobox", name="Field")
        box.fill(field)
        box.press("Enter")
        row.get_by_label("Operator").select_option(op)
        act()
        assert wanted in written.input_value(), field
    building.get_by_role("button", name="+ Line items").click()
    building.get_by_label("Which line items", exact=True).select_option("no_item")
    building.get_by_role("button", name="+ Number of items").click()
    building.get_by_role("button", name="Only some items").click()
    assert '"no_item"' in written.input_value()
    assert '"measure": "count"' in written.input_value()
    written.fill('{"any": [{"field": "order.id", "op": "=", "value": "7"}]}')
    expect(building.get_by_label("How these go together").first).to_have_value("any")
    written.fill('{"any": 7}')
    expect(building.locator(".tree-box").first).to_be_hidden()
    written.fill("")


@needs_htmx
def test_faults_stand_beside_their_field_while_somebody_types(building: Page) -> None:
    value = building.get_by_role("group", name="Condition on order.total").get_by_label("Value")
    value.fill("ten")
    fault = building.locator(".node-faults .error")
    expect(fault).to_contain_text("is not a number")
    expect(value).to_have_attribute("aria-invalid", "true")
    expect(value).to_have_attribute("aria-describedby", "fault-0")
    value.fill("10")
    expect(fault).to_have_count(0)
    expect(building.locator("#sentence")).to_contain_text("order.total >= 10 EUR")
    window = building.get_by_label("Click window, in days")
    window.fill("900")
    expect(building.locator(".field", has=window).locator(".live-fault")).to_contain_text("1 to 90")
    window.fill("90")
    expect(building.locator(".live-fault")).to_have_count(0)


@needs_htmx
def test_a_group_that_is_added_stays_while_it_is_checked_and_after_the_page_is_loaded_again(building: Page) -> None:
    value = building.get_by_role("group", name="Condition on order.total").get_by_label("Value")
    value.fill("300")
    building.get_by_label("Name", exact=True).fill("Dear or new")  # which ends the typing of the value
    groups = building.locator(".tree-box").first.get_by_label("How these go together")
    with building.expect_response("**/definitions/check"), building.expect_response("**/definitions/try"):
        building.get_by_role("button", name="+ Group").first.click()
    expect(building.locator(".node-faults .error").first).to_be_visible()  # the new condition has no field yet
    expect(groups).to_have_count(2)
    expect(building.locator("#typed")).to_be_hidden()
    building.reload()
    expect(building.locator("#typed")).to_be_visible()
    expect(groups).to_have_count(2)


@needs_htmx
def test_it_is_tried_on_recent_events_while_somebody_types(building: Page, shop: int) -> None:
    building.reload()  # the site is listed now
    expect(building.locator("[data-built]").first).to_be_visible()
    building.get_by_label("Try it on").select_option(str(shop))
    expect(building.locator("#matching")).to_contain_text("5 of the last 6")
    building.get_by_role("group", name="Condition on order.total").get_by_label("Value").fill("500")
    expect(building.locator("#matching")).to_contain_text("2 of the last 6")
    building.get_by_role("link", name="Order 604").click()
    expect(building.get_by_role("heading", level=1)).to_be_visible()
    building.go_back()
    expect(building.locator("#matching")).to_be_visible()


def test_a_draft_is_looked_at_in_the_past_and_published(signed_in: Page, engine: sa.Engine, shop: int) -> None:
    with engine.begin() as connection:
        config = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": ">", "value": 250}}
        number = definitions.draft(connection, "every_order", config, expected=1, author="bea").number
    path = f"/definitions/every_order/publish/{number}"
    signed_in.goto(path)
    signed_in.get_by_role("button", name="Begin a backtest").click()
    expect(signed_in.locator("#backtest")).to_contain_text(
        "asked by"
    )  # the form's own navigation has ended: two at once abort each other
    signed_in.goto("/definitions")
    signed_in.goto(path)  # left, and found again
    expect(signed_in.get_by_role("term").filter(has_text="would drop")).to_be_visible()
    expect(signed_in.locator("#backtest svg rect.series-1").first).to_be_visible()
    signed_in.get_by_text("The numbers by day").click()
    expect(signed_in.get_by_role("table", name="Custom events by day")).to_be_visible()
    if AXE.exists():
        assert judged(signed_in) == {}
    signed_in.get_by_role("button", name=f"Publish revision {number}").click()
    expect(signed_in.locator(".toast")).to_contain_text("applies from the next batch on")
    signed_in.get_by_role("link", name="Show it").click()
    expect(signed_in.get_by_role("heading", level=1)).to_have_text(f"every_order, revision {number}")


@pytest.mark.parametrize("context", [True, False], indirect=True, ids=["script", "without a script"])
def test_two_people_edit_at_once_and_choose(signed_in: Page, engine: sa.Engine, request: pytest.FixtureRequest) -> None:
    key = f"for_two_{len(request.node.name)}"
    with engine.begin() as connection:
        definitions.create(connection, key=key, name="For two", config={"trigger": ["order.paid"]}, author="ana")
    signed_in.goto(f"/definitions/{key}/edit")
    with engine.begin() as connection:
        theirs = {"trigger": ["order.paid"], "priority": 7, "group": "value", "delay_minutes": 5}
        definitions.draft(connection, key, theirs, expected=1, author="bea")
    signed_in.get_by_label("Delay, in minutes").fill("9")
    signed_in.get_by_label("order.created").check()
    with signed_in.expect_response(lambda answer: answer.request.method == "POST" and "edit" in answer.url) as answer:
        signed_in.get_by_role("button", name="Keep as a draft").click()
    assert answer.value.status == 409
    expect(signed_in.get_by_role("group", name="priority")).to_contain_text("Only bea changed it")
    signed_in.get_by_role("group", name="delay").get_by_label("bea").check()
    if AXE.exists() and "without" not in request.node.name:
        assert judged(signed_in) == {}
    signed_in.get_by_role("button", name="Keep this as a draft").click()
    expect(signed_in.locator(".toast")).to_contain_text("Revision 3 is a draft")
    with engine.connect() as connection:
        assert definitions.revision(connection, key, 3).payload == {
            "trigger": ["order.created", "order.paid"],
            "priority": 7,
            "group": "value",
            "delay_minutes": 5,
        }


@pytest.mark.parametrize("context", [False], indirect=True, ids=["without a script"])
def test_without_a_script_conditions_are_written(signed_in: Page) -> None:
    signed_in.goto("/definitions/new")
    signed_in.get_by_label("Key", exact=True).fill("by_hand")
    signed_in.get_by_label("Name", exact=True).fill("By hand")
    signed_in.get_by_label("Conditions, written").fill('{"field": "order.totl", "op": ">", "value": 5}')
    signed_in.get_by_role("button", name="Keep as a draft").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("order.total")
    signed_in.get_by_label("Conditions, written").fill('{"field": "order.total", "op": ">", "value": 5}')
    signed_in.get_by_role("button", name="Keep as a draft").click()
    expect(signed_in.locator(".toast")).to_contain_text("is a draft")
