"""Each program gets its own settings and its own login, and no secret of another one's."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from custom_events.settings import DOTENV, Settings, as_variables, settings, variable_of
from orchestration import dbt_project, instance
from supervisor import environments, programs
from supervisor.processes import Program, Supervisor

ROOT = Path(__file__).parents[2]
SECRETS = {
    "secret_key": "k" * 44,
    "google_json_key_file": "/keys/google.json",
    "alarm_smtp_url": "smtps://user:mail-password@mail.example",
    "report_smtp_url": "smtps://user:mail-password@reports.example",
    "alarm_slack_url": "https://hooks.slack.example/secret",
    "openid_client_secret": "openid-password",
    "receiver_database_url": "postgresql://custom_events_receiver:r@db/shop",
    "console_database_url": "postgresql://custom_events_console:c@db/shop",
    "pipeline_database_url": "postgresql://custom_events_pipeline:p@db/shop",
    "reporting_database_url": "postgresql://custom_events_reporting:m@db/shop",
    "dagster_port": 3001,
}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Settings with every secret, and neither a database nor dbt asked."""

    def prepare(_directory: Path, url: str, *_: object) -> dict[str, str]:
        return {"DAGSTER_HOME": "/home/dagster", instance.STORAGE_VARIABLE: url}

    monkeypatch.setattr(instance, "prepare", prepare)
    monkeypatch.setattr(dbt_project, "parse_if_needed", lambda _: False)
    named = {
        field: SecretStr(value) if "secret" in field or field.endswith("_url") else value
        for field, value in SECRETS.items()
    }
    return Settings(_env_file=None, local_directory=tmp_path, **named)  # pyright: ignore[reportArgumentType]


def environment_of(given: Settings, name: str) -> dict[str, str]:
    """What a program is started with."""
    common = {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy",
        "AWS_SECRET_ACCESS_KEY": "aws",
        "GOOGLE_ADS_DEVELOPER_TOKEN": "a-token",  # the client library's, no setting of ours
        **programs.environment(given, "postgresql://owner:o@db/shop"),
    }
    (program,) = [program for program in programs.product(given) if program.name == name]
    assert program.restrict is not None
    return program.restrict(common)


@pytest.mark.parametrize(
    ("name", "login", "has", "has_not"),
    [
        ("receiver", "custom_events_receiver:r", ["secret_key"], ["google_json_key_file", "alarm_smtp_url", "alarm_slack_url", "openid_client_secret"]),
        ("console", "custom_events_console:c", ["secret_key", "openid_client_secret", "google_json_key_file"], ["alarm_smtp_url", "alarm_slack_url"]),
        (programs.CODE_SERVER, "custom_events_pipeline:p", ["secret_key", "google_json_key_file", "alarm_smtp_url", "reporting_database_url"], ["openid_client_secret"]),
    ],
)  # fmt: skip
def test_a_program_is_given_its_own(given: Settings, name: str, login: str, has: list[str], has_not: list[str]) -> None:
    environment = environment_of(given, name)
    assert environment["DATABASE_URL"] == f"postgresql://{login}@db/shop"
    assert environment["PATH"], environment["HTTPS_PROXY"]
    assert environment[DOTENV] == ""
    assert {variable_of(field) for field in has} <= environment.keys()
    assert {variable_of(field) for field in has_not}.isdisjoint(environment)
    shown = str(environment)
    assert "owner:o" not in shown
    others = {"receiver:r", "console:c", "pipeline:p"} - {login.removeprefix("custom_events_")}
    assert not [other for other in others if other in shown]
    assert (instance.STORAGE_VARIABLE in environment) is (name == programs.CODE_SERVER)
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert ("GOOGLE_ADS_DEVELOPER_TOKEN" in environment) is (name != "receiver")  # the console probes accounts


def test_the_console_knows_the_mail_server_of_reports_wherever_that_is_set(given: Settings) -> None:
    both = environment_of(given, "console")
    assert variable_of("report_smtp_url") in both
    one = environment_of(given.model_copy(update={"report_smtp_url": None}), "console")
    assert one[variable_of("alarm_smtp_url")] == SECRETS["alarm_smtp_url"]


def test_without_logins_of_their_own_all_have_the_one_database(given: Settings) -> None:
    one = given.model_copy(update=dict.fromkeys(("receiver_database_url", "pipeline_database_url"), None))
    assert environment_of(one, "receiver")["DATABASE_URL"] == "postgresql://owner:o@db/shop"


def test_the_receiver_is_given_every_setting_that_it_reads() -> None:
    sources = [*(ROOT / "ingest_api").glob("*.py"), ROOT / "custom_events" / "secrets.py"]
    read = {name for path in sources for name in re.findall(r"\bsettings\.([a-z_]+)", path.read_text())}
    assert read & Settings.model_fields.keys() - {"database_url"} <= environments.RECEIVER_SETTINGS


def test_what_is_set_is_read_again_and_no_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CUSTOM_EVENTS_RECEIVER_PORT=8011\n")
    monkeypatch.chdir(tmp_path)
    for name, value in as_variables(Settings(_env_file=None, raw_retention_days=7, alarm_email_to=None)).items():
        monkeypatch.setenv(name, value)
    for dotenv, port in ((None, 8011), ("", 8000)):
        monkeypatch.delenv(DOTENV, raising=False)
        if dotenv is not None:
            monkeypatch.setenv(DOTENV, dotenv)
        settings.cache_clear()
        assert (settings().receiver_port, settings().raw_retention_days) == (port, 7)
    settings.cache_clear()


def test_a_started_program_has_no_more_than_that(tmp_path: Path) -> None:
    def only(environment: Any) -> dict[str, str]:
        return {"PATH": environment["PATH"], "ONLY": "this"}

    supervisor = Supervisor(tmp_path, {"SECRET": "other"})
    supervisor.start(Program(name="prints", arguments=["/usr/bin/env"], restrict=only))
    child = supervisor.children["prints"].process
    assert child is not None
    child.wait(timeout=60)
    shown = supervisor.log_file("prints").read_text()
    assert "ONLY=this" in shown
    assert "SECRET" not in shown
    supervisor.stop()
