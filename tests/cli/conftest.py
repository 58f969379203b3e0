"""The command in an empty directory; beside the database and from afar, by the API of a server."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from pydantic import SecretStr

from cli.afar import server
from cli.main import main
from console.api.app import create_app
from custom_events import logs
from custom_events.access import api_keys
from custom_events.access.roles import Grant, Role
from custom_events.settings import Settings, settings
from tests.backtest.conftest import PastWorld
from tests.console.api.asking import AppTransport, asking

Run = Callable[..., Result]
KEY = Fernet.generate_key().decode()
URL = "http://127.0.0.1:8080"
WAYS = ("here", "afar")
Ask = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`run("status", "--json", DATABASE_URL=...)`: the command in an empty directory, with these variables and no others of ours."""
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def invoke(*arguments: str, given: str | None = None, **variables: str) -> Result:
        settings.cache_clear()
        return CliRunner().invoke(main, arguments, env=variables, input=given)

    yield invoke
    settings.cache_clear()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def key(engine: sa.Engine) -> str:
    """An administrator's."""
    with engine.begin() as connection:
        return api_keys.make(connection, name="afar", grants=(Grant(role=Role.ADMINISTRATOR),), actor="test")[1]


@pytest.fixture
def console(run: Run, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A console on the database of the test, which --server reaches."""
    settings = Settings(_env_file=None, local_directory=tmp_path, secret_key=SecretStr(KEY), console_url=URL)
    logs.configure("console", level="ERROR")  # it runs in our process, and would log between the lines of the command
    with asking(create_app(database, settings)) as client:
        transport = client._transport
        assert isinstance(transport, AppTransport)
        monkeypatch.setattr(server, "transport", transport)
        yield


@pytest.fixture
def ask(run: Run, database: str, console: None, key: str, way: str) -> Ask:
    """`ask("site", "list")`: the output of a verb, in this way; fails unless it ends with `code`."""

    def asked(*words: str, given: str | None = None, code: int = 0) -> str:
        if way == "here":
            found = run(*words, given=given, DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=KEY)
        else:
            found = run("--server", URL, *words, given=given, DATABASE_URL="none", CUSTOM_EVENTS_API_KEY=key)
        assert found.exit_code == code, found.output
        return found.output

    return asked


@pytest.fixture
def world(database: str, engine: sa.Engine) -> PastWorld:
    """One site with a rule, two orders of 100 and 200 EUR."""
    made = PastWorld(database, engine)
    site, action = made.site(), made.action()
    made.assign(site, made.define("bought"), ads_action=action)
    made.order(site, 1, 5)
    made.order(site, 2, 6, total_price="200.00")
    made.drain()
    return made
