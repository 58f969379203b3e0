"""Machines with a PostgreSQL each, as the pages on running it have them: a data directory, and a shell of PostgreSQL's account."""

import contextlib
import os
import signal
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil
import psycopg

from custom_events.postgres import account
from custom_events.postgres.server import NAME
from tests import machine_postgres
from tests.flow import stack
from tests.flow.page_shell import Shell

END_LIMIT_S: Final = 30.0
SHARED_MEMORY_LINE: Final = 6  # of postmaster.pid, from 0: key and id of the System V segment
# Beside what initdb writes: several of them on one machine, nothing left of them in /dev/shm after a kill -9, no wait for the disk (processes
# are killed here, no machine), and no pause in the traffic between two servers taken for the end of one.
CONFIGURATION: Final = """
listen_addresses = ''
unix_socket_directories = '{sockets}'
dynamic_shared_memory_type = mmap
fsync = off
wal_sender_timeout = 0
wal_receiver_timeout = 0
"""
START: Final = 'pg_ctl --pgdata "$PGDATA" --log "$PGDATA.log" --wait start'


class ServerMachine:
    """One of them. Several share `place` (an existing directory), each with its own name, port and backups."""

    def __init__(self, place: Path, name: str, port: int, **variables: str) -> None:
        self.place, self.port = place, port
        self.data = place / name
        account.let_through(self.data)
        account.hand_over(place)
        inherited = stack.environment(place / f"{name}.local", ())
        environment = inherited | {
            "PATH": f"{machine_postgres.binaries()}:{inherited['PATH']}",
            "LC_ALL": "C.UTF-8",
            "PGDATA": str(self.data),
            "PGHOST": str(place),
            "PGPORT": str(port),
            "PGUSER": NAME,
            "PGDATABASE": NAME,
            **variables,
        }
        self.shell = Shell(environment, place, account.run_as())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.shell.__exit__(kind, error, trace)
        finally:
            self.kill()

    @property
    def url(self) -> str:
        """libpq URL of the product's database."""
        return f"postgresql://{NAME}@/{NAME}?host={self.place}&port={self.port}"

    def initialise(self) -> None:
        """Make the files of an empty server, without the product's database, and start it."""
        configuration = CONFIGURATION.format(sockets=self.place)
        self.shell.run(
            f'initdb --pgdata "$PGDATA" --username "$PGUSER" --auth trust\ncat >> "$PGDATA/postgresql.conf" <<END{configuration}END'
        )
        self.shell.run(START)

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """The rows of a statement."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def kill(self) -> None:
        """Kill -9 every process of the server, if one runs, as the loss of its machine does; its socket and shared memory go, too."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        lines = pid_file.read_text().splitlines()
        with contextlib.suppress(psutil.NoSuchProcess):
            postmaster = psutil.Process(int(lines[0]))
            processes = [postmaster, *postmaster.children()]
            for process in processes:  # first the postmaster, so that it starts nothing again
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            stack.until(lambda: all(map(_is_gone, processes)), "the end of the server", END_LIMIT_S)
        for name in (f".s.PGSQL.{self.port}", f".s.PGSQL.{self.port}.lock"):
            (self.place / name).unlink(missing_ok=True)
        pid_file.unlink()
        segment = lines[SHARED_MEMORY_LINE].split()[1]
        with Shell(dict(os.environ), self.place, account.run_as()) as shell:
            shell.run(f"ipcrm --shmem-id {segment}")


def _is_gone(process: psutil.Process) -> bool:
    """Whether it computes no more; one that nobody collects keeps its number."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
