"""Revisions of definitions and of assignments by the API: drafted, published, rolled back, compared; by two people where asked for."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from custom_events.settings import settings as current_settings
from tests.console.api.conftest import problem
from tests.console.api.world import World

OWNERS = ("definition", "assignment")
FIRST = {"definition": {"trigger": ["order.paid"]}, "assignment": {}}
FIELD = {"definition": "config", "assignment": "overrides"}


@pytest.fixture(params=OWNERS)
def noun(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def owner(noun: str, world: World) -> str:
    """The path of a thing of which revision 1 applies."""
    name = world.places["definition_key" if noun == "definition" else "assignment_id"][0]
    return f"/api/v1/{noun}s/{name}"


@pytest.fixture
def two_people(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    assert world.places  # was made while one person sufficed
    monkeypatch.setenv("CUSTOM_EVENTS_PUBLISH_NEEDS_SECOND_PERSON", "true")
    current_settings.cache_clear()
    yield
    monkeypatch.undo()
    current_settings.cache_clear()


def body(noun: str, expected: int, **settings: Any) -> dict[str, Any]:
    return {FIELD[noun]: {**FIRST[noun], **settings}, "expected": expected, "reason": "because"}


def test_a_revision_is_drafted_read_and_published(admin: httpx.Client, owner: str, noun: str) -> None:
    made = admin.post(f"{owner}/revisions", json=body(noun, 1, priority=1))
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "draft"
    assert made.json()[FIELD[noun]] == {**FIRST[noun], "priority": 1}
    path = made.headers["location"]
    assert path == f"{owner}/revisions/2"
    assert admin.get(path).json() == made.json()
    published = admin.post(f"{path}/publish").json()
    assert (published["state"], published["published_by"]) == ("published", "zanzibar")
    assert "not a draft" in problem(admin.post(f"{path}/publish"), 409)["detail"]
    listed = admin.get(f"{owner}/revisions").json()["items"]
    assert [(one["number"], one["state"]) for one in listed] == [(2, "published"), (1, "retired")]
    assert [one["number"] for one in admin.get(f"{owner}/revisions", params={"state": "retired"}).json()["items"]] == [
        1
    ]
    problem(admin.get(f"{owner}/revisions/9"), 404)
    problem(admin.post(f"{owner}/revisions/9/publish"), 404)


def test_of_two_drafts_from_one_revision_the_second_is_told_both_differences(
    admin: httpx.Client, owner: str, noun: str
) -> None:
    assert admin.post(f"{owner}/revisions", json=body(noun, 1, priority=1)).status_code == 201
    found = problem(admin.post(f"{owner}/revisions", json=body(noun, 1, priority=2)), 409)
    assert found["type"].endswith(":changed")
    assert (found["theirs"], found["yours"]) == (["priority: added 1"], ["priority: added 2"])
    wrong = body(noun, 2, click_window_days=900)
    (error,) = problem(admin.post(f"{owner}/revisions", json=wrong), 422)["errors"]
    assert (error["field"], error["value"]) == (f"{FIELD[noun]}.click_window_days", 900)


def test_an_older_revision_applies_again_as_a_new_one(admin: httpx.Client, owner: str, noun: str) -> None:
    admin.post(f"{owner}/revisions", json=body(noun, 1, priority=1))
    admin.post(f"{owner}/revisions/2/publish")
    made = admin.post(f"{owner}/revisions/1/rollback", json={"reason": "too often"})
    assert made.status_code == 201
    assert made.headers["location"] == f"{owner}/revisions/3"
    assert (made.json()["state"], made.json()[FIELD[noun]]) == ("published", FIRST[noun])
    assert made.json()["reason"] == "rollback to revision 1: too often"
    problem(admin.post(f"{owner}/revisions/9/rollback"), 404)


def test_two_revisions_are_compared_in_words_and_path_by_path(admin: httpx.Client, owner: str, noun: str) -> None:
    admin.post(f"{owner}/revisions", json=body(noun, 1, priority=1))
    admin.post(f"{owner}/revisions", json=body(noun, 2, priority=2, click_window_days=30))
    found = admin.get(f"{owner}/difference").json()
    assert (found["old"], found["new"]) == (1, 3)
    assert found["lines"] == [one["line"] for one in found["changes"]]
    assert {one["path"]: one["new"] for one in found["changes"]} == {"priority": 2, "click_window_days": 30}
    back = admin.get(f"{owner}/difference", params={"old": 3, "new": 2}).json()
    assert set(back["lines"]) == {"priority: 2 -> 1", "click_window_days: removed 30"}
    removed = next(one for one in back["changes"] if one["path"] == "click_window_days")
    assert (removed["old"], "new" in removed) == (30, False)
    problem(admin.get(f"{owner}/difference", params={"old": 9}), 404)
    problem(admin.get(f"{owner}/difference", params={"old": 0}), 422)


def test_before_anything_applies_everything_is_new(admin: httpx.Client, world: World) -> None:
    config = {"trigger": ["order.paid"]}
    admin.post("/api/v1/definitions", json={"key": "draft_only", "name": "Draft", "config": config})
    found = admin.get("/api/v1/definitions/draft_only/difference").json()
    assert (found["old"], found["new"], found["lines"]) == (None, 1, ['trigger: added ["order.paid"]'])


def test_pages_of_revisions_follow_each_other(admin: httpx.Client, owner: str, noun: str) -> None:
    for number in range(1, 4):
        admin.post(f"{owner}/revisions", json=body(noun, number, priority=number))
    first = admin.get(f"{owner}/revisions", params={"limit": 3}).json()
    second = admin.get(f"{owner}/revisions", params={"limit": 3, "after": first["next"]}).json()
    assert [one["number"] for one in (*first["items"], *second["items"])] == [4, 3, 2, 1]
    assert second["next"] is None


@pytest.mark.usefixtures("two_people")
def test_where_two_people_are_asked_for_nobody_publishes_their_own(
    client: httpx.Client, world: World, owner: str, noun: str
) -> None:
    """Keys of one person are that person: those of all sites were made by one, those of a site by another."""
    ana = world.headers("administrator")
    assert client.post(f"{owner}/revisions", json=body(noun, 1, priority=1), headers=ana).status_code == 201
    for name in ("administrator", "publisher"):
        refused = problem(client.post(f"{owner}/revisions/2/publish", headers=world.headers(name)), 409)
        assert "somebody else publishes it" in refused["detail"]
    rolled_back = client.post(f"{owner}/revisions/1/rollback", headers=ana).json()
    assert (rolled_back["number"], rolled_back["state"]) == (3, "draft")
    if noun == "assignment":
        bea = world.headers("publisher of mine")
        published = client.post(f"{owner}/revisions/3/publish", headers=bea).json()
        assert (published["state"], published["author"], published["published_by"]) == ("published", "zanzibar", "me")
