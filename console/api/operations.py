"""Operations: a function with a path, a method and a right becomes a route, described whole in the OpenAPI document.

A noun has a file in `routes/` with `ROUTES = Routes("sites", "...")` and functions decorated by `@ROUTES.get(...)`. A function takes
the `Call`, the path's, query's and headers' parameters as FastAPI declares them, and a struct named `body`; it returns a struct, an
`Answer`, or None. What every operation needs (rights, one transaction, validation, idempotency, problems) is done around it.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from fastapi.params import Header, Path

from console.api import problems
from console.api.problems import Kind
from console.api.rights import Right, Scope

PREFIX: Final = "/api/v1"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_SITE: Final = "site_id"  # the parameter of a query that narrows an answer to one site
_OK, _CREATED, _NO_CONTENT = 200, 201, 204

Handler = Callable[..., Any]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """All that is declared of an operation. `transaction`: all that it does is done together, or not at all; without one each statement is
    for itself, as for what only reads. `answer`: type of its JSON, None without content; `parameters`: names in the query; `under_way`: type and example of what it answers with status 202 where it takes long; `open_query`: others may stand beside them; `of_primary`: it shows what changes by the second, so that it is never read from a replica."""

    method: str
    path: str
    right: Right
    handler: Handler
    transaction: bool
    tag: str
    status: int
    answer: Any
    example: Any
    body: type[msgspec.Struct] | None
    body_example: Any
    tagged: bool
    needs_tag: bool
    idempotent: bool
    media_type: str
    kinds: tuple[Kind, ...]
    open_query: bool
    parameters: frozenset[str]
    under_way: tuple[Any, Any] | None
    of_primary: bool

    @property
    def name(self) -> str:
        """The operation's id: unique, and stable for generated clients."""
        return self.handler.__name__

    @property
    def path_parameters(self) -> frozenset[str]:
        """What its path names."""
        return frozenset(_PARAMETER.findall(self.path))

    @property
    def is_limited(self) -> bool:
        """Whether it counts for the quota of whoever asks: all do but those that ask for nothing (liveness)."""
        return not inspect.iscoroutinefunction(self.handler)

    @property
    def needs_body(self) -> bool:
        """Whether something of the body must be given."""
        return self.body is not None and any(field.required for field in msgspec.structs.fields(self.body))


class Routes:
    """The operations of one noun. `about` describes it in the document."""

    def __init__(self, tag: str, about: str, *, prefix: str = PREFIX) -> None:
        self.tag = tag
        self.about = about
        self.prefix = prefix
        self.operations: list[Operation] = []

    def get(self, path: str, *, right: Right, **more: Any) -> Callable[[Handler], Handler]:
        """Read: without a transaction, unless `transaction` is True since it changes something."""
        return self._operation("GET", path, right, {"transaction": False, **more})

    def post(self, path: str, *, right: Right, **more: Any) -> Callable[[Handler], Handler]:
        """Make something, or do something; takes an Idempotency-Key unless `idempotent` is False."""
        return self._operation("POST", path, right, {"idempotent": True, **more})

    def put(self, path: str, *, right: Right, **more: Any) -> Callable[[Handler], Handler]:
        """Replace; needs If-Match."""
        return self._operation("PUT", path, right, {"needs_tag": True, **more})

    def patch(self, path: str, *, right: Right, **more: Any) -> Callable[[Handler], Handler]:
        """Change what is named; needs If-Match."""
        return self._operation("PATCH", path, right, {"needs_tag": True, **more})

    def delete(self, path: str, *, right: Right, **more: Any) -> Callable[[Handler], Handler]:
        """Remove; without content."""
        return self._operation("DELETE", path, right, {"status": _NO_CONTENT, **more})

    def _operation(self, method: str, path: str, right: Right, more: dict[str, Any]) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self.operations.append(_declared(self, method, path, right, handler, **more))
            return handler

        return declare


def _declared(
    routes: Routes,
    method: str,
    path: str,
    right: Right,
    handler: Handler,
    *,
    transaction: bool = True,
    answer: Any = None,
    example: Any = None,
    status: int = _OK,
    body_example: Any = None,
    tagged: bool = False,
    needs_tag: bool = False,
    idempotent: bool = False,
    media_type: str = "application/json",
    raises: tuple[Kind, ...] = (),
    under_way: tuple[Any, Any] | None = None,
    open_query: bool = False,
    of_primary: bool = False,
) -> Operation:
    signature = _signature(handler)
    body = signature.parameters["body"].annotation if "body" in signature.parameters else None
    return Operation(
        method=method,
        path=f"{routes.prefix}{path}",
        right=right,
        handler=handler,
        transaction=transaction,
        tag=routes.tag,
        status=status,
        answer=answer,
        example=example,
        body=body,
        body_example=body_example,
        tagged=tagged,
        needs_tag=needs_tag,
        idempotent=idempotent,
        media_type=media_type,
        kinds=_kinds(
            method, right, handler, body is not None, needs_tag=needs_tag, idempotent=idempotent, raises=raises
        ),
        open_query=open_query,
        parameters=frozenset(_query_names(signature)),
        under_way=under_way,
        of_primary=of_primary,
    )


def _kinds(
    method: str,
    right: Right,
    handler: Handler,
    has_body: bool,
    *,
    needs_tag: bool,
    idempotent: bool,
    raises: tuple[Kind, ...],
) -> tuple[Kind, ...]:
    """The problems that an operation may answer with: those that follow from its shape, and those that it names."""
    kinds = [problems.NOT_ACCEPTABLE, problems.INVALID, problems.INTERNAL, problems.UNAVAILABLE, *raises]
    if right.scope is not Scope.OPEN:
        kinds += [problems.UNAUTHENTICATED]
        if method != "GET":
            kinds += [problems.CROSS_SITE]
    if right.role is not None:
        kinds += [problems.FORBIDDEN]
    signature = _signature(handler)
    names_a_site = _SITE in _query_names(
        signature
    )  # one that the caller may not see is answered as one that is not there
    if (
        right.scope is Scope.ONE_SITE
        or names_a_site
        or any(_is(parameter, Path) for parameter in signature.parameters.values())
    ):
        kinds += [problems.NOT_FOUND]
    if has_body:
        kinds += [problems.MALFORMED, problems.TOO_LARGE, problems.TOO_SLOW, problems.MEDIA_TYPE_UNKNOWN]
    if not inspect.iscoroutinefunction(handler):
        kinds += [problems.THROTTLED]
    if needs_tag:
        kinds += [problems.PRECONDITION_FAILED, problems.PRECONDITION_REQUIRED]
    if idempotent:
        kinds += [problems.KEY_REUSED]
    return tuple(sorted(dict.fromkeys(kinds), key=lambda kind: kind.status))


def _signature(handler: Handler) -> inspect.Signature:
    return inspect.signature(handler, eval_str=True)


def _query_names(signature: inspect.Signature) -> list[str]:
    return [
        next((str(part.alias) for part in _metadata(parameter) if getattr(part, "alias", None)), parameter.name)
        for parameter in signature.parameters.values()
        if parameter.name not in ("call", "body") and not _is(parameter, Path) and not _is(parameter, Header)
    ]


def _metadata(parameter: inspect.Parameter) -> tuple[Any, ...]:
    return getattr(parameter.annotation, "__metadata__", ())


def _is(parameter: inspect.Parameter, kind: type) -> bool:
    return any(isinstance(part, kind) for part in _metadata(parameter))
