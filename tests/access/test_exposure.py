"""Before others reach the console, passwords are encrypted on their way and there is an administrator."""

import base64
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from custom_events.access import exposure, people
from custom_events.access.roles import Grant, Role
from custom_events.settings import Settings
from custom_events.values.hosts import is_local


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_addresses_of_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"console_host": "0.0.0.0"}, "in clear"),
        ({"console_url": "http://events.example"}, "in clear"),
        ({"console_url": "https://events.example"}, "no administrator"),
    ],
)
def test_what_must_be_done_first(engine: sa.Engine, changes: dict[str, Any], words: str | None) -> None:
    with engine.connect() as connection:
        found = exposure.problem(connection, Settings(_env_file=None, **changes))
    assert (found is None) if words is None else (found is not None and words in found)


def test_with_an_administrator_others_may_come(engine: sa.Engine, tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, local_directory=tmp_path, console_url="https://events.example", console_host="0.0.0.0"
    )
    with engine.begin() as connection:
        people.add(connection, login="ben", display_name="Ben", grants=(Grant(role=Role.VIEWER),), actor="me")
        assert exposure.problem(connection, settings) is not None
        people.add(connection, login="ana", display_name="Ana", grants=(Grant(role=Role.ADMINISTRATOR),), actor="me")
        assert exposure.problem(connection, settings) is None


def test_a_key_that_was_typed_is_none_for_the_public(engine: sa.Engine, tmp_path: Path) -> None:
    typed = base64.urlsafe_b64encode(b"0123456789abcdef" * 2).decode()
    public = {"console_url": "https://events.example", "local_directory": tmp_path}
    with engine.begin() as connection:
        people.add(connection, login="ana", display_name="Ana", grants=(Grant(role=Role.ADMINISTRATOR),), actor="me")
        found = exposure.problem(connection, Settings(_env_file=None, secret_key=SecretStr(typed), **public))
        assert found is not None
        assert "was not made at random" in found
