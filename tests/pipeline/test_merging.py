"""How merged state is written: the clocks alone, or all of a row; and never past somebody who changes it at that moment."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from custom_events.pipeline.merging import Merger
from custom_events.pipeline.state import OrderState
from custom_events.pipeline.understanding import BatchState

InWorld = Callable[[Callable[[Any], Awaitable[None]]], None]

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
STORED = """
SELECT number, state_at, payment_state_at, cancellation_state_at, refunds_listed_at, shown_at, updated_at FROM app.orders WHERE order_id = '1'
"""


def _batch_of(site_id: int, clock: datetime, number: str) -> BatchState:
    batch_state = BatchState({}, {})
    batch_state.orders[site_id, "1"] = OrderState(
        number=number,
        ordered_at=NOON,
        state_at=clock,
        payment_state_at=clock,
        cancellation_state_at=clock,
        refunds_listed_at=clock,
        shown_at=clock,
    )
    return batch_state


@pytest.mark.parametrize("number", ["#1", "#2"])
def test_what_a_newer_body_says_of_an_order_is_stored(in_world: InWorld, number: str) -> None:
    async def test(world: Any) -> None:
        site, later = world.site(), NOON + timedelta(minutes=3)
        for moment, name in ((NOON, "#1"), (later, number)):
            merger = await Merger.load(world.connection, _batch_of(site, moment, name), moment)
            await merger.merge()
        assert await world.rows(STORED) == [(number, *[later] * 6)]

    in_world(test)


@pytest.mark.parametrize("number", ["#1", "#2"])
def test_an_order_that_somebody_else_changes_meanwhile_has_its_batch_tried_again(
    in_world: InWorld, number: str
) -> None:
    async def test(world: Any) -> None:
        site, later = world.site(), NOON + timedelta(minutes=3)
        await (await Merger.load(world.connection, _batch_of(site, NOON, "#1"), NOON)).merge()
        merger = await Merger.load(world.connection, _batch_of(site, later, number), later)
        await world.connection.execute("DELETE FROM app.orders")  # as good as another version of the row
        with pytest.raises(asyncpg.SerializationError):
            await merger.merge()

    in_world(test)
