"""From errors of any part to problem documents: ours, the database's, the framework's, and those nobody expected."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, cast

import msgspec
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from console.api import problems
from console.api.problems import SHOWN_CHARACTERS, FieldError, Kind, Place, ProblemError, Reference
from custom_events.errors import (
    Conflict,
    CustomEventsError,
    InUse,
    InvalidConfiguration,
    NeedsAction,
    NotAdmitted,
    NotFound,
    Throttled,
    Transient,
)
from custom_events.logs import is_private

RETRY_AFTER_S: Final = (
    5  # where the database names no time: a restart or a lock is over by then, or it is no short fault
)
INTERNAL_DETAIL: Final = "Nothing was changed. The log has the request by its request_id."
# How a SQLSTATE begins (PostgreSQL's appendix A): what a client that tries again may be spared of.
_PASSING: Final = {
    "08": "The database does not answer: try again.",
    "40": "Something else changed the same at the same time: try again.",
    "53": "The database has no room for more right now: try again.",
    "55P03": "Something else holds it for long: try again.",
    "57014": "It took too long and was ended: ask for less, or try again.",
    "57P": "The database is being stopped or started: try again.",
    "25006": "The database only reads right now: try again.",
}
_OF_STATUS: Final[dict[int, Kind]] = {kind.status: kind for kind in reversed(problems.KINDS)}
_STEP: Final = re.compile(r'\[(\d+)\]|"((?:[^"\\]|\\.)*)"|([^.\[\]"]+)')


def problem_of(error: Exception, body: object = None) -> ProblemError:
    """The problem that an error is to whoever asked. `body` is the decoded body, to show wrong values of it."""
    match error:
        case ProblemError():
            return error
        case CustomEventsError():
            return _of_ours(error, body)
        case RequestValidationError():
            return problems.invalid(*parameter_errors(error))
        case HTTPException():
            kind = _OF_STATUS.get(error.status_code, problems.MALFORMED)
            return ProblemError(kind, str(error.detail), headers=error.headers)
        case SQLAlchemyError():
            return _of_database(error)
        case _:
            return ProblemError(problems.INTERNAL, INTERNAL_DETAIL)


@contextmanager
def placed(field: str, settings: type[msgspec.Struct]) -> Generator[None]:
    """Faults in `settings`, which the body has in its `field`, are named by where they stand in the body."""
    try:
        yield
    except InvalidConfiguration as error:
        error.path = _below(field, settings, error.path)
        error.faults = tuple(replace(fault, path=_below(field, settings, fault.path)) for fault in error.faults)
        raise


def _below(field: str, settings: type[msgspec.Struct], path: str) -> str:
    return f"{field}.{path}" if re.split(r"[.\[]", path)[0] in settings.__struct_fields__ else path


def _of_ours(error: CustomEventsError, body: object) -> ProblemError:
    match error:
        case InvalidConfiguration():
            return problems.invalid(*configuration_errors(error, body))
        case NotFound():
            return ProblemError(problems.NOT_FOUND, str(error))
        case Conflict():
            return ProblemError(problems.CHANGED, error.sentence, theirs=list(error.theirs), yours=list(error.yours))
        case InUse():
            named = tuple(
                Reference(noun=dependent.noun, id=dependent.id, name=dependent.name) for dependent in error.dependents
            )
            return ProblemError(problems.IN_USE, str(error), references=named)
        case Throttled():
            return ProblemError(
                problems.THROTTLED, str(error), headers={"Retry-After": str(round(error.retry_after_s))}
            )
        case NotAdmitted():
            return ProblemError(problems.UNAUTHENTICATED, str(error), headers={"WWW-Authenticate": "Bearer"})
        case Transient():
            wait = {"Retry-After": str(round(error.retry_after_s) or RETRY_AFTER_S)}
            return ProblemError(problems.UNAVAILABLE, str(error), headers=wait)
        case NeedsAction():
            return ProblemError(problems.CONFLICT, str(error))
        case _:  # Permanent: what is asked is never possible
            return ProblemError(problems.CONFLICT, str(error))


def configuration_errors(error: InvalidConfiguration, body: object = None) -> Iterator[FieldError]:
    """Each value that cannot be used, with what was given where that stands in `body`."""
    if not error.faults:
        wrong, _, right = error.sentence.partition("; ")
        yield _field(error.path, wrong, right, body)
    for fault in error.faults:
        yield _field(fault.path, fault.wrong, fault.right, body)


def _field(path: str, wrong: str, right: str, body: object) -> FieldError:
    return FieldError(field=path, problem=wrong, remedy=right or "see the problem", value=shown_value(body, path))


def shown_value(body: object, path: str) -> Any:
    """What stands at `path` of a decoded body, where it is a plain value and no secret; else UNSET."""
    value = body
    steps = [index or quoted or name for index, quoted, name in _STEP.findall(path)]
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            value = cast("Mapping[str, object]", value)[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(cast("list[object]", value)):
            value = cast("list[object]", value)[int(step)]
        else:
            return msgspec.UNSET
    if not steps or any(is_private(step) for step in steps):
        return msgspec.UNSET
    if isinstance(value, str):
        return value[:SHOWN_CHARACTERS].encode("utf-8", "replace").decode()
    return value if value is None or isinstance(value, bool | int | float) else msgspec.UNSET


def parameter_errors(error: RequestValidationError) -> Iterator[FieldError]:
    """What is wrong with parameters of the path, the query and the headers."""
    for fault in cast("Sequence[dict[str, Any]]", error.errors()):
        place, name, *_ = (*map(str, fault["loc"]), "")
        value = fault.get("input")
        hidden = fault["type"] == "missing" or is_private(name) or not isinstance(value, str | int | float | bool)
        yield FieldError(
            field=name,
            place=cast("Place", place),
            problem="it is missing" if fault["type"] == "missing" else f"{_quoted(value)} cannot be used",
            remedy=_remedy(fault),
            value=msgspec.UNSET if hidden else value[:SHOWN_CHARACTERS] if isinstance(value, str) else value,
        )


def _quoted(value: object) -> str:
    return "the value" if not isinstance(value, str) else f'"{value[:SHOWN_CHARACTERS]}"'


def _remedy(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "missing":
        return "give it"
    said = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return said[:1].lower() + said[1:]


def _of_database(error: SQLAlchemyError) -> ProblemError:
    """What passes is 503 with when to try again; what does not is an error of our own."""
    retry = {"Retry-After": str(RETRY_AFTER_S)}
    if isinstance(error, PoolTimeoutError):
        return ProblemError(problems.UNAVAILABLE, "Too much is asked at once: try again.", headers=retry)
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if (not state and error.connection_invalidated) or _never_connected(error, state):
            return ProblemError(problems.UNAVAILABLE, _PASSING["08"], headers=retry)
        for start, detail in _PASSING.items():
            if state.startswith(start):
                return ProblemError(problems.UNAVAILABLE, detail, headers=retry)
    return ProblemError(problems.INTERNAL, INTERNAL_DETAIL)


def _never_connected(error: DBAPIError, state: str) -> bool:
    """psycopg names no SQLSTATE where no server answered."""
    return not state and type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
