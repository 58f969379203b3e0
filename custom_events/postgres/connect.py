"""Connections: SQLAlchemy with psycopg for everything synchronous, asyncpg for the receiver and the pipeline."""

import select
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError

from custom_events.postgres import address, error_words, roles

if TYPE_CHECKING:
    import asyncpg
    import psycopg
    from sqlalchemy.pool import ConnectionPoolEntry

CONNECT_LIMIT_S = 10
KEPT: Final = 5  # connections of an engine, as SQLAlchemy has it
MORE: Final = 10
LOCK_LIMIT_MS = (
    30_000  # nobody here holds a lock for long: longer means a fault, and an error is better than a silent stop
)
# What every connection of ours sets, whatever the server's configuration says. PostgreSQL's default compiles a statement that looks
# expensive, once a connection and statement: 10 to 35 s for the sums, which take 3 ms (measured on PostgreSQL 15, empty database).
SESSION = {"jit": "off", "timezone": "UTC"}
_READS_ONLY: Final = "-c default_transaction_read_only=on"
# A replica that is gone is noticed after so many seconds of silence: 2 for a new connection (the least that libpq takes), 11 for one that waits.
_REPLICA_LIMITS: Final[dict[str, Any]] = {
    "connect_timeout": 2,
    "tcp_user_timeout": 5_000,  # milliseconds that what was sent may stay unconfirmed
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# A machine that is cut off or loses its power closes nothing. PostgreSQL would keep its transaction, and with it the shard that it drains, for two
# hours (Linux's own keepalive); it is ended after this time without a sign of it (decision 74). Our end notices as soon.
LOST_AFTER_S: Final = 30
_SILENT_S: Final = 15  # without traffic, before the other end is asked whether it is there
_ASK_EVERY_S: Final = 5
LOST = {
    "tcp_keepalives_idle": str(_SILENT_S),
    "tcp_keepalives_interval": str(_ASK_EVERY_S),
    "tcp_keepalives_count": str((LOST_AFTER_S - _SILENT_S) // _ASK_EVERY_S),
    "tcp_user_timeout": str(LOST_AFTER_S * 1_000),
}
_NAMES: Final = {  # of the same at our end: libpq's parameter, the socket's option
    "tcp_keepalives_idle": ("keepalives_idle", "TCP_KEEPIDLE"),
    "tcp_keepalives_interval": ("keepalives_interval", "TCP_KEEPINTVL"),
    "tcp_keepalives_count": ("keepalives_count", "TCP_KEEPCNT"),
    "tcp_user_timeout": ("tcp_user_timeout", "TCP_USER_TIMEOUT"),
}


def engine(
    url: str,
    *,
    name: str = "custom-events",
    lock_limit_ms: int = LOCK_LIMIT_MS,
    statement_limit_ms: int = 0,
    kept: int = KEPT,
    more: int = MORE,
    of_replica: bool = False,
) -> sa.Engine:
    """A SQLAlchemy engine on a libpq URL. `name` shows in pg_stat_activity; limits are in milliseconds, 0: none; `kept` connections stay open
    when they are not in use, and `more` are made beyond them while they are. `of_replica`: it only reads, and a server that is gone is noticed
    within seconds, since the primary answers in its place."""
    split = address.libpq(url).removeprefix("postgresql://")
    parameters = _parameters(url, name, lock_limit_ms, statement_limit_ms)
    if of_replica:
        parameters |= _REPLICA_LIMITS | {"options": f"{parameters['options']} {_READS_ONLY}"}
    engine = sa.create_engine(
        f"postgresql+psycopg://{split}",
        pool_size=kept,
        max_overflow=more,
        connect_args=parameters,
        hide_parameters=True,  # an error's text goes to logs and Dagster's pages; parameters are bodies, secrets and people
    )
    error_words.leave_values_out(engine)
    event.listen(engine, "checkout", _check_open)  # processes that live for weeks survive a restart of the server
    _close_late(engine)
    return engine


async def async_reading(
    url: str, *, name: str, lock_limit_ms: int, statement_limit_ms: int
) -> "psycopg.AsyncConnection[dict[str, Any]]":
    """A psycopg connection of the running event loop that only reads, each statement for itself; rows are dicts."""
    import msgspec
    import psycopg
    from psycopg.rows import dict_row
    from psycopg.types.json import set_json_loads

    parameters = _parameters(url, name, lock_limit_ms, statement_limit_ms)
    parameters["options"] = f"{parameters['options']} {_READS_ONLY}"
    parameters["row_factory"] = dict_row
    connection = await psycopg.AsyncConnection.connect(address.libpq(url), autocommit=True, **parameters)
    set_json_loads(msgspec.json.decode, connection)
    return cast("psycopg.AsyncConnection[dict[str, Any]]", connection)


def listening(url: str, channel: str, *, name: str) -> "psycopg.Connection[Any]":
    """A psycopg connection that hears what is notified on a channel."""
    import psycopg
    from psycopg import sql

    connection = psycopg.connect(address.libpq(url), autocommit=True, **_parameters(url, name, LOCK_LIMIT_MS, 0))
    try:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    except BaseException:
        connection.close()
        raise
    return connection


def _parameters(url: str, name: str, lock_limit_ms: int, statement_limit_ms: int) -> dict[str, Any]:
    """What libpq is told beside the URL."""
    limits = f"-c lock_timeout={lock_limit_ms} -c statement_timeout={statement_limit_ms}"
    return {
        "application_name": name,
        "connect_timeout": CONNECT_LIMIT_S,
        "options": f"{session_options(url)} {limits}",
        **{_NAMES[setting][0]: value for setting, value in LOST.items()},
    }


def _check_open(driver: "psycopg.Connection[Any]", _record: object, _proxy: object) -> None:
    """Raise InvalidatePoolError where the server has ended a connection while nobody used it: the pool makes a new one.

    An idle connection has nothing to be read but its end. To look costs 1 us of a core; to ask the server, as SQLAlchemy's `pool_pre_ping`
    does, 45 us and a way there and back for every use.
    """
    waiting = select.poll()
    if not driver.closed:
        waiting.register(driver.fileno(), select.POLLIN)
    if driver.closed or waiting.poll(0):
        raise InvalidatePoolError


def _close_late(engine: sa.Engine) -> None:
    """Have connections closed that are given back after the engine was disposed of: the pool they return to is nobody's any more, and would leave
    them open until the garbage collector comes by."""

    def note_pool(_driver: object, record: "ConnectionPoolEntry") -> None:
        record.info["pool"] = engine.pool

    def close(_driver: object, record: "ConnectionPoolEntry") -> None:
        if record.info.get("pool") is not engine.pool:
            record.invalidate()

    event.listen(engine, "connect", note_pool)
    event.listen(engine, "checkin", close)


def libpq_url(engine: sa.Engine) -> str:
    """The libpq URL that an engine of `engine` connects by, password included."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def session_options(url: str) -> str:
    """The value of libpq's `options` for a connection of ours: those that the URL has, `SESSION` and `LOST`."""
    own = " ".join(f"-c {name}={value}" for name, value in (SESSION | LOST).items())
    return f"{dict(parse_qsl(urlsplit(url).query)).get('options', '')} {own}".strip()


async def asyncpg_connect(
    url: str, *, name: str = "custom-events", lock_limit_ms: int = LOCK_LIMIT_MS, statement_limit_ms: int = 0
) -> "asyncpg.Connection[asyncpg.Record]":
    """An asyncpg connection on a libpq URL; json and jsonb are text on both ways."""
    import asyncpg  # most of those who connect do without it

    error_words.leave_values_out_of_asyncpg()
    connection = await asyncpg.connect(
        address.libpq(url),
        timeout=CONNECT_LIMIT_S,
        server_settings={
            "application_name": name,
            "lock_timeout": str(lock_limit_ms),
            "statement_timeout": str(statement_limit_ms),
            **SESSION,
            **LOST,
        },
    )
    _notice_loss(connection)
    return connection


async def asyncpg_close(connection: "asyncpg.Connection[asyncpg.Record]", limit_s: float) -> None:
    """End a connection; one that is lost, or whose server does not end it in time, is dropped. What was done on it is done all the same, so that this
    fails at nothing."""
    import asyncpg

    with suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.close(timeout=limit_s)


def _notice_loss(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have the kernel end a TCP connection whose other end is gone, as libpq does by its parameters; asyncpg has none for it."""
    end: socket.socket = cast("Any", connection)._transport.get_extra_info("socket")  # noqa: SLF001  (nothing public has it)
    if end.family == socket.AF_UNIX:
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in LOST.items():
        if (option := getattr(socket, _NAMES[name][1], None)) is not None:  # not every system has all of them
            end.setsockopt(socket.IPPROTO_TCP, option, int(value))


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
