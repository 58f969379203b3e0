import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from cli import checks, safety_checks
from cli.check import Check, State
from cli.checks import examine
from custom_events import secrets
from custom_events.access import people
from custom_events.access.roles import Grant, Role
from custom_events.catalog.sample import seed_sample
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.values import zones
from tests.cli.conftest import Run


@pytest.fixture
def google() -> Iterator[str]:
    """host:port of something that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="module")
def seeded(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One seeded database for the tests that only look at it."""
    server = connect.engine(postgres_url, name="tests").execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE doctor_tests TEMPLATE {_template}"))
    server.dispose()
    url = sa.make_url(postgres_url).set(database="doctor_tests").render_as_string(hide_password=False)
    made = Settings(_env_file=None, local_directory=tmp_path_factory.mktemp("local"), database_url=url)
    engine = connect.engine(url, name="tests")
    with engine.begin() as connection:
        seed_sample(connection, made)
    engine.dispose()
    return made


@pytest.fixture
def configured(tmp_path: Path, seeded: Settings, google: str) -> Settings:
    """An installation where nothing is wrong."""
    key_file = tmp_path / "google.json"
    key_file.write_text(json.dumps({"client_email": "me@project", "private_key": "x", "token_uri": "http://token"}))
    free = iter(_free_ports(3))
    return Settings(
        _env_file=None,
        local_directory=seeded.local_directory,
        database_url=seeded.database_url,
        google_ads_endpoint=google,
        data_manager_endpoint=f"http://{google}",
        google_json_key_file=key_file,
        receiver_port=next(free),
        console_port=next(free),
        dagster_port=next(free),
    )


def _free_ports(count: int) -> list[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def _found(settings: Settings, **changes: object) -> dict[str, Check]:
    return {check.name: check for check in examine(settings.model_copy(update=changes))}


def test_where_nothing_is_wrong_every_check_is_ok(configured: Settings) -> None:
    found = _found(configured)
    assert {name: check.found for name, check in found.items() if check.state is not State.OK} == {}
    assert all(check.remedy == "" for check in found.values())
    assert list(found) == [
        *(
            "settings",
            "secret key",
            "local directory",
            "transport of DATABASE_URL",
            "logins",
            "alarms",
            "sessions",
            "database",
            "migrations",
            "clock",
            "receiver's role",
            "partitions",
            "time zones",
            "system definitions",
            "administrator",
            "references",
            "Shopify app",
            "site secrets",
            "weak secrets",
            "consent",
        ),
        *("port of the receiver", "port of the console", "port of Dagster", "Google's credentials"),
        *("way to the Google Ads API", "way to the Data Manager API"),
    ]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.OK),
        ({"receiver_url": "https://events.example"}, State.WARNING),
        ({"receiver_host": "0.0.0.0"}, State.WARNING),
        ({"console_url": "https://console.example"}, State.WARNING),
        ({"console_url": "https://console.example", "database_url": None}, State.OK),
        (
            {
                "console_url": "https://console.example",
                **dict.fromkeys(("receiver_database_url", "console_database_url", "pipeline_database_url"), "own"),
            },
            State.OK,
        ),
    ],
)
def test_where_others_reach_us_each_program_has_its_login(
    configured: Settings, changes: dict[str, object], state: State
) -> None:
    check = safety_checks.logins(configured.model_copy(update=changes))
    assert check.state is state
    assert ("custom-events roles" in check.remedy) is (state is State.WARNING)


def test_settings_are_named_and_never_shown(configured: Settings) -> None:
    shown = _found(configured)["settings"].found
    assert "DATABASE_URL" in shown
    assert "postgresql://" not in shown
    assert next(examine(Settings(_env_file=None))).found == "all have their defaults"


def test_an_empty_database_says_to_migrate(configured: Settings, empty_database: str) -> None:
    found = _found(configured, database_url=SecretStr(empty_database))
    assert found["migrations"].state is State.FAILED
    assert found["migrations"].remedy == "Run: custom-events migrate"
    assert "partitions" not in found


def test_a_database_that_does_not_answer_is_said_and_the_rest_is_still_looked_at(configured: Settings) -> None:
    (port,) = _free_ports(1)
    found = _found(configured, database_url=SecretStr(f"postgresql://me:hush@127.0.0.1:{port}/x"))
    assert found["database"].state is State.FAILED
    assert "hush" not in str(found)
    assert "way to the Google Ads API" in found
    wrong = _found(configured, database_url=SecretStr("mysql://x"))
    assert "DATABASE_URL: must begin with postgresql://" in wrong["database"].remedy


def test_too_old_a_server(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LEAST_VERSION", 990_000)
    assert _found(configured)["database"].state is State.FAILED


def test_missing_partitions_are_named(configured: Settings, database: str, engine: sa.Engine) -> None:
    coming = (datetime.now(UTC) + timedelta(days=3)).isocalendar()
    name = f"landing.receipts_{coming.year}w{coming.week:02}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP TABLE {name}"))
    found = _found(configured, database_url=SecretStr(database))["partitions"]
    assert found.state is State.FAILED
    assert name in found.found


SITES = "INSERT INTO app.sites (site_key, platform, name, time_zone) VALUES ('a', 'custom', 'A', :a), ('b', 'custom', 'B', :b)"


def test_zones_in_which_the_server_differs_are_named_with_the_first_day(
    configured: Settings, database: str, engine: sa.Engine
) -> None:
    changed = (datetime.now(UTC) + timedelta(days=30)).replace(hour=0, minute=0, second=0, microsecond=0)
    with engine.begin() as connection:
        connection.execute(sa.text(SITES), {"a": "Asia/Tokyo", "b": "Asia/Kolkata"})
        statement = "INSERT INTO app.zone_offsets VALUES (:zone, :at, interval '10 hours', :release)"
        connection.execute(sa.text(statement), {"zone": "Asia/Tokyo", "at": changed, "release": zones.RELEASE})
        connection.execute(sa.text(statement), {"zone": "Asia/Nowhere", "at": changed, "release": zones.RELEASE})
        connection.execute(
            sa.text(
                "INSERT INTO app.ads_accounts (customer_id, name, lane, time_zone) VALUES ('1234567890', 'A', 'google_ads', 'Asia/Nowhere')"
            )
        )
    found = _found(configured, database_url=SecretStr(database))["time zones"]
    assert found.state is State.OK
    day = changed + timedelta(hours=datetime.now(UTC).hour)
    assert f"release {zones.RELEASE}, from the package tzdata, in Python and in SQL" in found.found
    assert f"Asia/Nowhere (not known there), Asia/Tokyo from {day:%Y-%m-%d};" in found.found
    assert "Kolkata" not in found.found


def test_zones_that_nobody_knows_are_a_warning(configured: Settings, database: str, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(SITES), {"a": "localtime", "b": "posix/Europe/Berlin"})
    found = _found(configured, database_url=SecretStr(database))["time zones"]
    assert found.state is State.WARNING
    assert found.found.endswith("are in UTC: localtime, posix/Europe/Berlin")
    assert "Europe/Berlin for example" in found.remedy


@pytest.mark.parametrize(
    ("release", "state", "words"),
    [
        ("2001a", State.FAILED, "of release 2001a"),
        (None, State.FAILED, "of release none"),
        ("2999a", State.OK, "SQL has release 2999a"),
    ],
)
def test_offsets_of_another_release(
    configured: Settings, database: str, engine: sa.Engine, release: str | None, state: State, words: str
) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE app.zone_offsets SET release = :r" if release else "DELETE FROM app.zone_offsets"),
            {"r": release} if release else {},
        )
    found = _found(configured, database_url=SecretStr(database))["time zones"]
    assert (found.state, found.remedy) == (state, "" if state is State.OK else "Run: custom-events migrate")
    assert words in found.found


def test_clocks_apart(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "database_now", lambda _: datetime.now(UTC) + timedelta(seconds=60))
    found = _found(configured)["clock"]
    assert (found.state, found.found) == (State.FAILED, "60.0 s apart from the database's")


def test_missing_system_definitions(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "all_of", lambda _: [])
    assert "custom-events seed" in _found(configured)["system definitions"].remedy


def test_another_key_cannot_decrypt_the_sites_secrets(configured: Settings) -> None:
    found = _found(configured, secret_key=SecretStr(Fernet.generate_key().decode()))
    assert found["secret key"].found == "a Fernet key, from the setting"
    assert found["site secrets"].state is State.FAILED
    assert "those of 3 sites cannot be decrypted" in found["site secrets"].found


def test_a_key_that_is_missing_is_said_and_none_is_made(configured: Settings, tmp_path: Path, database: str) -> None:
    elsewhere = {"local_directory": tmp_path / "elsewhere"}
    found = _found(configured, **elsewhere)
    assert found["secret key"].state is State.FAILED
    assert "the key is yours to keep" in found["secret key"].remedy
    assert "is missing" in found["site secrets"].remedy
    assert "weak secrets" not in found
    new = _found(configured, **elsewhere, database_url=SecretStr(database))
    assert (new["secret key"].state, new["site secrets"].found) == (State.FAILED, "none is stored yet")
    assert not (tmp_path / "elsewhere").exists()
    embedded = configured.model_copy(update={**elsewhere, "database_url": None})
    assert checks._key(embedded).found == "none yet: the first start makes one"


def test_what_is_no_key_at_all(configured: Settings) -> None:
    found = _found(configured, secret_key=SecretStr("short"))
    assert found["secret key"].state is State.FAILED
    assert found["site secrets"].state is State.FAILED


def test_a_port_in_use_is_a_warning_with_the_setting_that_moves_it(configured: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = _found(configured, console_port=server.getsockname()[1])["port of the console"]
    assert found.state is State.WARNING
    assert "CUSTOM_EVENTS_CONSOLE_PORT" in found.remedy


@pytest.mark.parametrize(
    ("content", "state", "words"),
    [
        (None, State.FAILED, "not a readable key file (FileNotFoundError)"),
        ("no json", State.FAILED, "not a readable key file (JSONDecodeError)"),
        ("[]", State.FAILED, "not a readable key file (AttributeError)"),
        ('{"client_email": "me"}', State.FAILED, "lacks private_key, token_uri"),
    ],
)
def test_a_key_file_for_google_that_cannot_be_used(
    configured: Settings, tmp_path: Path, content: str | None, state: State, words: str
) -> None:
    file = tmp_path / "other.json"
    if content is not None:
        file.write_text(content)
    found = _found(configured, google_json_key_file=file)["Google's credentials"]
    assert found.state is state
    assert words in found.found


def test_without_a_key_file_an_unreachable_google_is_only_a_warning(configured: Settings) -> None:
    (port,) = _free_ports(1)
    nowhere = f"127.0.0.1:{port}"
    found = _found(configured, google_ads_endpoint=nowhere)["way to the Google Ads API"]
    assert (found.state, found.found) == (State.FAILED, f"{nowhere} cannot be reached (Connection refused)")
    without = _found(configured, google_ads_endpoint=nowhere, google_json_key_file=None)
    assert without["way to the Google Ads API"].state is State.WARNING
    assert without["Google's credentials"].state is State.WARNING


def test_the_command_ends_with_what_it_found(run: Run, configured: Settings, google: str) -> None:
    variables = {
        "DATABASE_URL": configured.database_url.get_secret_value() if configured.database_url else "",
        "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(configured.local_directory),
        "GOOGLE_ADS_ENDPOINT": google,
        "CUSTOM_EVENTS_DATA_MANAGER_ENDPOINT": f"http://{google}",
        "GOOGLE_ADS_JSON_KEY_FILE_PATH": str(configured.google_json_key_file),
        "CUSTOM_EVENTS_RECEIVER_PORT": str(configured.receiver_port),
        "CUSTOM_EVENTS_CONSOLE_PORT": str(configured.console_port),
        "CUSTOM_EVENTS_DAGSTER_PORT": str(configured.dagster_port),
    }
    well = run("doctor", **variables)
    assert well.exit_code == 0
    assert well.output.endswith("Nothing is wrong.\n")
    ill = {**variables, "GOOGLE_ADS_JSON_KEY_FILE_PATH": "/no/such/file"}
    result = run("doctor", **ill)
    assert result.exit_code == 1
    assert "FAILED   Google's credentials: /no/such/file is not a readable key file" in result.output
    assert "1 of 26 checks failed." in result.output
    document = json.loads(run("doctor", "--json", **ill).output)
    assert document["healthy"] is False
    assert {check["state"] for check in document["checks"]} == {"ok", "failed"}


def test_before_others_reach_the_console_there_is_an_administrator(
    configured: Settings, database: str, engine: sa.Engine
) -> None:
    changes = {"database_url": SecretStr(database), "console_url": "https://events.example"}
    found = _found(configured, **changes)["administrator"]
    assert found.state is State.FAILED
    assert "custom-events user add" in found.remedy
    with engine.begin() as connection:
        grants = (Grant(role=Role.ADMINISTRATOR),)
        people.add(connection, login="ana", display_name="Ana", grants=grants, actor="me")
    assert _found(configured, **changes)["administrator"].found == "there is one, at least"
    without = _found(configured, **{**changes, "console_url": "http://events.example"})["administrator"]
    assert "https" in without.remedy


def test_rows_that_refer_to_nothing_are_named(configured: Settings) -> None:
    engine = connect.engine(configured.database_url.get_secret_value() if configured.database_url else "")
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.text("INSERT INTO app.order_refunds VALUES (1, '8', 'r2', 1, 'EUR', now())"))
        found = checks._references(connection)
        transaction.rollback()
    engine.dispose()
    assert (found.state, found.found) == (State.FAILED, "rows refer to nothing: 1 in app.order_refunds.order_id")
    assert "by hand" in found.remedy


def test_secrets_of_an_older_key_are_said_to_be_rotated(configured: Settings) -> None:
    old = secrets.key(configured)
    ring = SecretStr((Fernet.generate_key() + b"," + old).decode())
    found = _found(configured, secret_key=ring)["site secrets"]
    assert (found.state, found.remedy) == (State.WARNING, "Run: custom-events secrets rotate")
    spare = SecretStr((old + b"," + Fernet.generate_key()).decode())
    assert "not needed for them any more" in _found(configured, secret_key=spare)["site secrets"].found
