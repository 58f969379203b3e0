"""Ids of another site in the query of a list and in a body: nothing of it is seen, and nothing of it changes. (Paths: test_rights.py.)"""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import sqlalchemy as sa
from fastapi import FastAPI

from console.api.operations import Operation
from console.api.rights import Scope
from tests.console.api.shared_world import admin, app, client, database, engine, settings, world
from tests.console.api.test_rights import MINE, SOMEBODY_ELSES, operations, path_of
from tests.console.api.world import THEIRS, World

__all__ = ["admin", "app", "client", "database", "engine", "settings", "world"]  # fixtures

SERVER_ERROR = 500
REFUSED = (403, 404, 409, 422)
BODY_IDS = {"site_id", "site_ids", "assignment_id"}


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


def bodies(operation: Operation, world: World) -> Iterator[dict[str, Any]]:
    """The operation's example with an id of the other site in each field that takes one."""
    if operation.body is None:
        return
    example = msgspec.json.decode(msgspec.json.encode(operation.body_example))
    for name in {field.encode_name for field in msgspec.structs.fields(operation.body)} & BODY_IDS:
        theirs = world.places[name.removesuffix("s")][SOMEBODY_ELSES]
        yield {**example, name: [theirs] if name.endswith("s") else theirs}
    if "actions" in example:
        assign = {**example["actions"][0], "sites": None, "site_ids": [world.theirs.id]}
        yield {
            **example,
            "dry_run": False,
            "actions": [{name: value for name, value in assign.items() if value is not None}],
        }


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
        if operation.right.scope is Scope.ALL_SITES:
            continue
        for body in bodies(operation, world):
            answer = client.request(
                operation.method, path_of(operation, world, MINE), json=body, headers={"If-Match": "*"}
            )
            said = f"{operation.name} {body}: {answer.status_code} {answer.text[:300]}"
            refused = answer.status_code in REFUSED or "is not built" in answer.text
            assert refused or answer.json()["site_ids"] == [world.mine.id], (
                said
            )  # a filter of what is exported of one's own
            assert THEIRS not in answer.text.lower(), said
            asked += 1
    assert asked > 10
    assert snapshot(engine, world) == before
