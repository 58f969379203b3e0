"""What was parked goes back into the queue after a fix, filtered, and is counted once all the time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from custom_events.pipeline.requeue import requeue
from custom_events.values.deliveries import Outcome

InWorld = Callable[[Callable[[Any], Any]], None]


def test_parked_rows_are_understood_after_a_fix(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        missing = await world.value("SELECT max(id) + 1 FROM app.sites")
        fixed = world.land(missing, "orders/paid", order(1))
        world.land(site, "orders/paid", b"{")
        await world.batch()
        assert await world.value("SELECT count(*) FROM app.raw_outcomes WHERE outcome = 'parked'") == 2
        assert world.site("second") == missing
        assert await requeue(world.connection, reason="unknown_site") == 1
        assert await world.value("SELECT count(*) FROM app.raw_outcomes") == 1, "its old outcome is gone while it waits"
        assert (await world.batch()).understood == 1
        assert await world.rows("SELECT outcome FROM app.raw_outcomes WHERE raw_id = $1", fixed) == [("understood",)]

    in_world(test)


def test_filters_and_bodies_that_are_gone(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        other = world.site("other")
        for where in (site, other):
            world.land(where, "orders/paid", b"{")
        world.land(site, "orders/paid", order(1))
        await world.batch()
        now = datetime.now(UTC)
        assert await requeue(world.connection, since=now + timedelta(hours=1)) == 0
        assert await requeue(world.connection, until=now - timedelta(hours=1)) == 0
        assert await requeue(world.connection, site_id=other) == 1
        assert await requeue(world.connection, outcome=Outcome.UNDERSTOOD) == 1
        await world.connection.execute("DELETE FROM landing.raw_events")
        assert await requeue(world.connection) == 0
        assert await world.value("SELECT count(*) FROM landing.raw_queue") == 2

    in_world(test)
