"""Answers of operations and pages that only read: from the replica where it may be read, else from the primary."""

from collections.abc import Callable
from typing import Final, TypeVar

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError

from console.api import problems
from console.api.calls import Call
from console.api.operations import Operation
from console.api.problems import ProblemError
from custom_events.access.roles import NOBODY
from custom_events.errors import NotFound
from custom_events.postgres import replica

_ENDED: Final = "57014"  # a statement that took too long here takes as long there

_Answer = TypeVar("_Answer")
_LOG = structlog.get_logger(__name__)


def answered(call: Call, operation: Operation, run: Callable[[], _Answer]) -> _Answer:
    """What `run` returns of an operation whose caller is known and has its right: read from the replica where it may be. What that fails at, or
    does not know, is asked of the primary once more."""
    reads = call.replica
    if (
        reads is None
        or operation.method != "GET"
        or operation.transaction
        or operation.of_primary
        or call.caller is NOBODY
        or not reads.may_be_read(call.caller)
    ):
        return run()
    call.read_from(reads.engine, reads.readers)
    try:
        return run()
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        if replica.sqlstate_of(error) == _ENDED:
            raise
        _LOG.warning("replica_failed", error=type(error).__name__, sqlstate=replica.sqlstate_of(error))
    except (NotFound, ProblemError) as error:  # it may have been made a moment ago
        if isinstance(error, ProblemError) and error.kind is not problems.NOT_FOUND:
            raise
    call.read_from(*call.primary)
    return run()


def note(call: Call, operation: Operation) -> None:
    """An operation has ended well, and what it changed is committed."""
    if call.replica is not None and (operation.method != "GET" or operation.transaction):
        call.replica.note_change(call.caller)
