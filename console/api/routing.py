"""Operations as routes of the app: what FastAPI is told of each, and the function it calls."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from console.api import description
from console.api.operations import Operation, Routes

Serve = Callable[[Operation, Request, Mapping[str, Any]], Awaitable[Response]]


def install(app: FastAPI, routes: Routes, serve: Serve) -> None:
    """Make the routes of a noun, all of whose operations are declared. `serve` runs an operation for a request with its validated
    parameters; it is one for all nouns of an app."""
    app.state.serve = serve
    app.router.routes.extend(_router(routes).routes)


@cache
def _router(routes: Routes) -> APIRouter:
    """The routes, the same in every app: reading the parameters of all nouns takes FastAPI 0.1 s, and tests make many apps."""
    router = APIRouter()
    for operation in routes.operations:
        router.add_api_route(
            operation.path,
            _endpoint(operation),
            methods=[operation.method],
            status_code=operation.status,
            tags=[routes.tag],
            operation_id=operation.name,
            name=operation.name,
            summary=description.summary(operation),
            description=description.text(operation),
            response_class=Response,
            response_model=None,
        )
    return router


def operation_of(endpoint: Any) -> Operation | None:
    """The operation behind a route's function; None for pages that are no operations."""
    return getattr(endpoint, "operation", None)


def _endpoint(operation: Operation) -> Callable[..., Awaitable[Response]]:
    """The function that FastAPI calls: it has the operation's parameters, but for those that are made around it."""
    own = inspect.signature(operation.handler, eval_str=True)

    async def endpoint(request: Request, **parameters: Any) -> Response:
        serve: Serve = request.app.state.serve
        return await serve(operation, request, parameters)

    shown = [parameter for parameter in own.parameters.values() if parameter.name not in ("call", "body")]
    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    named = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in shown]
    setattr(endpoint, "__signature__", inspect.Signature([asked, *named]))  # noqa: B010  (a function's type has no such attribute)
    setattr(endpoint, "operation", operation)  # noqa: B010
    endpoint.__name__ = operation.name
    endpoint.__doc__ = operation.handler.__doc__
    return endpoint
