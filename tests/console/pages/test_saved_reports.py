"""Saved reports as people make, schedule, run and download them."""

import html
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from custom_events.reports.running import Exporter
from custom_events.settings import Settings
from tests import marts
from tests.console.api.world import World
from tests.console.pages.conftest import BROWSER
from tests.console.pages.test_changes import hidden

REPORT = {
    "name": "Mornings",
    "key": "mornings",
    "mart": "fct_accuracy_daily",
    "columns": ["day", "site_name", "orders", "accuracy"],
    "period": "today",
    "time_zone": "UTC",
    "format": "csv",
    "order_by": "orders",
    "descending": "on",
    "filter_column_0": "orders",
    "filter_operator_0": "at_least",
    "filter_values_0": "1",
    "site_ids": "",
}
SCHEDULE = {
    "report_key": "mornings",
    "name": "Mornings for the team",
    "every": "day",
    "at": "06:30",
    "weekday": "1",
    "month_day": "1",
    "time_zone": "Europe/Berlin",
    "catch_up": "newest",
    "retries": "5",
    "retention_days": "",
    "site_ids": "",
    "folder": "team",
}

ANYTHING = {"Accept": "*/*"}


def moved(answer: httpx.Response) -> str:
    """Where a change leads, below the console's own address."""
    assert answer.status_code == 303, answer.text
    return answer.url.join(answer.headers["location"]).path.removeprefix("/")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    from cryptography.fernet import Fernet
    from pydantic import SecretStr

    directory = tmp_path_factory.mktemp("local")
    return Settings(
        _env_file=None,
        local_directory=directory,
        report_folder=directory / "out",
        secret_key=SecretStr(Fernet.generate_key().decode()),
        operations_at_once=0,
    )


@pytest.fixture(scope="module", autouse=True)
def _filled(world: World, settings: Settings) -> None:
    (settings.local_directory / "out").mkdir()
    with world.engine.begin() as connection:
        marts.make(connection)
        today = datetime.now(UTC).date()
        for site in (world.mine, world.theirs):
            marts.add(
                connection, "fct_accuracy_daily", site_id=site.id, site_name=site.name, day=today, orders=4, sent=3
            )


def test_reports_that_ship_are_listed_and_say_what_they_hold(browser: httpx.Client) -> None:
    assert 'href="report-specifications"' in browser.get("/reports").text
    listed = browser.get("/report-specifications").text
    assert "Accuracy by site and day" in listed
    assert "Schedule mine" in browser.get("/report-specifications/mine_report").text
    shown = browser.get("/report-specifications/daily_accuracy").text
    assert "It is built in" in shown
    assert "report-specifications/daily_accuracy/edit" not in shown
    assert "cannot be shown" in browser.get("/report-specifications/upload_quality").text, "dbt has not built it"


def test_a_report_is_made_with_its_first_rows_shown_then_changed_run_and_downloaded(
    browser: httpx.Client, world: World, settings: Settings
) -> None:
    assert "fct_accuracy_daily" in browser.get("/report-specifications/new").text
    form = browser.get("/report-specifications/new?mart=fct_accuracy_daily").text
    assert form.count('name="columns"') == 11
    shown = browser.post("/report-specifications/new", data={**REPORT, "do": "preview"})
    assert shown.status_code == 200
    assert "First rows" in shown.text
    assert "0.750000" in shown.text
    assert 'value="Mornings"' in shown.text
    page = moved(browser.post("/report-specifications/new", data=REPORT))
    assert page == "report-specifications/mornings"
    stored = browser.get("/report-specifications/mornings").text
    assert "<code>orders</code> at least 1" in stored
    edit = browser.get("/report-specifications/mornings/edit").text
    assert re.search(r'name="columns" value="accuracy" checked', edit)
    tag = hidden(edit, "if_match")
    preview = browser.post("/report-specifications/mornings/edit", data={**REPORT, "if_match": tag, "do": "preview"})
    assert "First rows" in preview.text
    changed = {**REPORT, "name": "Evenings", "if_match": tag, "added_up": "on", "plot": "orders"}
    assert moved(browser.post("/report-specifications/mornings/edit", data=changed)) == page
    stale = browser.post("/report-specifications/mornings/edit", data=changed)
    assert stale.status_code == 412
    copy = browser.get("/report-specifications/new?like=mornings").text
    assert "Evenings (copy)" in copy
    run = moved(browser.post("/report-specifications/mornings/run", data={"format": "csv"}))
    assert "queued" in browser.get(f"/{run}").text
    with_file = Exporter(world.engine, settings).run_next(int(run.rpartition("/")[2]))
    assert with_file is not None
    done = browser.get(f"/{run}").text
    assert with_file.sha256 in done
    address = re.search(r'href="\.\./(api/v1/report-runs/\d+/file)"', done)
    assert address, done
    assert browser.get(f"/{address[1]}", headers={"Accept": "*/*"}).text.startswith(
        "day (UTC),site_name"  # the one zone that its sites have
    )


def test_what_is_wrong_stands_beside_its_field(browser: httpx.Client) -> None:
    wrong = browser.post("/report-specifications/new", data={**REPORT, "key": "No", "time_zone": "Berlin"})
    assert wrong.status_code == 422
    assert 'id="e-time_zone"' in wrong.text
    assert 'id="e-key"' in wrong.text
    assert (
        browser.post("/report-specifications/new", data={**REPORT, "do": "preview", "columns": ""}).status_code == 422
    )


def test_a_schedule_is_made_with_its_next_times_tried_run_and_paused(
    browser: httpx.Client, world: World, settings: Settings, tmp_path: Path
) -> None:
    browser.post("/report-specifications/new", data={**REPORT, "key": "scheduled"})
    given: dict[str, Any] = {**SCHEDULE, "report_key": "scheduled"}
    form = browser.get("/report-schedules/new?report=scheduled").text
    assert 'value="scheduled" selected' in form
    shown = browser.post("/report-schedules/new", data={**given, "do": "times"}).text
    assert shown.count("06:30 (UTC+0") == 5
    wrong = browser.post("/report-schedules/new", data={**given, "at": "noon", "retries": "many"})
    assert wrong.status_code == 422
    page = moved(browser.post("/report-schedules/new", data=given))
    assert "every day at 06:30, Europe/Berlin" in browser.get(f"/{page}").text
    tried = browser.post(f"/{page}/test")
    assert "arrived at" in tried.text, tried.text
    run = moved(browser.post(f"/{page}/run"))
    done = Exporter(world.engine, settings).run_next(int(run.rpartition("/")[2]))
    assert done is not None
    assert done.state == "delivered", done.error
    assert len(list((settings.local_directory / "out" / "team").iterdir())) == 2  # the test's, and the report
    edit = browser.get(f"/{page}/edit").text
    assert 'value="team"' in edit
    tag = hidden(edit, "if_match")
    assert "next" in browser.post(f"/{page}/edit", data={**given, "if_match": tag, "do": "times"}).text
    assert moved(browser.post(f"/{page}/edit", data={**given, "at": "07:00", "if_match": tag})) == page
    assert moved(browser.post(f"/{page}/pause")) == page
    assert "paused" in browser.get(f"/{page}").text
    assert moved(browser.post(f"/{page}/resume")) == page
    assert "07:00" in browser.get(f"/{page}").text
    in_use = browser.post("/report-specifications/scheduled/delete")
    assert in_use.status_code == 409
    assert moved(browser.post(f"/{page}/delete")) == "report-specifications"
    assert moved(browser.post("/report-specifications/scheduled/delete")) == "report-specifications"


def test_other_targets_come_back_in_the_form_without_their_secrets(
    browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from custom_events.reports import schedules

    monkeypatch.setattr(schedules, "check", lambda *_: None)
    targets = {
        "email": "a@example.org, b@example.org",
        "webhook": "https://example.org/in",
        "signing_secret": "hush-hush",
        "bucket": "reports",
        "prefix": "daily",
        "access_key_id": "AKIA",
        "secret_access_key": "hush-hush",
        "folder": ".",
    }
    page = moved(browser.post("/report-schedules/new", data={**SCHEDULE, "report_key": "daily_accuracy", **targets}))
    edit = browser.get(f"/{page}/edit").text
    assert "hush-hush" not in edit
    for value in ("a@example.org, b@example.org", "https://example.org/in", "reports", "daily", "."):
        assert f'value="{value}"' in edit
    assert "a@example.org" in browser.get(f"/{page}").text


def test_a_report_that_the_api_made_loses_nothing_in_the_form(browser: httpx.Client) -> None:
    values = ["Shirts, red", 'The "old" one', "plain"]
    columns = ("site_name", "orders", "sent", "withheld", "waiting", "expired")
    filters = [
        {"column": "site_name", "operator": "is_not", "values": values},
        *({"column": name, "operator": "at_least", "values": ["0"]} for name in columns[1:]),
    ]
    order = [{"column": "orders", "descending": True}, {"column": "sent", "descending": True}, {"column": "site_name"}]
    content = {"mart": "fct_accuracy_daily", "columns": columns, "filters": filters, "order": order}
    made = browser.post(
        "/api/v1/report-specifications", json={"key": "wide", "name": "Wide", "content": content}, headers=ANYTHING
    )
    assert made.status_code == 201, made.text
    form = browser.get("/report-specifications/wide/edit").text
    fields = dict(re.findall(r'<input[^>]* name="([a-z_0-9]+)"[^>]* value="([^"]*)"', form))
    chosen = dict(
        re.findall(r'<select[^>]* name="([a-z_0-9]+)"[^>]*>.*?<option value="([^"]*)" selected', form, re.DOTALL)
    )
    given = {**{name: html.unescape(value) for name, value in fields.items()}, **chosen, "columns": columns}
    assert moved(browser.post("/report-specifications/wide/edit", data={**given, "descending": "on", "name": "Wider"}))
    stored = browser.get("/api/v1/report-specifications/wide", headers=ANYTHING).json()
    assert stored["name"] == "Wider"
    assert stored["content"]["filters"] == made.json()["content"]["filters"]
    assert stored["content"]["order"] == made.json()["content"]["order"]


def test_a_report_that_a_version_before_took_can_be_looked_at_and_changed(browser: httpx.Client, world: World) -> None:
    browser.post("/report-specifications/new", data={**REPORT, "key": "of_before"})
    content = '{"mart": "fct_orders", "columns": ["site_name", "net_total"], "added_up": true}'
    with world.engine.begin() as connection:
        statement = sa.text(
            "UPDATE app.report_specifications SET content = CAST(:content AS jsonb) WHERE key = 'of_before'"
        )
        connection.execute(statement, {"content": content})
    page = browser.get("/report-specifications/of_before")
    assert page.status_code == 200
    assert "currency would be added up" in page.text
    assert browser.get("/report-specifications/of_before/edit").status_code == 200


def test_a_schedule_of_several_targets_of_one_kind_is_not_cut_by_the_form(browser: httpx.Client) -> None:
    targets = [{"kind": "folder", "folder": "a"}, {"kind": "folder", "folder": "b"}]
    body = {"report_key": "daily_accuracy", "name": "Two", "rule": {"every": "day"}, "targets": targets}
    made = browser.post("/api/v1/report-schedules", json=body, headers=ANYTHING).json()
    form = browser.get(f"/report-schedules/{made['id']}/edit").text
    assert "several targets of one kind" in form
    given = {**SCHEDULE, "report_key": "daily_accuracy", "if_match": hidden(form, "if_match")}
    assert browser.post(f"/report-schedules/{made['id']}/edit", data=given).status_code == 422
    assert browser.get(f"/api/v1/report-schedules/{made['id']}", headers=ANYTHING).json()["targets"] == made["targets"]


def test_runs_are_listed_and_what_failed_is_done_again(browser: httpx.Client, world: World) -> None:
    run_id = world.reports[0].run_id
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.report_runs SET state = 'failed' WHERE id = :id"), {"id": run_id})
    listed = browser.get("/report-runs", params={"state": "failed"}).text
    assert f"report-runs/{run_id}" in listed
    page = f"report-runs/{run_id}"
    assert "It failed" in browser.get(f"/{page}").text
    assert moved(browser.post(f"/{page}/rerun")) == page
    assert "queued" in browser.get(f"/{page}").text


def test_who_may_not_edit_sees_no_buttons_for_it(client: httpx.Client, world: World) -> None:
    headers = {**BROWSER, **world.headers("viewer of mine")}
    key, schedule_id, _ = world.reports[0]
    assert "Run now" in client.get(f"/report-specifications/{key}", headers=headers).text
    assert "/edit" not in client.get(f"/report-specifications/{key}", headers=headers).text
    assert "Run now" not in client.get(f"/report-schedules/{schedule_id}", headers=headers).text
