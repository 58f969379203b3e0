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


def test_a_secret_and_a_password_are_judged_as_they_are_typed(signed_in: Page, engine: sa.Engine) -> None:
    signed_in.goto("/sites/new?way=stripe")
    secret, currency = signed_in.get_by_label("Secret"), signed_in.get_by_label("Currency")
    signed_in.get_by_label("Name", exact=True).fill("Checked")
    secret.fill("short")
    currency.fill("euro")
    expect(signed_in.locator("#e-secret")).to_be_visible()
    expect(signed_in.locator("#e-currency")).to_be_visible()
    secret.fill("whsec_long_enough")
    expect(signed_in.locator("#e-secret")).to_have_count(0)
    expect(secret).to_have_value("whsec_long_enough")
    signed_in.goto("/account")
    with signed_in.expect_request(lambda asked: asked.method == "POST") as checked:
        signed_in.get_by_label("Current password").fill("whatever it is")
        signed_in.get_by_label("New password").fill("password1234")
    assert "whatever" not in (checked.value.post_data or "")  # the current one never goes along
    expect(signed_in.locator("#e-password")).to_contain_text("easy to guess")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM app.sites WHERE name = 'Checked'")).scalar_one() == 0


def test_a_bulk_change_says_while_it_is_filled_in_what_it_would_do(signed_in: Page, world: World) -> None:
    signed_in.goto("/bulk-changes/new?action=import")
    lines = signed_in.get_by_label("Lines")
    lines.fill(f"site_id,definition_key\n{world.mine.id},big_order\n")
    expect(signed_in.locator(".field .error")).to_contain_text("the column label is missing")
    lines.fill(f"site_id,definition_key,label\n{world.mine.id},big_order,typed\n")
    expect(signed_in.locator("form .note.info")).to_have_text("1 would be made.")
    expect(signed_in.locator(".error")).to_have_count(0)
