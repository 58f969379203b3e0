"""Connections carry a name, limits and UTC, whichever driver makes them."""

import asyncio
import os
import signal

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.postgres import connect

BACKEND = sa.text("SELECT pg_backend_pid()")
SETTINGS = "SELECT current_setting('application_name'), current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('TimeZone'), current_setting('jit')"


def test_engine(database: str) -> None:
    engine = connect.engine(database, name="a test", lock_limit_ms=2_000, statement_limit_ms=3_000)
    with engine.connect() as connection:
        assert connection.execute(sa.text(SETTINGS)).one() == ("a test", "2s", "3s", "UTC", "off")
    engine.dispose()


def test_asyncpg(database: str) -> None:
    async def ask() -> tuple[object, ...]:
        connection = await connect.asyncpg_connect(database, name="a test", lock_limit_ms=2_000)
        try:
            assert await connection.fetchval("""SELECT '{"a": 1}'::json""") == '{"a": 1}'
            return tuple(await connection.fetchrow(SETTINGS) or ())
        finally:
            await connection.close()

    assert asyncio.run(ask()) == ("a test", "2s", "0", "UTC", "off")


@pytest.mark.parametrize("is_lost", [False, True], ids=["a server that does not answer", "a lost connection"])
def test_what_was_done_does_not_fail_when_its_connection_is_closed(
    database: str, engine: sa.Engine, is_lost: bool
) -> None:
    async def close() -> None:
        connection = await connect.asyncpg_connect(database)
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        if is_lost:
            with engine.connect() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
            await connect.asyncpg_close(connection, 60.0)
        else:
            os.kill(backend, signal.SIGSTOP)
            try:
                await connect.asyncpg_close(connection, 0.05)
            finally:
                os.kill(backend, signal.SIGCONT)
        assert connection.is_closed()

    asyncio.run(close())


def test_a_connection_that_ended_while_nobody_used_it_is_not_handed_out(database: str, engine: sa.Engine) -> None:
    mine = connect.engine(database, name="idle")
    with mine.connect() as connection:
        first = connection.execute(BACKEND).scalar_one()
        with mine.connect() as another:
            second = another.execute(BACKEND).scalar_one()
    with engine.begin() as connection:
        ended = sa.text("SELECT pg_terminate_backend(pid, 5000) FROM unnest(CAST(:pids AS int[])) pid")
        assert connection.execute(ended, {"pids": [first, second]}).scalars().all() == [True, True]
    for _ in range(3):
        with mine.connect() as connection:
            assert connection.execute(BACKEND).scalar_one() not in (first, second)
    mine.dispose()


def test_a_connection_that_was_closed_here_is_not_handed_out(database: str) -> None:
    mine = connect.engine(database, name="closed")
    with mine.connect() as connection:
        driver = connection.connection.driver_connection
    assert driver is not None
    driver.close()
    with mine.connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1
    mine.dispose()


def test_a_connection_that_comes_back_after_its_engine_was_disposed_of_is_closed(database: str) -> None:
    mine = connect.engine(database, name="late")
    with mine.connect() as connection:
        late = connection.connection.driver_connection
        mine.dispose()
        assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1, "what is under way is not disturbed"
    assert late is not None
    assert late.closed
    with mine.connect() as connection:
        later = connection.connection.driver_connection
    assert later is not None
    assert not later.closed
    mine.dispose()
    assert later.closed


def test_a_connection_of_an_event_loop_only_reads(database: str) -> None:
    async def ask() -> tuple[object, object]:
        connection = await connect.async_reading(database, name="a test", lock_limit_ms=2_000, statement_limit_ms=3_000)
        try:
            settings = f"SELECT ARRAY[{SETTINGS.removeprefix('SELECT ')}] AS settings"
            row = await (await connection.execute(settings)).fetchone()
            assert row is not None
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                await connection.execute("CREATE TABLE app.no (id int)")
            json = await (await connection.execute("""SELECT '{"a": 1.5}'::json AS json""")).fetchone()
            return tuple(row["settings"]), json
        finally:
            await connection.close()

    assert asyncio.run(ask()) == (("a test", "2s", "3s", "UTC", "off"), {"json": {"a": 1.5}})


def test_options_in_the_url_are_kept(database: str) -> None:
    engine = connect.engine(database + "&options=-c%20work_mem%3D7MB")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SHOW work_mem")).scalar_one() == "7MB"
    engine.dispose()


def test_receiver_has_its_role_with_both_drivers(database: str) -> None:
    url = connect.receiver_url(database)
    engine = connect.engine(url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT current_user")).scalar_one() == "custom_events_receiver"
    engine.dispose()

    async def ask() -> object:
        connection = await connect.asyncpg_connect(url)
        try:
            return await connection.fetchval("SELECT current_user")
        finally:
            await connection.close()

    assert asyncio.run(ask()) == "custom_events_receiver"


def test_receiver_url_keeps_the_rest_of_the_address() -> None:
    made = connect.receiver_url(
        "postgresql://me:p%40ss@db.example.org:6432/shop?sslmode=require&options=-c%20jit%3Doff"
    )
    assert made == (
        "postgresql://me:p%40ss@db.example.org:6432/shop"
        "?sslmode=require&options=-c%20jit%3Doff%20-c%20role%3Dcustom_events_receiver"
    )
    assert connect.receiver_url("postgresql://db/shop").endswith("/shop?options=-c%20role%3Dcustom_events_receiver")


def test_errors_do_not_show_what_a_statement_was_given(database: str) -> None:
    engine = connect.engine(database)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as error:
        connection.execute(sa.text("SELECT 1 / (length(:secret) - 5)"), {"secret": "apple"})
    engine.dispose()
    assert "division by zero" in str(error.value)
    assert "apple" not in str(error.value)
