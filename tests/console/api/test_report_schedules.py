"""Reports that go out by themselves: saved, scheduled, run by hand, downloaded, by whoever may."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from console.api.routes import report_schedules
from custom_events.report_delivery.targets import DeliveryReceipt
from custom_events.reports import schedules, trial_delivery
from custom_events.reports.running import Exporter
from custom_events.settings import Settings
from tests import marts
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import World
from tests.console.pages.conftest import app, database, engine, settings, world

__all__ = ["app", "database", "engine", "settings", "world"]  # fixtures: one world for the file

API = "/api/v1"
CONTENT: dict[str, Any] = {
    "mart": "fct_accuracy_daily",
    "columns": ["day", "site_name", "orders", "accuracy"],
    "period": "today",
}
RULE = {"every": "day", "at": "06:30", "time_zone": "Europe/Berlin"}


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with asking(app) as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def _filled(world: World) -> None:
    with world.engine.begin() as connection:
        marts.make(connection)
        for site in (world.mine, world.theirs):
            of_site: dict[str, Any] = {"site_id": site.id, "site_name": site.name, "day": datetime.now(UTC).date()}
            marts.add(connection, "fct_accuracy_daily", **of_site, orders=4, sent=3)


def by(client: httpx.Client, world: World, name: str) -> httpx.Client:
    client.headers.update(world.headers(name))
    return client


@pytest.fixture
def admin(client: httpx.Client, world: World) -> httpx.Client:
    return by(client, world, "administrator")


def test_what_a_report_may_be_made_of(admin: httpx.Client) -> None:
    listed = {mart["name"]: mart for mart in admin.get(f"{API}/report-marts").json()["items"]}
    columns = {column["name"]: column for column in listed["fct_accuracy_daily"]["columns"]}
    assert columns["orders"]["kind"] == "count"
    assert columns["orders"]["operators"] == ["is", "is_not", "at_least", "at_most"]
    assert [columns[name]["operators"] for name in ("accuracy", "row_count")] == [[], []], (
        "no report is filtered by them"
    )
    assert listed["dim_sites"]["period_column"] is None


def test_a_report_is_saved_changed_and_removed(admin: httpx.Client) -> None:
    body = {"key": "mornings", "name": "Mornings", "content": CONTENT}
    made = admin.post(f"{API}/report-specifications", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["site_ids"] is None
    assert "already" in problem(admin.post(f"{API}/report-specifications", json=body), 409)["detail"]
    path = f"{API}/report-specifications/mornings"
    tag = admin.get(path).headers["etag"]
    changed = {"name": "Evenings", "content": {**CONTENT, "format": "xlsx", "added_up": True}}
    assert admin.put(path, json=changed, headers={"If-Match": tag}).json()["name"] == "Evenings"
    problem(admin.put(path, json=changed, headers={"If-Match": tag}), 412)
    assert admin.delete(path).status_code == 204
    problem(admin.delete(path), 404)
    problem(admin.delete(f"{API}/report-specifications/funnel"), 409)
    pages = [admin.get(f"{API}/report-specifications", params={"limit": 3}).json()]
    while pages[-1]["next"]:
        pages.append(admin.get(f"{API}/report-specifications", params={"limit": 3, "after": pages[-1]["next"]}).json())
    keys = [report["key"] for page in pages for report in page["items"]]
    assert keys == sorted(set(keys))
    assert {"funnel", "mine_report", "zanzibar_report"} <= set(keys)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"mart": "pg_user"}, "content.mart"),
        ({"columns": []}, "content.columns"),
        ({"columns": ["day", "day"]}, "content.columns[1]"),
        ({"columns": ["orders; DROP TABLE x"]}, "content.columns[0]"),
        ({"columns": ["row_count"]}, "content.columns[0]"),
        ({"columns": ["day"] * 61}, "content.columns"),
        ({"time_zone": "Berlin"}, "content.time_zone"),
        ({"order": [{"column": "sent"}]}, "content.order[0].column"),
        ({"plot": ["day"]}, "content.plot[0]"),
        ({"filters": [{"column": "accuracy", "operator": "is", "values": ["1"]}]}, "content.filters[0].column"),
        ({"filters": [{"column": "orders", "operator": "contains", "values": ["1"]}]}, "content.filters[0].operator"),
        (
            {"filters": [{"column": "orders", "operator": "at_least", "values": ["1", "2"]}]},
            "content.filters[0].values",
        ),
        ({"filters": [{"column": "orders", "operator": "is", "values": ["many"]}]}, "content.filters[0].values[0]"),
        ({"filters": [{"column": "orders", "operator": "is", "values": ["9" * 30]}]}, "content.filters[0].values[0]"),
        ({"filters": [{"column": "day", "operator": "is", "values": ["2026-02-30"]}]}, "content.filters[0].values[0]"),
        ({"filters": [{"column": "orders", "operator": "is", "values": ["1"]}] * 21}, "content.filters"),
    ],
)
def test_what_cannot_be_used_is_named(admin: httpx.Client, change: dict[str, Any], field: str) -> None:
    body = {"key": "wrong", "name": "Wrong", "content": {**CONTENT, **change}}
    errors = problem(admin.post(f"{API}/report-specifications", json=body), 422)["errors"]
    assert field in [error["field"] for error in errors]


def test_names_keys_and_sites_are_checked(admin: httpx.Client, world: World) -> None:
    body = {"key": "A-B", "name": "x" * 121, "content": CONTENT, "site_ids": [world.mine.id, 2**70]}
    errors = problem(admin.post(f"{API}/report-specifications", json=body), 422)["errors"]
    assert [error["field"] for error in errors][:1] == ["site_ids[1]"] or {error["field"] for error in errors} == {
        "key",
        "name",
        "site_ids[1]",
    }
    body = {"key": "ab", "name": "a\nb", "content": CONTENT, "site_ids": []}
    assert {
        error["field"] for error in problem(admin.post(f"{API}/report-specifications", json=body), 422)["errors"]
    } == {
        "name",
        "site_ids",
    }


def test_the_first_rows_are_shown_of_ones_own_sites(client: httpx.Client, world: World) -> None:
    path, body = f"{API}/report-specifications/preview", {"content": CONTENT}
    assert len(by(client, world, "viewer").post(path, json=body).json()["rows"]) == 2
    own = by(client, world, "viewer of mine").post(path, json=body).json()
    assert [row[1:] for row in own["rows"]] == [["Mine", "4", "0.750000"]]
    assert own["columns"] == ["Day", "Site name", "Orders", "Accuracy"]
    problem(client.post(path, json={**body, "site_ids": [world.theirs.id]}), 422)
    accounts = {"mart": "fct_reconciliation_daily", "columns": ["day", "sent"]}
    problem(client.post(path, json={"content": accounts}), 403)
    assert problem(by(client, world, "viewer").post(path, json={"content": accounts}), 503)["detail"].startswith(
        "The mart"
    )
    problem(
        client.post(path, json={"content": {**CONTENT, "filters": [{"column": "x", "operator": "is", "values": []}]}}),
        422,
    )


def test_filters_and_order_reach_the_rows(client: httpx.Client, world: World) -> None:
    content = {
        **CONTENT,
        "filters": [
            {"column": "site_name", "operator": "contains", "values": ["ZANZI"]},
            {"column": "orders", "operator": "at_least", "values": ["4"]},
            {"column": "orders", "operator": "at_most", "values": ["4"]},
            {"column": "site_id", "operator": "is_not", "values": [str(world.mine.id)]},
        ],
        "order": [{"column": "orders", "descending": True}],
    }
    rows = (
        by(client, world, "viewer")
        .post(f"{API}/report-specifications/preview", json={"content": content})
        .json()["rows"]
    )
    assert [row[1] for row in rows] == [world.theirs.name]


def test_a_viewer_runs_reports_of_their_own_sites_and_saves_none(
    client: httpx.Client, world: World, settings: Settings
) -> None:
    viewer = by(client, world, "viewer of mine")
    made = viewer.post(
        f"{API}/report-specifications/daily_accuracy/runs", json={"format": "csv", "as_of": "2026-11-30T12:00:00Z"}
    )
    assert made.status_code == 201, made.text
    run = made.json()
    assert (run["site_ids"], run["period"], run["state"]) == ([world.mine.id], "2026-11-29", "queued")
    problem(viewer.get(f"{API}/report-runs/{run['id']}/file"), 404)
    problem(viewer.post(f"{API}/report-specifications/daily_accuracy/runs", json={"site_ids": [world.theirs.id]}), 422)
    problem(
        viewer.post(f"{API}/report-specifications/daily_accuracy/runs", json={"as_of": "0001-01-01T00:00:00Z"}), 422
    )
    problem(  # of which zone it is nobody can know
        viewer.post(f"{API}/report-specifications/daily_accuracy/runs", json={"as_of": "2026-11-30T12:00:00"}), 422
    )
    problem(viewer.post(f"{API}/report-specifications/daily_accuracy/runs", json={"time_zone": "x"}), 422)
    problem(viewer.post(f"{API}/report-specifications/upload_quality/runs", json={}), 403)
    problem(viewer.post(f"{API}/report-specifications", json={"key": "no", "name": "no", "content": CONTENT}), 403)
    Exporter(world.engine, settings).run_next(run["id"])
    done = viewer.get(f"{API}/report-runs/{run['id']}").json()
    assert (done["state"], done["rows"]) == ("delivered", 0)
    answer = viewer.get(done["file"])
    assert answer.headers["content-disposition"] == f'attachment; filename="{done["file_name"]}"'
    assert answer.text.startswith("day")
    problem(by(client, world, "editor").post(f"{API}/report-runs/{run['id']}/rerun"), 409)


def test_an_editor_of_one_site_saves_and_schedules_for_that_site(client: httpx.Client, world: World) -> None:
    editor = by(client, world, "editor of mine")
    own = {"key": "of_mine", "name": "Of mine", "content": CONTENT, "site_ids": [world.mine.id]}
    problem(editor.post(f"{API}/report-specifications", json={**own, "site_ids": None}), 403)
    problem(editor.post(f"{API}/report-specifications", json={**own, "site_ids": [world.theirs.id]}), 422)
    assert editor.post(f"{API}/report-specifications", json=own).status_code == 201
    schedule = {"report_key": "of_mine", "name": "Mine", "rule": RULE}
    made = editor.post(f"{API}/report-schedules", json=schedule)
    assert made.status_code == 201, made.text
    assert made.json()["site_ids"] == [world.mine.id]
    problem(editor.post(f"{API}/report-schedules", json={**schedule, "report_key": "funnel"}), 403)
    folder = {**schedule, "targets": [{"kind": "folder", "folder": "a"}]}
    problem(editor.post(f"{API}/report-schedules", json=folder), 403)
    in_use = problem(editor.delete(f"{API}/report-specifications/of_mine"), 409)
    assert str(made.json()["id"]) in str(in_use)
    others = by(client, world, "viewer of mine").get(f"{API}/report-schedules", params={"report_key": "of_mine"}).json()
    assert [one["id"] for one in others["items"]] == [made.json()["id"]]
    problem(client.delete(f"{API}/report-schedules/{made.json()['id']}"), 403)


def test_a_schedule_is_made_changed_run_and_removed(admin: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "check", lambda *_: None)
    target = {"kind": "webhook", "url": "https://example.org/in", "signing_secret": "hush"}
    body = {"report_key": "daily_accuracy", "name": "Team", "rule": RULE, "targets": [target]}
    made = admin.post(f"{API}/report-schedules", json=body)
    assert made.status_code == 201, made.text
    assert "hush" not in made.text
    shown = made.json()
    assert shown["in_words"] == "every day at 06:30, Europe/Berlin"
    assert shown["targets"][0] == {"kind": "webhook", "url": "https://example.org/in"}
    path = f"{API}/report-schedules/{shown['id']}"
    tag = admin.get(path).headers["etag"]
    changed = {**body, "is_active": False, "targets": [{"kind": "webhook", "url": "https://example.org/in"}]}
    assert admin.put(path, json=changed, headers={"If-Match": tag}).json()["is_active"] is False
    stale = admin.put(path, json={**body, "name": "x"}, headers={"If-Match": tag})
    assert "hush" not in stale.text
    problem(stale, 412)
    run = admin.post(f"{path}/runs").json()
    assert run["schedule_id"] == shown["id"]
    assert run["asked_by"]
    assert [
        one["id"] for one in admin.get(f"{API}/report-runs", params={"schedule_id": shown["id"]}).json()["items"]
    ] == [run["id"]]
    assert admin.delete(path).status_code == 204
    assert admin.get(f"{API}/report-runs/{run['id']}").json()["state"] == "skipped"
    problem(admin.get(path), 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rule": {**RULE, "at": "25:00"}}, "rule.at"),
        ({"retries": 21}, "retries"),
        ({"retention_days": 0}, "retention_days"),
        ({"targets": [{"kind": "email", "url": "x"}]}, "targets[0].url"),
        ({"targets": [{"kind": "email"}]}, "targets[0].to"),
        ({"targets": [{"kind": "s3"}]}, "targets[0].bucket"),
        ({"targets": [{"kind": "email", "to": ["a@example.org"]}] * 2}, "targets"),
        ({"targets": [{"kind": "email", "to": [f"a{n}@example.org"]} for n in range(11)]}, "targets"),
        ({"report_key": "mine_report", "site_ids": [999]}, "site_ids"),
        ({"report_key": "upload_quality", "site_ids": [1]}, "site_ids"),
    ],
)
def test_what_of_a_schedule_cannot_be_used_is_named(admin: httpx.Client, change: dict[str, Any], field: str) -> None:
    body = {"report_key": "daily_accuracy", "name": "Team", "rule": RULE, **change}
    errors = problem(admin.post(f"{API}/report-schedules", json=body), 422)["errors"]
    assert field in [error["field"] for error in errors]


def test_a_report_that_is_not_there_is_not_scheduled(admin: httpx.Client) -> None:
    problem(admin.post(f"{API}/report-schedules", json={"report_key": "nothing_here", "name": "x", "rule": RULE}), 409)


def test_the_next_times_in_words(admin: httpx.Client) -> None:
    said = admin.post(f"{API}/report-schedules/next-times", json={"rule": RULE}).json()
    assert len(said["moments"]) == len(said["moments_in_words"]) == 5
    assert said["moments_in_words"][0].endswith(("(UTC+01:00)", "(UTC+02:00)"))
    problem(admin.post(f"{API}/report-schedules/next-times", json={"rule": RULE, "period": "last_month"}), 422)


def test_targets_are_tried(admin: httpx.Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from custom_events.errors import NeedsAction
    from custom_events.report_delivery.targets import EmailTarget

    monkeypatch.setattr(schedules, "check", lambda *_: None)

    def deliver(target: Any, file: Any, message: Any, *_: Any) -> DeliveryReceipt:
        assert file.path.read_bytes()
        if isinstance(target, EmailTarget):
            raise NeedsAction("the mail server refuses it: look at its log")
        return DeliveryReceipt(where="/out/test.csv", digest=file.sha256)

    tried = trial_delivery.run

    def run(*arguments: Any) -> Any:
        return tried(*arguments, deliver=deliver)

    monkeypatch.setattr(report_schedules.trial_delivery, "run", run)
    targets = [
        {"kind": "folder"},
        {"kind": "email", "to": ["a@example.org"]},
        {"kind": "s3", "bucket": "b", "prefix": "p"},
    ]
    body = {"report_key": "daily_accuracy", "name": "Team", "rule": RULE, "targets": targets}
    made = admin.post(f"{API}/report-schedules", json=body).json()
    items = admin.post(f"{API}/report-schedules/{made['id']}/test-delivery").json()["items"]
    assert [(item["target"], item["where"], item["problem"]) for item in items] == [
        ("folder .", "/out/test.csv", None),
        ("e-mail to a@example.org", None, "the mail server refuses it: look at its log"),
        ("s3://b/p", "/out/test.csv", None),
    ]
    with world.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.report_schedules WHERE id = :id"), {"id": made["id"]})
