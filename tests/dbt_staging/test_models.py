"""Staging models and sources are those of the tables, and hold nothing secret."""

from collections.abc import Iterator
from pathlib import Path

from custom_events.tables.registry import TABLES
from dbt_staging import marts_page, models, sources


def test_sources_and_staging_are_written_from_the_tables() -> None:
    written = dict(files_below(models.DIRECTORY))
    assert written == dict(models.render_all()), "run: make docs"


def test_writing_removes_models_of_tables_that_are_gone(tmp_path: Path) -> None:
    for name in ("stg_app__gone.yml", f"{models.SQL_FOLDER}/stg_app__gone.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("gone")
    models.write(tmp_path)
    assert dict(files_below(tmp_path)) == dict(models.render_all())


def files_below(directory: Path) -> Iterator[tuple[str, str]]:
    return ((str(file.relative_to(directory)), file.read_text()) for file in directory.rglob("*.*"))


def test_no_secret_and_no_body_reaches_reports() -> None:
    text = sources.render()
    for word in (
        "secret_encrypted",
        "name: body\n",
        "name: headers\n",
        "name: client_address\n",
        "password_hash",
        "secret_digest",
    ):
        assert word not in text
    hidden = {table.name for table in TABLES} - {table.name for table in sources.source_tables()}
    assert hidden == {
        *("site_secrets", "tallies", "tally_changes", "tally_checks", "scheduled_jobs"),
        *("people", "role_grants", "sessions", "api_keys", "login_attempts", "idempotent_answers", "openid_links"),
        "saved_views",
        "shopify_installations",
        *("report_specifications", "report_schedules", "report_runs"),
        *("operations", "operation_parts", "bulk_changes", "bulk_change_rows"),
        *("forgotten_subjects", "forgetting_keys", "key_ring_checks"),
        "raw_archives",
        *("store_api_keys", "order_recoveries", "traffic_hours", "traffic_counted", "quiet_traffic", "beacons"),
    }


def test_the_page_of_marts_is_made_of_their_descriptions() -> None:
    assert marts_page.PAGE.read_text(encoding="utf-8") == marts_page.render(), "run `make docs`"


def test_every_mart_says_what_one_row_is_and_every_column_what_it_is() -> None:
    tables = marts_page.MARTS.glob("*.sql")
    page = marts_page.render()
    for table in tables:
        text = page.split(f"## {table.stem}\n\n", 1)[1].split("\n## ", 1)[0]
        assert text.startswith("One row per "), table.stem
        assert all(row.split("|")[3].strip() for row in text.splitlines() if row.startswith("| `")), table.stem
