"""dbt's connection and its sources follow the database."""

import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.engine import make_url

from custom_events.errors import NeedsAction
from custom_events.postgres.connect import LOST, SESSION
from custom_events.settings import Settings, settings
from orchestration import dbt_project, instance, resources
from supervisor import programs

# What every connection of ours sets.
OURS = " ".join(f"-c {name}={value}" for name, value in (SESSION | LOST).items())


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


def test_every_variable_that_models_read_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOM_EVENTS_ATTRIBUTION_LOOKBACK_DAYS", "10")
    settings.cache_clear()
    try:
        environment = dbt_project.environment("postgresql://")
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    folders = [dbt_project.PROJECT_DIRECTORY / name for name in ("models", "macros")]
    texts = [file.read_text() for folder in folders for file in folder.rglob("*.sql")]
    variables = {name for text in texts for name in re.findall(r"env_var\('(\w+)'", text)}
    assert variables - {"CUSTOM_EVENTS_DBT_PARQUET"} <= set(environment)
    assert environment["CUSTOM_EVENTS_DBT_ATTRIBUTION_LOOKBACK_DAYS"] == "10"


@pytest.mark.usefixtures("untraced_processes")
def test_the_manifest_is_made_where_it_is_missing_or_old(tmp_path: Path) -> None:
    """As in a fresh clone, where `make demo` is the first thing that anybody runs."""
    project = tmp_path / "dbt"
    shutil.copytree(dbt_project.PROJECT_DIRECTORY, project, ignore=shutil.ignore_patterns("target", "logs"))
    assert dbt_project.parse_if_needed(project)
    manifest = project / "target" / "manifest.json"
    assert b"model.custom_events.fct_orders" in manifest.read_bytes()
    assert not dbt_project.parse_if_needed(project, never)
    model = next((project / "models" / "marts").glob("*.sql"))
    later = manifest.stat().st_mtime + 10
    os.utime(model, (later, later))
    with pytest.raises(NeedsAction, match=r"dbt cannot read its models in .*\n.*no such column"):
        dbt_project.parse_if_needed(project, lambda _: (1, "no such column"))
    os.utime(model, (later - 20, later - 20))
    (project / "models" / "marts" / "broken.sql").write_text("select {{ ref('nothing_like_it') }}")
    with pytest.raises(NeedsAction, match="nothing_like_it"):
        dbt_project.parse_if_needed(project)


def test_a_wheels_models_are_copied_where_dbt_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged, local = tmp_path / "dbt_files", Settings.model_validate({"local_directory": tmp_path / "local"})
    monkeypatch.setattr(dbt_project, "PROJECT_DIRECTORY", tmp_path / "dbt")
    monkeypatch.setattr(dbt_project, "PACKAGED", packaged)
    assert not dbt_project.is_checkout()
    assert programs.search_path() == {}
    with pytest.raises(NeedsAction, match="install a wheel"):
        dbt_project.prepare(local)
    (packaged / "models/marts").mkdir(parents=True)
    (packaged / "tests").mkdir()
    (packaged / "tests/is_true.sql").write_text("select 3")
    (packaged / dbt_project.PROJECT_FILE).write_text("name: one")
    (packaged / "models/marts/left.sql").write_text("select 1")
    (packaged / "models/stays.sql").write_text("select 2")
    copy = dbt_project.prepare(local)
    assert copy == dbt_project.directory(local)
    assert (copy / "models/marts/left.sql").read_text() == "select 1"
    written = dbt_project.manifest(local)
    written.parent.mkdir()
    written.touch()
    before = (copy / dbt_project.PROJECT_FILE).stat().st_mtime_ns
    (packaged / "models/marts/left.sql").unlink()
    (packaged / "tests").rename(tmp_path / "left_out")
    assert dbt_project.prepare(local) == copy
    assert not (copy / "models/marts/left.sql").exists()
    assert not (copy / "tests").exists()
    assert (copy / "models/stays.sql").stat().st_mtime_ns >= written.stat().st_mtime_ns
    assert (copy / dbt_project.PROJECT_FILE).stat().st_mtime_ns == before
    assert written.is_file()


def test_dbt_is_found_in_an_environment_that_nobody_activated(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `.venv/bin/custom-events up`: PATH has no dbt."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in dbt_project.environment(database):
        monkeypatch.setenv(name, "")  # so that what the resource sets is taken back
    settings.cache_clear()
    try:
        with dg.build_init_resource_context() as context:
            made = resources.dbt(context)
    finally:
        settings.cache_clear()
    assert Path(made.dbt_executable).is_file()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert dbt_project.executable() == "dbt"


def never(_: Sequence[str]) -> tuple[int, str]:
    raise AssertionError("dbt was asked, though nothing has changed")


def test_dagster_keeps_its_tables_in_its_own_schema(tmp_path: Path, database: str, engine: sa.Engine) -> None:
    for _ in (1, 2):
        environment = instance.prepare(tmp_path / "dagster", database)
    file = tmp_path / "dagster" / "dagster.yaml"
    assert environment == {"DAGSTER_HOME": str(file.parent), instance.STORAGE_VARIABLE: instance.storage_url(database)}
    assert yaml.safe_load(file.read_text())["storage"] == {
        "postgres": {"postgres_url": {"env": instance.STORAGE_VARIABLE}}
    }
    assert file.stat().st_mode & 0o077 == 0
    assert "dagster" in sa.inspect(engine).get_schema_names()


def test_runs_that_are_ended_on_purpose_count_as_cancelled(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in instance.prepare(tmp_path, database).items():
        monkeypatch.setenv(name, value)
    before = {
        name: dg.DagsterRun(job_name="upload_conversions", status=name)
        for name in set(dg.DagsterRunStatus) - {dg.DagsterRunStatus.QUEUED}
    }
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        for run in before.values():
            made.add_run(run)
    assert instance.mark_canceling(tmp_path, database) == 2
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        after = {run.run_id: run.status for run in made.get_runs()}
    ended = {dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED}
    for status, run in before.items():
        assert after[run.run_id] is (dg.DagsterRunStatus.CANCELING if status in ended else status)


def test_on_the_way_out_a_database_that_is_gone_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    nowhere = "postgresql://me@/nothing?host=/nowhere"
    monkeypatch.setenv(instance.STORAGE_VARIABLE, "")  # put back after the test
    instance.cancel_runs(tmp_path / "never prepared", nowhere)
    monkeypatch.setattr(instance, "CANCEL_LIMIT_S", 0.5)
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(instance.configuration()))
    instance.cancel_runs(tmp_path, nowhere)
    assert time.monotonic() - began < 10


def test_dagster_gets_its_own_driver_and_search_path() -> None:
    written = instance.storage_url("postgresql://u:secret@/custom_events?host=/tmp/socket")
    assert written.startswith("postgresql+psycopg2://u:secret@/custom_events?")
    assert make_url(written).query == {
        "host": "/tmp/socket",
        "options": f"{OURS} -c search_path=dagster",
    }
    kept = instance.storage_url("postgresql://u@db/events?sslmode=require&options=-c%20work_mem%3D7MB")
    assert make_url(kept).query == {
        "sslmode": "require",
        "options": f"-c work_mem=7MB {OURS} -c search_path=dagster",
    }


def test_what_an_address_says_of_tls_and_the_session_reaches_dbt() -> None:
    made = dbt_project.environment(
        "postgresql://u@db/events?sslmode=verify-full&sslrootcert=/ca.pem&options=-c%20a%3Db"
    )
    assert {name: value for name, value in made.items() if name.startswith("PG")} == {
        "PGOPTIONS": f"-c a=b {OURS} {dbt_project.LIMITS}",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/ca.pem",
    }
