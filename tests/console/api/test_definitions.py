"""Definitions by the API: listed, made, changed by several people, published, retired, removed; what they are used by."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.console.api.conftest import problem
from tests.console.api.world import THEIRS, World

DEFINITIONS = "/api/v1/definitions"
NEW: dict[str, Any] = {"key": "late_order", "name": "Late order", "config": {"trigger": ["order.paid"], "priority": 1}}


def make(admin: httpx.Client, **fields: Any) -> httpx.Response:
    answer = admin.post(DEFINITIONS, json={**NEW, **fields})
    assert answer.status_code == 201, answer.text
    return answer


def test_a_definition_is_made_as_a_draft_and_read(admin: httpx.Client) -> None:
    made = make(admin, reason="first try")
    definition = made.json()
    assert (definition["state"], definition["published"], definition["published_number"]) == ("draft", None, None)
    assert definition["draft"]["config"] == {"trigger": ["order.paid"], "priority": 1}
    assert definition["draft"]["reason"] == "first try"
    assert definition["uses"] == {"assignments": 0, "active": 0, "sites": 0}
    answer = admin.get(made.headers["location"])
    assert answer.json() == definition
    assert answer.headers["etag"] == made.headers["etag"]
    assert "late_order" in problem(admin.post(DEFINITIONS, json=NEW), 409)["detail"]


def test_everything_that_is_wrong_with_a_definition_is_said_at_once_with_its_place_in_the_body(
    admin: httpx.Client,
) -> None:
    body = {"key": "Late", "name": " ", "config": {"trigger": [], "value": {"factor": -1}}}
    errors = problem(admin.post(DEFINITIONS, json=body), 422)["errors"]
    fields = {one["field"]: one for one in errors}
    assert {"key", "name", "config.trigger", "config.value.factor"} <= fields.keys()
    assert fields["key"]["value"] == "Late"
    wrong_shape = problem(admin.post(DEFINITIONS, json={**NEW, "config": {"trigger": ["x"], "prio": 1}}), 422)["errors"]
    assert {one["field"] for one in wrong_shape} == {"config.trigger[0]", "config.prio"}


def test_a_change_of_settings_is_a_draft_and_what_is_not_given_stays(admin: httpx.Client) -> None:
    path = make(admin).headers["location"]
    tag = admin.get(path).headers["etag"]
    answer = admin.patch(
        path, json={"name": "Later", "config": {"click_window_days": 30}, "reason": "r"}, headers={"If-Match": tag}
    )
    changed = answer.json()
    assert (changed["name"], changed["newest_number"], changed["draft"]["reason"]) == ("Later", 2, "r")
    assert changed["draft"]["config"] == {"trigger": ["order.paid"], "priority": 1, "click_window_days": 30}
    found = problem(admin.patch(path, json={"name": "x"}, headers={"If-Match": tag}), 412)
    assert (found["theirs"]["name"], found["yours"]["name"]) == ("Later", "x")
    again = admin.patch(path, json={"config": {"click_window_days": 30}}, headers={"If-Match": "*"})
    assert again.json()["newest_number"] == 2  # what is equal changes nothing
    problem(admin.patch(path, json={"config": {}}), 428)
    (error,) = problem(admin.patch(path, json={"config": {"priority": 10**30}}, headers={"If-Match": "*"}), 422)[
        "errors"
    ]
    assert error["field"] == "config.priority"


def test_a_replacement_puts_settings_that_are_not_given_at_their_default(admin: httpx.Client) -> None:
    path = make(admin, description="d").headers["location"]
    answer = admin.put(path, json={"name": "Late", "config": {"trigger": ["order.created"]}}, headers={"If-Match": "*"})
    assert (answer.json()["description"], answer.json()["draft"]["config"]) == ("", {"trigger": ["order.created"]})


def test_of_two_who_change_the_same_the_second_is_told(admin: httpx.Client) -> None:
    path = make(admin).headers["location"]
    tag = {"If-Match": admin.get(path).headers["etag"]}
    first = admin.patch(path, json={"config": {"priority": 2}}, headers=tag)
    second = admin.patch(path, json={"config": {"priority": 3}}, headers=tag)
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.headers["etag"] == first.headers["etag"]
    assert admin.get(path).json()["draft"]["config"]["priority"] == 2


def test_a_definition_is_archived_and_restored(admin: httpx.Client) -> None:
    path = make(admin).headers["location"]
    problem(admin.post(f"{path}/retire"), 409)
    assert "publish revision 1" in problem(admin.post(f"{path}/restore"), 409)["detail"]
    big = f"{DEFINITIONS}/big_order"
    problem(admin.post(f"{big}/restore"), 409)
    retired = admin.post(f"{big}/retire", json={"reason": "over"}).json()
    assert (retired["state"], retired["published"]) == ("retired", None)
    restored = admin.post(f"{big}/restore", json={"reason": "not over"}).json()
    assert (restored["state"], restored["published_number"]) == ("published", 2)
    assert restored["published"]["config"] == {"trigger": ["order.paid"]}


def test_what_others_depend_on_is_not_removed_and_they_are_named(admin: httpx.Client, world: World) -> None:
    path = make(admin).headers["location"]
    assert admin.delete(path).status_code == 204
    problem(admin.get(path), 404)
    found = problem(admin.delete(f"{DEFINITIONS}/big_order"), 409)
    assert found["type"].endswith(":in-use")
    mine, theirs = world.places["assignment_id"][:2]
    assert found["references"] == [
        {"noun": "assignment", "id": str(mine), "name": "mine"},
        {"noun": "assignment", "id": str(theirs), "name": THEIRS},
    ]
    used = make(admin).headers["location"]
    assert admin.post(f"{used}/revisions/1/publish").status_code == 200
    assert problem(admin.delete(used), 409)["references"] == [{"noun": "revision", "id": "1", "name": "published"}]
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.custom_event_definitions SET is_system = true WHERE key = 'late_order'"))
    assert "belongs to every installation" in problem(admin.delete(used), 409)["detail"]


def test_definitions_are_found_filtered_sorted_and_narrowed_to_fields(admin: httpx.Client, world: World) -> None:
    make(admin, name="100% late", description="for Friday")

    def keys(**query: Any) -> list[str]:
        answer = admin.get(DEFINITIONS, params=query)
        assert answer.status_code == 200, answer.text
        return [one["key"] for one in answer.json()["items"]]

    assert keys(search="100%") == keys(search="FRIDAY") == keys(state="draft") == ["late_order"]
    assert keys(state="published") == keys(site_id=world.mine.id) == ["big_order"]
    assert keys(state="retired") == keys(is_system=True) == keys(site_id=999_999) == []
    assert keys(is_system=False, sort="-key") == ["late_order", "big_order"]
    items = admin.get(DEFINITIONS, params={"fields": "key,uses", "search": "big"}).json()["items"]
    assert items == [{"key": "big_order", "uses": {"assignments": 2, "active": 2, "sites": 2}}]


@pytest.mark.parametrize("sort", ["key", "-name", "id"])
def test_pages_show_every_definition_once(admin: httpx.Client, sort: str) -> None:
    for number in range(4):
        make(admin, key=f"rule_{number}", name=f"Rule {number % 2}")
    query: dict[str, Any] = {"sort": sort, "limit": 2, "fields": "key"}
    seen: list[str] = []
    while True:
        page = admin.get(DEFINITIONS, params=query).json()
        seen += [one["key"] for one in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    whole = admin.get(DEFINITIONS, params={"sort": sort}).json()["items"]
    assert seen == [one["key"] for one in whole]
    assert len(set(seen)) == 5


def test_who_sees_one_site_sees_how_often_that_one_uses_a_definition(client: httpx.Client, world: World) -> None:
    headers = world.headers("viewer of mine")
    definition = client.get(f"{DEFINITIONS}/big_order", headers=headers).json()
    assert definition["uses"] == {"assignments": 1, "active": 1, "sites": 1}
    answer = client.get(DEFINITIONS, params={"site_id": world.theirs.id}, headers=headers).json()
    assert answer == client.get(DEFINITIONS, params={"site_id": 999_999}, headers=headers).json()
    problem(client.post(DEFINITIONS, json=NEW, headers=world.headers("administrator of mine")), 403)


def test_the_trail_says_what_a_definition_was_and_is(admin: httpx.Client, world: World) -> None:
    path = make(admin).headers["location"]
    admin.patch(path, json={"name": "Later", "config": {"priority": 2}}, headers={"If-Match": "*"})
    admin.delete(path)
    with world.engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT action, before, after FROM app.audit_entries WHERE subject = 'definition:late_order' ORDER BY id"
            )
        ).all()
    names = [{"name": name, "description": ""} for name in ("Late order", "Later")]
    first, second = {"trigger": ["order.paid"], "priority": 1}, {"trigger": ["order.paid"], "priority": 2}
    assert [tuple(row) for row in rows] == [
        ("definition.create", None, {**names[0], "config": first}),
        ("definition.rename", names[0], names[1]),
        ("definition.draft", first, second),
        ("definition.delete", {"name": "Later", "config": second}, None),
    ]
