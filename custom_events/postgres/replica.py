"""A streaming standby that is read from: where it is, how far it is behind, and readings of all that is committed now.

How far: the primary says up to where its log is written and what time it is, then the standby says how much of that it has replayed and when the newest
transaction in it was committed. Both times are the primary's, so that the clocks of the machines decide nothing. Behind a primary on which nothing was
committed for a while, the first bytes after that make it as old as the pause, for a moment; the programs commit every minute.
"""

import time
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec
import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from custom_events.postgres import address, connect
from custom_events.settings import Settings, variable_of

CATCH_UP_LIMIT_S: Final = 10.0  # that a long reading waits for the replica, before it takes the primary
CATCH_UP_POLL_S: Final = 0.05
VARIABLE: Final = variable_of("replica_url")

# What a standby has replayed when it has all that is committed at this moment. Behind the end of a page the next record begins after the page's own
# header (24 bytes, 40 at the beginning of a file), and nobody replays that before there is a record.
_WRITTEN: Final = sa.text("""
SELECT p.bytes - CASE WHEN (p.bytes - 40) % p.file_bytes = 0 THEN 40 WHEN (p.bytes - 24) % p.page_bytes = 0 THEN 24 ELSE 0 END AS position,
  clock_timestamp() AS at
FROM (SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint) AS bytes, pg_size_bytes(current_setting('wal_segment_size')) AS file_bytes,
  CAST(current_setting('wal_block_size') AS bigint) AS page_bytes) p
""")
_REPLAYED: Final = sa.text("""
SELECT pg_is_in_recovery() AS is_standby, CAST(pg_last_wal_replay_lsn() - '0/0' AS bigint) AS position,
  pg_last_xact_replay_timestamp() AS committed_at, (SELECT system_identifier FROM pg_control_system()) AS server
""")
_SERVER: Final = sa.text("SELECT system_identifier FROM pg_control_system()")

Problem = Literal["away", "no_standby", "behind"]
_Read = TypeVar("_Read")
_LOG = structlog.get_logger(__name__)


class ReplicaState(msgspec.Struct, frozen=True, kw_only=True):
    """How the replica stood at a moment. `problem`: why it is not to be read, None: it is; `behind_s`: seconds, None: nobody knows; `written`
    and `replayed`: bytes of the log that the primary had and the replica has replayed."""

    problem: Problem | None
    behind_s: float | None = None
    written: int = 0
    replayed: int = 0


def url_of(settings: Settings, primary: str) -> str | None:
    """The replica's libpq URL; user, password and database that it does not name are those of `primary`, whose logins it has. None: there is none.

    Raises InvalidConfiguration for an address that cannot be read.
    """
    if settings.replica_url is None:
        return None
    own = urlsplit(address.libpq(settings.replica_url.get_secret_value(), variable=VARIABLE))
    main = urlsplit(address.libpq(primary))
    login = main.netloc.rpartition("@")[0]
    has_login = "@" in own.netloc or "user" in dict(parse_qsl(own.query))
    netloc = own.netloc if has_login or not login else f"{login}@{own.netloc}"
    path = own.path if own.path.strip("/") else main.path
    return urlunsplit((own.scheme, netloc, path or "/", own.query, ""))


def opened(url: str, *, name: str, **limits: int) -> sa.Engine:
    """An engine on a replica: it only reads, and notices soon that the server is gone."""
    return connect.engine(url, name=name, of_replica=True, **limits)


def state(primary: sa.Connection, replica: sa.Engine, limit_s: float) -> ReplicaState:
    """How the replica of this primary stands; one that is more than `limit_s` seconds behind is not to be read. Raises DBAPIError where the
    primary fails."""
    here = primary.execute(_WRITTEN).one()
    server = primary.execute(_SERVER).scalar_one()
    try:
        with replica.connect() as connection:
            there = connection.execute(_REPLAYED).one()
    except DBAPIError:
        return ReplicaState(problem="away", written=here.position)
    if not there.is_standby or there.server != server:
        return ReplicaState(problem="no_standby", written=here.position)
    behind_s: float | None = 0.0
    if there.position < here.position:
        behind_s = None if there.committed_at is None else max(0.0, (here.at - there.committed_at).total_seconds())
    is_near = behind_s is not None and behind_s <= limit_s
    return ReplicaState(
        problem=None if is_near else "behind", behind_s=behind_s, written=here.position, replayed=there.position
    )


def look(primary: sa.Connection, settings: Settings) -> ReplicaState | None:
    """How the configured replica stands now; None: there is none."""
    url = url_of(settings, connect.libpq_url(primary.engine))
    if url is None:
        return None
    replica = opened(url, name="custom-events replica")
    try:
        return state(primary, replica, settings.replica_lag_limit_s)
    finally:
        replica.dispose()


def read(primary: sa.Engine, settings: Settings, read_from: Callable[[sa.Engine], _Read], *, name: str) -> _Read:
    """What `read_from` returns of a long reading that sees all that is committed when it begins: from the replica, once it has replayed that; from
    the primary where it has not within `CATCH_UP_LIMIT_S`, or fails. `read_from` may be called a second time, and then begins anew."""
    url = url_of(settings, connect.libpq_url(primary))
    if url is None:
        return read_from(primary)
    replica = opened(url, name=name)
    try:
        if _catches_up(primary, replica, settings.replica_lag_limit_s):
            return read_from(replica)
    except (DBAPIError, psycopg.Error) as error:
        _LOG.warning("replica_failed", error=type(error).__name__, sqlstate=sqlstate_of(error))
    finally:
        replica.dispose()
    return read_from(primary)


def sqlstate_of(error: Exception) -> Any:
    """PostgreSQL's code of an error of a driver or of SQLAlchemy; None: it did not come to that."""
    return getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)


def _catches_up(primary: sa.Engine, replica: sa.Engine, limit_s: float) -> bool:
    """Whether the replica has replayed what the primary has written by now, within the limit."""
    deadline = time.monotonic() + CATCH_UP_LIMIT_S
    with primary.connect() as connection:
        first = state(connection, replica, limit_s)
    while first.problem is None:
        with replica.connect() as connection:
            if connection.execute(_REPLAYED).one().position >= first.written:
                return True
        if time.monotonic() >= deadline:
            break
        time.sleep(CATCH_UP_POLL_S)
    return False
