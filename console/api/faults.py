"""Errors on their way out of the app, as problem documents: those of operations, and those of requests that reach none."""

from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from console.api import problems
from console.api.problems import ProblemError
from console.api.routing import operation_of
from console.api.serving import Server
from console.api.translation import parameter_errors, problem_of
from custom_events.errors import CustomEventsError

_NO_SUCH_PATH: Final = 404
_NO_SUCH_METHOD: Final = 405


def install(app: FastAPI, server: Server) -> None:
    """Handle errors of the app."""

    async def expected(request: Request, error: Exception) -> Response:
        return response(request, problem_of(error))

    async def parameters(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  (registered for it)
        operation = operation_of(request.scope.get("endpoint"))
        assert operation is not None  # noqa: S101  (pages have no parameters)
        try:
            await server.refuse(operation, request, tuple(parameter_errors(error)))
        except (ProblemError, SQLAlchemyError) as refusal:
            return response(request, problem_of(refusal))
        raise AssertionError("`refuse` always raises") from error

    async def no_operation(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  (registered for it)
        return response(request, _without_operation(app, request, error))

    for kind in (ProblemError, CustomEventsError, SQLAlchemyError):
        app.add_exception_handler(kind, expected)
    app.add_exception_handler(RequestValidationError, parameters)
    app.add_exception_handler(HTTPException, no_operation)


def response(request: Request, problem: ProblemError) -> Response:
    """A problem as the answer to a request."""
    document = problem.document(request.state.request_id)
    return Response(
        msgspec.json.encode(document),
        status_code=document.status,
        headers=problem.headers,
        media_type=problems.MEDIA_TYPE,
    )


def _without_operation(app: FastAPI, request: Request, error: HTTPException) -> ProblemError:
    if error.status_code == _NO_SUCH_PATH:
        return ProblemError(problems.NOT_FOUND, "There is nothing at this address. /docs lists what there is.")
    if error.status_code == _NO_SUCH_METHOD:
        methods = ", ".join(sorted(_methods(app, request)))
        return ProblemError(problems.METHOD_NOT_ALLOWED, f"Use one of {methods}.", headers={"Allow": methods})
    return problem_of(error)


def _methods(app: FastAPI, request: Request) -> set[str]:
    """The methods that this path has, of all its routes: the framework names those of the first one only."""
    methods: set[str] = set()
    for route in app.routes:
        known: Any = getattr(route, "methods", None)
        if known and route.matches(request.scope)[0] is not Match.NONE:
            methods |= known
    return methods
