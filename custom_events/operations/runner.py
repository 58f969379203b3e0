"""The runner: threads of a process that take up long operations, one that says every second that they are worked on, and one that hears of
new ones (LISTEN). A process in which nothing runs asks the database nothing but once in a while, for what nobody was told of.

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
from custom_events.operations import rights
from custom_events.operations.operation import KEPT, State, operation_of
from custom_events.operations.rights import RefusedError
from custom_events.operations.work import Ending, LostError, StoppedError, Work, problem_of
from custom_events.postgres import schema_guard
from custom_events.postgres.listening import Listener
from custom_events.queries import operations as queries
from custom_events.settings import Settings

LEASE: Final = timedelta(seconds=30)  # signs of life come each second: thirty that are missing are a death
BEAT_S: Final = 1.0  # between two signs of life, and how soon a cancel is heard
# How often a free thread looks without having been told, at least: where a pooler stands before the database that hands no notifications on.
# What a dead worker had is looked for when its lease ends.
LOOK_S: Final = 30.0
SOONEST_LOOK_S: Final = 0.5  # after the one before, where another process may just be taking up what is due
FORGET_S: Final = 60.0  # between two looks for what has expired, at least
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

    def __init__(
        self, url: str, settings: Settings, kinds: Mapping[str, Kind], on_end: Callable[[str], None] = lambda _: None
    ) -> None:
        """`on_end`: called with who had asked, when an operation is over, and all that it changed is committed."""
        self._url, self._settings, self._kinds, self._on_end = url, settings, kinds, on_end
        self._engine = schema_guard.engine(url, name="custom-events operations")
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._works: set[Work] = set()
        self._lock = threading.Lock()
        self._woken = threading.Condition()
        self._news = 0  # how often there was something new: what comes while a thread looks is not missed
        self._stopped = threading.Event()
        self._is_busy = threading.Event()  # something runs, or all of it is to stop
        self._listener: Listener | None = None
        self._threads: list[threading.Thread] = []
        self._looked = 0.0
        self._is_away = False

    def start(self, at_once: int) -> None:
        """Begin, with so many operations at once; none: this process takes none."""
        if at_once < 1:
            return
        self._listener = Listener(
            self._url,
            queries.CHANNEL,
            name="custom-events operations",
            on_news=lambda _: self.wake(),
            on_absence=self._note_absence,
        )
        loops = [*[self._take] * at_once, self._beat_on, self._listener.run]
        self._threads = [threading.Thread(target=loop, name="operations", daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is something new, or may be."""
        with self._woken:
            self._news += 1
            self._woken.notify_all()

    def stop(self) -> None:
        """End: what runs is told to stop, and another process takes it up, or this one when it is started again."""
        self._stopped.set()
        with self._lock:
            for work in self._works:
                work.stop(cancelled=False)
            self._is_busy.set()
        if self._listener is not None:
            self._listener.stop()
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
            self._is_busy.set()
        try:
            self._run(work)
            self._on_end(work.operation.asked_by)
        finally:
            with self._lock:
                self._works.discard(work)
                if not self._works and not self._stopped.is_set():
                    self._is_busy.clear()
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
            return
        try:
            self._check_rights(work)
        except RefusedError as error:
            work.refuse(error)

    def _check_rights(self, work: Work) -> None:
        """Raise RefusedError where whoever asked for it may do it no longer."""
        operation = work.operation
        with self._engine.connect() as connection:
            rights.check(connection, operation.asker, operation.asked_by, operation.site_ids)

    def _take(self) -> None:
        while not self._stopped.is_set():
            seen, wait_s = self._news, LOOK_S
            try:
                if self.run_next():
                    continue
                wait_s = self._next_look_s()
            except SQLAlchemyError as error:
                self._note_absence(error)
            except Exception as error:  # noqa: BLE001  (whatever it is: the thread is there for the next one)
                _log_failure(error)
            with self._woken:
                self._woken.wait_for(lambda seen=seen: self._news != seen or self._stopped.is_set(), wait_s)

    def _next_look_s(self) -> float:
        """Seconds until a free thread looks although nobody told it to."""
        with self._engine.connect() as connection:
            lease_s = queries.first_lease_s(connection)
        return LOOK_S if lease_s is None else min(LOOK_S, max(SOONEST_LOOK_S, lease_s))

    def _beat_on(self) -> None:
        while not self._stopped.wait(BEAT_S if self._is_busy.wait(LOOK_S) else 0):
            try:
                self.beat()
                self._is_away = False
            except SQLAlchemyError as error:
                self._note_absence(error)
            except Exception as error:  # noqa: BLE001  (without signs of life all that runs would be taken for dead)
                _log_failure(error)

    def _note_absence(self, error: Exception) -> None:
        """The database is away: it comes back, and so do we. Said once."""
        if not self._is_away:
            _LOG.warning("operations_wait", error=type(error).__name__)
        self._is_away = True

    def _run(self, work: Work) -> None:
        operation = work.operation
        _LOG.info("operation_begins", operation=operation.id, kind=operation.kind, attempt=operation.attempt)
        try:
            self._check_rights(work)
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
        if work.refusal is not None:
            _LOG.warning("operation_refused", operation=work.operation.id)
            return Ending(state=State.FAILED, problem=problem_of(work.refusal))
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


def _log_failure(error: Exception) -> None:
    """An error of our own, beside what is done of an operation."""
    reason = str(error) if isinstance(error, CustomEventsError) else None
    _LOG.error("operations_thread_failed", error=type(error).__name__, reason=reason, where=frames_of(error))
