"""Which raw events a worker takes next, so that workers never share a site and no site waits behind another for ever.

A site belongs to one shard, a shard to one transaction at a time (an advisory lock that ends with it). Shards are asked for
in random order until a batch is full: those taken whole are smaller than the batch, only the last one is cut off. So one
site's backlog of a million rows delays the sites of other shards by batches, not by the backlog (decision 0003).
"""

import random
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from custom_events.pipeline.bulk_rows import Connection, texts_of
from custom_events.queries import understanding as sql

LOCK_CLASS = 20_262  # first key of our advisory locks; the second is the shard
NO_SHARD = -1  # matches no remainder


class Claimed(NamedTuple):
    """A row of the queue, now ours. `is_again`: it was understood before, and put back."""

    landed_week: date
    raw_id: int
    site_id: int
    is_again: bool = False


async def claim(connection: Connection, shards: int, batch_size: int) -> list[Claimed]:
    """Take shards and up to `batch_size` of their waiting rows, within the transaction that is open.

    Empty when nothing waits, or when others hold every shard in which something does.
    """
    backlog = [(int(row[0]), int(row[1])) for row in await connection.fetch(sql.BACKLOG, shards)]
    if not backlog:
        return []
    random.shuffle(backlog)
    whole, last, room = await _take_shards(connection, backlog, batch_size)
    if not whole and last == NO_SHARD:
        return []
    # A statement of its own: its snapshot is younger than the locks, so it sees all that their last holders wrote.
    rows = await connection.fetch(sql.CLAIM, shards, texts_of(whole), last, batch_size, room)
    return [Claimed(*row) for row in rows]


async def _take_shards(
    connection: Connection, backlog: Sequence[tuple[int, int]], batch_size: int
) -> tuple[list[int], int, int]:
    """Shards to empty, the one to take `room` rows of, and `room`."""
    whole: list[int] = []
    room = batch_size
    for shard, waiting in backlog:
        if not await connection.fetchval(sql.LOCK_SHARD, LOCK_CLASS, shard):
            continue
        if waiting >= room:
            return whole, shard, room
        whole.append(shard)
        room -= waiting
    return whole, NO_SHARD, 0
