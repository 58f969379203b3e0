"""Assignments by the API: listed, made, overridden by several people, switched, removed; what applies of them."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.console.api.conftest import problem
from tests.console.api.world import World

ASSIGNMENTS = "/api/v1/assignments"
NEW: dict[str, Any] = {"definition_key": "big_order", "label": "VIP", "overrides": {"priority": 3}}


@pytest.fixture
def here(world: World) -> str:
    """Where assignments of the first site are made."""
    return f"/api/v1/sites/{world.mine.id}/assignments"


def make(admin: httpx.Client, here: str, **fields: Any) -> httpx.Response:
    answer = admin.post(here, json={**NEW, **fields})
    assert answer.status_code == 201, answer.text
    return answer


def test_an_assignment_begins_as_a_draft_or_applies_at_once(admin: httpx.Client, here: str) -> None:
    made = make(admin, here)
    drafted = made.json()
    assert (drafted["published"], drafted["effective"], drafted["has_overrides"]) == (None, None, True)
    assert drafted["draft"]["overrides"] == {"priority": 3}
    answer = admin.get(made.headers["location"])
    assert (answer.json(), answer.headers["etag"]) == (drafted, made.headers["etag"])
    problem(admin.post(here, json=NEW), 409)
    applying = make(admin, here, label="at once", publish=True).json()
    assert (applying["published_number"], applying["draft"]) == (1, None)


def test_what_applies_says_of_each_setting_where_it_comes_from(admin: httpx.Client, here: str) -> None:
    also = {"field": "order.total", "op": ">", "value": "5"}
    effective = make(admin, here, publish=True, overrides={"priority": 3, "also": also}).json()["effective"]
    assert (effective["definition_number"], effective["assignment_number"]) == (1, 1)
    origins = {one["name"]: one["origin"] for one in effective["settings"]}
    assert (origins["priority"], origins["trigger"], origins["group"]) == ("assignment", "definition", "default")
    values = {one["name"]: one["value"] for one in effective["settings"]}
    assert (values["priority"], values["conditions"], values["click_window_days"]) == (3, also, 90)
    assert effective["config"]["trigger"] == ["order.paid"]


def test_what_is_named_and_not_there_is_a_broken_reference(admin: httpx.Client, here: str) -> None:
    found = problem(admin.post(here, json={**NEW, "definition_key": "nothing"}), 409)
    assert found["references"] == [{"noun": "definition", "id": "nothing", "name": ""}]
    (error,) = problem(admin.post(here, json={**NEW, "overrides": {"ads_action": "1234567890/7"}}), 422)["errors"]
    assert (error["field"], error["value"]) == ("overrides.ads_action", "1234567890/7")
    errors = problem(admin.post(here, json={**NEW, "overrides": {"prio": 1, "trigger": ["x"]}}), 422)["errors"]
    assert {one["field"] for one in errors} == {"overrides.prio", "overrides.trigger[0]"}
    problem(admin.post(here.replace("/1/", "/999999/"), json=NEW), 404)


def test_who_may_edit_and_not_publish_makes_drafts(client: httpx.Client, world: World, here: str) -> None:
    headers = world.headers("editor of mine")
    problem(client.post(here, json={**NEW, "publish": True}, headers=headers), 403)
    made = client.post(here, json=NEW, headers=headers)
    assert made.status_code == 201
    path = made.headers["location"]
    problem(client.post(f"{path}/revisions/1/publish", headers=headers), 403)
    problem(client.post(f"{path}/disable", headers=headers), 403)
    publisher = world.headers("publisher of mine")
    assert client.post(f"{path}/revisions/1/publish", headers=publisher).json()["state"] == "published"
    problem(client.post(f"/api/v1/sites/{world.theirs.id}/assignments", json=NEW, headers=headers), 404)


def test_overrides_are_changed_one_by_one_and_inherited_again(admin: httpx.Client, here: str) -> None:
    made = make(admin, here)
    path, tag = made.headers["location"], {"If-Match": made.headers["etag"]}
    changed = admin.patch(path, json={"overrides": {"click_window_days": 30, "group": None}}, headers=tag).json()
    assert changed["draft"]["overrides"] == {"priority": 3, "click_window_days": 30, "group": None}
    found = problem(admin.patch(path, json={"inherit": ["priority"]}, headers=tag), 412)
    assert found["theirs"]["newest_number"] == 2
    assert found["yours"] == {"inherit": ["priority"]}
    inherited = admin.patch(path, json={"inherit": ["priority", "group"]}, headers={"If-Match": "*"}).json()
    assert (inherited["newest_number"], inherited["draft"]["overrides"]) == (3, {"click_window_days": 30})
    again = admin.patch(path, json={"overrides": {"click_window_days": 30}}, headers={"If-Match": "*"}).json()
    assert again["newest_number"] == 3  # what is equal changes nothing
    (error,) = problem(admin.patch(path, json={"inherit": ["prio"]}, headers={"If-Match": "*"}), 422)["errors"]
    assert (error["field"], error["value"]) == ("inherit[0]", "prio")


def test_a_replacement_inherits_what_is_not_given(admin: httpx.Client, here: str) -> None:
    path = make(admin, here).headers["location"]
    changed = admin.put(path, json={"overrides": {}, "reason": "as the others"}, headers={"If-Match": "*"}).json()
    assert (changed["draft"]["overrides"], changed["has_overrides"]) == ({}, False)
    problem(admin.put(path, json={"overrides": {}}), 428)
    body = {"overrides": {"click_window_days": 900}}
    (error,) = problem(admin.put(path, json=body, headers={"If-Match": "*"}), 422)["errors"]
    assert error["field"] == "overrides.click_window_days"


def test_an_assignment_is_disabled_enabled_and_removed_while_nothing_applied(admin: httpx.Client, here: str) -> None:
    path = make(admin, here).headers["location"]
    assert admin.post(f"{path}/disable", json={"reason": "too often"}).json()["is_active"] is False
    assert admin.post(f"{path}/enable").json()["is_active"] is True
    assert admin.delete(path).status_code == 204
    problem(admin.delete(path), 404)
    used = make(admin, here, publish=True).headers["location"]
    found = problem(admin.delete(used), 409)
    assert found["type"].endswith(":in-use")
    assert found["references"] == [{"noun": "revision", "id": "1", "name": "published"}]


def test_assignments_are_found_filtered_and_sorted(admin: httpx.Client, world: World, here: str) -> None:
    off = make(admin, here, label="off").headers["location"]
    admin.post(f"{off}/disable")
    make(admin, here, label="plain 100%", overrides={})

    def labels(**query: Any) -> list[str]:
        answer = admin.get(ASSIGNMENTS, params={"sort": "label", **query})
        assert answer.status_code == 200, answer.text
        return [one["label"] for one in answer.json()["items"]]

    everything = ["mine", "off", "plain 100%", "zanzibar"]
    assert labels() == labels(definition="big_order") == labels(search="BIG_") == everything
    assert labels(sort="-label") == everything[::-1]
    assert labels(search="100%") == labels(label="plain 100%") == ["plain 100%"]
    assert labels(active=False) == labels(has_overrides=True) == ["off"]
    assert labels(site_id=world.theirs.id) == ["zanzibar"]
    assert labels(definition="nothing") == labels(label="min") == []
    items = admin.get(ASSIGNMENTS, params={"fields": "label,is_active", "label": "off"}).json()["items"]
    assert items == [{"label": "off", "is_active": False}]


@pytest.mark.parametrize("sort", ["id", "-site", "label", "-definition"])
def test_pages_show_every_assignment_once(admin: httpx.Client, here: str, sort: str) -> None:
    for number in range(3):
        make(admin, here, label=f"rule {number}")
    query: dict[str, Any] = {"sort": sort, "limit": 2, "fields": "id"}
    seen: list[int] = []
    while True:
        page = admin.get(ASSIGNMENTS, params=query).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    whole = admin.get(ASSIGNMENTS, params={"sort": sort}).json()["items"]
    assert seen == [one["id"] for one in whole]
    assert len(set(seen)) == 5


def test_the_trail_of_an_assignment_is_of_its_site_with_both_sides(
    admin: httpx.Client, world: World, here: str
) -> None:
    path = make(admin, here, publish=True).headers["location"]
    admin.patch(path, json={"overrides": {"priority": 4}}, headers={"If-Match": "*"})
    admin.post(f"{path}/revisions/2/publish")
    admin.post(f"{path}/disable")
    with world.engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT action, site_id, before, after FROM app.audit_entries WHERE subject = :subject ORDER BY id"
            ),
            {"subject": f"assignment:{path.rpartition('/')[2]}"},
        ).all()
    assert {row.site_id for row in rows} == {world.mine.id}
    old, new = {"priority": 3}, {"priority": 4}
    assert [(row.action, row.before, row.after) for row in rows] == [
        ("assignment.override", {}, old),
        ("assignment.publish", None, old),
        ("assignment.override", old, new),
        ("assignment.publish", old, new),
        ("assignment.pause", {"is_active": True}, {"is_active": False}),
    ]
