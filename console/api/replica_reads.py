"""What the console reads from the replica: lists, stories and figures, while it is near enough and has what whoever asks has changed themselves.

A thread looks every second at both servers. A change that was committed by this process, or by another console's (`change_news`), is noted with who made it; the look
after it says how far the log had come by then, and until the replica has replayed that far, whoever made the change reads from the primary. Who asks and what
they may is always read there (`replica_answers.py`), so that a key that is revoked stops at once.
"""

import threading
import time
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from console.api.change_news import EVERYBODY, ChangeNews, Whose
from custom_events.access.roles import Caller
from custom_events.history.readers import Readers
from custom_events.postgres import connect, replica
from custom_events.postgres.replica import ReplicaState
from custom_events.settings import Settings

LOOK_S: Final = 1.0
STALE_S: Final = 5.0  # an older look says nothing: the next one hangs at a server that is gone
END_LIMIT_S: Final = 5.0  # that a look which is under way may still take when the console ends
_NOT_KNOWN: Final = 2**63  # beyond every position of a log

_LOG = structlog.get_logger(__name__)


class ReplicaReads:
    """The replica of one process's database. `engine` and `readers` are its own."""

    def __init__(self, url: str, primary: sa.Engine, settings: Settings, **limits: int) -> None:
        self.engine = replica.opened(url, name="custom-events console replica", **limits)
        self.readers = Readers(url)
        self.state: ReplicaState | None = None
        self._primary, self._limit_s = primary, settings.replica_lag_limit_s
        self._looked_at = 0.0
        self._noted: set[Whose] = set()  # who changed something since the last look began
        self._needs: dict[Whose, int] = {}  # up to where the replica must be for whoever changed something
        self._hears = False  # of the changes of other processes
        self._news = ChangeNews(
            connect.libpq_url(primary),
            primary,
            on_change=self._note,
            on_begin=self._hear_from_now_on,
            on_absence=self._hear_nothing,
        )
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen, and look every second, from now on."""
        self._news.start()
        self._thread = threading.Thread(target=self._look_on, name="replica", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, with the connections."""
        self._stopped.set()
        self._news.stop(END_LIMIT_S)
        if self._thread is not None:
            self._thread.join(END_LIMIT_S)
        self.readers.close()
        self.engine.dispose()

    def note_change(self, caller: Caller) -> None:
        """This caller has changed something, and it is committed."""
        self._note_and_tell((caller.kind, caller.id))

    def note_operation(self, asked_by: str) -> None:
        """A long operation has ended, and what it changed for whoever asked is committed."""
        self._note_and_tell(asked_by)

    def may_be_read(self, caller: Caller) -> bool:
        """Whether the replica is near enough, and has what this caller has changed, or had changed."""
        state = self.state
        if state is None or state.problem is not None or time.monotonic() - self._looked_at > STALE_S:
            return False
        with self._lock:
            return self._hears and self._needs.keys().isdisjoint((EVERYBODY, caller.name, (caller.kind, caller.id)))

    def look(self) -> None:
        """See how the replica stands, and whose changes it has by now. Raises SQLAlchemyError where the primary fails."""
        with self._lock:
            noted, self._noted = self._noted, set()
        try:
            with self._primary.connect() as connection:
                state = replica.state(connection, self.engine, self._limit_s)
        except SQLAlchemyError:
            with self._lock:
                self._noted |= noted
            raise
        with self._lock:
            self._needs |= dict.fromkeys(noted - self._noted, state.written)
            self._needs = {whose: position for whose, position in self._needs.items() if position > state.replayed}
        if self.state is None or self.state.problem != state.problem:
            _LOG.info("replica", problem=state.problem, behind_s=state.behind_s)
        self.state, self._looked_at = state, time.monotonic()

    def _note_and_tell(self, whose: Whose) -> None:
        self._note(whose)
        self._news.tell(whose)

    def _hear_from_now_on(self) -> None:
        self._note(EVERYBODY)
        with self._lock:
            self._hears = True

    def _hear_nothing(self) -> None:
        with self._lock:
            self._hears = False

    def _note(self, whose: Whose) -> None:
        with self._lock:
            self._noted.add(whose)
            self._needs[whose] = _NOT_KNOWN

    def _look_on(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except (
                SQLAlchemyError
            ) as error:  # of the primary: said once, and nothing is read from the replica until it is back
                if self.state is not None:
                    _LOG.warning("replica_not_looked_at", error=type(error).__name__)
                self.state = None
            self._stopped.wait(LOOK_S)
