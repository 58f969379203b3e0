"""What a kind of long operation works with: what was asked, how far it is, whether it is to stop, and its end."""

import threading
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from custom_events.errors import CustomEventsError, InvalidConfiguration
from custom_events.operations.operation import KEPT, LongOperation, State
from custom_events.operations.rights import RefusedError
from custom_events.queries import operations as queries
from custom_events.settings import Settings

INTERNAL: Final = "Internal"  # the kind of a problem of our own


class StoppedError(Exception):
    """The work is to stop: somebody asked for its end, or the process ends."""


class LostError(Exception):
    """The operation is another worker's: what this one did since is rolled back."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended. `result_type`: media type of its result; `parts`: parts of it beside those that are written already."""

    state: State = State.SUCCEEDED
    result_type: str | None = None
    parts: tuple[bytes, ...] = ()
    problem: dict[str, Any] | None = None


class Work:
    """An attempt at a long operation. Its methods may be called from any thread."""

    def __init__(self, engine: sa.Engine, url: str, settings: Settings, operation: LongOperation) -> None:
        self.engine = engine
        self.url = url
        self.settings = settings
        self.operation = operation
        self.is_cancelled = False
        self.refusal: RefusedError | None = None
        self.done, self.total, self.unit = operation.done, operation.total, operation.unit
        self._stop = threading.Event()
        self._parts = 0

    def progress(self, done: int, total: int | None, unit: str) -> None:
        """How far it is; people see it with the worker's next sign of life."""
        self.done, self.total, self.unit = done, total, unit

    def stops(self) -> bool:
        """Whether it is to stop."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raise StoppedError where it is to stop."""
        if self.stops():
            raise StoppedError

    def stop(self, *, cancelled: bool) -> None:
        """It is to stop, since somebody asked for its end, or for another reason."""
        self.is_cancelled = self.is_cancelled or cancelled
        self._stop.set()

    def refuse(self, error: RefusedError) -> None:
        """It is to stop, since whoever asked for it may do it no longer."""
        self.refusal = error
        self._stop.set()

    def part(self, content: bytes) -> None:
        """Write a part of the result. Raises LostError."""
        with self.engine.begin() as connection:
            self.hold(connection)
            if self._parts == 0:  # those of an attempt before
                queries.remove_parts(connection, self.operation.id)
            queries.add_part(connection, self.operation.id, self._parts, content)
        self._parts += 1

    def begin_anew(self) -> None:
        """Write the result from its first part on; what was written of it goes with that."""
        self._parts = 0

    def hold(self, connection: sa.Connection) -> None:
        """Hold the operation until the transaction's end, so that what it changes is changed by this attempt alone. Raises LostError."""
        if not queries.hold(connection, self.operation.owner):
            raise LostError

    def end(self, connection: sa.Connection, ending: Ending) -> None:
        """It has ended, in the transaction of what it changed. Raises LostError."""
        values: dict[str, Any] = {
            "state": ending.state.value,
            "result_type": ending.result_type,
            "done": self.done,
            "total": self.total,
            "unit": self.unit,
        }
        if ending.problem is not None:
            values["problem"] = ending.problem
        if not queries.end(connection, self.operation.owner, values, KEPT):
            raise LostError
        if self._parts == 0:
            queries.remove_parts(connection, self.operation.id)
        for number, content in enumerate(ending.parts, start=self._parts):
            queries.add_part(connection, self.operation.id, number, content)


def problem_of(error: Exception) -> dict[str, Any]:
    """An error as an operation keeps it."""
    if isinstance(error, SQLAlchemyError):
        detail = "The database did not allow it at this moment; what was not done is not there. Ask for it again."
        return {"kind": "Transient", "detail": detail, "errors": []}
    if not isinstance(error, CustomEventsError):
        detail = "An error of our own. The console's log has the operation by its id; what it is about may be asked for again."
        return {"kind": INTERNAL, "detail": detail, "errors": []}
    faults = error.faults if isinstance(error, InvalidConfiguration) else ()
    errors = [{"field": fault.path, "problem": fault.wrong, "remedy": fault.right} for fault in faults]
    if isinstance(error, InvalidConfiguration) and not faults:
        wrong, _, right = error.sentence.partition("; ")
        errors = [{"field": error.path, "problem": wrong, "remedy": right or "see the problem"}]
    return {"kind": type(error).__name__, "detail": str(error), "errors": errors}
