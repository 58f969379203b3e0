"""Fetched orders on their way into the landing table: the receiver's rows, keys and receipts, with another verdict."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
import zstandard

from custom_events.platforms.base import Delivery
from custom_events.platforms.dedup_keys import dedup_key
from custom_events.platforms.store_orders import FetchedOrder
from custom_events.postgres import connect
from custom_events.queries import landing
from custom_events.queries import recovery as sql
from custom_events.queries.landing import Delivered
from custom_events.values.recovery import FETCHED_AT, GapKind

_COMPRESSOR: Final = zstandard.ZstdCompressor()


class ToLand(msgspec.Struct, frozen=True):
    """An order that is to land; by itself one that a delivery named, of which nothing was missing."""

    order: FetchedOrder


class Missing(ToLand, frozen=True):
    """An order of which something had not landed."""

    kind: GapKind


def row_of(site_id: int, order: FetchedOrder) -> Delivered:
    """The row of a fetched order, without its body. Its key is that of a native delivery with the same topic and bytes: that one, when it
    comes late, is a duplicate."""
    delivery = Delivery(topic=order.topic)
    return Delivered(
        site_id=site_id,
        topic=order.topic,
        dedup_key=dedup_key(delivery, order.body),
        delivery_id=None,
        event_id=None,
        triggered_at=order.read_at,
        api_version=None,
        headers={**order.headers, FETCHED_AT: order.read_at.astimezone(UTC).isoformat()},
        body_bytes=len(order.body),
    )


async def land(url: str, site_id: int, orders: Sequence[ToLand], now: datetime) -> int:
    """Land them and count what was missing, in one transaction; how many had not landed before. Each order is there once."""
    by_key = {(row := row_of(site_id, entry.order)).dedup_key: (entry, row) for entry in orders}
    entries = [
        by_key[key] for key in sorted(by_key)
    ]  # as every process sorts, so that none waits for another in a circle
    bodies = bytearray()
    for entry, row in entries:
        piece = _COMPRESSOR.compress(entry.order.body)
        row.body_from, row.body_size = len(bodies) + 1, len(piece)
        bodies += piece
    connection = await connect.asyncpg_connect(url, name="order-recovery")
    try:
        async with connection.transaction():
            rows = [row for _, row in entries]
            known = await landing.land_beside(connection, sql.LAND_FETCHED, rows, (), bytes(bodies))
            landed = [pair for place, pair in enumerate(entries) if place not in known]
            await _count(connection, site_id, landed, now)
    finally:
        await connection.close()
    return len(landed)


async def _count(connection: Any, site_id: int, landed: Sequence[tuple[ToLand, Delivered]], now: datetime) -> None:
    if not landed:
        return
    records = await connection.fetch(sql.LANDED, site_id, [row.dedup_key for _, row in landed])
    raw_ids = {record["key"]: record["id"] for record in records}
    counts: Counter[tuple[date, str]] = Counter()
    samples: dict[tuple[date, str], int] = {}
    for entry, row in landed:
        if not isinstance(entry, Missing):
            continue
        day = (entry.order.modified_at or entry.order.read_at).astimezone(UTC).date()
        counts[day, entry.kind.value] += 1
        samples[day, entry.kind.value] = raw_ids[row.dedup_key]
    if not counts:
        return
    keys = sorted(counts)
    days, kinds = [key[0] for key in keys], [key[1] for key in keys]
    await connection.execute(
        sql.ADD_MISSING, site_id, days, kinds, [counts[key] for key in keys], [samples[key] for key in keys], now
    )
