"""One world for the tests of a file, which leave each other's rows alone; and an administrator's client of it."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from tests.console.api.asking import asking
from tests.console.api.world import World
from tests.console.pages.conftest import app, database, engine, settings, world

__all__ = ["admin", "app", "client", "database", "engine", "settings", "world"]


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with asking(app) as made:
        yield made


@pytest.fixture
def admin(client: httpx.Client, world: World) -> httpx.Client:
    client.headers.update(world.headers("administrator"))
    return client
