"""Orders that deliveries only name, read from the store's API soon: hooks of BigCommerce carry an id and nothing else.

Such a delivery is ignored as `order_to_be_read`, which is the queue: when its order has been read after it had come, and landed, the reason becomes
`order_read`. So whatever stops in between, the order is read again; what lands is understood like any delivery. Hooks that never come are
made up for by the hourly reading (`run.py`).
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa
import structlog
import zstandard

from custom_events.catalog import sites
from custom_events.errors import CustomEventsError, NeedsAction, Transient
from custom_events.platforms.bigcommerce.delivery import order_of
from custom_events.platforms.store_orders import OrderReader
from custom_events.queries import recovery as sql
from custom_events.recovery.landing import ToLand, land
from custom_events.recovery.readers import reader_of
from custom_events.recovery.turns import turn
from custom_events.settings import Settings
from custom_events.values.platforms import Platform

# How the order that a delivery names is found in its body, by platform.
ORDER_OF: Final[dict[Platform, Callable[[bytes], str | None]]] = {Platform.BIGCOMMERCE: order_of}
NOTICED: Final = timedelta(hours=1)  # a run begins for deliveries of this last hour; it reads older ones with them
LOOKED_BACK: Final = timedelta(days=2)  # what waits longer is found by what the store changed
AGAIN_AFTER: Final = timedelta(minutes=5)  # a store that could not be read
AT_ONCE: Final = 20  # orders read and landed together: a hundred requests
DELIVERIES_AT_MOST: Final = 1_000  # of one run and site; the next one takes the rest

_LOG = structlog.get_logger(__name__)


class Named(msgspec.Struct, frozen=True):
    """A delivery that only names an order. `order_id` None: nobody can read which any more (its body was redacted)."""

    landed_week: date
    raw_id: int
    order_id: str | None


class HintedOrders(msgspec.Struct, kw_only=True):
    """What a reading of a site did. `named`: orders that deliveries named; `landed`: of which as many were read and landed."""

    site_id: int
    named: int = 0
    landed: int = 0
    problem: str | None = None


def hinted_sites(connection: sa.Connection, now: datetime, looked_back: timedelta = NOTICED) -> list[int]:
    """Ids of the sites of which orders are to be read now."""
    values = {"platforms": sorted(ORDER_OF), "since": now - looked_back, "again": now - AGAIN_AFTER}
    return list(connection.execute(sql.HINTED_SITES, values).scalars())


def read_all_hinted(engine: sa.Engine, settings: Settings, now: datetime) -> list[HintedOrders]:
    """Read what deliveries named of every site, one after the other. What one site cannot do keeps no other from its own."""
    with engine.connect() as connection:
        site_ids = hinted_sites(connection, now, LOOKED_BACK)
    readings: list[HintedOrders] = []
    for site_id in site_ids:
        try:
            readings.append(read_hinted(engine, settings, site_id, now))
        except CustomEventsError as error:
            _LOG.warning("orders_not_read", site_id=site_id, cause=type(error).__name__)
    return readings


def read_hinted(
    engine: sa.Engine, settings: Settings, site_id: int, now: datetime, *, reader: OrderReader | None = None
) -> HintedOrders:
    """Read the orders that a site's deliveries named, and land them. `reader`: instead of the platform's own.

    A store that does not answer, or refuses, is a `problem`; what was read before stays landed. Raises NotFound for a site that is not
    there, Transient while another one reads it.
    """
    with turn(engine, site_id), engine.connect() as connection:
        site = sites.get(connection, site_id)
        values = {"site": site_id, "since": now - LOOKED_BACK, "limit": DELIVERIES_AT_MOST}
        order_in = ORDER_OF[site.platform]
        named = [
            Named(row.landed_week, row.raw_id, _order_id(bytes(row.body), order_in))
            for row in connection.execute(sql.HINTS, values)
        ]
        connection.rollback()  # no transaction is open while the store is asked
        order_ids = list(dict.fromkeys(entry.order_id for entry in named if entry.order_id is not None))
        reading = HintedOrders(site_id=site_id, named=len(order_ids))
        try:
            _mark(engine, [entry for entry in named if entry.order_id is None])
            if reader is not None:
                _read(engine, reader, named, order_ids, reading, now)
            else:
                with reader_of(engine, settings, site) as opened:
                    _read(engine, opened, named, order_ids, reading, now)
        except (Transient, NeedsAction) as error:
            reading.problem = str(error)
            _LOG.warning("orders_not_read", site_id=site_id, cause=type(error).__name__)
        _keep(engine, reading, now)
        return reading


def _read(
    engine: sa.Engine,
    reader: OrderReader,
    named: Sequence[Named],
    order_ids: Sequence[str],
    reading: HintedOrders,
    now: datetime,
) -> None:
    url = engine.url.render_as_string(hide_password=False)
    for place in range(0, len(order_ids), AT_ONCE):
        part = order_ids[place : place + AT_ONCE]
        orders = [whole for order in reader.by_ids(part) if (whole := order.whole()) is not None]
        if orders:
            entries = [ToLand(order) for order in orders]
            reading.landed += asyncio.run(land(url, reading.site_id, entries, now))
        _mark(engine, [entry for entry in named if entry.order_id in part])


def _mark(engine: sa.Engine, read: Sequence[Named]) -> None:
    """Note that the orders of these deliveries were read."""
    if not read:
        return
    with engine.begin() as connection:
        connection.execute(
            sql.HINTS_READ,
            {"weeks": [entry.landed_week for entry in read], "raw_ids": [entry.raw_id for entry in read]},
        )


def _keep(engine: sa.Engine, reading: HintedOrders, now: datetime) -> None:
    """Whether the store could be read; how far all that it changed is read stays as it is."""
    values = {
        "site": reading.site_id,
        "read_until": None,
        "refunds_read_at": None,
        "problem": reading.problem,
        "now": now,
    }
    with engine.begin() as connection:
        connection.execute(sql.KEEP_PROGRESS, values)


def _order_id(body: bytes, order_in: Callable[[bytes], str | None]) -> str | None:
    try:
        return order_in(zstandard.decompress(body))
    except zstandard.ZstdError:
        return None
