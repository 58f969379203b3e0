"""Connections carry a name, limits and UTC, whichever driver makes them."""

import asyncio

import pytest
import sqlalchemy as sa

from custom_events.postgres import connect

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
