"""The embedded server: who starts it, who stops it, and what survives a kill."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from custom_events.errors import NeedsAction
from custom_events.postgres import embedded, server

HOLDER = """
import itertools
import sys
from pathlib import Path
import psycopg
from custom_events.postgres import embedded
with embedded.start(Path(sys.argv[1]), fast=True) as held, psycopg.connect(held.url, autocommit=True) as connection:
    for line in itertools.chain(["up"], sys.stdin):
        print(connection.execute("SELECT 'answer'").fetchone()[0], flush=True)
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A directory with files of a server, so that tests pay for initdb once."""
    with tempfile.TemporaryDirectory(prefix="custom-events-test-") as name:
        directory = Path(name)
        embedded.start(directory, fast=True).stop()
        yield directory


@pytest.fixture
def holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the server of `home`; a line into it is a query."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    until_answer(process)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def until_answer(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line == "answer\n":
            return
    pytest.fail("the other process ended")


def postmaster(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split("\n")[0])


def alive(pid: int) -> bool:
    """Zombies are not: in a container nobody may collect them."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def ended(pid: int) -> bool:
    """pg_ctl waits until the file with the number is gone, which is a moment before the process is."""
    return until(lambda: not alive(pid))


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_first_starts_second_attaches_last_stops(home: Path) -> None:
    first = embedded.start(home, fast=True)
    pid = postmaster(home)
    with embedded.start(home, fast=True) as second:
        assert second.url == first.url
        assert postmaster(home) == pid
    assert ask(first.url, "SELECT current_database()") == "custom_events"
    assert first.stop()
    assert not first.stop()  # a second call does nothing
    assert ended(pid)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first.url)


def test_is_durable_unless_told_otherwise(home: Path) -> None:
    with embedded.start(home) as held:
        assert ask(held.url, "SHOW fsync") == "on"
        assert ask(held.url, "SHOW synchronous_commit") == "on"
        assert ask(held.url, "SHOW full_page_writes") == "on"
        assert ask(held.url, "SHOW listen_addresses") == ""
        assert ask(held.url, "SHOW max_connections") == "200"
        assert ask(held.url, "SELECT lower('ÄRGER')") == "ärger"
    with embedded.start(home, fast=True) as held:
        assert ask(held.url, "SHOW fsync") == "off"


def test_two_processes_share_it_and_the_first_may_leave(home: Path, holder: subprocess.Popen[str]) -> None:
    ours = embedded.start(home, fast=True)
    pid = postmaster(home)
    assert not ours.stop()  # the other one still holds it
    assert holder.stdin is not None
    print("query", file=holder.stdin, flush=True)
    until_answer(holder)
    holder.communicate()
    assert ended(pid)


def test_server_outlives_a_killed_parent_and_the_next_one_stops_it(home: Path, holder: subprocess.Popen[str]) -> None:
    pid = postmaster(home)
    holder.kill()
    holder.wait()
    assert alive(pid)
    with embedded.start(home, fast=True) as ours:
        assert postmaster(home) == pid
        assert ask(ours.url, "SELECT 1") == 1
    assert ended(pid)


def test_killed_server_recovers_what_was_committed(home: Path) -> None:
    with embedded.start(home) as held:
        with psycopg.connect(held.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        idle = psycopg.connect(held.url)  # its backend is alive when the next server starts
        os.kill(postmaster(home), signal.SIGKILL)
        with embedded.start(home) as again:
            assert ask(again.url, "SELECT answer FROM kept") == 42
        idle.close()


def test_a_statement_that_outlives_its_killed_server_does_not_keep_the_next_one_out(home: Path) -> None:
    """A backend that computes does not notice that the postmaster is gone, and holds the shared memory until it ends."""
    with embedded.start(home, fast=True) as held, contextlib.closing(psycopg.connect(held.url)) as busy:
        backend = busy.info.backend_pid
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b")
        assert until(lambda: ask(held.url, f"SELECT state FROM pg_stat_activity WHERE pid = {backend}") == "active")
        os.kill(postmaster(home), signal.SIGKILL)
        with embedded.start(home, fast=True) as again:
            assert not alive(backend)
            assert ask(again.url, "SELECT 1") == 1


@pytest.mark.parametrize("pid", ["", "?", "ours", "dead"])
def test_pid_file_left_behind(home: Path, pid: str) -> None:
    """Half written, of another program by now, or of a process that is no more."""
    if pid == "ours":
        pid = str(os.getpid())
    elif pid == "dead":
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        pid = str(process.pid)
    (home / "data" / "postmaster.pid").write_text(f"{pid}\n{home}/data\n0\n5432\n\n\n  1 1\nready   \n")
    with embedded.start(home, fast=True) as held:
        assert ask(held.url, "SELECT 1") == 1


def test_long_path_gets_a_short_socket(server_directory: Path) -> None:
    with embedded.start(server_directory / ("a long name " * 10), fast=True) as held:
        sockets = Path(held.url.partition("?host=")[2])
        assert str(sockets).startswith("/tmp/custom-events-")
        assert ask(held.url, "SELECT 1") == 1
    assert not sockets.exists()


def test_odd_characters_in_the_path_are_quoted() -> None:
    with tempfile.TemporaryDirectory(prefix="a b'&?") as short, embedded.start(Path(short), fast=True) as held:
        assert "/tmp/a%20b%27%26%3F" in held.url
        assert ask(held.url, "SELECT 1") == 1


def test_files_of_another_version_are_refused(home: Path) -> None:
    version = home / "data" / "PG_VERSION"
    kept = version.read_text()
    version.write_text("9.6\n")
    with pytest.raises(NeedsAction, match=r"holds files of PostgreSQL 9\.6"):
        embedded.start(home, fast=True)
    version.write_text(kept)


def test_server_that_does_not_start_says_why(home: Path) -> None:
    access = home / "data" / "pg_hba.conf"
    kept = access.read_text()
    access.write_text("nonsense")
    with pytest.raises(NeedsAction, match=r"did not start[\s\S]*pg_hba\.conf"):
        embedded.start(home, fast=True)
    access.write_text(kept)
    embedded.start(home, fast=True).stop()


def test_server_that_does_not_answer(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "START_LIMIT_S", 0.1)
    monkeypatch.setattr(server.Server, "is_running", lambda self: True)  # as if its starter had been killed half way
    with pytest.raises(NeedsAction, match="does not answer"):
        embedded.start(home, fast=True)


def test_without_the_wheel_or_its_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NeedsAction, match=r"postgres cannot be run"):
        embedded.start(tmp_path / "one", binaries=tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NeedsAction, match="make setup"):
        embedded.start(tmp_path / "two")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another account")
def test_installation_made_under_a_strict_umask(server_directory: Path) -> None:
    programs = server.wheel_binaries().parent
    site, package = server_directory / "site", programs.parent
    shutil.copytree(programs, site / package.name / programs.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), site / f"{package.name}.libs")
    for path in [site, *site.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o700)
    binaries = site / package.name / programs.name / "bin"
    with embedded.start(server_directory / "postgres", fast=True, binaries=binaries) as held:
        assert ask(held.url, "SELECT 1") == 1


def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NeedsAction, match="cannot use its directory"):
        embedded.start(tmp_path / "file" / "below")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory that belongs to somebody else")
def test_socket_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    made = server.Server(tmp_path, fast=True, binaries=server.wheel_binaries())
    made.sockets.mkdir()
    os.chown(made.sockets, 65534, 65534)
    with pytest.raises(NeedsAction, match="belongs to somebody else"):
        embedded.start(tmp_path)
    with contextlib.suppress(FileNotFoundError):
        made.sockets.rmdir()


@pytest.mark.parametrize(
    ("output", "major"),
    [
        ("postgres (PostgreSQL) 18.4\n", "18"),
        ("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n", "15"),
        ("E1130 01:02:03.000000 1234 fork.cc:70] no handler\npostgres (PostgreSQL) 18.4\n", "18"),
        ("", "0"),
    ],
)
def test_the_version_is_found_whatever_else_is_written(output: str, major: str) -> None:
    assert server._major(output) == major
