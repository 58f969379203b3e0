"""What is open to others, weak or in clear is said by `doctor`, or refused."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationError

from cli import safety_checks
from cli.check import State
from custom_events.catalog import signing
from custom_events.errors import InvalidConfiguration
from custom_events.settings import Settings
from custom_events.watching.channels import channels
from tests.cli.conftest import Run
from tests.world import World

KEY = Fernet.generate_key()


def settings_of(**fields: object) -> Settings:
    return Settings.model_validate(fields)


def test_a_directory_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert safety_checks.local_directory(settings_of(local_directory=tmp_path)).state is State.OK
    (tmp_path / "secret.key").touch(0o644)
    found = safety_checks.local_directory(settings_of(local_directory=tmp_path))
    assert (found.state, "secret.key" in found.found) == (State.WARNING, True)


def test_each_way_to_the_database_is_looked_at() -> None:
    settings = settings_of(
        database_url="postgresql://ours@localhost/db",
        receiver_database_url="postgresql://r@db.example/db?sslmode=require",
        console_database_url="mysql://c@db.example/db",
    )
    states = {check.name.rpartition(" ")[2]: check.state for check in safety_checks.transports(settings)}
    assert states == {
        "DATABASE_URL": State.OK,
        "CUSTOM_EVENTS_RECEIVER_DATABASE_URL": State.FAILED,
        "CUSTOM_EVENTS_CONSOLE_DATABASE_URL": State.FAILED,
    }


def test_secrets_that_people_thought_up_are_a_warning(database: str, engine: sa.Engine) -> None:
    world = World(database, engine)
    strong, weak = world.site(), world.site()
    with engine.begin() as connection:
        signing.add(connection, strong, signing.make(), key=KEY, actor="test")
        assert safety_checks.weak_secrets(connection, KEY).state is State.OK
        signing.add(connection, weak, "hunter2hunter2hunter2", key=KEY, actor="test")
        found = safety_checks.weak_secrets(connection, KEY)
        assert (found.state, found.found) == (State.WARNING, f"1 sites have one (site {weak})")
        assert (
            safety_checks.weak_secrets(connection, Fernet.generate_key()).state is State.OK
        )  # `site secrets` says that


def test_what_consent_means_is_said_by_doctor_and_validate(run: Run, database: str, engine: sa.Engine) -> None:
    world = World(database, engine)
    with engine.connect() as connection:
        assert safety_checks.consent(connection).found == "no assignment is active"
    world.rule(world.site(consent_default="granted"), "purchase")
    with engine.connect() as connection:
        found = safety_checks.consent(connection)
    assert found.state is State.WARNING
    assert "click_only_in_europe" in found.found
    shown = run("config", "validate", DATABASE_URL=database)
    assert "consent  1 assignments of 1 sites (click_only_in_europe)" in shown.output


@pytest.mark.parametrize("field", ["data_manager_endpoint", "google_ads_endpoint"])
def test_nothing_goes_to_google_in_clear(field: str) -> None:
    assert getattr(settings_of(**{field: "http://127.0.0.1:50552"}), field)
    with pytest.raises(ValidationError, match="http goes to this machine alone"):
        settings_of(**{field: "http://google.example"})


def test_no_alarm_goes_over_the_net_in_clear() -> None:
    def told(address: str) -> list[str]:
        return [
            channel.name
            for channel in channels(settings_of(alarm_email_to="a@b.example", alarm_smtp_url=SecretStr(address)))
        ]

    assert told("smtps://user:password@mail.example") == told("smtp://localhost") == ["email"]
    with pytest.raises(InvalidConfiguration, match="in clear"):
        told("smtp://user:password@mail.example")
    assert safety_checks.alarm_channels(settings_of()).found == "sent to nobody"
