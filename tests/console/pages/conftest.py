"""The real app on a real database, asked as a browser would. Each file of tests has one world, which its tests share: they change what they
made themselves."""

from collections.abc import Iterator

import httpx
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
from tests.conftest import fresh
from tests.console.api.asking import asking
from tests.console.api.world import PASSWORD, World

BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Those of an installation of the file's own, in which long operations wait until a test does them."""
    key = SecretStr(Fernet.generate_key().decode())
    directory = tmp_path_factory.mktemp("local")
    return Settings(_env_file=None, local_directory=directory, secret_key=key, operations_at_once=0)


@pytest.fixture(scope="module")
def database(postgres_url: str, _template: str) -> Iterator[str]:
    """URL of a migrated database of the file's own."""
    yield from fresh(postgres_url, _template)


@pytest.fixture(scope="module")
def engine(database: str) -> Iterator[sa.Engine]:
    made = connect.engine(database, name="tests")
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def world(engine: sa.Engine, settings: Settings) -> World:
    """Two sites with something of everything, and keys of every kind."""
    return World(engine, settings)


@pytest.fixture(scope="module")
def app(database: str, settings: Settings) -> FastAPI:
    return create_app(database, settings)


@pytest.fixture(scope="module")
def asked(app: FastAPI) -> Iterator[httpx.Client]:
    """A client whose app runs as long as the file's tests do."""
    with asking(app) as made:
        yield made


@pytest.fixture
def client(asked: httpx.Client) -> httpx.Client:
    """Nobody in particular."""
    asked.cookies.clear()
    return asked


@pytest.fixture(scope="module")
def runner(database: str, settings: Settings) -> Iterator[Runner]:
    """Does an operation when it is told to."""
    made = Runner(database, settings, KINDS)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser(app: FastAPI, world: World) -> Iterator[httpx.Client]:
    """Ana, an administrator, as she has just signed in."""
    with asking(app) as made:
        made.headers.update(BROWSER)
        answer = made.post("/sign-in", data={"login": "ana@example.org", "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield made
