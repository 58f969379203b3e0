"""Fixtures that tests of every folder use. Blocks are separate: one noun each."""

# ---------------------------------------------------------------- PostgreSQL
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.postgres import connect, embedded, migrate

TEMPLATE = "migrated"
MACHINE_BINARIES = "/usr/lib/postgresql"  # Debian's place: <major>/bin
_NUMBERS = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        choices=["embedded", "machine"],
        default="embedded",
        help="Server for the tests: the embedded one, or the machine's own PostgreSQL on a private socket.",
    )


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running, empty server that belongs to this worker; its settings are fast, not durable."""
    binaries = None
    if request.config.getoption("--postgres") == "machine":
        found = sorted(Path(MACHINE_BINARIES).glob("*/bin/postgres"), key=lambda path: int(path.parents[1].name))
        if not found:
            pytest.skip(f"--postgres=machine: no PostgreSQL in {MACHINE_BINARIES}")
        binaries = found[-1].parent
    with embedded.start(tmp_path_factory.mktemp("postgres"), fast=True, binaries=binaries) as server:
        yield server.url


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> str:
    """A migrated database that `database` copies: 20 times faster than migrating again."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate.upgrade(_named(postgres_url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """URL of a database that was never migrated; dropped afterwards."""
    yield from _fresh(postgres_url, "template1")


@pytest.fixture
def database(postgres_url: str, _template: str) -> Iterator[str]:
    """URL of a migrated database of the test's own; dropped afterwards, whoever is still connected."""
    yield from _fresh(postgres_url, _template)


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """SQLAlchemy engine (psycopg) on `database`."""
    made = connect.engine(database, name="tests")
    yield made
    made.dispose()


def _fresh(url: str, template: str) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _named(url: str, database: str) -> str:
    return sa.make_url(url).set(database=database).render_as_string(hide_password=False)
