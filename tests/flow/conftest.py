"""The whole product, in processes as people run them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from custom_events import secrets
from custom_events.catalog import signing, sites
from custom_events.catalog.seed import bring_up_to_date
from custom_events.postgres import account, connect
from custom_events.values.deliveries import Platform
from ingest_api import connections
from tests import machine_postgres
from tests.flow.backup_page import SECRET, SITE_KEY, WAIT_LIMIT_S, Installation
from tests.flow.server_machine import START, ServerMachine

PORT: Final = 5432  # of sockets in a directory of the test's own


@pytest.fixture(autouse=True)
def _as_people_run_it(untraced_processes: None) -> None:
    """Without coverage in the processes."""


# ---------------------------------------------------------------- servers that are lost
@pytest.fixture(scope="session")
def stored() -> Iterator[Path]:
    """A directory with a data directory (`data`) and the programs' (`programs`), of a server that has been stopped: migrated, one site."""
    with machine_postgres.private_directory() as place:
        with ServerMachine(place, "data", PORT) as server:
            server.initialise()
            server.shell.run("createdb")
            bring_up_to_date(server.url)
            settings = Installation(place).settings(server.url)
            engine = connect.engine(server.url)
            with engine.begin() as connection:
                site = sites.create(
                    connection, platform=Platform.CUSTOM, name="Shop", actor="test", currency="EUR", site_key=SITE_KEY
                )
                signing.add(connection, site.id, SECRET, key=secrets.key(settings), actor="test")
            engine.dispose()
            server.shell.run('pg_ctl --pgdata "$PGDATA" --mode fast stop')
        yield place


@pytest.fixture
def place(stored: Path, server_directory: Path) -> Path:
    """A directory of the test's own, with the programs' machine in it."""
    shutil.copytree(stored / "programs", server_directory / "programs")
    return server_directory


@pytest.fixture
def installation(place: Path) -> Installation:
    return Installation(place)


@pytest.fixture
def server(place: Path, stored: Path) -> Iterator[ServerMachine]:
    """A running server with a copy of what is stored."""
    backups = place / "backups"
    backups.mkdir()
    account.hand_over(backups)
    variables = {"BACKUPS": str(backups), "REPLICATION_PASSWORD": "not needed by socket"}
    with ServerMachine(place, "server", PORT, **variables) as machine:
        machine.shell.run(f'cp --recursive "{stored}/data" "$PGDATA"\nchmod 0700 "$PGDATA"')
        machine.shell.run(
            f"sed --in-place \"s|^unix_socket_directories.*|unix_socket_directories = '{place}'|\" $PGDATA/postgresql.conf"
        )
        machine.shell.run(START)
        yield machine


@pytest.fixture
def patient_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else the machine does, the writer gives up only where a test says so."""
    monkeypatch.setattr(connections, "COMMIT_LIMIT_S", WAIT_LIMIT_S)
