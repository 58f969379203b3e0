"""Of events of one moment the key decides, by code point: also in a database that sorts text as a language does."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.postgres import migrate
from tests.pipeline.conftest import world_of

NUMBERS = count(1)
SECOND = {"threshold": {"at_least": "2", "scope": "site"}}
SECOND_OF_CUSTOMER = {"threshold": {"at_least": "2"}}
REPEAT = {"conditions": {"field": "customer.orders_before", "op": ">=", "value": 1}}


@pytest.fixture
def english(postgres_url: str) -> Iterator[str]:
    """A migrated database in which "a" comes before "B"."""
    name = f"english_{next(NUMBERS)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        try:
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C.UTF-8'"
            )
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("this server knows no languages (--postgres=machine does)")
        url = sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        migrate.upgrade(url)
        yield url
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("first", ["a", "B"])
@pytest.mark.parametrize("rule", [SECOND, SECOND_OF_CUSTOMER, REPEAT], ids=["site", "customer", "before"])
def test_capitals_come_first_whatever_the_database_sorts_by(
    english: str, order: Any, noon: datetime, first: str, rule: dict[str, Any]
) -> None:
    async def test() -> None:
        async with world_of(english) as world:
            assert await world.value("SELECT 'a' < 'B'")
            site = world.site(platform="custom")
            world.rule(site, **rule)
            for number in (first, "B" if first == "a" else "a"):
                at = noon.isoformat()
                body = {"type": "order.paid", "occurred_at": at, "customer": {"id": "k"}, "order": {"id": number, "total": "9", "currency": "EUR", "paid_at": at}}  # fmt: skip
                world.land(site, "order.paid", body)
                await world.batch()
            assert await world.rows("SELECT order_id FROM app.custom_events WHERE withdrawn_at IS NULL") == [("a",)]

    asyncio.run(test())
