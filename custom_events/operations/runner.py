"""The runner: threads of a process that take up long operations, and one that says every second that they are worked on.

Several processes may have one: an operation is claimed with a lease, and its end is written only by the attempt that has it. A worker
that is not heard of for the length of the lease has died, and another one takes its operation up from the beginning; those that change
something do so in a way that allows it (all in one transaction with their end, or row by row with what was done). What ended its worker
three times fails with a remedy, so that it does not end the fourth.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from custom_events.catalog import audit
from custom_events.errors import CustomEventsError
from custom_events.logs import frames_of
from custom_events.operations.operation import KEPT, State, operation_of
from custom_events.operations.work import Ending, LostError, StoppedError, Work, problem_of
from custom_events.postgres import connect
from custom_events.queries import operations as queries
from custom_events.settings import Settings

LEASE: Final = timedelta(seconds=30)  # signs of life come each second: thirty that are missing are a death
BEAT_S: Final = 1.0  # between two signs of life, and how soon a cancel is heard
LOOK_S: Final = 1.0  # how often a free thread looks for what other processes have written
FORGET_S: Final = 60.0  # between two looks for what has expired
ATTEMPTS: Final = 3  # one death may be a restart, two a coincidence
STOP_LIMIT_S: Final = 5.0  # that a process which ends waits for what runs: as long as the console waits for requests
_ABANDONED: Final = msgspec.json.encode(
    {
        "kind": "NeedsAction",
        "detail": f"Whatever worked on it ended {ATTEMPTS} times before it was done. Ask for less at once (a shorter period, fewer "
        "sites), and look into the console's log for what ended it.",
        "errors": [],
    }
).decode()

Kind = Callable[[Work], Ending | None]

_LOG = structlog.get_logger(__name__)


class Runner:
    """Does long operations of one database (libpq URL). `kinds`: what does each kind; it returns the end, or None where it wrote it."""

    def __init__(self, url: str, settings: Settings, kinds: Mapping[str, Kind]) -> None:
        self._url, self._settings, self._kinds = url, settings, kinds
        self._engine = connect.engine(url, name="custom-events operations")
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._works: set[Work] = set()
        self._lock = threading.Lock()
        self._woken = threading.Condition()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._looked = 0.0
        self._is_away = False

    def start(self, at_once: int) -> None:
        """Begin, with so many operations at once; none: this process takes none."""
        if at_once < 1:
            return
        loops = [*[self._take] * at_once, self._beat_on]
        self._threads = [threading.Thread(target=loop, name="operations", daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is something new."""
        with self._woken:
            self._woken.notify()

    def stop(self) -> None:
        """End: what runs is told to stop, and another process takes it up, or this one when it is started again."""
        self._stopped.set()
        with self._lock:
            for work in self._works:
                work.stop(cancelled=False)
        with self._woken:
            self._woken.notify_all()
        deadline = time.monotonic() + STOP_LIMIT_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._engine.dispose()

    def run_next(self) -> bool:
        """Do the operation that waits longest. False: none waits."""
        with self._engine.begin() as connection:
            row = queries.claim(connection, worker=self._name, lease=LEASE, attempts=ATTEMPTS)
        if row is None:
            return False
        work = Work(self._engine, self._url, self._settings, operation_of(row))
        with self._lock:
            self._works.add(work)
        try:
            self._run(work)
        finally:
            with self._lock:
                self._works.discard(work)
        return True

    def beat(self) -> None:
        """Say of all that runs that it does, and how far it is; hear what is to be cancelled; forget what has expired."""
        with self._lock:
            works = list(self._works)
        for work in works:
            self._say(work)
        if time.monotonic() - self._looked > FORGET_S or not self._looked:
            self._looked = time.monotonic()
            with self._engine.begin() as connection:
                queries.forget_expired(connection)
        with self._engine.begin() as connection:
            given_up = queries.give_up(connection, attempts=ATTEMPTS, kept=KEPT, problem=_ABANDONED)
        for operation_id in given_up:
            _LOG.warning("operation_given_up", operation=operation_id)

    def _say(self, work: Work) -> None:
        with self._engine.begin() as connection:
            row = queries.extend(
                connection, work.operation.owner, lease=LEASE, done=work.done, total=work.total, unit=work.unit
            )
        if row is None or row.cancel_asked_at is not None:
            work.stop(cancelled=row is not None)

    def _take(self) -> None:
        while not self._stopped.is_set():
            try:
                has_run = self.run_next()
            except SQLAlchemyError as error:
                self._note_absence(error)
                has_run = False
            if not has_run:
                with self._woken:
                    self._woken.wait(LOOK_S)

    def _beat_on(self) -> None:
        while not self._stopped.wait(BEAT_S):
            try:
                self.beat()
                self._is_away = False
            except SQLAlchemyError as error:
                self._note_absence(error)

    def _note_absence(self, error: SQLAlchemyError) -> None:
        """The database is away: it comes back, and so do we. Said once."""
        if not self._is_away:
            _LOG.warning("operations_wait", error=type(error).__name__)
        self._is_away = True

    def _run(self, work: Work) -> None:
        operation = work.operation
        _LOG.info("operation_begins", operation=operation.id, kind=operation.kind, attempt=operation.attempt)
        try:
            with audit.coming_from(operation.origin):
                ending = self._kinds[operation.kind](work)
        except StoppedError:
            ending = self._stopped_ending(work)
        except LostError:
            _LOG.warning("operation_lost", operation=operation.id)
            return
        except CustomEventsError as error:
            ending = Ending(state=State.FAILED, problem=problem_of(error))
        except Exception as error:  # noqa: BLE001  (whatever it is: the operation has an end, the log what happened)
            _LOG.error("operation_failed", operation=operation.id, error=type(error).__name__, where=frames_of(error))
            ending = Ending(state=State.FAILED, problem=problem_of(error))
        self._write_end(work, ending)

    def _stopped_ending(self, work: Work) -> Ending | None:
        if work.is_cancelled:
            return Ending(state=State.CANCELLED)
        with self._engine.begin() as connection:
            queries.release(connection, work.operation.owner)
        return None

    def _write_end(self, work: Work, ending: Ending | None) -> None:
        if ending is None:
            return
        try:
            with self._engine.begin() as connection:
                work.end(connection, ending)
        except LostError:
            _LOG.warning("operation_lost", operation=work.operation.id)
            return
        _LOG.info("operation_ended", operation=work.operation.id, state=ending.state.value)
