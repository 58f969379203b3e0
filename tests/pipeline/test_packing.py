"""What is packed for a binary COPY is what Postgres reads back: every kind of column, null and at its edges."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from custom_events.pipeline import packing
from custom_events.postgres import connect
from custom_events.tables.registry import TABLES

COLUMNS = ("landed_week", "raw_id", "received_at", "site_id", "outcome", "reason", "detail", "new_events")
ORDER = ("site_id", "order_id", "ordered_at", "total", "refunded", "is_test")
EVENING = timezone(timedelta(hours=-5))


def copied(database: str, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[Any]:
    async def run() -> list[Any]:
        connection = await connect.asyncpg_connect(database, name="test-packing")
        schema, _, name = table.partition(".")

        async def pieces() -> AsyncIterator[bytes]:
            for piece in packing.packer(table, columns)(iter(rows)):
                yield piece

        try:
            await connection.copy_to_table(name, schema_name=schema, columns=columns, source=pieces(), format="binary")
            return await connection.fetch(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[1]}")
        finally:
            await connection.close()

    return [tuple(row) for row in asyncio.run(run())]


def test_many_rows_of_every_kind_come_back(database: str) -> None:
    at = datetime(2026, 11, 22, 20, 0, 0, 123456, tzinfo=UTC)
    weeks = [date(1999, 12, 27), date(2026, 11, 16)]
    rows: list[tuple[Any, ...]] = [
        (weeks[place % 2], place, at - timedelta(days=place), -(2**62) + place, "understood", None, "ü" * place, 2)
        for place in range(3_000)
    ]
    rows.append((weeks[0], 3_000, at.astimezone(EVENING), 1, "parked", "", "\t\\N\n", -3))
    assert copied(database, "app.raw_outcomes", COLUMNS, rows) == rows


def test_amounts_times_and_truth_may_be_null(database: str) -> None:
    rows = [
        (1, "1", None, None, Decimal(0), False),
        (1, "2", datetime(1970, 1, 1, tzinfo=UTC), Decimal("-12345678.9"), Decimal("0.000001"), True),
        (1, "3", None, Decimal("1E+4"), Decimal("10000.5"), True),
    ]
    assert copied(database, "app.orders", ORDER, rows) == rows


def test_words_are_kept_up_to_a_number_and_a_length(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_KEPT_WORDS", 3)
    week, at = date(2026, 11, 16), datetime(2026, 11, 22, tzinfo=UTC)
    words = ["parked", "ü" * packing.MAX_WORD_CHARACTERS, "x" * (packing.MAX_WORD_CHARACTERS + 1), "", None]
    rows = [(week, place, at, 1, "parked", words[place % 5], f"{place}", 0) for place in range(50)]
    assert copied(database, "app.raw_outcomes", COLUMNS, rows) == rows


def test_none_where_none_may_be_is_refused(database: str) -> None:
    row = (date(2026, 11, 16), 1, datetime(2026, 11, 22, tzinfo=UTC), 1, None, None, None, 0)
    with pytest.raises(asyncpg.NotNullViolationError):
        copied(database, "app.raw_outcomes", COLUMNS, [row])


def test_no_rows_are_a_copy_too(database: str) -> None:
    assert copied(database, "app.orders", ORDER, []) == []


def unpacked(packed: bytes) -> Decimal:
    """Reads Postgres' binary numeric."""
    length, count, weight, sign, scale = packing.Struct(">ihhHh").unpack_from(packed)
    assert length == len(packed) - 4 == 8 + 2 * count
    digits = packing.Struct(f">{count}h").unpack_from(packed, 12)
    value = sum(
        (Decimal(digit) * Decimal(10_000) ** (weight - place) for place, digit in enumerate(digits)), Decimal(0)
    )
    assert scale >= 0
    return -value if sign else value


@settings(max_examples=100)
@given(st.decimals(min_value=-(10**14), max_value=10**14, places=6, allow_nan=False))
def test_a_numeric_is_exact(amount: Decimal) -> None:
    packing.numeric.cache_clear()
    assert unpacked(packing.numeric(amount)) == amount


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_amount_is_refused(value: Decimal) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        packing.numeric(value)


def test_a_column_without_a_known_form_is_named() -> None:
    table = next(table for table in TABLES if table.fullname == "app.definition_revisions")
    assert isinstance(table.c.config.type, postgresql.JSONB)
    with pytest.raises(TypeError, match=r"definition_revisions\.config"):
        packing.packer("app.definition_revisions", ("id", "config"))
