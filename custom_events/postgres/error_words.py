"""What PostgreSQL's errors say in words: the values that broke a type or a constraint stand there ("Failing row contains ..."), and words of errors
go to logs and to Dagster's pages. Errors of such kinds say what is wrong, and not with which values; all others stay as they are."""

import re
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext

_DATA: Final = "22"  # classes of SQLSTATE: data exceptions, whose message has the value behind a colon
_CONSTRAINTS: Final = "23"  # and broken constraints, whose details have the row
_DETAILS: Final = re.compile(r"\n(?:DETAIL|CONTEXT|HINT|LINE \d+):")


def without_values(text: str, sqlstate: str) -> str:
    """The words of an error without values."""
    if sqlstate[:2] not in (_DATA, _CONSTRAINTS):
        return text
    message = _DETAILS.split(text, maxsplit=1)[0]
    return message.partition(": ")[0] if sqlstate.startswith(_DATA) else message


def leave_values_out(engine: sa.Engine) -> None:
    """Have errors of an engine on psycopg say no values."""
    event.listen(engine, "handle_error", _leave_out)


def leave_values_out_of_asyncpg() -> None:
    """The same of asyncpg's errors. It has no place where one could be changed before it is raised, so that their class says it, from the
    first connection of ours on."""
    import asyncpg

    asyncpg.PostgresError.__str__ = _words_of_asyncpg
    asyncpg.PostgresError.__repr__ = _shown_of_asyncpg


def _words_of_asyncpg(self: Any) -> str:
    """As asyncpg writes them: message, details, hint."""
    details = [f"\n{name.upper()}:  {text}" for name in ("detail", "hint") if (text := getattr(self, name, None))]
    return without_values(f"{self.args[0] if self.args else ''}{''.join(details)}", self.sqlstate or "")


def _shown_of_asyncpg(self: Any) -> str:
    return f"{type(self).__name__}({str(self)!r})"


def _leave_out(context: ExceptionContext) -> None:
    sqlstate = getattr(context.original_exception, "sqlstate", None) or ""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None:
            error.args = tuple(without_values(part, sqlstate) if isinstance(part, str) else part for part in error.args)
