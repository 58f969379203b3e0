"""Views of lists that people keep: their own, under names of their own."""

import httpx
import pytest

from custom_events.access import api_keys, saved_views
from custom_events.access.roles import Grant, Role
from tests.console.api.conftest import problem
from tests.console.api.world import World

PATH = "/api/v1/saved-views"
NEW = {"list": "assignments", "name": "Enabled ones", "query": "state=enabled&sort=-label"}


@pytest.fixture
def ana(client: httpx.Client, world: World) -> httpx.Client:
    """Ana's own key."""
    with world.engine.begin() as connection:
        grants = (Grant(role=Role.VIEWER),)
        key = api_keys.make(connection, name="hers", grants=grants, actor="test", person_id=world.ana.id)[1]
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def test_a_view_is_kept_listed_and_removed(ana: httpx.Client, world: World) -> None:
    made = ana.post(PATH, json=NEW)
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in NEW} == NEW
    assert [one["name"] for one in ana.get(PATH).json()["items"]] == ["Drafts", "Enabled ones"]
    assert ana.get(PATH, params={"list": "sites"}).json()["items"] == []
    assert "already" in problem(ana.post(PATH, json=NEW), 409)["detail"]
    assert ana.delete(f"{PATH}/{made.json()['id']}").status_code == 204
    problem(ana.delete(f"{PATH}/{made.json()['id']}"), 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"query": "<script>"}, "query"),
        ({"query": "a" * 2_001}, "query"),
        ({"list": "x"}, "list"),
    ],
)
def test_what_cannot_be_kept_is_named(ana: httpx.Client, change: dict[str, str], field: str) -> None:
    errors = problem(ana.post(PATH, json={**NEW, **change}), 422)["errors"]
    assert [error["field"] for error in errors] == [field]


def test_nobody_sees_those_of_others(admin: httpx.Client, world: World) -> None:
    assert admin.get(PATH).json()["items"] == []  # a key that belongs to nobody
    problem(admin.post(PATH, json=NEW), 409)
    problem(admin.delete(f"{PATH}/{world.view.id}"), 404)
    with world.engine.begin() as connection:
        assert [one.name for one in saved_views.of_person(connection, world.ana.id)] == ["Drafts"]
        assert saved_views.of_person(connection, world.ben.id) == []


def test_there_is_an_end_to_them(ana: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 1)
    assert "remove one of them" in problem(ana.post(PATH, json=NEW), 409)["detail"]


def test_lists_without_views_are_refused_by_the_service(world: World) -> None:
    with world.engine.begin() as connection, pytest.raises(Exception, match="no list with saved views"):
        saved_views.keep(connection, world.ana.id, list_name="orders", name="x", query="")
