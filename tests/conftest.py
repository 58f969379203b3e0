"""Fixtures that tests of every folder use. Blocks are separate: one noun each."""

# ---------------------------------------------------------------- PostgreSQL
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, is_hypothesis_test, settings

from custom_events.postgres import connect, embedded, migrate, partitions, spans
from custom_events.queries import status_counts, tallies
from custom_events.tables.registry import PARTITIONED
from tests import machine_postgres

if TYPE_CHECKING:
    from sandbox.google_ads.server import SandboxGoogle

TEMPLATE = "migrated"
WHOLE = "SELECT to_regclass('landing.raw_queue'), to_regclass('app.tallies'), to_regclass('app.conversion_uploads')"
TALLIED = "SELECT EXISTS (SELECT FROM app.tallies) OR EXISTS (SELECT FROM app.tally_changes)"
# No rows of what is tallied: without tallies there is nothing to compare then, at a fifth of what comparing takes.
NOTHING = "SELECT " + " AND ".join(
    f"NOT EXISTS (SELECT FROM app.{table})" for table in tallies.TABLES if table != "commerce_events"
)
_NUMBERS = count(1)
AUTHORITY = pytest.StashKey[Path]()


# ---------------------------------------------------------------- laws
# The same examples in every run, so that a red test is about the change; `make laws` looks for others. How fast the machine is decides
# nothing: neither a deadline nor the check that examples are made quickly.
NO_CLOCK: Final[dict[str, Any]] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, **NO_CLOCK)
settings.register_profile("search", print_blob=True, **NO_CLOCK)
settings.register_profile("few", derandomize=True, max_examples=20, **NO_CLOCK)  # for each mutant: make mutants
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        choices=["embedded", "machine"],
        default="embedded",
        help="Server for the tests: the embedded one, or the machine's own PostgreSQL on a private socket.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the server's database get the marker `database`: `make test` runs them on both servers. Laws get `untraced`; what is `long`
    comes first."""
    for item in items:
        if "postgres_url" in getattr(item, "fixturenames", ()):
            item.add_marker("database")
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("untraced")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a running, empty server that belongs to this worker: the embedded one with settings that are fast and not durable, or
    the machine's own with its default configuration."""
    with machine_postgres.private_directory() as directory:
        if request.config.getoption("--postgres") == "machine":
            with machine_postgres.running(directory) as url:
                yield url
        else:
            with embedded.start(directory, fast=True) as server:
                yield server.url


@pytest.fixture(scope="session")
def is_embedded(request: pytest.FixtureRequest) -> bool:
    """Whether the tests run on the embedded server, whose version and planner are known."""
    return request.config.getoption("--postgres") == "embedded"


@pytest.fixture
def server_directory() -> Iterator[Path]:
    """A directory for a server (or a whole `.local/`) of the test's own."""
    with machine_postgres.private_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> str:
    """A migrated database that `database` copies: 20 times faster than migrating again.

    It keeps only the partitions around now, since each is some ten files to copy; other times fall into DEFAULT.
    """
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate.upgrade(named(postgres_url, TEMPLATE))
    made = connect.engine(named(postgres_url, TEMPLATE))
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
    yield from fresh(postgres_url, "template1")


@pytest.fixture
def template(_template: str) -> str:
    """The database that `database` copies; folders whose tests share a beginning have one with that in it."""
    return _template


@pytest.fixture
def database(postgres_url: str, template: str) -> Iterator[str]:
    """URL of a migrated database of the test's own; dropped afterwards, whoever is still connected. Whatever a test has done, the tallies
    say what counting says."""
    for url in fresh(postgres_url, template):
        yield url
        assert untallied(url) == []


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """SQLAlchemy engine (psycopg) on `database`."""
    made = connect.engine(database, name="tests")
    yield made
    made.dispose()


@pytest.fixture
def plain(postgres_url: str, empty_database: str) -> Iterator[str]:
    """URL of an empty database whose owner may not make roles: the usual login of a hosted server."""
    name = sa.make_url(empty_database).database
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute(f"ALTER DATABASE {name} OWNER TO plain")
    yield sa.make_url(empty_database).set(username="plain").render_as_string(hide_password=False)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("DROP OWNED BY plain CASCADE")
        connection.execute(f"ALTER DATABASE {name} OWNER TO custom_events")
        connection.execute("DROP ROLE plain")


def untallied(url: str) -> list[str]:
    """Where tallies and counting differ. Commerce events apart: tests write them without the batch that tallies them."""
    made = connect.engine(url, name="tests")
    try:
        with made.connect() as connection:
            is_whole = None not in connection.execute(sa.text(WHOLE)).one()  # else a test has taken tables away
            if not is_whole:
                return []
            # Tallies first: where there are some, planning the rest is for nothing.
            if (
                not connection.execute(sa.text(TALLIED)).scalar_one()
                and connection.execute(sa.text(NOTHING)).scalar_one()
            ):
                return []
            return _untallied(connection)
    finally:
        made.dispose()


def _untallied(connection: sa.Connection) -> list[str]:
    wrong = [str(one) for one in tallies.differences(connection) if one.what != "commerce_events"]
    found = status_counts.ledger(connection, 60.0)
    counted = {
        "uploads": status_counts.UPLOADS_BY_STATE,
        "adjustments": status_counts.ADJUSTMENTS_BY_STATE,
        "reasons": status_counts.REASONS,
        "without_click_id": status_counts.WITHOUT_CLICK_ID,
        "unnamed": status_counts.UNNAMED,
    }
    for name, statement in counted.items():
        exact = status_counts.counted(connection, statement)
        if getattr(found, name) != exact:
            wrong.append(f"{name}: {getattr(found, name)}, counted {exact}")
    if found.soon != status_counts.open_work(connection, 60.0)["uploads"]:
        wrong.append(f"soon: {found.soon}")
    return wrong


def fresh(url: str, template: str) -> Iterator[str]:
    """URL of a copy of `template`, which is dropped afterwards."""
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield named(url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def named(url: str, database: str) -> str:
    return sa.make_url(url).set(database=database).render_as_string(hide_password=False)


# ---------------------------------------------------------------- coverage
# Before Python 3.14 it more than doubles what a test takes. So it counts what examples reach that people have written; the hundreds that
# a law makes up, and processes whose imports are most of their work, run without it.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run what is marked `untraced` without coverage in this thread. Others keep it: stopped, it would not come back in those that run."""
    if item.get_closest_marker("untraced") is None:
        return (yield)
    trace = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(trace)


@pytest.fixture
def untraced_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that the test starts run without coverage: those of the whole product, Dagster and dbt, and those that are killed, which
    tell nothing of it. What is ours in them has tests in this process."""
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)


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
