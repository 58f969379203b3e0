"""The receiver's own writer, over its own connection, without a server of HTTP before it."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from custom_events.platforms.base import Delivery
from custom_events.settings import Settings
from ingest_api import landing_rows
from ingest_api.database import Database
from ingest_api.groups import Waiting, on_result_of
from ingest_api.metrics import Metrics
from ingest_api.writer import Writer

RETRY_S: Final = 0.05  # as a store tries again, but sooner
RETRY_LIMIT_S: Final = 60.0


@asynccontextmanager
async def receiver_writer(settings: Settings) -> AsyncGenerator[Writer]:
    """A writer at work, which commits what waits when the block ends."""
    writer = Writer(settings, Metrics(), Database(settings).connect)
    running = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        writer.close()
        await running


async def land(writer: Writer, site_id: int, delivery_id: str) -> bool | None:
    """Have one delivery committed. True: landed; False: had landed before; None: not acknowledged."""
    answered: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
    body = b'{"id": "%s"}' % delivery_id.encode()
    delivery = Delivery(topic="order.paid", delivery_id=delivery_id)
    row = landing_rows.delivered(site_id, delivery, {}, body)
    writer.put(Waiting("custom", row, body, on_result_of(answered)))
    return await answered


async def land_all(writer: Writer, site_id: int, delivery_ids: Iterable[str]) -> set[str]:
    """Have them committed at once; those that were acknowledged."""
    ids = list(delivery_ids)
    answers = await asyncio.gather(*(land(writer, site_id, delivery_id) for delivery_id in ids))
    return {delivery_id for delivery_id, answer in zip(ids, answers, strict=True) if answer is not None}


async def land_at_last(writer: Writer, site_id: int, delivery_id: str) -> bool:
    """Have one delivery committed, sent again until it is acknowledged; whether it had not landed before."""
    async with asyncio.timeout(RETRY_LIMIT_S):
        while (answer := await land(writer, site_id, delivery_id)) is None:
            await asyncio.sleep(RETRY_S)
    return answer
