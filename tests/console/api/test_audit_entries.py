"""The audit trail: found, narrowed to the sites of whoever asks, exported whole."""

import csv
import io
from typing import Any

import httpx
import pytest

from custom_events.catalog import audit, audit_export
from custom_events.catalog.audit import Filter
from tests.console.api.conftest import problem
from tests.console.api.world import World

PATH = "/api/v1/audit-entries"


@pytest.fixture
def asked(admin: httpx.Client, world: World) -> httpx.Client:
    """Somebody paused the first site, as request `pause-0001`."""
    path = f"/api/v1/sites/{world.mine.id}/pause"
    assert admin.post(path, json={"reason": "=1+1"}, headers={"X-Request-Id": "pause-0001"}).status_code == 200
    return admin


def actions(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return [entry["action"] for entry in answer.json()["items"]]


def test_entries_are_found_by_whatever_is_known_of_them(asked: httpx.Client, world: World) -> None:
    (entry,) = asked.get(PATH, params={"request_id": "pause-0001"}).json()["items"]
    assert (entry["action"], entry["subject"], entry["site_id"]) == (
        "site.pause",
        f"site:{world.mine.id}",
        world.mine.id,
    )
    assert entry["detail"] == {"reason": "=1+1"}
    assert actions(asked)[0] == "site.pause"
    assert actions(asked, action="site.pause") == ["site.pause"] == actions(asked, search="PAUSE")
    assert actions(asked, noun="site", actor="test") == ["site.create"]
    assert actions(asked, noun="sit") == []
    assert actions(asked, subject=entry["subject"]) == ["site.pause", "secret.add", "site.create"]
    assert actions(asked, since=entry["at"]) == ["site.pause"]
    assert "site.pause" not in actions(asked, until=entry["at"])
    of_theirs = {action.partition(".")[0] for action in actions(asked, site_id=world.theirs.id)}
    assert of_theirs == {"site", "secret", "assignment", "report", "report_schedule", "report_run"}


def test_pages_show_every_entry_once(asked: httpx.Client) -> None:
    whole = [entry["id"] for entry in asked.get(PATH).json()["items"]]
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 2}
    while (page := asked.get(PATH, params=query).json())["next"] is not None:
        seen += [entry["id"] for entry in page["items"]]
        query["after"] = page["next"]
    assert seen + [entry["id"] for entry in page["items"]] == whole
    oldest = asked.get(PATH, params={"order": "oldest", "limit": 2}).json()
    following = asked.get(PATH, params={"order": "oldest", "limit": 1, "after": oldest["next"]}).json()
    assert [entry["id"] for entry in oldest["items"] + following["items"]] == whole[::-1][:3]


def test_of_one_site_only_its_own_entries_are_seen(asked: httpx.Client, world: World) -> None:
    headers = world.headers("administrator of mine")
    items = asked.get(PATH, headers=headers).json()["items"]
    assert {entry["site_id"] for entry in items} == {world.mine.id}
    exported = asked.get(f"{PATH}.csv", headers=headers)
    assert f"site:{world.theirs.id}" not in exported.text
    assert len(list(csv.DictReader(io.StringIO(exported.text)))) == len(items)


def test_the_export_is_the_list(asked: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "PAGE", 2)
    answer = asked.get(f"{PATH}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "audit-entries.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(row["id"]) for row in rows] == [entry["id"] for entry in asked.get(PATH).json()["items"]]
    assert rows[0]["detail"] == '{"reason":"=1+1"}'
    assert rows[0]["before"] == '{"is_active":true,"removed_at":null}'
    assert rows[-1]["before"] == ""


def test_no_cell_is_a_formula(world: World) -> None:
    with world.engine.begin() as connection:
        audit.record(connection, actor="=cmd()", action="x.y", subject="z")
    text = b"".join(audit_export.lines(world.engine, Filter(action="x.y"))).decode()
    assert next(csv.DictReader(io.StringIO(text)))["actor"] == "'=cmd()"


def test_filters_that_no_text_can_be_are_refused(admin: httpx.Client) -> None:
    for name in ("subject", "actor", "action", "noun", "request_id"):
        (error,) = problem(admin.get(PATH, params={name: "a\0"}), 422)["errors"]
        assert error["field"] == name
    problem(admin.get(PATH, params={"since": "yesterday"}), 422)


@pytest.mark.parametrize("number", ["0", "1.5", "1764504000", "2026", "2026-11-30"])
def test_a_moment_is_written_out(asked: httpx.Client, number: str) -> None:
    (error,) = problem(asked.get(PATH, params={"since": number}), 422)["errors"]
    assert error["field"] == "since"
