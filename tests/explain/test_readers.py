"""Kept connections for explanations: used again, read only, made anew where one was lost."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import psycopg
import pytest

from custom_events.errors import NotFound
from custom_events.history import readers
from custom_events.history.readers import Readers, ask

PID = "SELECT pg_backend_pid()"


@pytest.fixture
def kept(database: str) -> Iterator[Readers]:
    made = Readers(database)
    yield made
    made.close()


async def pid(connection: Any) -> int:
    return await connection.fetchval(PID)


def test_a_connection_is_used_again_and_sees_what_was_written_since(kept: Readers, database: str) -> None:
    async def sites(connection: Any) -> int:
        return await connection.fetchval("SELECT count(*) FROM app.sites")

    first = kept.run(pid)
    assert kept.run(sites) == 0
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO app.sites (site_key, platform, name) VALUES ('a', 'custom', 'A')")
    assert kept.run(sites) == 1
    assert ask(kept, pid) == first
    assert ask(database, pid) != first


def test_nothing_can_be_written_and_an_error_costs_no_connection(kept: Readers) -> None:
    async def write(connection: Any) -> None:
        await connection.execute("DELETE FROM app.sites")

    async def missing(_: Any) -> None:
        raise NotFound("There is none.")

    first = kept.run(pid)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        kept.run(write)
    with pytest.raises(NotFound):
        kept.run(missing)
    assert kept.run(pid) == first


def test_one_that_was_ended_meanwhile_is_made_anew(kept: Readers, database: str) -> None:
    first = kept.run(pid)
    with psycopg.connect(database) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", (first,))
    assert kept.run(pid) != first


def test_old_ones_are_not_used_and_few_are_kept(kept: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kept.run(pid)
    monkeypatch.setattr(readers, "KEPT_S", 0.0)
    second = kept.run(pid)
    assert second != first
    monkeypatch.setattr(readers, "KEPT", 0)
    monkeypatch.setattr(readers, "KEPT_S", 600.0)
    assert kept.run(pid) == second
    assert kept.run(pid) != second


def test_after_the_end_it_begins_anew(database: str) -> None:
    made = Readers(database)
    made.close()
    first = made.run(pid)
    made.close()
    assert made.run(pid) != first
    made.close()


def test_where_nothing_answers_it_fails(database: str) -> None:
    made = Readers("postgresql://127.0.0.1:1/none")
    with pytest.raises(OSError):
        made.run(pid)
    made.close()
