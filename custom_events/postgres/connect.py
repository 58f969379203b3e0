"""Connections: SQLAlchemy with psycopg for everything synchronous, asyncpg for the receiver and the pipeline."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import sqlalchemy as sa

from custom_events.postgres import address, roles

if TYPE_CHECKING:
    import asyncpg

CONNECT_LIMIT_S = 10
LOCK_LIMIT_MS = (
    30_000  # nobody here holds a lock for long: longer means a fault, and an error is better than a silent stop
)
# What every connection of ours sets, whatever the server's configuration says. PostgreSQL's default compiles a statement that looks
# expensive, once a connection and statement: 10 to 35 s for the sums, which take 3 ms (measured on PostgreSQL 15, empty database).
SESSION = {"jit": "off", "timezone": "UTC"}


def engine(
    url: str, *, name: str = "custom-events", lock_limit_ms: int = LOCK_LIMIT_MS, statement_limit_ms: int = 0
) -> sa.Engine:
    """A SQLAlchemy engine on a libpq URL. `name` shows in pg_stat_activity; limits are in milliseconds, 0: none."""
    split = address.libpq(url).removeprefix("postgresql://")
    limits = f"-c lock_timeout={lock_limit_ms} -c statement_timeout={statement_limit_ms}"
    return sa.create_engine(
        f"postgresql+psycopg://{split}",
        pool_pre_ping=True,  # processes that live for weeks survive a restart of the server
        hide_parameters=True,  # an error's text goes to logs and Dagster's pages; parameters are bodies, secrets and people
        connect_args={
            "application_name": name,
            "connect_timeout": CONNECT_LIMIT_S,
            "options": f"{session_options(url)} {limits}",
        },
    )


def libpq_url(engine: sa.Engine) -> str:
    """The libpq URL that an engine of `engine` connects by, password included."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def session_options(url: str) -> str:
    """The value of libpq's `options` for a connection of ours: those that the URL has, and `SESSION`."""
    own = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    return f"{dict(parse_qsl(urlsplit(url).query)).get('options', '')} {own}".strip()


async def asyncpg_connect(
    url: str, *, name: str = "custom-events", lock_limit_ms: int = LOCK_LIMIT_MS, statement_limit_ms: int = 0
) -> "asyncpg.Connection[asyncpg.Record]":
    """An asyncpg connection on a libpq URL; json and jsonb are text on both ways."""
    import asyncpg  # most of those who connect do without it

    return await asyncpg.connect(
        address.libpq(url),
        timeout=CONNECT_LIMIT_S,
        server_settings={
            "application_name": name,
            "lock_timeout": str(lock_limit_ms),
            "statement_timeout": str(statement_limit_ms),
            **SESSION,
        },
    )


def receiver_url(url: str) -> str:
    """The same database with the rights of the receiver's role and no others.

    An operator who wants the password itself to be worth no more gives the receiver a DATABASE_URL of its own, of a login
    role that is a member of `custom_events_receiver`.
    """
    split = urlsplit(address.libpq(url))
    query = [(key, value) for key, value in parse_qsl(split.query) if key != "options"]
    options = dict(parse_qsl(split.query)).get("options", "")
    query.append(("options", f"{options} -c role={roles.RECEIVER}".strip()))
    text = urlencode(query, quote_via=quote, safe="/")
    return urlunsplit((split.scheme, split.netloc, split.path or "/", text, ""))
