"""Whether a connection is a session of its own. Behind a pooler in transaction mode (pgbouncer, and what hosted servers put before
theirs) it is none: settings, advisory locks and prepared statements of one process turn up in another one's statements, or are gone."""

from typing import Final

import psycopg

from custom_events.postgres import address
from custom_events.postgres.connect import CONNECT_LIMIT_S, SESSION, session_options

NAME: Final = "custom-events pooling"
LOOKS: Final = 3  # a pooler that hands out its connections in turns shows at the second
REFUSED: Final = "unsupported startup parameter"  # pgbouncer, of what it does not know how to hand on
REMEDY: Final = (
    "Give DATABASE_URL the address of PostgreSQL itself (hosted servers name it direct, often port 5432 instead of 6432 or 6543), or of a "
    "pool in session mode that hands on the parameter `options`."
)


def problem(url: str) -> str | None:
    """Why connections at this address are no sessions of their own, and what to do; None when they are.

    Raises psycopg.OperationalError when the database does not answer for another reason.
    """
    try:
        with _connected(url) as first, _connected(url) as second:
            lost = _lost_settings(first)
            return _shared(first, second) or (lost and f"{lost} {REMEDY}")
    except psycopg.OperationalError as error:
        if REFUSED in str(error):
            return (
                f"A pooler stands before PostgreSQL and refuses the settings of our sessions ({_line(error)}). {REMEDY}"
            )
        raise


def _connected(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        address.libpq(url),
        autocommit=True,
        prepare_threshold=None,
        application_name=NAME,
        connect_timeout=CONNECT_LIMIT_S,
        options=session_options(url),
    )


def _lost_settings(connection: "psycopg.Connection[tuple[object, ...]]") -> str | None:
    for name, value in SESSION.items():
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        if row is None or str(row[0]).lower() != value.lower():
            return (
                f"The settings of our sessions do not arrive ({name} is {row and row[0]}, not {value}): a pooler before PostgreSQL drops "
                "the parameter `options`, and with it the rights that the receiver gives up."
            )
    return None


def _shared(
    first: "psycopg.Connection[tuple[object, ...]]", second: "psycopg.Connection[tuple[object, ...]]"
) -> str | None:
    """Two connections that are open at once never have one process of PostgreSQL, and one never changes it, unless a pooler deals
    them out to transactions."""
    own = _process(first)
    with second.transaction():
        if _process(second) == own:
            return _SHARED
    return None if all(_process(first) == own for _ in range(LOOKS)) else _SHARED


_SHARED: Final = (
    "A pooler in transaction mode stands before PostgreSQL: what one statement sets or locks, the next one does not have (migrations, "
    f"claims of work and the receiver's rights need that). {REMEDY}"
)


def _process(connection: "psycopg.Connection[tuple[object, ...]]") -> object:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row and row[0]


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
