"""Migrations down and up while stores deliver and a drain works: nothing is lost, nothing is counted twice, and no delivery waits for long.

The receiver lands at every revision on the way (`schema_guard.RECEIVER_SINCE` is the oldest); the drain works at its own revision alone, refuses to
elsewhere, and does the rest afterwards.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from custom_events.errors import NeedsAction, Transient
from custom_events.pipeline.drain import drain_sync
from custom_events.platforms.base import Delivery
from custom_events.postgres import migrate, schema_guard
from custom_events.settings import Settings
from ingest_api import landing_rows
from ingest_api.groups import Waiting, on_result_of
from ingest_api.writer import Writer
from tests.flow import stack
from tests.flow.receiver_writer import RETRY_S, receiver_writer
from tests.world import World, paid_order

FILLED: Final = 1_000  # orders that are there before: two commerce events, a custom event and a conversion each
SENDERS: Final = 4
LANDED_BEFORE_A_TURN: Final = 20  # deliveries between two migrations, so that each goes under load
PAUSE_S: Final = 0.02  # of a sender between two deliveries
WAIT_LIMIT_S: Final = 120.0
LONGEST_S: Final = (
    60.0  # that a store may wait: a bound against a lock for ever; what was measured stands in docs/how-to/upgrade.md
)
TOPIC: Final = "orders/paid"
DELIVERED = "SELECT delivery_id, count(*) FROM landing.raw_events GROUP BY 1"
COUNTED = """
SELECT (SELECT count(*) FROM landing.raw_queue) AS waiting,
  (SELECT count(*) FROM app.raw_outcomes WHERE outcome = 'understood') AS understood,
  (SELECT count(*) FROM app.commerce_events WHERE type = 'order.paid') AS paid,
  (SELECT count(*) FROM app.custom_events WHERE withdrawn_at IS NULL) AS custom_events,
  (SELECT count(DISTINCT order_id) FROM app.custom_events) AS orders,
  (SELECT count(*) FROM app.conversion_uploads WHERE kind = 'conversion') AS conversions
"""
pytestmark = [pytest.mark.database, pytest.mark.untraced]


class Stores:
    """Senders that deliver new orders to the receiver's own writer, each again until it is acknowledged, until they are told to stop."""

    def __init__(self, settings: Settings, site_id: int) -> None:
        self._settings, self._site_id = settings, site_id
        self.acknowledged: set[str] = set()
        self.longest_s = 0.0  # from the first try to the acknowledgement
        self.stopped = threading.Event()

    def run(self) -> None:
        asyncio.run(self._deliver())

    async def _deliver(self) -> None:
        async with receiver_writer(self._settings) as writer:
            await asyncio.gather(*(self._send(writer, sender) for sender in range(SENDERS)))

    async def _send(self, writer: Writer, sender: int) -> None:
        order_id = 1_000_000 * (sender + 1)
        while not self.stopped.is_set():
            order_id += 1
            began = time.monotonic()
            while await self._land(writer, order_id) is None:
                await asyncio.sleep(RETRY_S)
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            self.acknowledged.add(f"order-{order_id}")
            await asyncio.sleep(PAUSE_S)

    async def _land(self, writer: Writer, order_id: int) -> bool | None:
        answered: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        body = json.dumps(paid_order(order_id, customer_id=order_id)).encode()
        delivery = Delivery(topic=TOPIC, delivery_id=f"order-{order_id}")
        row = landing_rows.delivered(self._site_id, delivery, {"x-shopify-topic": TOPIC}, body)
        writer.put(Waiting("shopify", row, body, on_result_of(answered)))
        return await answered


class Drain:
    """Drains again and again until it is told to stop."""

    def __init__(self, database: str) -> None:
        self._database = database
        self.batches = self.refusals = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                self.batches += drain_sync(self._database, Settings(), until_idle_s=0.1, limit_s=5.0).batches
            except NeedsAction:
                self.refusals += 1
                self.stopped.wait(RETRY_S)
            except Transient:
                self.stopped.wait(RETRY_S)


def until_done(change: Callable[[], None]) -> None:
    """A migration as somebody runs it who tries again where a table was busy."""
    deadline = time.monotonic() + WAIT_LIMIT_S
    while True:
        try:
            change()
        except Transient:
            assert time.monotonic() < deadline, "the migration never had its locks"
        else:
            return


def test_down_and_up_under_load(
    database: str, engine: sa.Engine, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    world = World(database, engine)
    site = world.site()
    world.rule(site, ads_action=world.action())
    for number in range(FILLED):
        world.land(site, TOPIC, paid_order(number + 1, customer_id=number % 300))
    assert world.drain().raw == FILLED
    engine.dispose()
    settings = Settings(
        _env_file=None, local_directory=tmp_path, database_url=SecretStr(database), receiver_figures_port=None
    )
    stores, drain = Stores(settings, site), Drain(database)
    threads = [threading.Thread(target=stores.run), threading.Thread(target=drain.run)]
    for thread in threads:
        thread.start()

    def under_load() -> None:
        before = len(stores.acknowledged)
        stack.until(lambda: len(stores.acknowledged) >= before + LANDED_BEFORE_A_TURN, "deliveries", WAIT_LIMIT_S)

    def refused() -> None:
        before = drain.refusals
        stack.until(lambda: drain.refusals > before + 1, "a refusal", WAIT_LIMIT_S)

    def worked() -> None:
        before = drain.batches
        stack.until(lambda: drain.batches > before, "a batch", WAIT_LIMIT_S)

    try:
        under_load()
        worked()
        for revision in (schema_guard.RECEIVER_SINCE, "0050"):
            until_done(lambda to=revision: migrate.downgrade(database, to))
            under_load()
            refused()
            until_done(lambda: migrate.upgrade(database))
            under_load()
            worked()
    finally:
        stores.stopped.set()
        threads[0].join()
        drain.stopped.set()
        threads[1].join()
    world.drain()
    with engine.connect() as connection:
        delivered = {row.delivery_id: row.count for row in connection.execute(sa.text(DELIVERED))}
        counted = connection.execute(sa.text(COUNTED)).one()
    assert {name: delivered.get(name) for name in stores.acknowledged} == dict.fromkeys(stores.acknowledged, 1)
    whole = FILLED + len(stores.acknowledged)
    assert tuple(counted) == (0, whole, whole, whole, whole, whole)
    assert stores.longest_s < LONGEST_S
    record_property("longest_wait_s", round(stores.longest_s, 2))
