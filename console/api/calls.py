"""One call of an operation: who asks, in which transaction, with which settings; and what it answers."""

import base64
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import sqlalchemy as sa
from starlette.requests import Request

from console.api import problems
from console.api.kept import KeptFigures
from console.api.preconditions import check_precondition
from console.api.problems import ProblemError
from console.api.replica_reads import ReplicaReads
from console.api.request_metrics import RequestMetrics
from console.api.scrapes import Scrapes
from custom_events import secrets
from custom_events.access.openid_provider import Provider
from custom_events.access.roles import NOBODY, Caller, Role
from custom_events.catalog.audit import Origin
from custom_events.errors import NeedsAction
from custom_events.history.readers import Readers
from custom_events.postgres import schema_guard
from custom_events.postgres.connect import libpq_url
from custom_events.settings import Settings

_NO_TRANSACTION: Final = {"isolation_level": "AUTOCOMMIT"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request beside its parameters. `address`: of the client, "" where it is not known; `body` as it came."""

    method: str
    path: str
    query: str
    request_id: str
    address: str
    host: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def of(cls, request: Request, body: bytes = b"") -> Self:
        """A request whose body, if it has one, was read."""
        scope = request.scope
        # Of several headers of one name the first one counts.
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        return cls(
            method=request.method,
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            request_id=scope["state"]["request_id"],
            address=request.client.host if request.client is not None else "",
            host=headers.get("host", ""),
            headers=headers,
            cookies=request.cookies if "cookie" in headers else {},
            body=body,
        )


class Shared:
    """What all calls work with, for as long as the console runs."""

    def __init__(
        self,
        engine: sa.Engine,
        settings: Settings,
        requests: RequestMetrics,
        replica: ReplicaReads | None = None,
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.scrapes = Scrapes(engine, requests)
        self.kept = KeptFigures()
        self.openid = Provider(settings)
        self.readers = Readers(libpq_url(engine))
        self.replica = replica

    def close(self) -> None:
        """End what is kept for further calls; the engine is its maker's."""
        self.readers.close()


class Call:
    """What an operation works with. Where it has a `transaction`, all of it happens in that one, which is committed when the operation
    returns; without one, each statement is for itself: two ways to the database less for what only reads. `resource`: what the operation's
    right has read of what the path names, if it has."""

    def __init__(self, shared: Shared, asked: Asked, *, transaction: bool) -> None:
        self._shared = shared
        self.engine = shared.engine
        self.settings = shared.settings
        self.asked = asked
        self.scrapes = shared.scrapes
        self.kept = shared.kept
        self.openid = shared.openid
        self.readers = shared.readers
        self.replica = shared.replica
        self.caller: Caller = NOBODY
        self.resource: Any = None
        self._has_transaction = transaction
        self._stack = ExitStack()
        self._connection: sa.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def connection(self) -> sa.Connection:
        """The connection, in the call's transaction if it has one; made when first asked for."""
        if self._connection is None:
            if self._has_transaction:
                context = self.engine.begin()
            else:
                context = self.engine.connect().execution_options(**_NO_TRANSACTION)
            connection = self._stack.enter_context(context)
            if self._has_transaction:
                _hold(connection)
            self._connection = connection
        return self._connection

    @property
    def primary(self) -> tuple[sa.Engine, Readers]:
        """What reads from the primary."""
        return self._shared.engine, self._shared.readers

    def read_from(self, engine: sa.Engine, readers: Readers) -> None:
        """Read what follows from another server. For calls without a transaction: what they did so far is done."""
        self._stack.close()
        self._connection = None
        self.engine, self.readers = engine, readers

    @property
    def actor(self) -> str:
        """Who is written into the audit trail and revisions."""
        return self.caller.name

    @property
    def origin(self) -> Origin:
        """From where what the caller changes comes."""
        return Origin(
            source="api" if self.caller.kind == "api_key" else "console",
            via=self.caller.via or None,
            client_address=self.asked.address or None,
            request_id=self.asked.request_id,
        )

    @property
    def key(self) -> bytes:
        """The installation's key, for what is encrypted at rest."""
        return secrets.key(self.settings)

    def check_precondition(self, current: msgspec.Struct, shown: object, *, yours: object = msgspec.UNSET) -> None:
        """Raise 412 unless `current`, read under a lock, is what the caller read (If-Match). `shown` is what the API shows of it,
        `yours` what was asked: both sides."""
        check_precondition(self.asked.headers.get("if-match"), current, shown, yours)

    def require(self, role: Role, site_id: int | None) -> None:
        """Raise 403 unless the caller has the role there; for what no path names. None: on all sites."""
        if not self.caller.may(role, site_id):
            raise forbidden(role, "all sites" if site_id is None else f"site {site_id}")


def _hold(connection: sa.Connection) -> None:
    """Raise 503 where the database is of another version than this program: nothing is changed then."""
    try:
        schema_guard.hold(connection)
    except NeedsAction as error:
        raise ProblemError(problems.UNAVAILABLE, str(error)) from error


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation returns where its value alone does not say it all. `of`: the stored thing that the ETag is made of; `stream`:
    the content in parts, made after the call's transaction has ended, for what is too large to hold at once; `status` where it is not the
    operation's."""

    content: Any = None
    stream: Iterator[bytes] | AsyncIterator[bytes] | None = None
    status: int | None = None
    of: msgspec.Struct | None = None
    location: str | None = None
    headers: dict[str, str] = {}
    media_type: str = "application/json"


def content_digest(sha256: bytes) -> str:
    """The header Content-Digest (RFC 9530): by it whoever has a file knows that it is whole."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


def forbidden(role: Role | str, where: str) -> ProblemError:
    """The caller is known, sees the thing, and may not do this."""
    return ProblemError(problems.FORBIDDEN, f"This needs the role {role} for {where}. Ask an administrator for it.")
