"""Changing a person on their page: roles, a password, an end to a session; with who came in between."""

import httpx
import sqlalchemy as sa

from custom_events.access import people
from custom_events.access.people import Person
from custom_events.access.roles import Grant, Role
from tests.console.api.world import World
from tests.console.pages.conftest import BROWSER
from tests.console.pages.test_changes import hidden, moved

WORDS = "lantern brick otter seventeen"


def made(engine: sa.Engine, login: str) -> Person:
    with engine.begin() as connection:
        return people.add(connection, login=login, display_name="Cem", grants=(Grant(role=Role.VIEWER),), actor="tests")


def stored(engine: sa.Engine, person_id: int) -> Person:
    with engine.connect() as connection:
        return people.get(connection, person_id)


def test_name_and_roles_are_changed_and_nobody_is_overwritten(
    browser: httpx.Client, engine: sa.Engine, world: World
) -> None:
    person = made(engine, "cem")
    path = f"/people/{person.id}/edit"
    page = browser.get(path).text
    assert page.count('name="role.') == 3  # what he has, and two to spare
    tag = hidden(page, "if_match")
    form = {"if_match": tag, "display_name": "Cem A", "role.0": "", "role.2": "editor", "site.2": str(world.mine.id)}
    assert "It applies from their next request on" in moved(browser, browser.post(path, data=form))
    assert stored(engine, person.id).grants == (Grant(role=Role.EDITOR, site_id=world.mine.id),)
    late = browser.post(path, data={**form, "display_name": "Cem B"})
    assert late.status_code == 412
    assert "Somebody else changed this person in between" in late.text
    assert 'value="Cem B"' in late.text
    assert stored(engine, person.id).display_name == "Cem A"


def test_what_is_wrong_with_a_role_stands_beside_its_row(browser: httpx.Client, engine: sa.Engine) -> None:
    path = f"/people/{made(engine, 'cem.two').id}/edit"
    twice = {"display_name": "Cem", "role.1": "viewer", "site.1": "", "role.4": "editor", "site.4": ""}
    page = browser.post(path, data=twice).text
    assert 'id="e-site.4"' in page
    assert page.count('name="role.') == 5  # as many as were sent
    unknown = browser.post(path, data={"display_name": "Cem", "role.0": "viewer", "site.0": "no"})
    assert 'id="e-site.0"' in unknown.text
    nobody = browser.post(path, data={"display_name": "", "role.0": "king"}).text
    assert 'id="e-role.0"' in nobody


def test_a_first_password_is_set_and_a_session_is_ended(
    browser: httpx.Client, client: httpx.Client, engine: sa.Engine
) -> None:
    person = made(engine, "cem.three")
    page = browser.get(f"/people/{person.id}").text
    assert "Set a password" in page
    assert "Their first one" in browser.get(f"/people/{person.id}/password").text
    easy = browser.post(f"/people/{person.id}/password", data={"password": "cem.three cem"})
    assert easy.status_code == 422
    assert 'id="e-password"' in easy.text
    assert "The password is set" in moved(
        browser, browser.post(f"/people/{person.id}/password", data={"password": WORDS})
    )
    signed_in = client.post("/sign-in", data={"login": "cem.three", "password": WORDS}, headers=BROWSER)
    assert signed_in.status_code == 303
    page = browser.get(f"/people/{person.id}").text
    assert "Another password" in page
    end = next(part for part in page.split('action="') if "/end" in part.split('"')[0]).split('"')[0]
    assert "The session is ended" in moved(browser, browser.post(end.replace("../", "/")))
    assert client.get("/account", headers=BROWSER).status_code == 303
