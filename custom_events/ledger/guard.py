"""Errors that nobody foresaw, while one account or one request is worked on: the others go on. Those of the database end the run."""

from typing import Final

import psycopg
import structlog
from sqlalchemy import exc

log = structlog.get_logger(__name__)

# The server, the connection or the schema is not as it has to be: nobody's rows are to blame, and nothing can be written.
_OF_THE_DATABASE: Final = (
    exc.OperationalError,
    exc.InterfaceError,
    exc.ProgrammingError,
    exc.InternalError,
    exc.TimeoutError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.ProgrammingError,
    psycopg.InternalError,
)


def is_of_the_database(error: BaseException) -> bool:
    """Whether an error says that the database cannot be worked with, rather than that one row or answer is odd."""
    return isinstance(error, _OF_THE_DATABASE) or bool(getattr(error, "connection_invalidated", False))


class Complaints:
    """Says each thing once in the life of a run, with where it happened; again only what is new."""

    def __init__(self) -> None:
        self._said: set[tuple[object, ...]] = set()

    def once(self, event: str, error: BaseException, **about: object) -> None:
        """Log an error with its trace, unless the same was logged about the same."""
        key = (event, type(error), *sorted(about.items()))
        if key not in self._said:
            self._said.add(key)
            log.error(event, exc_info=error, **about)
