"""Bulk changes of assignments by the API: tried, done, undone; by whom; from CSV and to it."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from custom_events.catalog import assignments, sites
from custom_events.operations.runner import Runner
from custom_events.values.deliveries import Platform
from tests.console.api.conftest import problem
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID
from tests.console.api.world import World

BULK, ASSIGNMENTS = "/api/v1/bulk-changes", "/api/v1/assignments"
ASSIGN: dict[str, Any] = {"action": "assign", "definition_key": "big_order", "label": "VIP", "publish": True}


@pytest.fixture
def shops(world: World) -> list[int]:
    """Three more sites."""
    with world.engine.begin() as connection:
        return [
            sites.create(connection, platform=Platform.CUSTOM, name=f"Shop {number}", actor="test").id
            for number in range(3)
        ]


def do(client: httpx.Client, *actions: dict[str, Any], status: int = 200, **more: Any) -> dict[str, Any]:
    answer = client.post(BULK, json={"actions": actions, **more})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def effective(client: httpx.Client) -> dict[tuple[int, str], Any]:
    """What applies of every assignment, and whether it is enabled; of one that was made and undone nothing does."""
    items = client.get(ASSIGNMENTS, params={"limit": 500}).json()["items"]
    return {
        (one["site_id"], one["label"]): (one["is_active"], one["effective"]["config"])
        for one in items
        if one["effective"] is not None
    }


def without_ids(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows, but for the numbers of what is made."""
    return [{**row, "assignment_id": row["outcome"] != "made" and row["assignment_id"]} for row in result["rows"]]


def test_a_definition_is_assigned_to_many_sites_after_a_dry_run_and_undone(
    admin: httpx.Client, shops: list[int]
) -> None:
    before = effective(admin)
    action = {**ASSIGN, "site_ids": shops, "overrides": {"priority": 7}}
    tried = do(admin, action, dry_run=True)
    assert (tried["bulk_change_id"], tried["is_applied"], tried["counts"]["made"]) == (None, False, 3)
    assert effective(admin) == before
    done = do(admin, action, reason="the new campaign")
    assert without_ids(done) == without_ids(tried)
    assert effective(admin).keys() - before.keys() == {(site_id, "VIP") for site_id in shops}
    path = f"{BULK}/{done['bulk_change_id']}"
    assert admin.get(path).json()["reason"] == "the new campaign"
    assert admin.get(f"{path}/rows").json()["items"] == done["rows"]
    undone = admin.post(f"{path}/undo", json={}).json()
    assert undone["counts"]["changed"] == 3
    assert effective(admin) == before
    assert admin.get(path).json()["undone_by"] == undone["bulk_change_id"]
    again = problem(admin.post(f"{path}/undo", json={}), 422)
    assert "was changed since" in again["errors"][0]["problem"]


def test_all_or_nothing_names_the_field_of_every_row_and_changes_nothing(
    admin: httpx.Client, world: World, shops: list[int]
) -> None:
    before = effective(admin)
    wrong = {**ASSIGN, "site_ids": [shops[0], 999_999], "overrides": {"click_window_days": 900}}
    found = do(admin, wrong, {"action": "enable", "assignment_ids": [999_999]}, status=422)
    fields = {one["field"] for one in found["errors"]}
    assert fields == {
        "actions[0].overrides.click_window_days",
        "actions[0].site_ids[1]",
        "actions[1].assignment_ids[0]",
    }
    assert effective(admin) == before
    done = do(admin, {**ASSIGN, "site_ids": [shops[0], 999_999]}, mode="row_by_row")
    assert (done["counts"]["made"], done["counts"]["failed"]) == (1, 1)
    assert done["rows"][1]["sentence"] == "There is no site 999999"


def test_what_actions_lack_and_what_says_nothing_to_them_is_told_at_once(admin: httpx.Client) -> None:
    found = do(
        admin,
        {"action": "assign", "site_ids": [0], "to_site_id": 3},
        {"action": "change", "assignment_ids": [1], "assignments": {}},
        {"action": "copy", "from_site_id": 1, "sites": {"state": "open"}},
        {"action": "enable", "assignments": {"search": "nothing like it"}},
        status=422,
    )
    assert {one["field"] for one in found["errors"]} == {
        *("actions[0].to_site_id", "actions[0].definition_key", "actions[0].label", "actions[0].site_ids[0]"),
        *("actions[1].assignment_ids", "actions[2].sites.state"),
    }
    nothing = do(admin, {"action": "enable", "assignments": {"search": "nothing like it"}}, status=422)
    assert nothing["errors"][0]["problem"] == "nothing was found"
    assert do(admin, status=422)["errors"][0]["field"] == "actions"


def test_a_key_of_one_site_neither_touches_nor_guesses_another(
    client: httpx.Client, world: World, shops: list[int]
) -> None:
    headers = world.headers("publisher of mine")
    their_rule = world.places["assignment_id"][1]
    actions = [
        {**ASSIGN, "site_ids": [world.theirs.id, 999_999]},
        {"action": "disable", "assignment_ids": [their_rule, 999_999]},
        {"action": "move", "assignment_ids": [their_rule, 999_999], "to_site_id": world.mine.id},
        {"action": "copy", "from_site_id": world.theirs.id, "site_ids": [world.mine.id]},
        {"action": "copy", "from_site_id": 999_999, "site_ids": [world.mine.id]},
        {**ASSIGN, "sites": {}},
        {"action": "disable", "assignments": {}},
    ]
    answer = client.post(BULK, json={"actions": actions, "mode": "row_by_row"}, headers=headers).json()
    told = [(row["outcome"], row["sentence"]) for row in answer["rows"]]
    for their, absent in ((0, 1), (2, 3), (4, 5), (6, 7)):
        assert told[their][0] == told[absent][0] == "failed"
        unnamed = [told[one][1].rstrip("0123456789") for one in (their, absent)]
        assert unnamed[0] == unnamed[1]
    assert {row["site_id"] for row in answer["rows"][8:]} == {world.mine.id}
    assert "zanzibar" not in str(answer)
    with world.engine.connect() as connection:
        assert assignments.get(connection, their_rule).is_active
        assert [one.label for one in assignments.of_site(connection, world.theirs.id)] == ["zanzibar"]
    admin = world.headers("administrator")
    other = client.post(BULK, json={"actions": [{**ASSIGN, "sites": {}}], "mode": "row_by_row"}, headers=admin).json()
    path = f"{BULK}/{other['bulk_change_id']}"
    for found in (client.get(path, headers=headers), client.post(f"{path}/undo", json={}, headers=headers)):
        problem(found, 404)
    assert other["bulk_change_id"] not in [one["id"] for one in client.get(BULK, headers=headers).json()["items"]]


def test_an_editor_makes_drafts_and_lets_nothing_apply(client: httpx.Client, world: World) -> None:
    headers = world.headers("editor of mine")
    action = {**ASSIGN, "site_ids": [world.mine.id]}
    found = client.post(BULK, json={"actions": [action]}, headers=headers)
    assert "publisher" in problem(found, 422)["errors"][0]["problem"]
    drafted = client.post(BULK, json={"actions": [{**action, "publish": False}]}, headers=headers)
    assert drafted.json()["counts"]["made"] == 1
    problem(client.post(BULK, json={"actions": [action]}, headers=world.headers("viewer of mine")), 403)


def test_more_rows_are_an_operation(
    admin: httpx.Client, shops: list[int], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.routes.bulk_changes.AT_ONCE", 2)
    body = {"actions": [{**ASSIGN, "site_ids": shops}]}
    answer = admin.post(BULK, json=body, headers={"Idempotency-Key": "once"})
    assert (answer.status_code, answer.json()["total"]) == (202, 3)
    (change,) = [one for one in admin.get(BULK).json()["items"] if one["is_under_way"]]
    problem(admin.post(f"{BULK}/{change['id']}/undo", json={}), 409)
    assert (runner.run_next(), runner.run_next()) == (True, False)
    result = admin.get(f"{answer.headers['location']}/result").json()["bulk_change"]
    assert (result["counts"]["made"], result["bulk_change_id"]) == (3, change["id"])
    again = admin.post(BULK, json=body, headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json()["id"]) == (202, answer.json()["id"])
    monkeypatch.setattr("custom_events.catalog.bulk.choosing.MOST_ROWS", 2)
    assert "more than" in do(admin, *body["actions"], status=422)["errors"][0]["problem"]


def test_assignments_go_to_csv_and_come_back(admin: httpx.Client, world: World, shops: list[int]) -> None:
    do(admin, {**ASSIGN, "site_ids": shops[:1], "label": '=odd, "label"', "overrides": {"priority": 2}})
    exported = admin.get("/api/v1/assignments.csv", params={"site_id": shops[0]})
    assert exported.headers["content-type"].startswith("text/csv")
    header, line = exported.text.splitlines()
    assert header == "site_id,definition_key,label,is_active,is_published,overrides"
    assert line.startswith(f'{shops[0]},big_order,"\'=odd, ""label""",true,true,')
    same = admin.post(f"{BULK}/import", json={"csv": exported.text}).json()
    assert same["counts"]["unchanged"] == 1
    elsewhere = exported.text.replace(f"{shops[0]},big", f"{shops[1]},big").replace(",true,true,", ",false,true,")
    made = admin.post(f"{BULK}/import", json={"csv": elsewhere}).json()
    assert made["counts"]["made"] == 1
    items = admin.get(ASSIGNMENTS, params={"site_id": shops[1]}).json()["items"]
    assert [(one["label"], one["is_active"]) for one in items] == [('=odd, "label"', False)]
    undone = admin.post(f"{BULK}/{made['bulk_change_id']}/undo", json={"dry_run": True}).json()
    assert (undone["is_applied"], undone["counts"]["changed"]) == (False, 1)


def test_what_is_wrong_with_a_file_is_told_line_by_line(admin: httpx.Client, world: World) -> None:
    lines = [
        "site_id,definition_key,label,is_active,overrides",
        f'{world.mine.id},big_order,good,,"{{""priority"": 1}}"',
        'x,big_order,"two',
        'lines",true,{}',
        f'{world.mine.id},big_order,,perhaps,"{{""prio"": 1}}"',
        f"{world.mine.id},big_order,short",
        f"{world.mine.id},big_order,json,,nothing",
        f'{world.mine.id},big_order,exponent,,"{{""priority"": 1e9999999999999999999}}"',
    ]

    def fields(text: str) -> set[str]:
        found = admin.post(f"{BULK}/import", json={"csv": text})
        return {one["field"] for one in problem(found, 422)["errors"]}

    assert fields("\n".join(lines)) == {
        *("lines[3].site_id", "lines[5].label", "lines[5].is_active", "lines[5].overrides.prio"),
        *("lines[6]", "lines[7].overrides", "lines[8].overrides"),
    }
    assert fields("site_id,label,label,colour\n") == {"lines[1]"}
    assert fields("") == {"lines[1]"}
    assert fields(lines[0]) == {"csv"}
    assert fields(f'{lines[0]}\n1,"two"x') == {"lines[2]"}
    assert fields(f"{lines[0]}\n{world.mine.id},nothing,a,,\n999999,big_order,b,,") == {
        "lines[2].definition_key",
        "lines[3]",
    }


def test_what_a_dry_run_tried_is_applied_by_its_number(
    admin: httpx.Client, world: World, shops: list[int], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.routes.bulk_changes.AT_ONCE", 2)
    body = {"actions": [{**ASSIGN, "site_ids": shops}], "dry_run": True, "reason": "spring"}
    tried = admin.post(BULK, json=body).json()
    path = f"/api/v1/operations/{tried['id']}/apply"
    assert "not a dry run" in problem(admin.post(path, json={}), 409)["detail"]  # it has not ended yet
    assert runner.run_next()
    assert effective(admin).keys() & {(site_id, "VIP") for site_id in shops} == set()
    errors = problem(admin.post(path, json={"reason": "a\0b"}), 422)["errors"]
    assert [error["field"] for error in errors] == ["reason"]
    applied = admin.post(path, json={"mode": "row_by_row"})
    assert applied.status_code == 202
    assert runner.run_next()
    assert effective(admin).keys() >= {(site_id, "VIP") for site_id in shops}
    newest = admin.get(BULK).json()["items"][0]
    assert newest["reason"] == "spring"
    for text, finds in (("SPRI", True), (newest["asked_by"][1:].upper(), True), ("sprin_", False)):
        listed = admin.get(BULK, params={"search": text}).json()["items"]
        assert (newest in listed) is finds, text


def test_assignments_are_found_by_what_they_override_and_where_they_go(
    admin: httpx.Client, world: World, shops: list[int]
) -> None:
    action = f"{CUSTOMER_ID}/{ACTION_ID}"
    do(admin, {**ASSIGN, "site_ids": shops[:1], "label": "sends", "overrides": {"ads_action": action}})
    do(admin, {**ASSIGN, "site_ids": shops[1:2], "label": "drafted", "overrides": {"priority": 2}, "publish": False})

    def labels(**query: str) -> set[str]:
        return {one["label"] for one in admin.get(ASSIGNMENTS, params=query).json()["items"]}

    assert labels(ads_account="123-456-7890") == labels(overridden="ads_action") == {"sends"}
    assert labels(published="false") >= {"drafted"}
    assert labels(overridden="priority") == {"drafted"}
    assert labels(ads_account="9999999999") == set()
    problem(admin.get(ASSIGNMENTS, params={"overridden": "price"}), 422)
    problem(admin.get(ASSIGNMENTS, params={"ads_account": "x"}), 422)
    lines = admin.get("/api/v1/assignments.csv", params={"ads_account": CUSTOMER_ID}).text.splitlines()
    assert len(lines) == 2
    filtered = {"action": "disable", "assignments": {"ads_account": CUSTOMER_ID, "overridden": "ads_action"}}
    assert do(admin, filtered, dry_run=True)["counts"]["changed"] == 1
    do(admin, {"action": "disable", "assignments": {"overridden": "a\0b"}}, status=422)


@pytest.fixture
def ben(client: httpx.Client, admin: httpx.Client, world: World, shops: list[int]) -> dict[str, str]:
    """Headers of a key of Ben's, publisher of a site and viewer of another."""
    grants = [{"role": "publisher", "site_id": shops[0]}, {"role": "viewer", "site_id": shops[1]}]
    made = admin.post("/api/v1/api-keys", json={"name": "b", "grants": grants})
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['key']}"}


def test_whoever_is_only_viewer_of_some_of_the_sites_sees_and_undoes_their_own(
    client: httpx.Client, ben: dict[str, str], shops: list[int], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    body: dict[str, Any] = {"actions": [{**ASSIGN, "site_ids": shops[:2]}], "mode": "row_by_row"}
    now = client.post(BULK, json=body, headers=ben).json()
    assert (now["counts"]["made"], now["counts"]["failed"]) == (1, 1)
    path = f"{BULK}/{now['bulk_change_id']}/undo"
    undone = client.post(path, json={}, headers=ben)
    assert (undone.status_code, undone.json()["counts"]["changed"]) == (200, 1), undone.text
    monkeypatch.setattr("console.api.routes.bulk_changes.AT_ONCE", 1)
    body["actions"][0]["label"] = "later"
    asked = client.post(BULK, json=body, headers=ben)
    assert asked.status_code == 202
    assert runner.run_next()
    location = asked.headers["location"]
    assert client.get(f"{location}/result", headers=ben).json()["bulk_change"]["counts"]["made"] == 1
    assert asked.json()["id"] in [item["id"] for item in client.get("/api/v1/operations", headers=ben).json()["items"]]


def test_an_undo_needs_an_editor_of_what_was_changed(
    client: httpx.Client, admin: httpx.Client, ben: dict[str, str], shops: list[int]
) -> None:
    done = do(admin, {**ASSIGN, "site_ids": shops[:2]})
    path = f"{BULK}/{done['bulk_change_id']}"
    assert client.get(path, headers=ben).status_code == 200
    detail = problem(client.post(f"{path}/undo", json={"mode": "row_by_row"}, headers=ben), 403)["detail"]
    assert f"site {shops[1]}" in detail
    assert admin.get(path).json()["undone_by"] is None


def test_a_copy_that_was_tried_is_done_only_while_its_source_is_seen(
    client: httpx.Client,
    admin: httpx.Client,
    world: World,
    ben: dict[str, str],
    shops: list[int],
    runner: Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    do(admin, {**ASSIGN, "site_ids": shops[1:2]}, {**ASSIGN, "site_ids": shops[1:2], "label": "second"})
    monkeypatch.setattr("console.api.routes.bulk_changes.AT_ONCE", 1)
    copy = {"action": "copy", "from_site_id": shops[1], "site_ids": shops[:1]}
    tried = client.post(BULK, json={"actions": [copy], "dry_run": True}, headers=ben).json()
    assert runner.run_next()
    monkeypatch.setattr("console.api.routes.bulk_changes.AT_ONCE", 50)
    with world.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.role_grants WHERE site_id = :site"), {"site": shops[1]})
    applied = client.post(f"/api/v1/operations/{tried['id']}/apply", json={"mode": "row_by_row"}, headers=ben).json()
    assert (applied["counts"]["failed"], applied["counts"]["made"]) == (2, 0)
    assert "There is no assignment" in applied["rows"][0]["sentence"]
