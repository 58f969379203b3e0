"""The OpenAPI document: what each operation takes, answers and refuses, with an example of each."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from console.api import idempotency, problems, rate_limits
from console.api.authorization import COOKIE
from console.api.bodies import JSON_TYPES
from console.api.links import links_of
from console.api.operations import Operation, Routes
from console.api.problems import Kind, Problem
from console.api.rights import Scope
from console.api.schemas import REFERENCE, components_of, schema_of

VERSION: Final = "3.1.0"
ABOUT: Final = """\
What came in from the stores, what went out to the ad platforms, and why; and all that is configured.

- **Who may what**: sign in (a cookie) or send an API key (`Authorization: Bearer ...`). Each operation names its right. What a caller may
  not see answers as if it did not exist.
- **Errors** are problem documents (RFC 9457): `type` is stable, `errors` name every value that cannot be used and what would be right.
- **Changes**: `ETag` says which state was read; `If-Match` that it must be the same still (412 with both sides otherwise).
  `Idempotency-Key` on POST: sent again within a day, the first answer is given again and nothing happens twice.
- **Long work** is an operation: 202, with its address in `Location`; there it shows how far it is, its end and where its result is, and `events` tells
  all of that as it happens. It goes on when the console is started again, can be cancelled, and is kept for a day.
- **Lists** are pages: `next` of one is `after` of the following one, null at the end. What happened stands the newest first, or the oldest (`order=oldest`).
- **Quotas**: how much may be asked for in a while stands in `RateLimit-Policy`, what is left of it in `RateLimit` (as
  draft-ietf-httpapi-ratelimit-headers-10 has them); above it the answer is 429 with `Retry-After`.
- **Requests** have an id: yours (`X-Request-Id`), or one that is made; the answer, the logs and the audit trail have it.
"""
_HEADERS: Final = {
    "ETag": "Which state of the thing this is; sent back in If-Match.",
    idempotency.REPLAYED: "true: the answer that was given before under this Idempotency-Key.",
    "Location": "Where the thing is that was made, or the operation that is under way.",
    "Set-Cookie": "The session.",
    "X-Request-Id": "The request's id, yours or one that was made.",
    "Retry-After": "Seconds after which to try again.",
    rate_limits.POLICY_FIELD: "Your quota: requests (q) in a window of seconds (w).",
    rate_limits.FIELD: "What is left of it: requests (r), and seconds until all of it is there again (t).",
    "Allow": "The methods that are known here.",
    "WWW-Authenticate": "How to say who you are.",
}
_SCHEMES: Final[dict[str, Any]] = {
    "api_key": {"type": "http", "scheme": "bearer", "description": "An API key: `custom-events api-key make`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A session, made by signing in.",
    },
}

ACCEPTED: Final = 202
OUTCOMES: Final = {
    200: "Done.",
    201: "Made.",
    ACCEPTED: "Under way.",
    302: "Go on there.",
    204: "Done; nothing is left to say.",
}
_LOCATED: Final = (201, ACCEPTED, 302)

_IF_MATCH: Final[dict[str, Any]] = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of what was read; `*` takes whatever is there.",
    "schema": {"type": "string", "minLength": 1, "pattern": "^[!-~]+$"},
    "example": "*",
}
_IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "Sent again within a day with the same request, the first answer is given again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.LONGEST, "pattern": "^[!-~]+$"},
    "example": "9f0a4c1e-6c0b-4a52-9a3e-0d2f5b7c8e11",
}


def summary(operation: Operation) -> str:
    """The first sentence of the function's docstring."""
    return _docstring(operation).partition("\n")[0].rstrip(".")


def text(operation: Operation) -> str:
    """The whole docstring, and the right that is asked for."""
    return f"{_docstring(operation)}\n\nRight: {operation.right}."


def outcome(operation: Operation) -> str:
    """What the answer is, where all is well."""
    return OUTCOMES[operation.status]


def responses(operation: Operation) -> dict[str, Any]:
    """Every answer that the operation can give."""
    described: dict[str, Any] = {str(operation.status): _success(operation)}
    if operation.under_way is not None:
        described[str(ACCEPTED)] = _under_way(operation, *operation.under_way)
    for kind in operation.kinds:
        document = described.setdefault(str(kind.status), _failure(kind, operation))
        examples = document["content"][problems.MEDIA_TYPE]["examples"]
        examples[kind.word] = {"summary": kind.title, "value": problems.example(kind)}
    return described


def additions(operation: Operation) -> dict[str, Any]:
    """What FastAPI does not know: answers, the body, who may."""
    extra: dict[str, Any] = {
        "responses": responses(operation),
        "x-right": {"scope": operation.right.scope.value, "role": operation.right.role},
    }
    if operation.right.scope is not Scope.OPEN:
        extra["security"] = [{name: []} for name in _SCHEMES]
    if operation.body is not None:
        content = {"schema": schema_of(operation.body), "examples": _examples(operation.body_example)}
        kinds = JSON_TYPES if operation.method == "PATCH" else JSON_TYPES[:1]
        extra["requestBody"] = {"required": operation.needs_body, "content": dict.fromkeys(kinds, content)}
    return extra


def document(app: FastAPI, all_routes: Sequence[Routes]) -> dict[str, Any]:
    """The whole document. FastAPI describes parameters; it knows no msgspec types, and leaves every null out of examples."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=VERSION,
        description=ABOUT,
        routes=app.routes,
        tags=[{"name": routes.tag, "description": routes.about} for routes in all_routes],
    )
    operations = [operation for routes in all_routes for operation in routes.operations]
    for operation in operations:
        described: dict[str, Any] = made["paths"][operation.path][operation.method.lower()]
        described.update(additions(operation))
        if links := links_of(operation, operations):
            described["responses"][str(operation.status)]["links"] = links
        if headers := _header_parameters(operation):
            described["parameters"] = [*described.get("parameters", []), *headers]
    made["components"] = {"schemas": _schemas(all_routes), "securitySchemes": _SCHEMES}
    return made


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    """Headers that every operation of its kind takes."""
    return [*([_IF_MATCH] if operation.needs_tag else []), *([_IDEMPOTENCY_KEY] if operation.idempotent else [])]


def _schemas(all_routes: Iterable[Routes]) -> dict[str, Any]:
    operations = [operation for routes in all_routes for operation in routes.operations]
    asked = [
        kind
        for operation in operations
        for kind in (operation.answer, operation.body, *(operation.under_way or ())[:1])
    ]
    kinds = [Problem, *(kind for kind in asked if kind is not None)]
    return components_of(kinds)


_FILE: Final = {"type": "string", "format": "binary"}  # bytes as they are


def _success(operation: Operation) -> dict[str, Any]:
    headers = [
        "X-Request-Id",
        *_quota(operation),
        *(["ETag"] if operation.tagged else []),
        *(["Location"] * (operation.status in _LOCATED)),
    ]
    if operation.idempotent:
        headers.append(idempotency.REPLAYED)
    answer: dict[str, Any] = {
        "description": outcome(operation),
        "headers": {name: _header(name) for name in headers},
    }
    if operation.answer is not None:
        schema = _FILE if operation.answer is bytes else schema_of(operation.answer)
        content = {"schema": schema, "examples": _examples(operation.example)}
        answer["content"] = {operation.media_type: content}
    return answer


def _under_way(operation: Operation, kind: Any, example: Any) -> dict[str, Any]:
    headers = [
        "X-Request-Id",
        *_quota(operation),
        "Location",
        *([idempotency.REPLAYED] if operation.idempotent else []),
    ]
    return {
        "description": OUTCOMES[ACCEPTED],
        "headers": {name: _header(name) for name in headers},
        "content": {"application/json": {"schema": schema_of(kind), "examples": _examples(example)}},
    }


def _quota(operation: Operation) -> tuple[str, ...]:
    return (rate_limits.POLICY_FIELD, rate_limits.FIELD) if operation.is_limited else ()


def _failure(kind: Kind, operation: Operation) -> dict[str, Any]:
    headers = ["X-Request-Id", *_quota(operation)]
    headers += ["Retry-After"] * (kind.status in (429, 503)) + ["WWW-Authenticate"] * (kind.status == 401)  # noqa: PLR2004
    return {
        "description": kind.title + ".",
        "headers": {name: _header(name) for name in headers},
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name="Problem")}, "examples": {}}},
    }


def _header(name: str) -> dict[str, Any]:
    return {"description": _HEADERS[name], "schema": {"type": "string"}}


def _examples(example: Any) -> dict[str, Any]:
    return {"example": {"summary": "As it may look", "value": msgspec.to_builtins(example)}}


def _docstring(operation: Operation) -> str:
    return inspect.cleandoc(operation.handler.__doc__ or "")
