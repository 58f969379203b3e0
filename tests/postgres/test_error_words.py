"""No value of a row stands in the words of an error, whichever driver raises it."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from custom_events.postgres import connect
from custom_events.postgres.error_words import without_values

SOMEBODY = "annelotte@example.org"
# What a person's value breaks: a column that must not be empty, a type, a key.
BREAKING = (
    "INSERT INTO app.customers (site_id, customer_key) VALUES (NULL, '{}')",
    "SELECT CAST('{}' AS integer)",
    "SELECT CAST('{}' AS jsonb)",
    "SELECT ('{}' || chr(10) || 'x')::uuid",
    "INSERT INTO app.people (login, display_name) VALUES ('{0}', 'x'), ('{0}', 'x')",
)


def of_psycopg(engine: sa.Engine, statement: str) -> Exception:
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as raised:
        connection.exec_driver_sql(statement)
    return raised.value


def of_asyncpg(engine: sa.Engine, statement: str, *values: object) -> Exception:
    async def main() -> Exception:
        connection = await connect.asyncpg_connect(connect.libpq_url(engine))
        try:
            with pytest.raises(asyncpg.PostgresError) as raised:
                await connection.fetch(statement, *values)
            return raised.value
        finally:
            await connection.close()

    return asyncio.run(main())


@pytest.mark.parametrize("driver", [of_psycopg, of_asyncpg])
@pytest.mark.parametrize("statement", BREAKING)
def test_no_value_is_said(engine: sa.Engine, driver: Callable[..., Any], statement: str) -> None:
    if driver is of_psycopg:  # whose message shows the statement, which is ours and binds its values
        statement = statement.replace("'{}'", "current_setting('test.of')").replace(
            "'{0}'", "current_setting('test.of')"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET test.of = '{SOMEBODY}'")
            with pytest.raises(sa.exc.DBAPIError) as raised:
                connection.exec_driver_sql(statement)
        error: Exception = raised.value
    else:
        error = driver(engine, statement.format(SOMEBODY))
    assert SOMEBODY not in f"{error} {error!r} {getattr(error, 'orig', '')}"
    assert any(word in str(error) for word in ("violates", "invalid input syntax"))


def test_what_a_driver_refuses_itself(engine: sa.Engine) -> None:
    error = of_asyncpg(engine, "SELECT $1::integer", SOMEBODY)
    assert str(error) == "invalid input for query argument $1"


def test_other_errors_say_all_that_they_know(engine: sa.Engine) -> None:
    for driver in (of_psycopg, of_asyncpg):
        assert "HINT:" in str(driver(engine, "SELECT now() + 1 + 'x'::text")), driver
    text = 'role "x" may not\nDETAIL:  Only superusers may.'
    assert without_values(text, "42501") == text
