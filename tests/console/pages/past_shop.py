"""A shop with a past: a rule that takes all orders, and orders to look back at."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from tests import world as worlds


def make_shop(database: str, engine: sa.Engine, orders: int, first_id: int = 500) -> int:
    """A site called "shop" with so many paid orders of 100, 200, 300 ... EUR, one a day up to today, under a rule that takes them all; its id."""
    past = worlds.World(database, engine)
    site_id = past.site()
    past.rule(site_id, "every_order")
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(orders):
        at, total = now - timedelta(days=number, hours=1), f"{100 * (number + 1)}.00"
        past.land(site_id, "orders/paid", worlds.paid_order(first_id + number, at=at, total_price=total))
    past.drain()
    return site_id
