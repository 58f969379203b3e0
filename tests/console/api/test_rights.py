"""Laws over every route: who is not known gets in nowhere, a role is enough or it is not, and of another site nothing is seen, and
nothing can be guessed."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI

from console.api.operations import Operation
from console.api.rights import Right, Scope
from console.api.routing import operation_of
from custom_events.access.roles import Role
from tests.console.api.conftest import problem
from tests.console.api.world import THEIRS, World

MINE, SOMEBODY_ELSES, NOWHERE = range(3)


def operations(app: FastAPI) -> list[Operation]:
    """Those that ask for a right."""
    found = [operation_of(getattr(route, "endpoint", None)) for route in app.routes]
    return [one for one in found if one is not None and one.right.scope is not Scope.OPEN]


def path_of(operation: Operation, world: World, which: int) -> str:
    """The path with values of the world in the place of its parameters."""
    names = re.findall(r"\{(\w+)\}", operation.path)
    unknown = set(names) - world.places.keys()
    assert not unknown, f"tests/console/api/world.py, `places`, has no values for {unknown}: add them"
    return operation.path.format(**{name: world.places[name][which] for name in names})


def ask(client: httpx.Client, operation: Operation, path: str, headers: dict[str, str]) -> httpx.Response:
    """The operation with its own example as the body."""
    body = {} if operation.body is None else {"json": msgspec.to_builtins(operation.body_example)}
    more = {"If-Match": "*"} if operation.needs_tag else {}
    return client.request(operation.method, path, headers={**headers, **more}, **body)


def test_who_is_not_known_gets_in_nowhere(app: FastAPI, client: httpx.Client, world: World) -> None:
    elsewhere = {"Host": "events.example"}  # so that figures are not those of a machine of one's own
    wrong = {**elsewhere, "Authorization": f"Bearer ce_00000000_{'x' * 43}"}
    for operation in operations(app):
        path = path_of(operation, world, MINE)
        for headers in (elsewhere, wrong, {**elsewhere, "Authorization": "Basic eDp4"}):
            answer = ask(client, operation, path, headers)
            problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_role_is_enough_or_it_is_not(app: FastAPI, client: httpx.Client, world: World) -> None:
    for operation in operations(app):
        for role, headers in _by_role(world, operation.right):
            elsewhere = {"Host": "events.example"} if operation.right.local else {}
            answer = ask(client, operation, path_of(operation, world, MINE), {**headers, **elsewhere})
            if operation.right.role is None or role.rank >= operation.right.role.rank:
                assert answer.status_code not in (401, 403), f"{operation.name} {role}: {answer.text}"
            else:
                assert problem(answer, 403)["type"].endswith(":forbidden"), f"{operation.name} {role}"


def _by_role(world: World, right: Right) -> Iterator[tuple[Role, dict[str, str]]]:
    for role in Role:  # the least first: what the greater ones do may take the thing away
        yield role, world.headers(f"{role} of mine" if right.scope is Scope.ONE_SITE else role.value)


def test_a_role_on_one_site_is_none_on_all(app: FastAPI, client: httpx.Client, world: World) -> None:
    asked = [one for one in operations(app) if one.right.scope is Scope.ALL_SITES]
    assert asked
    for operation in asked:
        headers = {**world.headers("administrator of mine"), "Host": "events.example"}
        problem(ask(client, operation, path_of(operation, world, MINE), headers), 403)


def test_what_is_of_another_site_answers_as_what_is_nowhere(app: FastAPI, client: httpx.Client, world: World) -> None:
    """In words and in status, for whoever may do everything on their own site. Ids apart, which they sent themselves."""
    for operation in operations(app):
        if "{" not in operation.path:
            continue
        headers = world.headers("administrator of mine")
        answers = [
            _without_ids(ask(client, operation, path_of(operation, world, which), headers), world, which)
            for which in (SOMEBODY_ELSES, NOWHERE)
        ]
        assert answers[0] == answers[1], operation.name
        assert answers[0][0] == (403 if operation.right.scope is Scope.ALL_SITES else 404), operation.name


def _without_ids(answer: httpx.Response, world: World, which: int) -> tuple[int, dict[str, Any]]:
    text = answer.text
    for values in world.places.values():
        text = re.sub(rf"\b{values[which]}\b", "ID", text)
    return answer.status_code, {**msgspec.json.decode(text), "request_id": ""}


def test_lists_show_nothing_of_another_site(app: FastAPI, client: httpx.Client, world: World) -> None:
    for operation in operations(app):
        if operation.method != "GET":
            continue
        path = path_of(operation, world, MINE)
        for role in Role:
            answer = client.get(path, headers={**world.headers(f"{role} of mine"), "Host": "events.example"})
            assert THEIRS not in answer.text.lower(), operation.name
