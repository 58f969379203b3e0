"""Alarms, open and past, the newest or the oldest first."""

import httpx
import pytest
import sqlalchemy as sa

from tests.console.api.conftest import problem
from tests.console.api.world import World

PATH = "/api/v1/alarms"


@pytest.fixture
def alarms(world: World) -> World:
    """Three alarms, of which the second is past."""
    with world.engine.begin() as connection:
        for number, name in enumerate(("AccountParked", "BacklogGrows", "AccountParked")):
            connection.execute(
                sa.text(
                    "INSERT INTO app.alarms (key, name, severity, place, sentence, remedy, opened_at, seen_at, closed_at)"
                    " VALUES (:key, :name, 'warning', '{\"account\": \"1\"}', 's', 'r', now(), now(),"
                    " CASE WHEN :past THEN now() END)"
                ),
                {"key": f"{name}{number}", "name": name, "past": number == 1},
            )
    return world


def names(client: httpx.Client, **query: str) -> list[str]:
    return [alarm["key"] for alarm in client.get(PATH, params=query).json()["items"]]


def test_alarms_are_found_by_state_and_name(admin: httpx.Client, alarms: World) -> None:
    assert names(admin) == ["AccountParked2", "BacklogGrows1", "AccountParked0"]
    assert names(admin, state="open") == ["AccountParked2", "AccountParked0"] == names(admin, name="AccountParked")
    assert names(admin, state="past") == ["BacklogGrows1"]
    problem(admin.get(PATH, params={"state": "gone"}), 422)


def test_pages_show_every_alarm_once(admin: httpx.Client, alarms: World) -> None:
    first = admin.get(PATH, params={"limit": 2}).json()
    second = admin.get(PATH, params={"limit": 2, "after": first["next"]}).json()
    assert [alarm["key"] for alarm in first["items"] + second["items"]] == names(admin)
    assert second["next"] is None
    assert names(admin, order="oldest") == names(admin)[::-1]
    oldest = admin.get(PATH, params={"limit": 2, "order": "oldest"}).json()
    rest = admin.get(PATH, params={"limit": 2, "order": "oldest", "after": oldest["next"]}).json()
    assert [alarm["key"] for alarm in oldest["items"] + rest["items"]] == names(admin)[::-1]
    problem(admin.get(PATH, params={"after": oldest["next"]}), 422)  # a place of the list in the other order
    problem(admin.get(PATH, params={"order": "odd"}), 422)
