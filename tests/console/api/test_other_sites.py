"""Ids of another site in the query of a list and in a body: nothing of it is seen, and nothing of it changes. (Paths: test_rights.py.)"""

from typing import Any

import httpx
import msgspec
import sqlalchemy as sa
from fastapi import FastAPI

from console.api.operations import Operation
from console.api.rights import Scope
from tests.console.api.shared_world import admin, app, client, database, engine, settings, world
from tests.console.api.test_rights import MINE, operations, path_of
from tests.console.api.world import THEIRS, World

__all__ = ["admin", "app", "client", "database", "engine", "settings", "world"]  # fixtures

SERVER_ERROR = 500
REFUSED = (403, 404, 409, 422, 503)  # 503: reports are not built in this world, whosever they are
BODY_IDS = ("site_id", "site_ids", "from_site_id", "to_site_id", "assignment_id", "assignment_ids")


def test_ids_of_another_site_open_nothing(app: FastAPI, client: httpx.Client, world: World) -> None:
    """As filters of lists, where they stand beside what one may see; and as what a body names."""
    client.headers.update(world.headers("administrator of mine"))
    ids = {"site_id": world.theirs.id, "assignment_id": world.places["assignment_id"][1], "search": THEIRS}
    for operation in operations(app):
        if operation.method != "GET" or operation.right.scope is Scope.ALL_SITES:
            continue
        for name in operation.parameters & ids.keys():
            answer = client.get(path_of(operation, world, MINE), params={name: ids[name]})
            assert answer.status_code < SERVER_ERROR
            words = answer.text.lower().replace(f"search={THEIRS}", "").replace(f'"{THEIRS}"', "")
            assert THEIRS not in words, f"{operation.name}?{name}"


def naming(value: Any, world: World) -> Any:
    """The same body with every id that it names replaced by one of the other site's."""
    if isinstance(value, list | tuple):
        return [naming(inner, world) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _theirs(name, inner, world) if name in BODY_IDS and inner is not None else naming(inner, world)
        for name, inner in value.items()
    }


def _theirs(name: str, value: Any, world: World) -> Any:
    theirs = world.places["assignment_id" if name.startswith("assignment") else "site_id"][1]
    return [theirs] if isinstance(value, list | tuple) else theirs


def snapshot(engine: sa.Engine, world: World) -> list[Any]:
    """What is configured and asked for of the other site."""
    tables = ("sites", "site_custom_events", "site_secrets", "role_grants", "store_api_keys")
    with engine.connect() as connection:
        return [
            connection.execute(
                sa.text(
                    f"SELECT to_jsonb(t)::text FROM app.{table} t WHERE {'id' if table == 'sites' else 'site_id'} = :site ORDER BY 1"
                ),
                {"site": world.theirs.id},
            ).all()
            for table in tables
        ]


def test_a_body_that_names_another_site_changes_nothing_of_it(
    app: FastAPI, client: httpx.Client, world: World, engine: sa.Engine
) -> None:
    client.headers.update(world.headers("administrator of mine"))
    before, asked = snapshot(engine, world), 0
    for operation in operations(app):
        example = _example(operation)
        body = naming(example, world)
        if body == example:
            continue
        answer = client.request(operation.method, path_of(operation, world, MINE), json=body, headers={"If-Match": "*"})
        assert answer.status_code in REFUSED, (
            f"{operation.name} {body}: {answer.status_code} {answer.text[:300]}"
        )
        assert THEIRS not in answer.text.lower(), operation.name
        asked += 1
    assert asked > 5
    assert snapshot(engine, world) == before


def _example(operation: Operation) -> Any:
    return None if operation.body is None else msgspec.to_builtins(operation.body_example)
