"""Long operations by the API: asked for, followed, cancelled, their results; and by whom."""

import base64
import csv
import hashlib
import io
from typing import Any

import httpx
import openpyxl
import pyarrow.parquet as pq
from fastapi import FastAPI

from console.api.app import create_app
from custom_events.operations.runner import Runner
from custom_events.report_files.table import MEDIA_TYPES
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import World

BACKTESTS, REPLAYS, OPERATIONS = "/api/v1/backtests", "/api/v1/replays", "/api/v1/operations"
EXPORTS = "/api/v1/exports"
CONFIG: dict[str, Any] = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": ">", "value": "5"}}


def ask(client: httpx.Client, path: str, body: dict[str, Any]) -> str:
    """Where the operation is."""
    answer = client.post(path, json=body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "waiting"
    return answer.headers["location"]


def test_a_backtest_is_asked_for_done_and_its_result_read(admin: httpx.Client, runner: Runner) -> None:
    path = ask(admin, BACKTESTS, {"definition_key": "big_order", "config": CONFIG, "samples": 1})
    problem(admin.get(f"{path}/result"), 409)
    assert runner.run_next()
    found = admin.get(path).json()
    assert (found["state"], found["problem"], found["asked_by"]) == ("succeeded", None, "zanzibar")
    assert found["result"] == f"{path}/result"
    result = admin.get(found["result"]).json()["backtest"]
    assert (result["is_complete"], result["draft"]["definition"]) == (True, "big_order")
    assert result["draft"]["config"]["conditions"] == CONFIG["conditions"]
    problem(admin.get(f"{path}/result.csv"), 409)
    assert not runner.run_next()


def test_a_replay_is_tried_and_written(admin: httpx.Client, world: World, runner: Runner) -> None:
    tried = ask(admin, REPLAYS, {"site_ids": [world.mine.id], "since": "2026-11-01T00:00:00Z"})
    written = ask(admin, REPLAYS, {"site_ids": [world.mine.id], "write": True, "reason": "the parser was mended"})
    assert (runner.run_next(), runner.run_next()) == (True, True)
    results = [admin.get(f"{path}/result").json()["replay"] for path in (tried, written)]
    assert [(one["is_written"], one["sites"]) for one in results] == [(False, [world.mine.id]), (True, [world.mine.id])]
    entries = admin.get("/api/v1/audit-entries", params={"action": "replay.run"}).json()["items"]
    assert [(one["detail"]["reason"], one["source"]) for one in entries] == [("the parser was mended", "api")]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    (BACKTESTS, {"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}, "since"),
    (BACKTESTS, {"until": "0001-01-01T00:00:00Z"}, "until"),
    (BACKTESTS, {"samples": 51}, "samples"),
    (BACKTESTS, {"site_ids": []}, "site_ids"),
    (BACKTESTS, {"definition_key": "big_order", "definition_number": 0}, "definition_number"),
    (BACKTESTS, {"config": {**CONFIG, "click_window_days": 900}}, "config.click_window_days"),
    (BACKTESTS, {"overrides": {"also": {"op": "?"}}}, "overrides.also"),
    (REPLAYS, {"write": True}, "reason"),
    (EXPORTS, {"list": "assignments", "state": "queued"}, "state"),
    (EXPORTS, {"list": "uploads", "state": "lost"}, "state"),
    (EXPORTS, {"list": "audit_entries", "since": "0001-01-01T00:00:00Z"}, "since"),
    (EXPORTS, {"list": "assignments", "format": "pdf"}, "format"),
    (EXPORTS, {"list": "uploads", "kind": "sale"}, "kind"),
    (EXPORTS, {"list": "raw_events", "outcome": "lost"}, "outcome"),
    (EXPORTS, {"list": "custom_events", "state": "sent"}, "state"),
    (EXPORTS, {"list": "commerce_events", "order_id": "1001"}, "order_id"),
    (EXPORTS, {"list": "refused_events", "topic": "a\0b"}, "topic"),
]


def test_what_cannot_be_asked_is_said_at_once(admin: httpx.Client) -> None:
    for path, body, field in WRONG:
        errors = problem(admin.post(path, json=body), 422)["errors"]
        assert errors[0]["field"].startswith(field), body


def test_lists_are_exported_whole(admin: httpx.Client, world: World, runner: Runner) -> None:
    bodies = [{"list": "assignments"}, {"list": "uploads"}, {"list": "audit_entries", "action": "site.create"}]
    paths = [ask(admin, EXPORTS, body) for body in bodies]
    while runner.run_next():
        pass
    texts: list[str] = []
    for path in paths:
        found = admin.get(path).json()
        assert (found["state"], found["result"]) == ("succeeded", f"{path}/result.csv")
        answer = admin.get(found["result"])
        assert answer.headers["content-disposition"].startswith("attachment")
        texts.append(answer.text)
        assert (found["done"], found["total"]) == (answer.text.count("\r\n") - 1,) * 2
    assert texts[0] == admin.get("/api/v1/assignments.csv").text
    assert [text.count("\r\n") for text in texts] == [3, 3, 3]
    assert "site.create" in texts[2]


def test_an_export_has_what_its_asker_may_see(client: httpx.Client, world: World, runner: Runner) -> None:
    headers = world.headers("administrator of mine")
    paths: list[str] = []
    for name in ("assignments", "uploads", "audit_entries"):
        answer = client.post(EXPORTS, json={"list": name}, headers=headers)
        paths.append(answer.headers["location"])
        assert answer.json()["site_ids"] == [world.mine.id]
        problem(client.post(EXPORTS, json={"list": name, "site_id": world.theirs.id}, headers=headers), 409)
    while runner.run_next():
        pass
    for path in paths:
        text = client.get(f"{path}/result.csv", headers=headers).text
        assert (text.count("\r\n") > 1, "zanzibar" in text) == (True, False)
    problem(client.post(EXPORTS, json={"list": "audit_entries"}, headers=world.headers("viewer of mine")), 403)


def test_what_is_not_there_and_what_may_not_be_seen_are_the_same(client: httpx.Client, world: World) -> None:
    headers = world.headers("editor of mine")
    for path in (BACKTESTS, REPLAYS):
        for body in (
            {"site_ids": [world.theirs.id]},
            {"site_ids": [999_999]},
            {"assignment_id": world.places["assignment_id"][1]},
            {"assignment_id": 999_999},
            {"definition_key": "nothing"},
        ):
            found = problem(client.post(path, json=body, headers=headers), 409)
            assert found["type"].endswith(":broken-reference"), body
    viewer = world.headers("viewer of mine")
    problem(client.post(REPLAYS, json={}, headers=viewer), 403)
    answer = client.post(BACKTESTS, json={}, headers=viewer)
    assert (answer.json()["sites"], answer.json()["site_ids"]) == (1, [world.mine.id])  # of all sites that they may see


def test_an_operation_of_another_site_is_not_there(client: httpx.Client, world: World) -> None:
    admin, mine = world.headers("administrator"), world.headers("administrator of mine")
    made = client.post(BACKTESTS, json={"site_ids": [world.theirs.id]}, headers=admin).json()["id"]
    everywhere = client.post(BACKTESTS, json={}, headers=admin).json()["id"]
    for number in (made, everywhere):
        problem(client.get(f"{OPERATIONS}/{number}", headers=mine), 404)
        problem(client.post(f"{OPERATIONS}/{number}/cancel", headers=mine), 404)
    shown = {one["id"] for one in client.get(OPERATIONS, headers=mine).json()["items"]}
    assert shown == {world.operations[0]}
    replay = client.post(REPLAYS, json={"site_ids": [world.mine.id]}, headers=mine).json()["id"]
    problem(client.get(f"{OPERATIONS}/{replay}", headers=world.headers("viewer of mine")), 404)  # needs an editor


def test_operations_are_listed_page_by_page_and_by_kind(admin: httpx.Client, world: World) -> None:
    numbers = [admin.post(BACKTESTS, json={}).json()["id"] for _ in range(3)]
    ask(admin, REPLAYS, {})
    query: dict[str, Any] = {"kind": "backtest", "state": "waiting", "limit": 2}
    first = admin.get(OPERATIONS, params=query).json()
    second = admin.get(OPERATIONS, params={**query, "after": first["next"]}).json()
    assert [one["id"] for one in first["items"] + second["items"]] == numbers[::-1]
    assert second["next"] is None


def test_what_fails_is_a_problem_and_what_is_cancelled_has_no_result(admin: httpx.Client, runner: Runner) -> None:
    path = ask(admin, BACKTESTS, {"definition_key": "big_order", "definition_number": 7})
    cancelled = ask(admin, BACKTESTS, {})
    assert admin.post(f"{cancelled}/cancel").json()["state"] == "cancelled"
    assert (runner.run_next(), runner.run_next()) == (True, False)
    found = admin.get(path).json()
    assert (found["state"], found["problem"]["status"]) == ("failed", 404)
    assert "no revision 7" in found["problem"]["detail"]
    assert "cancelled without a result" in problem(admin.get(f"{cancelled}/result"), 409)["detail"]


def test_the_same_request_again_is_the_same_operation(admin: httpx.Client) -> None:
    answers = [admin.post(BACKTESTS, json={}, headers={"Idempotency-Key": "1"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_progress_is_followed_to_its_end(admin: httpx.Client, runner: Runner) -> None:
    path = ask(admin, BACKTESTS, {})
    waiting = admin.get(f"{path}/events")
    assert waiting.headers["content-type"].startswith("text/event-stream")
    assert "event: progress\ndata: {" in waiting.text
    assert "event: end" not in waiting.text  # it ends after a while, and is asked again
    assert runner.run_next()
    events = admin.get(f"{path}/events").text
    assert "event: end\ndata: {" in events
    assert '"state":"succeeded"' in events


def test_a_console_does_what_it_is_asked_for(database: str, settings: Settings, world: World) -> None:
    app: FastAPI = create_app(
        database, settings.model_copy(update={"operations_at_once": 1, "operation_events_s": 60.0})
    )
    with asking(app) as client:
        client.headers.update(world.headers("administrator"))
        events = client.get(f"{ask(client, BACKTESTS, {})}/events").text
    assert "event: end" in events
    assert '"state":"succeeded"' in events


def test_lists_are_exported_as_sheets_and_as_parquet(
    admin: httpx.Client, world: World, runner: Runner, settings: Settings
) -> None:
    lists = (
        "assignments",
        "audit_entries",
        "commerce_events",
        "custom_events",
        "raw_events",
        "refused_events",
        "uploads",
    )
    asked = [
        (name, file_format, ask(admin, EXPORTS, {"list": name, "format": file_format, "site_id": world.mine.id}))
        for name in lists
        for file_format in ("csv", "xlsx", "parquet")
    ]
    while runner.run_next():
        pass
    rows: dict[str, set[int]] = {}
    for name, file_format, path in asked:
        found = admin.get(path).json()
        assert (found["state"], found["result"]) == ("succeeded", f"{path}/result.{file_format}"), found
        answer = admin.get(found["result"])
        digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
        assert answer.headers["content-digest"] == f"sha-256=:{digest}:"
        assert answer.headers["content-disposition"].endswith(f'.{file_format}"')
        rows.setdefault(name, set()).add(_rows(answer, file_format))
        assert found["done"] in rows[name]
    assert {name: len(counts) for name, counts in rows.items()} == dict.fromkeys(lists, 1)
    assert rows["uploads"] != {0}
    problem(admin.get(f"{asked[1][2]}/result.parquet"), 409)
    folder = settings.local_directory / "exports"
    assert list(folder.iterdir()) == []


def _rows(answer: httpx.Response, file_format: str) -> int:
    """Rows of a file without its header."""
    assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[file_format]
    if file_format == "csv":
        return len(list(csv.reader(io.StringIO(answer.text)))) - 1
    if file_format == "parquet":
        return pq.read_metadata(io.BytesIO(answer.content)).num_rows
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content), read_only=True)["Data"]
    return len(list(sheet.iter_rows())) - 1
