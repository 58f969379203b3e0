"""By what a site's orders are known at Google: its choice, which never makes two orders one, and which old orders do not follow."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.catalog import sites
from custom_events.errors import NeedsAction
from custom_events.values.deliveries import TransactionIds
from tests.world import World, paid_order

InWorld = Callable[[Callable[[Any], Any]], None]
UPLOADS = "SELECT site_id, transaction_id FROM app.conversion_uploads ORDER BY 1, 2"


def choose(engine: sa.Engine, site_id: int, ids: str) -> Any:
    with engine.begin() as connection:
        return sites.update(connection, site_id, actor="ana", settings={"transaction_ids": ids}).settings


def test_a_site_chooses_and_only_new_orders_follow(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", paid_order(1))
        await world.batch()
        settings = choose(world.engine, site, "order_number")
        since = settings.transaction_ids_since
        world.land(site, "orders/paid", paid_order(2))  # made two days ago
        world.land(site, "orders/paid", paid_order(3, at=since + timedelta(seconds=1)))
        await world.batch()
        assert await world.rows(UPLOADS) == [(site, f"{site}-1"), (site, f"{site}-2"), (site, "3")]
        again = choose(world.engine, site, "order_number")
        assert again == settings, "nothing has changed"
        back = choose(world.engine, site, "site_and_id")
        assert (back.transaction_ids, back.transaction_ids_before) == ("site_and_id", "order_number")

    in_world(test)


def test_sites_that_feed_one_action_cannot_both_leave_their_number_out(engine: sa.Engine, database: str) -> None:
    world = World(database, engine)
    first, second, other = world.site(), world.site(), world.site()
    action = world.action()
    definition = world.definition(ads_action=action)
    for site in (first, second):
        world.assignment(site, definition)
    world.rule(other, ads_action=world.action())
    choose(engine, first, "bare_id")
    choose(engine, other, "bare_id")
    with pytest.raises(NeedsAction, match="Orders of site 2 and of shop could have the same id at Google"):
        choose(engine, second, "order_number")
    with engine.connect() as connection:
        assert sites.get(connection, second).settings.transaction_ids is TransactionIds.SITE_AND_ID
    choose(engine, first, "site_and_id")
    choose(engine, second, "order_number")


def test_what_is_assigned_later_makes_no_two_orders_one(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        first, second = world.site(), world.site()
        action = world.action()
        world.rule(first, ads_action=action)
        for site in (first, second):
            with world.engine.begin() as connection:
                connection.exec_driver_sql(
                    'UPDATE app.sites SET settings = \'{"transaction_ids": "bare_id"}\' WHERE id = %s', (site,)
                )
        world.land(first, "orders/paid", paid_order(1))
        await world.batch()
        world.rule(second, ads_action=action)
        for site in (first, second):
            world.land(site, "orders/paid", paid_order(2))
        await world.batch()
        assert await world.rows(UPLOADS) == [(first, "1"), (first, f"{first}-2"), (second, f"{second}-2")]

    in_world(test)
