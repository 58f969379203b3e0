"""The embedded server's files from one major version of PostgreSQL to the next: a real one of the wheel's older programs, and of the machine's."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from custom_events.errors import NeedsAction
from custom_events.postgres import account, embedded, major_version, migrate, server
from custom_events.postgres.server import NAME, Server
from tests import machine_postgres


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="custom-events-test-") as name:
        yield Path(name)


def made_by(binaries: Path, place: Path) -> Server:
    """A server of these programs in `place` that has a migrated database with a login, and was stopped."""
    old = Server(place, fast=True, binaries=binaries)
    place.mkdir(exist_ok=True)
    account.let_through(old.data)
    account.hand_over(place)
    old.call(
        "initdb", "-D", str(old.data), "-U", NAME, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"
    )
    with embedded.start(place, fast=True, binaries=binaries) as held:
        migrate.upgrade(held.url)
        with psycopg.connect(held.url) as connection:
            connection.execute("INSERT INTO app.sites (site_key, platform, name) VALUES ('a-shop', 'custom', 'Ä shop')")
            connection.execute("CREATE ROLE a_program LOGIN PASSWORD 'of this test'")
            connection.execute("GRANT custom_events_console TO a_program")
        with psycopg.connect(held.url) as connection:
            connection.execute("CHECKPOINT")  # a fast server is killed in the end
    return old


@pytest.mark.long
def test_everything_is_there_afterwards(place: Path) -> None:
    old = made_by(machine_postgres.binaries(), place)
    version = old.files_version()
    installed = Server(place, fast=True, binaries=server.wheel_binaries()).programs_version()
    with pytest.raises(
        NeedsAction, match=f"holds files of PostgreSQL {version}, installed is {installed}: .*migrate server"
    ):
        embedded.start(place, fast=True)
    moved = major_version.move(place)
    assert moved is not None
    assert (moved.before, moved.after) == (version, installed)
    assert moved.tables > 100
    assert moved.left == place.resolve() / f"data.before-{version}"
    with embedded.start(place, fast=True) as held:
        assert migrate.current(held.url) == migrate.head()
        with psycopg.connect(held.url) as connection:
            row = connection.execute("SELECT name, current_setting('server_version_num') FROM app.sites").fetchone()
            assert row is not None
            assert (row[0], row[1][:2]) == ("Ä shop", installed)
            member = connection.execute(
                "SELECT pg_has_role('a_program', 'custom_events_console', 'MEMBER'), rolpassword LIKE 'SCRAM%' FROM pg_authid WHERE rolname = 'a_program'"
            )
            assert member.fetchone() == (True, True)
    assert major_version.move(place) is None
    assert [path.name for path in place.iterdir() if path.name.startswith("move-")] == []


def test_what_cannot_be_moved_stays_as_it_is(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert major_version.move(place / "nowhere") is None
    with embedded.start(place, fast=True) as held:
        version = held.url and (place / "data" / "PG_VERSION").read_text().strip()
        with pytest.raises(NeedsAction, match="is in use: end what runs"):
            major_version.move(place)
    file = place / "data" / "PG_VERSION"
    file.write_text("99\n")
    with pytest.raises(NeedsAction, match=f"PostgreSQL 99, which is newer than the installed {version}"):
        major_version.move(place)
    file.write_text("9\n")
    with pytest.raises(NeedsAction, match=re.escape("No programs of PostgreSQL 9 are found")):
        major_version.move(place)
    with pytest.raises(NeedsAction, match=f"has programs of PostgreSQL {version}; needed are those of 9"):
        major_version.move(place, programs=server.wheel_binaries())
    file.write_text(f"{version}\n")
    (place / "data").rename(place / "data.before-9")
    with pytest.raises(NeedsAction, match=r"data is missing, and .*data\.before-9 is there"):
        embedded.start(place, fast=True)


def test_a_move_that_loses_a_row_is_none(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([{"app.sites": 2}, {"app.sites": 1}])
    monkeypatch.setattr(major_version, "_counted", lambda _: next(counts))
    called: list[str] = []
    monkeypatch.setattr(Server, "call", lambda _self, program, *_: called.append(program) or "")
    both = [Server(place / name, fast=True, binaries=place) for name in ("old", "new")]
    both[1].directory.mkdir()
    with pytest.raises(NeedsAction, match="Tables differ after the move"):
        major_version._copy(*both)
    assert called == ["pg_dumpall", "psql", "pg_dump", "pg_restore"]
