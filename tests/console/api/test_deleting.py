"""Deleted is what nothing depends on; else the answer names what does. And whole replacements of accounts, actions and people."""

import httpx
import pytest
import sqlalchemy as sa

from tests.console.api.conftest import problem
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID
from tests.console.api.world import World

SITES, ACCOUNTS = "/api/v1/sites", "/api/v1/ads-accounts"
ANY = {"If-Match": "*"}


def named(answer: httpx.Response) -> set[str]:
    found = problem(answer, 409)
    assert found["type"].endswith("in-use")
    assert all(f"{one['noun']} {one['id']}" in found["detail"] for one in found["references"])
    return {one["noun"] for one in found["references"]}


def test_a_site_is_deleted_once_it_is_removed_and_nothing_is_of_it(admin: httpx.Client, world: World) -> None:
    path = admin.post(SITES, json={"platform": "custom", "name": "Short"}).headers["location"]
    assert admin.post(f"{path}/secrets", json={}).status_code == 201
    assert "Remove it first" in problem(admin.delete(path), 409)["detail"]
    admin.post(f"{path}/remove", json={})
    problem(admin.delete(path, headers=world.headers("editor")), 403)
    assert admin.delete(path).status_code == 204
    problem(admin.get(path), 404)
    problem(admin.delete(path), 404)
    (entry,) = admin.get("/api/v1/audit-entries", params={"action": "site.delete"}).json()["items"]
    assert entry["before"]["name"] == "Short"


def test_a_site_in_use_stays_and_what_depends_on_it_is_named(admin: httpx.Client, world: World) -> None:
    path = f"{SITES}/{world.mine.id}"
    admin.post(f"{path}/remove", json={})
    assert {"assignment", "grant", "raw event", "privacy request"} <= named(admin.delete(path))
    assert admin.get(path).json()["state"] == "removed"


def test_accounts_and_actions_are_deleted_where_nothing_was_sent(admin: httpx.Client, world: World) -> None:
    path = admin.post(ACCOUNTS, json={"customer_id": "5556667777", "name": "A", "lane": "google_ads"}).headers[
        "location"
    ]
    action = admin.post(f"{path}/actions", json={"action_id": "5", "name": "Purchase"}).headers["location"]
    assert named(admin.delete(path)) == {"ads action"}
    rule = admin.post(f"{SITES}/{world.mine.id}/assignments", json={
        "definition_key": "big_order", "label": "ads", "overrides": {"ads_action": "5556667777/5"},
    }).headers["location"]  # fmt: skip
    assert named(admin.delete(action)) == {"assignment"}
    assert admin.delete(rule).status_code == 204
    definition = {"key": "ads", "name": "Ads", "config": {"trigger": ["order.paid"], "ads_action": "5556667777/5"}}
    assert admin.post("/api/v1/definitions", json=definition).status_code == 201
    assert named(admin.delete(action)) == {"definition"}
    assert admin.delete("/api/v1/definitions/ads").status_code == 204
    assert [admin.delete(one).status_code for one in (action, path)] == [204, 204]
    assert "upload" in named(admin.delete(f"{ACCOUNTS}/{CUSTOMER_ID}/actions/{ACTION_ID}"))
    for done in ("ads_action.delete", "ads_account.delete"):
        (entry,) = admin.get("/api/v1/audit-entries", params={"action": done}).json()["items"]
        assert entry["before"]["customer_id"] == "5556667777"


@pytest.mark.parametrize(
    ("path", "whole", "default"),
    [
        (
            f"{ACCOUNTS}/{CUSTOMER_ID}",
            {"name": "Other", "lane": "data_manager"},
            {"currency": None, "time_zone": "UTC"},
        ),
        (f"{ACCOUNTS}/{CUSTOMER_ID}/actions/{ACTION_ID}", {"name": "Other"}, {"click_window_days": 90}),
        ("/api/v1/people/{person_id}", {"display_name": "Other"}, {"grants": []}),
    ],
)
def test_what_a_replacement_leaves_out_gets_its_default(
    admin: httpx.Client, world: World, engine: sa.Engine, path: str, whole: dict[str, str], default: dict[str, object]
) -> None:
    path = path.format(person_id=world.ben.id)
    tag = {"If-Match": admin.get(path).headers["etag"]}
    changed = admin.put(path, json=whole, headers=tag)
    assert changed.status_code == 200, changed.text
    assert {name: changed.json()[name] for name in (*whole, *default)} == {**whole, **default}
    assert problem(admin.put(path, json={**whole, "x": 1}, headers=ANY), 422)["errors"][0]["field"] == "x"
    assert problem(admin.put(path, json=whole, headers=tag), 412)["theirs"]
