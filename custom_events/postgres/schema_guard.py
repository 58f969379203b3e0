"""Programs beside a schema that is not theirs: what understands, matches, sends or changes works on the revision it was written for, and on no other.

A program of an older version would not fail beside a newer schema, it would misunderstand it: facts that it does not count, settings that it does not
know. So each transaction that writes says first that no migration may begin before it ends (the shared form of the lock that migrators take), and then
reads which revision there is. Another one than its own raises NeedsAction: nothing of the transaction happens, and what has landed waits.

The receiver is not asked: it goes on landing. What it needs is narrow (`RECEIVER_SINCE`), and a migration that changes the meaning of that has to change
its names as well, so that the statements of an older receiver fail and stores are answered 503.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ProgrammingError

from custom_events.errors import NeedsAction
from custom_events.postgres import connect, migrate

if TYPE_CHECKING:
    import asyncpg

RECEIVER_SINCE: Final = "0029"  # the oldest revision at which the receiver of this version lands; a test lands there

# A lock and a read with a snapshot of its own: one that was taken before the lock would not see what a migration has just done. The second value is what
# a program before 0057 does not say, and is refused for (the trigger on landing.raw_queue).
_HOLD: Final = (
    f"SELECT pg_advisory_xact_lock_shared({migrate.MIGRATORS}), set_config('custom_events.revision', '{{}}', true)"
)
_REVISION: Final = "SELECT version_num FROM public.alembic_version"
_NO_TABLE: Final = "42P01"


@cache
def own_revision() -> str:
    """The revision that this program was written for."""
    return migrate.head()


def problem(revision: str | None) -> str | None:
    """Why this program must not work on a database at a revision, and what to do; None: it is its own."""
    own = own_revision()
    if revision == own:
        return None
    if revision is not None and revision > own:
        return (
            f"The database is at revision {revision}, and this program was written for {own}: it is older, would misunderstand what is there, and does "
            "nothing. Start the newer version in its place; what has landed waits, and nothing is lost."
        )
    if revision is None:
        return f"The database has no tables of Custom Events; this program needs those of revision {own}. Run: custom-events migrate"
    return (
        f"The database is at revision {revision}, and this program needs {own}. Run: custom-events migrate. Until then it does nothing; "
        "what has landed waits, and nothing is lost."
    )


def hold(connection: sa.Connection) -> None:
    """Let no migration begin before the transaction's end. Raises NeedsAction where the database is not at this program's revision, DBAPIError where the
    lock is not to be had in time while a migration runs."""
    try:
        result = connection.exec_driver_sql(f"{_HOLD.format(own_revision())}; {_REVISION}")  # one way there and back
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NO_TABLE:
            raise
        raise NeedsAction(str(problem(None))) from error
    cursor: Any = result.cursor
    cursor.nextset()
    (revision,) = cursor.fetchone() or (None,)
    result.close()
    _check(revision)


async def hold_async(connection: "asyncpg.Connection[asyncpg.Record] | Any") -> None:
    """The same on a connection of asyncpg, in a transaction."""
    await connection.execute(_HOLD.format(own_revision()))
    _check(await connection.fetchval(_REVISION))


def engine(url: str, *, name: str = "custom-events", lock_limit_ms: int = connect.LOCK_LIMIT_MS) -> sa.Engine:
    """An engine all of whose transactions are held."""
    guarded = connect.engine(url, name=name, lock_limit_ms=lock_limit_ms)
    event.listen(guarded, "begin", hold)
    return guarded


def _check(revision: str | None) -> None:
    if wrong := problem(revision):
        raise NeedsAction(wrong)
