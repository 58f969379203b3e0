"""Whatever stands in a path, a query, a header or a body is a value to the database, never a part of a statement."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from tests.console.api.shared_world import admin, app, client, database, engine, settings, world
from tests.console.api.test_rights import MINE, operations, path_of
from tests.console.api.world import World

__all__ = ["admin", "app", "client", "database", "engine", "settings", "world"]  # fixtures

SERVER_ERROR = 500
MARK = "quince"  # stands in no statement of ours
# What ends a text, a name, a parameter, a list, a pattern or a statement, whichever of them it stands in.
PAYLOADS = (
    f"{MARK}' OR '1'='1') UNION SELECT login FROM app.people; DROP TABLE app.sites; --",
    f'%{MARK}_\\"])) :x %(x)s $1 ORDER BY (SELECT 1/*',
)
HEADERS = (
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "User-Agent",
    "Accept-Language",
    "X-Request-Id",
    "traceparent",
)


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that any engine of the process sends, meanwhile."""
    sent: list[str] = []

    def note(*given_parts: Any) -> None:
        sent.append(given_parts[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def replaced(value: Any, payload: str) -> Any:
    """The same body with the payload in the place of each of its texts."""
    if isinstance(value, dict):
        return {name: replaced(inner, payload) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [replaced(inner, payload) for inner in value]
    return payload if isinstance(value, str) else value


def _texts(body: Any) -> list[str]:
    return [name for name, value in body.items() if isinstance(value, str)][:1]


def check(answer: httpx.Response, statements: list[str], what: str) -> None:
    is_built = "is not built" not in answer.text  # no report is, in this world: 503
    assert answer.status_code < SERVER_ERROR or not is_built, f"{what}: {answer.status_code} {answer.text[:500]}"
    assert not any(MARK in statement for statement in statements), what
    statements.clear()


def test_a_query_is_a_value(app: FastAPI, admin: httpx.Client, world: World, statements: list[str]) -> None:
    asked = 0
    for operation in operations(app):
        for name in sorted(operation.parameters):
            for payload in PAYLOADS:
                answer = admin.request(operation.method, path_of(operation, world, MINE), params={name: payload})
                check(answer, statements, f"{operation.name}?{name}={payload}")
                asked += 1
    assert asked > 200


def test_a_path_and_a_header_are_values(app: FastAPI, admin: httpx.Client, world: World, statements: list[str]) -> None:
    for operation in operations(app):
        for payload in PAYLOADS[:1]:
            path = operation.path.format(**dict.fromkeys(operation.path_parameters, payload.replace("%", "%25")))
            answer = admin.request(operation.method, path, headers=dict.fromkeys(HEADERS, payload))
            check(answer, statements, f"{operation.method} {path}")


def test_a_body_is_values(app: FastAPI, admin: httpx.Client, world: World, statements: list[str]) -> None:
    for operation in operations(app):
        if operation.body is None or operation.method == "DELETE":
            continue
        example = msgspec.to_builtins(operation.body_example)
        for body in (replaced(example, PAYLOADS[0]), {**example, **dict.fromkeys(_texts(example), PAYLOADS[1])}):
            answer = admin.request(
                operation.method, path_of(operation, world, MINE), json=body, headers={"If-Match": "*"}
            )
            check(answer, statements, f"{operation.name} {body}")


def test_a_login_is_a_value(client: httpx.Client, world: World, statements: list[str]) -> None:
    for payload in (*PAYLOADS, "ana@example.org' --", "ana@example.org\0"):
        answer = client.post(
            "/api/v1/sessions",
            json={"login": payload, "password": "' OR 1=1 --"},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status_code in (401, 422), answer.text
        check(answer, statements, payload)
