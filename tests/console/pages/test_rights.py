"""Laws over every page: who is not known gets in nowhere, a role is enough or it is not, and of another site nothing is seen."""

import re
from typing import Any

import httpx

from console.api.rights import Scope
from console.pages.install import all_pages
from console.pages.page import Page
from console.pages.serving import filled
from custom_events.access.roles import Role
from tests.console.api.world import THEIRS, World
from tests.console.pages.conftest import BROWSER

SERVER_ERROR = 500
MINE, SOMEBODY_ELSES, NOWHERE = range(3)
ASKING = [page for page in all_pages() if page.right.scope is not Scope.OPEN]


def path_of(page: Page, world: World, which: int) -> str:
    """The path with values of the world in the place of its parameters."""
    places = {**world.places, "page": ("glossary.md", "glossary.md", "nothing.md")}
    return filled(page.path, {name: values[which] for name, values in places.items()})


def ask(client: httpx.Client, page: Page, path: str, headers: dict[str, str]) -> httpx.Response:
    return client.request(page.operation.method, path, headers={**BROWSER, **headers})


def test_only_what_leads_in_is_open() -> None:
    assert {page.path for page in all_pages()} - {page.path for page in ASKING} == {
        "/sign-in",
        "/shopify/install",  # whose visitors Shopify names, by what it has signed
        "/shopify/callback",
    }


def test_who_is_not_known_is_led_to_where_people_sign_in(client: httpx.Client, world: World) -> None:
    for page in ASKING:
        for headers in ({}, {"Authorization": f"Bearer ce_00000000_{'x' * 43}"}):
            answer = ask(client, page, path_of(page, world, MINE), headers)
            if page.operation.method == "GET":
                assert answer.status_code == 303, page.path
                assert "sign-in" in answer.headers["location"]
            else:
                assert answer.status_code == 401, page.path


def test_a_role_on_one_site_is_none_on_all(client: httpx.Client, world: World) -> None:
    asked = [page for page in ASKING if page.right.scope is Scope.ALL_SITES]
    assert asked
    for page in asked:
        answer = ask(client, page, path_of(page, world, MINE), world.headers("administrator of mine"))
        assert answer.status_code == 403, page.path


def test_what_is_of_another_site_answers_as_what_is_nowhere(client: httpx.Client, world: World) -> None:
    for page in ASKING:
        if page.right.scope is not Scope.ONE_SITE:
            continue
        answers = [
            _without_ids(ask(client, page, path_of(page, world, which), world.headers("administrator of mine")), world)
            for which in (SOMEBODY_ELSES, NOWHERE)
        ]
        assert answers[0] == answers[1], page.path
        assert answers[0][0] == 404, page.path


def _without_ids(answer: httpx.Response, world: World) -> tuple[int, Any]:
    text = re.sub(r"Request [0-9a-f]{32}", "", answer.text)
    for values in world.places.values():
        for value in values:
            text = re.sub(rf"\b{value}\b", "ID", text)
    return answer.status_code, text


def test_of_another_site_nothing_is_seen(client: httpx.Client, world: World) -> None:
    for page in ASKING:
        if page.operation.method != "GET":
            continue
        for role in Role:
            answer = ask(client, page, path_of(page, world, MINE), world.headers(f"{role} of mine"))
            assert answer.status_code < SERVER_ERROR, f"{page.path}: {answer.text}"
            assert THEIRS not in answer.text.lower(), page.path
            for asked in (f"site_id={world.theirs.id}", f"search={THEIRS}"):
                answer = ask(client, page, f"{path_of(page, world, MINE)}?{asked}", world.headers(f"{role} of mine"))
                assert answer.status_code < SERVER_ERROR, f"{page.path}?{asked}: {answer.text}"
                text = answer.text.replace(f'value="{THEIRS}"', "").replace(f"search={THEIRS}", "")  # what was asked
                assert THEIRS not in text.lower(), f"{page.path}?{asked}"


def test_the_menu_shows_what_one_may_go_to(client: httpx.Client, world: World) -> None:
    sees = client.get("/", headers={**BROWSER, **world.headers("viewer of mine")}).text
    assert 'href="deliveries"' in sees
    assert 'href="people"' not in sees
    assert 'href="alarms"' not in sees
    assert 'href="people"' in client.get("/", headers={**BROWSER, **world.headers("administrator")}).text
