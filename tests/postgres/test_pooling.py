"""What stands between us and PostgreSQL and breaks sessions is recognised. pgbouncer 1.18 was tried by hand in all three ways; here
its clients are real connections that are dealt out as it deals them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from typing import Any

import psycopg
import pytest

from custom_events.postgres import pooling

Connection = psycopg.Connection[tuple[object, ...]]


class Client:
    """A client of a pooler: each statement outside of a transaction goes to the next of the server's connections."""

    def __init__(self, servers: Sequence[Connection], in_turns: bool) -> None:
        self._servers, self._turns = servers, cycle(servers) if in_turns else None

    def execute(self, statement: str, values: Sequence[object] = ()) -> Any:
        server = next(self._turns) if self._turns else self._servers[0]
        return server.execute(statement, values)  # type: ignore[arg-type]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield


@pytest.fixture
def pooler(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """Puts a pooler before the database: it deals out its last free connection, or all in turns."""
    direct = pooling._connected
    with ExitStack() as opened:
        servers = [opened.enter_context(direct(database)) for _ in range(3)]

        def put(in_turns: bool) -> None:
            clients = iter([Client(servers[:2], in_turns), Client(servers[2:] if in_turns else servers[:1], False)])

            @contextmanager
            def connected(_: str) -> Iterator[Client]:
                yield next(clients)

            monkeypatch.setattr(pooling, "_connected", connected)

        yield put


def test_a_connection_of_its_own(database: str) -> None:
    assert pooling.problem(database) is None


@pytest.mark.parametrize("in_turns", [False, True])
def test_a_pooler_in_transaction_mode(pooler: Callable[[bool], None], database: str, in_turns: bool) -> None:
    pooler(in_turns)
    assert (pooling.problem(database) or "").startswith("A pooler in transaction mode stands before PostgreSQL")


def test_settings_that_do_not_arrive(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "session_options", lambda _: "-c jit=on")
    assert "jit is on, not off" in (pooling.problem(database) or "")


def test_settings_that_are_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> Connection:
        raise psycopg.OperationalError("connection failed\nFATAL:  unsupported startup parameter: options")

    monkeypatch.setattr(pooling, "_connected", refuse)
    assert "refuses the settings of our sessions (FATAL:  unsupported" in (pooling.problem(database) or "")
