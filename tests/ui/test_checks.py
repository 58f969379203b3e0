"""A form says what is wrong with it while it is filled in, beside the fields, and leaves alone whoever fills it in."""

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from custom_events.catalog import sites
from tests.console.api.world import World
from tests.ui.accessibility import broken_rules
from tests.ui.conftest import LIMIT_MS

expect.set_options(timeout=LIMIT_MS)


@pytest.fixture
def editing(signed_in: Page, world: World) -> Page:
    """The settings of the first site."""
    signed_in.goto(f"/sites/{world.mine.id}/edit")
    return signed_in


def test_faults_come_and_go_while_somebody_types(editing: Page, engine: sa.Engine, world: World) -> None:
    currency, country = editing.get_by_label("Currency"), editing.get_by_label("Country", exact=True)
    editing.get_by_label("Name").fill("")  # wrong as well
    currency.fill("euro")
    error = editing.locator("#e-currency")
    expect(error).to_be_visible()
    expect(currency).to_be_focused()
    expect(currency).to_have_value("euro")
    expect(currency).to_have_attribute("aria-invalid", "true")
    expect(currency).to_have_attribute("aria-describedby", "e-currency")
    assert broken_rules(editing) == {}
    country.fill("Denmark")
    expect(editing.locator("#e-default_country")).to_be_visible()
    currency.fill("eur")
    expect(error).to_have_count(0)
    expect(currency).not_to_have_attribute("aria-invalid", "true")
    expect(currency).to_have_attribute("aria-describedby", "h-currency")
    expect(editing.locator("#e-default_country")).to_be_visible()
    with engine.connect() as connection:
        assert sites.get(connection, world.mine.id).currency == world.mine.currency
    editing.get_by_label("Name").fill("Mine")
    country.fill("DK")
    expect(editing.locator(".error")).to_have_count(0)
    editing.get_by_role("button", name="Save").click()
    expect(editing.locator(".toast")).to_contain_text("apply from the next batch on")


def test_a_form_is_sent_while_it_is_being_checked(editing: Page) -> None:
    with editing.expect_request(lambda asked: asked.method == "POST"):
        editing.get_by_label("Currency").fill("SEK")
    editing.get_by_role("button", name="Save").click()
    expect(editing.locator(".toast")).to_contain_text("apply from the next batch on")


def test_what_is_of_no_field_is_said_below_the_form(signed_in: Page) -> None:
    signed_in.goto("/people/new")
    with signed_in.expect_response(lambda answer: answer.request.method == "POST") as answered:
        signed_in.get_by_label("Login").fill("ana@example.org")
    assert answered.value.status == httpx.codes.UNPROCESSABLE_ENTITY
    expect(signed_in.locator(".error")).to_have_count(0)  # the role is missing, and nobody came to it yet
    signed_in.get_by_label("Role").select_option("viewer")
    expect(signed_in.locator("form .note.warn")).to_contain_text("ana@example.org")
