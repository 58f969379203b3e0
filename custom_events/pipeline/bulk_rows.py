"""Rows in and out of Postgres by asyncpg: COPY, columns of keys, surrogate keys."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from custom_events.pipeline.packing import packer
from custom_events.queries import understanding as sql

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = Any

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_IDS = msgspec.json.Decoder(list[int])


async def copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows into `schema.table`; they are packed while Postgres reads the first of them."""
    schema, _, name = table.partition(".")
    pieces = _given(packer(table, tuple(columns))(rows))
    await connection.copy_to_table(name, schema_name=schema, columns=columns, source=pieces, format="binary")


async def _given(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def columns_of(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows turned into columns, each as JSON text, for `queries.understanding.given`. There must be at least one row."""
    return [_ENCODER.encode(column).decode() for column in zip(*rows, strict=True)]


def texts_of(values: Iterable[object]) -> list[str]:
    """Numbers or days for a parameter `$1::text[]::bigint[]`. asyncpg knows no other array than text[] without asking the database
    about its type first, which costs a new connection 10 ms: half of an explanation."""
    return [str(value) for value in values]


async def reserve_ids(connection: Connection, table: str, count: int) -> list[int]:
    """`count` new ids of `schema.table`'s identity column, rising. Ids of a batch that fails stay unused."""
    if not count:
        return []
    return _IDS.decode(f"[{await connection.fetchval(sql.RESERVE_IDS, f'{table}_id_seq', count)}]")
