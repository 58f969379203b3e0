"""Fixtures that tests of every folder use. Blocks are separate: one noun each."""

# ---------------------------------------------------------------- PostgreSQL
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.postgres import connect, embedded, migrate, partitions, spans
from custom_events.tables.registry import PARTITIONED

if TYPE_CHECKING:
    from sandbox.google_ads.server import SandboxGoogle

TEMPLATE = "migrated"
MACHINE_BINARIES = "/usr/lib/postgresql"  # Debian's place: <major>/bin
_NUMBERS = count(1)
AUTHORITY = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        choices=["embedded", "machine"],
        default="embedded",
        help="Server for the tests: the embedded one, or the machine's own PostgreSQL on a private socket.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the server's database get the marker `database`: `make test` runs them on both servers."""
    for item in items:
        if "postgres_url" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a running, empty server that belongs to this worker; its settings are fast, not durable."""
    binaries = None
    if request.config.getoption("--postgres") == "machine":
        found = sorted(Path(MACHINE_BINARIES).glob("*/bin/postgres"), key=lambda path: int(path.parents[1].name))
        if not found:
            pytest.skip(f"--postgres=machine: no PostgreSQL in {MACHINE_BINARIES}")
        binaries = found[-1].parent
    with _directory() as directory, embedded.start(directory, fast=True, binaries=binaries) as server:
        yield server.url


@pytest.fixture
def server_directory() -> Iterator[Path]:
    """A directory for an embedded server (or a whole `.local/`) of the test's own.

    Not tmp_path: each pytest that starts closes /tmp/pytest-of-root to all but root, also under a server that runs there.
    """
    with _directory() as directory:
        yield directory


@contextmanager
def _directory() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="custom-events-test-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> str:
    """A migrated database that `database` copies: 20 times faster than migrating again.

    It keeps only the partitions around now, since each is some ten files to copy; other times fall into DEFAULT.
    """
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate.upgrade(_named(postgres_url, TEMPLATE))
    made = connect.engine(_named(postgres_url, TEMPLATE))
    today = datetime.now(UTC).date()
    with made.begin() as connection:
        for kind in PARTITIONED:
            near = {one.name for one in spans.wanted(kind, today, ahead_days=7)} - {
                one.name for one in list(spans.wanted(kind, today, ahead_days=0))[:-3]
            }
            for name in partitions.existing(connection, kind) - near - {f"{kind.table.name}_default"}:
                connection.execute(sa.text(f"DROP TABLE {kind.table.schema}.{name}"))
    made.dispose()
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


# ---------------------------------------------------------------- the sandbox's Google
def pytest_configure(config: pytest.Config) -> None:
    """One authority for the whole process, before any test: gRPC reads the roots it trusts once, at its first channel."""
    from sandbox.google_ads.certificates import TRUST_VARIABLE, ensure

    directory = tempfile.TemporaryDirectory(prefix="custom-events-authority-")
    config.add_cleanup(directory.cleanup)
    config.stash[AUTHORITY] = Path(directory.name)
    os.environ[TRUST_VARIABLE] = str(ensure(Path(directory.name)).ca_file)


@pytest.fixture(scope="session")
def _google(request: pytest.FixtureRequest) -> Iterator["SandboxGoogle"]:
    """One sandbox per test process."""
    from sandbox.google_ads.server import SandboxGoogle

    google = SandboxGoogle.start(request.config.stash[AUTHORITY])
    yield google
    google.stop()


@pytest.fixture
def sandbox_google(_google: "SandboxGoogle") -> "SandboxGoogle":
    """The sandbox's Google with the default seed, real time, no faults and nothing uploaded."""
    _google.reset()
    return _google
