"""What containers run: each program in its own part of the environment, and what Dagster starts for a run."""

import sys
from pathlib import Path

import pytest
import yaml

from custom_events.errors import InvalidConfiguration
from custom_events.settings import Settings
from orchestration import dbt_project, instance
from supervisor import container
from supervisor.container import OURS, command

KUBERNETES = "module: dagster_k8s\nclass: K8sRunLauncher\nconfig: {job_namespace: shop}\n"
CODE = ("--host", "0.0.0.0", "--port", "4000")
ASKED = ("--grpc-host", "code", "--grpc-port", "4000")


@pytest.fixture
def settings(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(dbt_project, "parse_if_needed", lambda _: False)
    launcher = tmp_path / "launcher.yaml"
    launcher.write_text(KUBERNETES)
    return Settings(
        _env_file=None,
        database_url=database,  # pyright: ignore[reportArgumentType]
        local_directory=tmp_path / "local",
        dagster_code_server="code:4000",
        dagster_run_launcher=launcher,
        secret_key="k",  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.database
@pytest.mark.parametrize(
    ("name", "module", "told"),
    [
        ("receiver", "ingest_api.serve", ()),
        ("console", "console.serve", ()),
        ("dagster-code", "dagster", CODE),
        ("dagster-web", "orchestration.dagster_webserver_guarded", ASKED),
        ("dagster-daemon", "dagster._daemon", ASKED),
    ],
)
def test_each_program(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, module: str, told: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUSTOM_EVENTS_ALARM_SLACK_URL", "https://hooks.example/secret")
    arguments, environment = command([name], settings)
    assert module in arguments
    assert " ".join(told) in " ".join(arguments)
    assert environment["DATABASE_URL"].startswith("postgresql")
    assert ("CUSTOM_EVENTS_ALARM_SLACK_URL" in environment) is name.startswith("dagster")
    assert ("DAGSTER_HOME" in environment) is name.startswith("dagster")


@pytest.mark.database
def test_a_run_that_dagster_starts_has_its_storage_and_the_launcher(settings: Settings) -> None:
    words = ["dagster", "api", "execute_run", "{}"]
    arguments, environment = command(words, settings)
    assert arguments == words
    assert environment[instance.STORAGE_VARIABLE].startswith("postgresql+psycopg2://")
    assert "CUSTOM_EVENTS_DBT_HOST" in environment
    written = yaml.safe_load((settings.local_directory / "dagster" / "dagster.yaml").read_text())
    assert written["run_launcher"]["class"] == "K8sRunLauncher"


def test_the_command_looks_after_itself() -> None:
    arguments, _ = command(["custom-events", "migrate"], Settings(_env_file=None))
    assert arguments == [sys.executable, "-m", "cli.main", "migrate"]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidConfiguration, match="name a program \\(receiver, console"):
        command([], Settings(_env_file=None))
    monkeypatch.setattr(container, "read_settings", lambda: Settings(_env_file=None, database_url=None))
    with pytest.raises(SystemExit):
        container.main(["receiver"])
    assert "DATABASE_URL" in capsys.readouterr().err


def test_it_becomes_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(container, "read_settings", lambda: Settings(_env_file=None))
    monkeypatch.setattr(container.os, "execvpe", lambda _file, arguments, _environment: became.append(arguments))
    container.main(["custom-events", "doctor"])
    assert became == [[sys.executable, "-m", "cli.main", "doctor"]]
    assert len(OURS) == 5


@pytest.mark.parametrize("text", ["- a list", "module: only", ": :", ""])
def test_a_launcher_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    file = tmp_path / "launcher.yaml"
    file.write_text(text)
    with pytest.raises(InvalidConfiguration, match="launcher"):
        instance.configuration(file)
