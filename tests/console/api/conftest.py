"""The real app on a real database, asked as a client would."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from fastapi import FastAPI
from pydantic import SecretStr

from console.api.app import create_app
from custom_events.operations.kinds import KINDS
from custom_events.operations.runner import Runner
from custom_events.postgres import connect
from custom_events.settings import Settings
from tests.conftest import named
from tests.console.api.asking import asking
from tests.console.api.world import World

WORLD = "console_world"


@pytest.fixture(scope="session")
def _key() -> SecretStr:
    """What secrets are encrypted with; one for all, since they are copied with their database."""
    return SecretStr(Fernet.generate_key().decode())


@pytest.fixture(scope="session")
def _world(postgres_url: str, _template: str, _key: SecretStr) -> World:
    """The world as every test finds it, in the database WORLD: made once, since passwords take their time, and copied."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {WORLD} TEMPLATE {_template}")
    made = connect.engine(named(postgres_url, WORLD), name="tests")
    world = World(made, Settings(_env_file=None, secret_key=_key))
    made.dispose()  # nobody may be connected to what is copied
    return world


@pytest.fixture
def template(request: pytest.FixtureRequest, _template: str) -> str:
    """The world's database for tests that have a world."""
    if "world" not in request.fixturenames:
        return _template
    request.getfixturevalue("_world")
    return WORLD


@pytest.fixture
def settings(tmp_path: Path, _key: SecretStr) -> Settings:
    """Those of an installation of the test's own, in which long operations wait until a test does them."""
    return Settings(
        _env_file=None, local_directory=tmp_path, secret_key=_key, operations_at_once=0, operation_events_s=0.1
    )


@pytest.fixture
def app(database: str, settings: Settings) -> FastAPI:
    return create_app(database, settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    """Nobody in particular. What the app fails at unexpectedly is an answer, as it is for clients."""
    with asking(app) as made:
        yield made


@pytest.fixture
def world(engine: sa.Engine, settings: Settings, _world: World) -> World:
    """Two sites with something of everything, and keys of every kind."""
    return _world.of(engine, settings)


@pytest.fixture
def admin(client: httpx.Client, world: World) -> httpx.Client:
    """An administrator of all sites."""
    client.headers.update(world.headers("administrator"))
    return client


@pytest.fixture
def runner(database: str, settings: Settings) -> Iterator[Runner]:
    """Does an operation when it is told to."""
    made = Runner(database, settings, KINDS)
    yield made
    made.stop()


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem document of an answer, which must be one with this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["request_id"] == answer.headers["X-Request-Id"]
    return document
