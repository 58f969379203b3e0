"""Lookups find what SQLAlchemy would, and fail as it does."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from custom_events.catalog import assignments, sites
from custom_events.postgres import connect
from custom_events.queries import lookups
from custom_events.queries.lookups import Lookup
from custom_events.values.deliveries import Platform


def _site(engine: sa.Engine) -> int:
    with engine.begin() as connection:
        return sites.create(connection, platform=Platform.CUSTOM, name="One", actor="test").id


def test_a_site_is_found_as_its_service_finds_it(engine: sa.Engine) -> None:
    site_id = _site(engine)
    with engine.begin() as connection:
        assert sites.BY_ID.read(connection, {"site_id": site_id}) == sites.get(connection, site_id)
        assert sites.BY_ID.read(connection, {"site_id": site_id + 1}) is None
        assert assignments.CURRENT.read(connection, {"assignment_id": 1}) is None


def test_what_is_written_in_the_transaction_is_seen_and_rolled_back(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        made = sites.create(connection, platform=Platform.CUSTOM, name="One", actor="test").id
        assert sites.BY_ID.read(connection, {"site_id": made}) is not None
        connection.rollback()
        assert sites.BY_ID.read(connection, {"site_id": made}) is None


def test_it_fails_as_sqlalchemy_does(database: str, engine: sa.Engine) -> None:
    wrong: Lookup[Any] = lookups.of_text("SELECT nothing", lambda row: row)
    mine = connect.engine(database, name="lost")
    with mine.connect() as connection, pytest.raises(DBAPIError, match="nothing"):
        wrong.read(connection, {})
    with mine.connect() as connection:
        pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        with engine.begin() as another:
            another.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(OperationalError):
            sites.BY_ID.read(connection, {"site_id": 1})
        assert connection.invalidated
    mine.dispose()


def test_the_first_error_of_a_transaction_is_the_one_that_is_told(engine: sa.Engine) -> None:
    """A table that is changed for long: 503, and not what the database says of everything that comes after it."""
    with engine.begin() as holder, engine.begin() as connection:
        holder.execute(sa.text("LOCK TABLE app.sites"))
        connection.execute(sa.text("SET LOCAL lock_timeout = '10 ms'"))
        with pytest.raises(OperationalError) as refused:
            sites.BY_ID.read(connection, {"site_id": 1})
        assert getattr(refused.value.orig, "sqlstate", None) == "55P03"
        connection.rollback()


def test_two_things_by_one_statement(database: str, engine: sa.Engine) -> None:
    site_id = _site(engine)
    with engine.begin() as connection:
        right = sites.get(connection, site_id)
    number: Lookup[int] = lookups.of_select(
        sa.select(sa.literal(7).label("seven")).where(sa.bindparam("number", type_=sa.Integer) == 1),
        lambda row: int(row["seven"]),
    )

    async def ask() -> list[Any]:
        connection = await connect.async_reading(database, name="test", lock_limit_ms=1_000, statement_limit_ms=1_000)
        try:
            return [
                await lookups.read_both(connection, (number, {"number": a}), (sites.BY_ID, {"site_id": b}))
                for a, b in ((1, site_id), (2, site_id), (1, 0))
            ]
        finally:
            await connection.close()

    assert asyncio.run(ask()) == [(7, right), (None, right), (7, None)]
