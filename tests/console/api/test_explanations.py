"""Explanations of orders, events and deliveries: of the sites that whoever asks may see, and of no others."""

from typing import Any

import httpx
import sqlalchemy as sa

from custom_events.access import api_keys
from custom_events.access.roles import Grant, Role
from tests.console.api.conftest import problem
from tests.console.api.world import ABSENT, World

PATH = "/api/v1/explanations"


def order(world: World, site_id: int, order_id: str) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO app.orders (site_id, order_id, number, status) VALUES (:site, :order, :order, 'open')"
            ),
            {"site": site_id, "order": order_id},
        )


def ask(client: httpx.Client, **query: Any) -> httpx.Response:
    return client.get(PATH, params=query)


def test_an_order_is_explained_with_amounts_and_times(admin: httpx.Client, world: World) -> None:
    order(world, world.mine.id, "10023")
    found = ask(admin, subject="#10023")
    assert found.status_code == 200, found.text
    assert (found.json()["site_id"], found.json()["order"]["order_id"]) == (world.mine.id, "10023")
    assert ask(admin, subject="10023", rules="now", site_id=world.mine.id).json()["events"] == []


def test_a_delivery_is_explained(admin: httpx.Client, world: World) -> None:
    number = world.raw_events[0]
    (delivery,) = ask(admin, subject=f"raw:{number}").json()["deliveries"]
    assert (delivery["raw_id"], delivery["outcome"]) == (number, "parked")


def test_where_several_sites_have_it_one_is_to_be_named(admin: httpx.Client, world: World) -> None:
    for site in (world.mine, world.theirs):
        order(world, site.id, "10023")
    assert "Several sites" in problem(ask(admin, subject="10023"), 409)["detail"]
    assert ask(admin, subject="10023", site_id=world.theirs.id).json()["site_id"] == world.theirs.id


def test_what_is_not_there_is_not_found(admin: httpx.Client, world: World) -> None:
    problem(ask(admin, subject="nothing"), 404)
    problem(ask(admin, subject=f"raw:{ABSENT}"), 404)
    problem(admin.get(PATH), 422)
    problem(ask(admin, subject="a\0"), 422)


def test_of_other_sites_nothing_is_said(client: httpx.Client, world: World) -> None:
    client.headers.update(world.headers("viewer of mine"))
    order(world, world.mine.id, "10023")
    order(world, world.theirs.id, "10024")

    def details(**query: Any) -> str:
        return str(problem(ask(client, **query), 404)["detail"])

    assert ask(client, subject="10023").status_code == 200
    assert details(subject="10024") == details(subject="99999").replace("99999", "10024")
    theirs, nowhere = world.theirs.id, ABSENT
    assert details(subject="1", site_id=theirs) == details(subject="1", site_id=nowhere).replace(
        str(nowhere), str(theirs)
    )
    raw = world.raw_events[1]
    assert details(subject=f"raw:{raw}") == details(subject=f"raw:{ABSENT}").replace(str(ABSENT), str(raw))
    assignment = _assignment(world)
    known = details(subject="10023", assignment_id=assignment)
    assert known == details(subject="10023", assignment_id=ABSENT).replace(str(ABSENT), str(assignment))


def _assignment(world: World) -> int:
    """An assignment of the other site."""
    with world.engine.begin() as connection:
        definition = connection.execute(
            sa.text("INSERT INTO app.custom_event_definitions (key, name) VALUES ('theirs', 'Theirs') RETURNING id")
        ).scalar_one()
        assignment: int = connection.execute(
            sa.text(
                "INSERT INTO app.site_custom_events (site_id, definition_id, label) VALUES (:s, :d, 'x') RETURNING id"
            ),
            {"s": world.theirs.id, "d": definition},
        ).scalar_one()
        connection.execute(
            sa.text(
                "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author)"
                " VALUES (:a, 1, 'published', '{}', 'test')"
            ),
            {"a": assignment},
        )
    return assignment


def test_who_sees_several_sites_names_one(client: httpx.Client, world: World) -> None:
    grants = tuple(Grant(role=Role.VIEWER, site_id=site.id) for site in (world.mine, world.theirs))
    with world.engine.begin() as connection:
        key = api_keys.make(connection, name="two", grants=grants, actor="test")[1]
    client.headers["Authorization"] = f"Bearer {key}"
    (error,) = problem(ask(client, subject="10023"), 422)["errors"]
    assert error["field"] == "site_id"
    order(world, world.theirs.id, "10023")
    assert ask(client, subject="10023", site_id=world.theirs.id).status_code == 200
