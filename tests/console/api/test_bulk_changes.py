"""Bulk changes of assignments by the API: tried, done, undone; by whom; from CSV and to it."""

from typing import Any

import httpx
import pytest

from custom_events.catalog import sites
from custom_events.values.deliveries import Platform
from tests.console.api.conftest import problem
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
