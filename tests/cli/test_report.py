"""`custom-events report`: listed, made, scheduled, looked up, done again."""

import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from custom_events.catalog import sites
from custom_events.values.deliveries import Platform
from tests import marts
from tests.cli.conftest import KEY, Run


@pytest.fixture
def report(run: Run, database: str, engine: sa.Engine) -> "Report":
    with engine.begin() as connection:
        marts.make(connection)
        site = sites.create(connection, platform=Platform.CUSTOM, name="Mine", actor="test", site_key="mine-shop")
        for day in ("2026-11-28", "2026-11-29"):
            marts.add(connection, "fct_accuracy_daily", site_id=site.id, site_name="Mine", day=day, orders=4, sent=3)
    return Report(run, database)


class Report:
    """The verb on the test's database."""

    def __init__(self, run: Run, database: str) -> None:
        self._run, self._database = run, database

    def __call__(self, *words: str, code: int = 0) -> str:
        found = self._run(
            "report",
            *words,
            DATABASE_URL=self._database,
            CUSTOM_EVENTS_SECRET_KEY=KEY,
            CUSTOM_EVENTS_REPORT_FOLDER=str(Path.cwd() / "out"),
            CUSTOM_EVENTS_REPORT_PRIVATE_ADDRESSES="true",
        )
        assert found.exit_code == code, found.output
        return found.output


def test_a_report_is_made_here_and_its_file_copied(report: Report, tmp_path: Path) -> None:
    said = report(
        "run",
        "daily_accuracy",
        "--as-of",
        "2026-11-30",
        "--to",
        "accuracy.csv",  # its ending chooses the format
        "--site",
        "mine-shop",
    )
    assert "delivered, 1 rows" in said
    assert (tmp_path / "accuracy.csv").read_text().splitlines()[1].startswith("2026-11-29,")
    (tmp_path / "there").mkdir()
    said = report("run", "daily_accuracy", "--format", "csv", "--zone", "Asia/Tokyo", "--to", "there")
    assert next((tmp_path / "there").iterdir()).name.startswith("daily_accuracy_")
    said = report("run", "daily_accuracy", "--format", "csv", "--as-of", "2026-11-30", "--zone", "America/New_York")
    assert "daily_accuracy, 2026-11-29: delivered" in said, "the day before the one that was said, in every zone"
    listed = json.loads(report("runs", "--json"))["runs"]
    assert [run["state"] for run in listed] == ["delivered"] * 3
    assert "delivery_key" not in listed[0]
    assert "mart" in json.loads(report("show", "daily_accuracy"))["content"]


def test_what_cannot_be_made_says_why_and_is_done_again(report: Report, engine: sa.Engine) -> None:
    said = report("run", "upload_quality", "--format", "csv", code=1)
    assert "not built" in said
    report("run", "nothing_here", code=1)
    report("run", "daily_accuracy", "--as-of", "noon", code=2)
    with engine.begin() as connection:
        marts.make(connection, "fct_reconciliation_daily")
    assert "delivered, 0 rows" in report("rerun", "1")
    report("rerun", "1", code=1)
    assert "upload_quality" in report("runs", "--report", "upload_quality")
    assert "no such runs" in report("runs", "--state", "failed")


def test_a_report_is_scheduled_and_ended(report: Report, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    said = report(
        "schedule", "funnel", "--every", "week", "--at", "06:30", "--zone", "Europe/Berlin", "--folder", "team", "--webhook",
        "https://127.0.0.1/in",
    )  # fmt: skip
    assert "every Monday at 06:30, Europe/Berlin; folder team, webhook https://127.0.0.1/in" in said
    assert said.count("Monday, ") == 5
    assert re.search(r"shown once\): \S{40,}", said)
    (tmp_path / "secrets.json").write_text('{"access_key_id": "a", "secret_access_key": "b"}')
    said = report(
        "schedule", "funnel", "--every", "month", "--month-day", "31", "--s3", "reports/daily", "--s3-endpoint", "https://127.0.0.1:9000",
        "--secrets", "secrets.json", "--name", "Monthly", "--site", "mine-shop", "--catch-up", "all", "--keep-days", "3",
    )  # fmt: skip
    assert "s3://reports/daily" in said
    (tmp_path / "wrong.json").write_text("{")
    report("schedule", "funnel", "--every", "day", "--secrets", "wrong.json", code=2)
    assert "would be the same again" in report("schedule", "configuration_use", "--every", "day", code=1)
    listed = report("list")
    assert "schedule 1: every Monday at 06:30" in listed
    assert "no targets" in report("schedule", "funnel", "--every", "day")
    assert {schedule["id"] for schedule in json.loads(report("list", "--json"))["schedules"]} == {1, 2, 3}
    assert "Schedule 1 is removed." in report("unschedule", "1")
    assert "schedule 1:" not in report("list")


def test_a_schedule_that_cannot_be_planned_is_listed_with_its_reason(report: Report, engine: sa.Engine) -> None:
    report("schedule", "funnel", "--every", "day")
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE app.report_schedules SET report_key = 'of_an_older_version', next_due_at = '2026-01-01Z'")
        )
    assert 'schedule 1 is due and cannot be planned: There is no report "of_an_older_version"' in report("list")


def test_it_goes_not_from_afar(run: Run) -> None:
    found = run("--server", "https://example.org", "report", "list")
    assert found.exit_code == 2
    assert "report-specifications" in found.output
