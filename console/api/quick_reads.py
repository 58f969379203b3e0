"""Reads of one thing, answered on the event loop: one short statement, no thread, no validation of what there is not.

An operation whose right reads its thing (`Right.resource`) needs nothing else of the database. Such a request is served here where all is well:
a caller who is good and has the right, within the quota, and a thing that is there. Whatever is otherwise (an unusual path, a filter, nobody,
a key whose use is to be noted, no such thing, no connection) goes on to the app, which does the same by its own way and says what is wrong.
Both decide by the same functions. Measured: a fifth of what the long way costs.
"""

import inspect
import re
from collections.abc import Iterable
from typing import Any, Final

import structlog
from psycopg import Error
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console.api import authorization
from console.api.calls import Asked, Call, Shared
from console.api.operations import Operation
from console.api.prefix import own_path
from console.api.problems import ProblemError
from console.api.rate_limits import RateLimits
from console.api.serving import ANYTHING, encode, is_accepted
from custom_events.postgres.async_readers import AsyncReaders
from custom_events.values.numbers import MAX_ID

AT_ONCE: Final = 4  # connections: statements take the database 0.1 ms, and the loop is one core's
_ID: Final = re.compile(r"[1-9][0-9]{0,18}\Z")

_LOG = structlog.get_logger(__name__)


class QuickReads:
    """ASGI middleware before the app's routes. `limits` are those of all other requests as well."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        operations: Iterable[Operation],
        shared: Shared,
        limits: RateLimits,
        readers: AsyncReaders,
    ) -> None:
        self._app, self._shared, self._limits, self._readers = app, shared, limits, readers
        self._operations = {folder: operation for operation in operations if (folder := folder_of(operation))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it here or hand it on."""
        response = await self.response(scope)
        await (self._app if response is None else response)(scope, receive, send)

    async def response(self, scope: Scope) -> Response | None:
        """The answer; None: the app has to look at it."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
            return None
        folder, _, name = own_path(scope).rpartition("/")
        operation = self._operations.get(folder)
        if operation is None or _ID.match(name) is None or int(name) > MAX_ID:
            return None
        asked = Asked.of(Request(scope))
        if not is_accepted(operation, asked.headers.get("accept", ANYTHING)):
            return None
        parameters = {operation.right.parameter: int(name)}
        call = Call(self._shared, asked, transaction=False)
        try:
            answer = await self._answer(operation, call, parameters)
        except (ProblemError, Error, OSError) as error:
            _LOG.debug("not_read_quickly", error=type(error).__name__)
            return None
        if answer is not None:
            scope["route"] = operation  # by whose path figures and the log name it
        return answer

    async def _answer(self, operation: Operation, call: Call, parameters: dict[str, Any]) -> Response | None:
        """Raises ProblemError for who may not, psycopg.Error and OSError where the database does not answer."""
        sent, read_by_right = authorization.credential(call), operation.right.resource
        if sent is None or read_by_right is None:
            return None

        caller, call.resource = await self._readers.run(
            lambda connection: sent.caller_with(connection, read_by_right.lookup, parameters)
        )
        if caller is None or call.resource is None:
            return None
        call.caller = caller
        authorization.authorize(call, operation, parameters)
        answer = encode(operation, operation.handler(call, **parameters))
        quota = self._limits.count(call.caller, call.asked.address)
        if quota.exceeded:
            return None
        answer.headers.update(quota.headers)
        return answer


def folder_of(operation: Operation) -> str | None:
    """The path before the id of an operation that can be served here; None: it cannot."""
    right = operation.right
    folder, _, last = operation.path.rpartition("/")
    takes = set(inspect.signature(operation.handler).parameters)
    can = operation.method == "GET" and right.resource is not None and takes == {"call", right.parameter}
    return folder if can and "{" not in folder and last == f"{{{right.parameter}}}" else None
