"""The database under attack: a PostgreSQL of its own, on a file system of its own where that can be, started again whenever it has died."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import psutil
import psycopg
import sqlalchemy as sa

from custom_events.errors import NeedsAction
from custom_events.postgres import embedded
from custom_events.postgres.server import SOCKET_FILE

DISK_BYTES: Final = 4 * 2**30  # in memory, used as far as it is filled: twice PostgreSQL's largest log
SPARE_BYTES: Final = 16_384  # what a full disk still has
TEMPLATE: Final = "custom_events"  # the embedded server's own database, which those of the runs are copied from
_CLIENT: Final = re.compile(r"postgres: custom_events ")


class Disk:
    """A small file system, which can be full. Without the rights to mount one it is a folder, and never full."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)
        self.is_own = (
            os.geteuid() == 0 and shutil.which("mount") is not None and self._mount("--types", "tmpfs", "tmpfs")
        )

    def fill(self) -> None:
        """No room is left from now on."""
        while not self._mount("--options", f"remount,size={self._used() + SPARE_BYTES}"):
            pass  # it grew between the question and the change

    def free(self) -> None:
        """There is room again."""
        self._mount("--options", f"remount,size={DISK_BYTES}")

    def remove(self) -> None:
        """What was on it is gone."""
        if self.is_own:
            subprocess.run(["umount", "--lazy", str(self.place)], check=True)
        shutil.rmtree(self.place, ignore_errors=True)

    def _used(self) -> int:
        stated = os.statvfs(self.place)
        return (stated.f_blocks - stated.f_bfree) * stated.f_frsize

    def _mount(self, *arguments: str) -> bool:
        command = [
            "mount",
            *arguments,
            *(() if "remount" in arguments[-1] else ("--options", f"size={DISK_BYTES},mode=755")),
        ]
        return subprocess.run([*command, str(self.place)], check=False, capture_output=True).returncode == 0


class Database:
    """The server with its holds and its deaths."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._home = disk.place / "postgres"
        self._hold = embedded.start(self._home)
        self.deaths = 0

    @property
    def socket(self) -> str:
        """Path of the socket that it listens on."""
        host = dict(parse_qsl(urlsplit(self._hold.url).query))["host"]
        return f"{host}/{SOCKET_FILE}"

    def url(self, name: str) -> str:
        """libpq URL of one of its databases, past every gate."""
        return sa.make_url(self._hold.url).set(database=name).render_as_string(hide_password=False)

    def copy(self, name: str) -> None:
        """A database as the template is now."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy".encode())

    def tend(self) -> None:
        """Start it again if it has died. A start that fails (no room is left) is tried again with the next call."""
        if self._hold.is_running():
            return
        self.deaths += 1
        try:
            self._hold.revive()
        except (NeedsAction, OSError):
            return

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the first process: SIGKILL, SIGQUIT (ends at once), SIGINT (ends in order)."""
        with _gone_is_fine():
            self._postmaster().send_signal(number)

    def kill_session(self, dice: Random) -> bool:
        """kill -9 of one session of the product's; PostgreSQL then ends all of them, and recovers. False: there is none."""
        with _gone_is_fine():
            sessions = [child for child in self._postmaster().children() if _CLIENT.match(" ".join(child.cmdline()))]
            if sessions:
                dice.choice(sessions).kill()
                return True
        return False

    def temporary_files(self) -> list[str]:
        """Files that statements left behind."""
        return [str(file) for file in self._home.glob("data/base/pgsql_tmp/*")]

    def stop(self) -> None:
        """End it."""
        self.tend()
        self._hold.stop()

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(int((self._home / "data/postmaster.pid").read_text().split("\n", 1)[0]))


@contextmanager
def _gone_is_fine() -> Generator[None]:
    """It may have died a moment ago."""
    try:
        yield
    except (psutil.Error, OSError, ValueError):
        return


@contextmanager
def opened(directory: Path) -> Generator[Database]:
    """A server on a disk of its own; both are gone at the end. `directory` may be anywhere: the disk is in a place with a short path."""
    disk = Disk(Path(tempfile.mkdtemp(prefix="chaos-disk-", dir=directory)))
    try:
        database = Database(disk)
        try:
            yield database
        finally:
            database.stop()
    finally:
        disk.remove()
