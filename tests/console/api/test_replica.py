"""Reading from a real streaming standby: what comes from it, what never does, and what happens when it is behind or gone."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import SecretStr

from cli.check import State
from cli.safety_checks import replica_is_read
from cli.status import _replica
from console.api import change_news, replica_reads
from console.api.app import create_app
from console.api.change_news import CHANNEL
from console.api.replica_reads import ReplicaReads
from custom_events.access.roles import NOBODY
from custom_events.catalog import sites
from custom_events.operations.kinds import KINDS
from custom_events.operations.runner import Runner
from custom_events.postgres import connect, listening, replica
from custom_events.settings import Settings
from custom_events.values.deliveries import Platform
from custom_events.watching.alarms import raised
from custom_events.watching.measure import measure
from custom_events.watching.status import status
from tests import machine_postgres
from tests.console.api.asking import asking
from tests.console.api.world import World
from tests.flow import stack
from tests.replicas import WAIT_LIMIT_S, Replicated, replicated

LISTENERS = "custom-events console changes"
END_LISTENERS = sa.text(f"""
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{LISTENERS}'
""")
RENAME = "UPDATE app.sites SET name = :name WHERE id = :id"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is: what a test does not make the replica is not taken for it."""
    monkeypatch.setattr(replica_reads, "STALE_S", 3600.0)
    monkeypatch.setattr(replica, "CATCH_UP_LIMIT_S", WAIT_LIMIT_S)
    monkeypatch.setitem(connect._REPLICA_LIMITS, "connect_timeout", int(WAIT_LIMIT_S))


@pytest.fixture(scope="module")
def servers() -> Iterator[Replicated]:
    with machine_postgres.private_directory() as place, replicated(place) as both:
        yield both


@pytest.fixture(scope="module")
def world_there(servers: Replicated, _key: SecretStr) -> World:
    made = connect.engine(servers.url, name="tests")
    world = World(made, Settings(_env_file=None, secret_key=_key))
    made.dispose()
    return world


@pytest.fixture
def configured(servers: Replicated, settings: Settings) -> Settings:
    """The test's own, with the replica."""
    servers.resume()
    return settings.model_copy(update={"replica_url": SecretStr(servers.replica_url), "replica_lag_limit_s": 3600.0})


@pytest.fixture
def primary(servers: Replicated) -> Iterator[sa.Engine]:
    made = connect.engine(servers.url, name="tests")
    yield made
    made.dispose()


@pytest.fixture
def world(world_there: World, primary: sa.Engine, configured: Settings) -> World:
    return world_there.of(primary, configured)


@pytest.fixture
def app(servers: Replicated, world: World, configured: Settings) -> FastAPI:
    return create_app(servers.url, configured)


@pytest.fixture
def reads(app: FastAPI, client: httpx.Client, world: World) -> ReplicaReads:
    """What the app reads from the replica."""
    return read_by(app, world)


def read_by(app: FastAPI, world: World) -> ReplicaReads:
    """What a started app reads from the replica, once it may for everybody."""
    reads: ReplicaReads = app.state.replica

    def may_be_read() -> bool:
        reads.look()
        return reads.may_be_read(NOBODY)

    stack.until(may_be_read, "a replica that is read", WAIT_LIMIT_S)
    return reads


def name_of(client: httpx.Client, world: World, key: str) -> Any:
    """The first site's name as whoever has the key sees it in the list."""
    answer = client.get("/api/v1/sites", headers=world.headers(key))
    assert answer.status_code == 200, answer.text
    return next(site["name"] for site in answer.json()["items"] if site["id"] == world.mine.id)


def renamed_behind_its_back(world: World, name: str) -> None:
    with world.engine.begin() as connection:
        connection.execute(sa.text(RENAME), {"name": name, "id": world.mine.id})


def connections(engine: sa.Engine, name: str) -> list[int]:
    """Processes of the server's that have connections of this name, and have run what they were last asked."""
    asked = sa.text("SELECT pid FROM pg_stat_activity WHERE application_name = :name AND state = 'idle'")
    with engine.connect() as connection:
        return list(connection.execute(asked, {"name": name}).scalars())


def rename(client: httpx.Client, world: World, name: str) -> None:
    address = f"/api/v1/sites/{world.mine.id}"
    headers = world.headers("administrator")
    tag = client.get(address, headers=headers).headers["ETag"]
    answer = client.patch(address, json={"name": name}, headers=headers | {"If-Match": tag})
    assert answer.status_code == 200, answer.text


def test_lists_come_from_the_replica_but_for_whoever_has_changed_something(
    client: httpx.Client, world: World, reads: ReplicaReads, servers: Replicated
) -> None:
    renamed_behind_its_back(world, "Before")
    servers.pause()
    renamed_behind_its_back(world, "Meanwhile")
    assert name_of(client, world, "administrator") == name_of(client, world, "viewer") == "Before"
    rename(client, world, "After")
    assert name_of(client, world, "administrator") == "After"
    reads.look()
    assert name_of(client, world, "administrator") == "After"
    assert name_of(client, world, "viewer") == "Before"
    servers.resume()
    servers.catch_up()
    reads.look()
    servers.pause()
    renamed_behind_its_back(world, "Later")
    assert name_of(client, world, "administrator") == "After", "it has what they changed, and is read again"
    reads.note_operation(client.get("/api/v1/me", headers=world.headers("viewer")).json()["name"])
    assert name_of(client, world, "viewer") == "Later", "what they had changed"


@pytest.fixture
def other_console(
    servers: Replicated, world: World, configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """A second console on the same servers, as behind a balancer, which reads from the replica."""
    monkeypatch.setattr(listening, "RECONNECT_S", 0.01)
    app = create_app(servers.url, configured)
    with asking(app) as asked:
        read_by(app, world)
        yield asked


def test_changes_by_another_console_are_seen_at_once(
    client: httpx.Client, other_console: httpx.Client, world: World, reads: ReplicaReads, servers: Replicated
) -> None:
    renamed_behind_its_back(world, "Of old")
    servers.catch_up()
    servers.pause()
    rename(client, world, "Of now")
    stack.until(lambda: name_of(other_console, world, "administrator") == "Of now", "their own change", WAIT_LIMIT_S)
    assert name_of(other_console, world, "viewer") == "Of old"
    reads.note_operation(client.get("/api/v1/me", headers=world.headers("viewer")).json()["name"])
    stack.until(lambda: name_of(other_console, world, "viewer") == "Of now", "what they had changed", WAIT_LIMIT_S)


def test_a_console_that_cannot_hear_of_changes_reads_from_the_primary(
    other_console: httpx.Client, world: World, servers: Replicated, primary: sa.Engine
) -> None:
    renamed_behind_its_back(world, "Of old")
    servers.catch_up()
    servers.pause()
    renamed_behind_its_back(world, "Of now")
    assert name_of(other_console, world, "viewer") == "Of old"
    with primary.begin() as connection:
        assert connection.execute(END_LISTENERS).all()
    stack.until(lambda: name_of(other_console, world, "viewer") == "Of now", "a reading of the primary", WAIT_LIMIT_S)
    stack.until(lambda: bool(connections(primary, LISTENERS)), "that it listens again", WAIT_LIMIT_S)
    assert name_of(other_console, world, "viewer") == "Of now", "what was changed meanwhile, nobody told it"


def test_news_that_a_console_cannot_read_are_a_change_of_everybody(
    other_console: httpx.Client, world: World, servers: Replicated, primary: sa.Engine
) -> None:
    renamed_behind_its_back(world, "Of old")
    servers.catch_up()
    servers.pause()
    renamed_behind_its_back(world, "Of now")
    assert name_of(other_console, world, "viewer") == "Of old"
    with primary.begin() as connection:
        connection.execute(sa.text("SELECT pg_notify(:channel, 'of another version')"), {"channel": CHANNEL})
    stack.until(lambda: name_of(other_console, world, "viewer") == "Of now", "a reading of the primary", WAIT_LIMIT_S)


def test_a_change_is_answered_though_it_cannot_be_told(
    client: httpx.Client, world: World, reads: ReplicaReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_news, "_TELL", sa.text("SELECT 1 / 0 FROM (SELECT :channel, :news) _"))
    rename(client, world, "Renamed all the same")
    assert name_of(client, world, "administrator") == "Renamed all the same"


def test_who_asks_is_read_from_the_primary(
    client: httpx.Client, world: World, reads: ReplicaReads, servers: Replicated
) -> None:
    assert client.get("/api/v1/sites", headers=world.headers("publisher")).status_code == 200
    servers.pause()
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.api_keys SET revoked_at = now() WHERE name = 'publisher'"))
    assert client.get("/api/v1/sites", headers=world.headers("publisher")).status_code == 401


def test_what_the_replica_does_not_know_yet_is_there(
    client: httpx.Client, world: World, reads: ReplicaReads, servers: Replicated
) -> None:
    servers.pause()
    with world.engine.begin() as connection:
        site = sites.create(connection, platform=Platform.CUSTOM, name="New", actor="test", currency="EUR")
    headers = world.headers("viewer")
    assert client.get(f"/api/v1/sites/{site.id}/figures", headers=headers).status_code == 200
    assert client.get("/api/v1/definitions/none", headers=headers).status_code == 404
    assert client.get("/api/v1/operations", headers=headers).status_code == 200


def test_a_page_is_read_from_it(client: httpx.Client, world: World, reads: ReplicaReads, servers: Replicated) -> None:
    renamed_behind_its_back(world, "Shown before")
    servers.pause()
    renamed_behind_its_back(world, "Shown after")
    page = client.get("/sites", headers=world.headers("administrator"))
    assert "Shown before" in page.text
    settings_page = client.get("/settings", headers=world.headers("administrator"))
    assert "Read from the replica" in settings_page.text


def test_one_that_is_too_far_behind_is_not_read(
    client: httpx.Client, world: World, reads: ReplicaReads, servers: Replicated, configured: Settings
) -> None:
    servers.pause()
    renamed_behind_its_back(world, "Newest")
    limited = configured.model_copy(update={"replica_lag_limit_s": 0.01})

    def state() -> replica.ReplicaState:
        with world.engine.connect() as connection:
            found = replica.look(connection, limited)
        assert found is not None
        return found

    stack.until(lambda: state().problem == "behind", "the lag", WAIT_LIMIT_S)
    reads._limit_s = limited.replica_lag_limit_s
    reads.look()
    assert name_of(client, world, "viewer") == "Newest"
    with world.engine.connect() as connection:
        now = datetime.now(UTC)
        (alarm,) = (alarm for alarm in raised(measure(connection, limited, now)) if alarm.name == "ReplicaNotRead")
        assert alarm.where == {"problem": "behind"}
        told = status(connection, limited, now).replica
    assert told is not None
    assert told.problem == "behind"
    assert told.behind_s is not None
    assert told.behind_s > limited.replica_lag_limit_s
    settings_page = client.get("/settings", headers=world.headers("administrator"))
    assert "Nothing is read from the replica" in settings_page.text


def test_a_server_that_is_no_standby_is_not_read(servers: Replicated, primary: sa.Engine, configured: Settings) -> None:
    itself = configured.model_copy(update={"replica_url": SecretStr(servers.url)})
    with primary.connect() as connection:
        state = replica.look(connection, itself)
    assert state is not None
    assert (state.problem, state.behind_s) == ("no_standby", None)


def where(engine: sa.Engine) -> tuple[bool, str]:
    """Whether a reading came to the standby, and the first site's name there."""
    with engine.connect() as connection:
        row = connection.execute(sa.text("SELECT pg_is_in_recovery(), name FROM app.sites ORDER BY id LIMIT 1")).one()
    return row[0], row[1]


def test_long_readings_see_all_that_was_committed_before(
    servers: Replicated, world: World, configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        renamed_behind_its_back(world, f"Name {number}")
        assert replica.read(world.engine, configured, where, name="tests") == (True, f"Name {number}")
    monkeypatch.setattr(replica, "CATCH_UP_LIMIT_S", 0.1)
    servers.pause()
    renamed_behind_its_back(world, "Not there yet")
    assert replica.read(world.engine, configured, where, name="tests") == (False, "Not there yet")
    assert (
        replica.read(world.engine, configured.model_copy(update={"replica_url": None}), where, name="tests")[0] is False
    )


def test_a_long_reading_that_fails_there_begins_anew_on_the_primary(world: World, configured: Settings) -> None:
    def conflicting(engine: sa.Engine) -> bool:
        is_standby = where(engine)[0]
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1 / CASE WHEN pg_is_in_recovery() THEN 0 ELSE 1 END"))
        return is_standby

    assert replica.read(world.engine, configured, conflicting, name="tests") is False


def test_exports_come_from_it(
    servers: Replicated, world: World, configured: Settings, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    came_to: list[bool] = []
    read = replica.read

    def noting(primary: sa.Engine, settings: Settings, read_from: Callable[[sa.Engine], Any], *, name: str) -> Any:
        def noted(engine: sa.Engine) -> Any:
            came_to.append(where(engine)[0])
            return read_from(engine)

        return read(primary, settings, noted, name=name)

    monkeypatch.setattr(replica, "read", noting)
    headers = world.headers("administrator")
    operation = client.post("/api/v1/exports", json={"list": "audit_entries"}, headers=headers)
    assert operation.status_code == 202, operation.text
    asked_by: list[str] = []
    runner = Runner(servers.url, configured, KINDS, on_end=asked_by.append)
    try:
        assert runner.run_next()
    finally:
        runner.stop()
    assert asked_by == [operation.json()["asked_by"]]
    file = client.get(f"{operation.headers['Location']}/result.csv", headers=headers)
    assert "site.create" in file.text
    assert came_to == [True]


def test_one_that_is_gone_is_not_missed(
    client: httpx.Client, world: World, reads: ReplicaReads, servers: Replicated, configured: Settings
) -> None:
    """The last test of this file: the standby does not come back."""
    name = name_of(client, world, "viewer")
    with world.engine.connect() as connection:
        (check,) = replica_is_read(connection, configured)
        assert check.state is State.OK
        assert list(replica_is_read(connection, configured.model_copy(update={"replica_url": None}))) == []
    servers.standby.kill()
    assert name_of(client, world, "viewer") == name, "before anybody has looked"
    reads.look()
    assert reads.state is not None
    assert reads.state.problem == "away"
    assert name_of(client, world, "viewer") == name
    with world.engine.connect() as connection:
        told = status(connection, configured, datetime.now(UTC)).replica
        (check,) = replica_is_read(connection, configured)
    assert told is not None
    assert (told.problem, told.behind_s) == ("away", None)
    assert _replica(told) == "not read (away), nobody knows how far behind"
    assert (check.state, check.found) == (State.WARNING, "not read: away")
    assert replica.read(world.engine, configured, where, name="tests")[0] is False
