"""The console under its own login: every page of lists, changes and long operations need no more rights than it has."""

from typing import Any

import pytest
import sqlalchemy as sa

from console.api.app import create_app
from custom_events.operations.kinds import KINDS
from custom_events.operations.runner import Runner
from custom_events.postgres import role_logins
from custom_events.postgres.role_logins import Program
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.world import World

# One list of each kind, by their own statements.
LISTS = [
    "sites",
    "custom-events",
    "commerce-events",
    "raw-events",
    "refused-events",
    "uploads",
    "definitions",
    "assignments",
    "ads-accounts",
    "alarms",
    "audit-entries",
    "people",
    "api-keys",
    "operations",
    "bulk-changes",
    "saved-views",
    "privacy-requests",
    "settings",
]


@pytest.fixture
def url(engine: sa.Engine) -> str:
    """The address of the console's login."""
    with engine.begin() as connection:
        return role_logins.make(connection, [Program.CONSOLE])[Program.CONSOLE]


def test_it_serves_changes_and_runs_long_operations(url: str, world: World, settings: Settings) -> None:
    with asking(create_app(url, settings)) as client:
        client.headers.update(world.headers("administrator"))
        for name in LISTS:
            answer = client.get(f"/api/v1/{name}")
            assert answer.status_code == 200, (name, answer.text)
        for path in ("/readyz", "/metrics", "/api/v1/status"):
            assert client.get(path).status_code == 200, path
        site: dict[str, Any] = {"platform": "custom", "name": "Its own", "currency": "EUR"}
        assert client.post("/api/v1/sites", json=site).status_code == 201
        replay = {"site_ids": [world.mine.id], "write": True, "reason": "the parser was mended"}
        paths = [
            client.post("/api/v1/replays", json=replay).headers["location"],
            client.post("/api/v1/exports", json={"list": "uploads"}).headers["location"],
        ]
        runner = Runner(url, settings, KINDS)
        try:
            assert all(runner.run_next() for _ in paths)
        finally:
            runner.stop()
        assert [client.get(path).json()["state"] for path in paths] == ["succeeded"] * 2
