"""Runners that do an operation when they are told to, of kinds that a test makes up."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.access.roles import Role
from custom_events.catalog.audit import Origin
from custom_events.operations import operation
from custom_events.operations.operation import LongOperation
from custom_events.operations.runner import Kind, Runner
from custom_events.settings import Settings

Make = Callable[[Kind], Runner]


class KilledError(BaseException):
    """The process ends without a word."""


@pytest.fixture
def runner_of(database: str) -> Iterator[Make]:
    """A runner whose only kind, `work`, is done by a function."""
    made: list[Runner] = []

    def make(kind: Kind) -> Runner:
        made.append(Runner(database, Settings(_env_file=None), {"work": kind}))
        return made[-1]

    yield make
    for runner in made:
        runner.stop()


def ask(engine: sa.Engine, kind: str = "work", request: dict[str, Any] | None = None, **more: Any) -> int:
    """The id of a new operation."""
    values: dict[str, Any] = {
        "role": Role.EDITOR,
        "site_ids": None,
        "actor": "ana",
        "origin": Origin(source="api"),
        **more,
    }
    with engine.begin() as connection:
        return operation.ask(connection, kind, request or {}, **values).id


def read(engine: sa.Engine, operation_id: int) -> LongOperation:
    """The operation as it stands."""
    with engine.connect() as connection:
        return operation.get(connection, operation_id)


def cancel(engine: sa.Engine, operation_id: int) -> LongOperation:
    """Somebody asks for its end."""
    with engine.begin() as connection:
        return operation.cancel(connection, operation_id)


def end_lease(engine: sa.Engine) -> None:
    """Nothing was heard of workers for long."""
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE app.operations SET lease_until = now() - interval '1 s' WHERE state = 'running'")
        )
