"""dbt's connection and its sources follow the database."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from custom_events.tables.registry import TABLES
from orchestration import dbt_project, dbt_sources, dbt_staging, instance


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "name"),
    [
        ("postgresql://reader:pw@db.example:6432/shop", "db.example", "6432", "reader", "shop"),
        (
            "postgresql://custom_events@/custom_events?host=/tmp/socket",
            "/tmp/socket",
            "5432",
            "custom_events",
            "custom_events",
        ),
        ("postgresql:///plain?host=/run/pg&port=5433&user=me", "/run/pg", "5433", "me", "plain"),
        ("postgresql://", "localhost", "5432", "postgres", "postgres"),
    ],
)
def test_dbt_connects_where_we_do(url: str, host: str, port: str, user: str, name: str) -> None:
    found = dbt_project.environment(url)
    assert found["CUSTOM_EVENTS_DBT_HOST"] == host
    assert found["CUSTOM_EVENTS_DBT_PORT"] == port
    assert found["CUSTOM_EVENTS_DBT_USER"] == user
    assert found["CUSTOM_EVENTS_DBT_NAME"] == name


def test_sources_and_staging_are_written_from_the_tables() -> None:
    written = {file.name: file.read_text() for file in dbt_staging.DIRECTORY.iterdir()}
    assert written == dict(dbt_staging.render_all()), "run: make docs"


def test_writing_removes_models_of_tables_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "stg_app__gone.sql").write_text("select 1")
    dbt_staging.write(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(dbt_staging.render_all())


def test_no_secret_and_no_body_reaches_reports() -> None:
    text = dbt_sources.render()
    for word in ("secret_encrypted", "name: body\n", "name: headers\n"):
        assert word not in text
    assert {table.name for table in TABLES} - {table.name for table in dbt_sources.source_tables()} == {"site_secrets"}


def test_dagster_keeps_its_tables_in_its_own_schema(tmp_path: Path, database: str, engine: sa.Engine) -> None:
    for _ in (1, 2):
        environment = instance.prepare(tmp_path / "dagster", database)
    file = tmp_path / "dagster" / "dagster.yaml"
    assert environment == {"DAGSTER_HOME": str(file.parent)}
    assert file.stat().st_mode & 0o077 == 0
    assert "dagster" in sa.inspect(engine).get_schema_names()


def test_dagster_gets_its_own_driver_and_search_path() -> None:
    written = instance.storage_url("postgresql://u:secret@/custom_events?host=/tmp/socket")
    assert written.startswith("postgresql+psycopg2://u:secret@/custom_events?")
    assert make_url(written).query == {"host": "/tmp/socket", "options": "-csearch_path=dagster"}
