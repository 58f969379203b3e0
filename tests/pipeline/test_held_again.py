"""A conversion that is withheld while its order is cancelled waits afterwards for what its newest data asks, not for what it waited for
before."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.pipeline.test_order_of_arrival import by_shopify, define, outcome, shop

InWorld = Callable[[Callable[[Any], Any]], None]
ORDER = {"number": 2, "customer": 7, "day": 0, "renews": False}
PAID = {"total": 50, "status": "paid", "paid": True, "refunds": {}, "lists": False}


@pytest.mark.parametrize("late_click", [True, False])
def test_a_click_that_comes_while_the_order_is_cancelled(
    in_world: InWorld, order: Any, noon: datetime, late_click: bool
) -> None:
    def sent(version: int, **body: bool) -> Any:
        return by_shopify({**ORDER, "version": version, "body": {**PAID, **body}}, order, noon)

    clicked = sent(0, cancelled=False, click=late_click)
    cancelled = sent(1, cancelled=True, click=not late_click)
    taken_up_again = sent(2, cancelled=False, click=False)

    async def test(world: Any) -> None:
        definitions = await define(world)
        in_time = await outcome(
            world, await shop(world, definitions, "shopify", "keep"), [[clicked, cancelled, taken_up_again]]
        )
        late = await outcome(
            world, await shop(world, definitions, "shopify", "keep"), [[cancelled], [clicked], [taken_up_again]]
        )
        for found, expected in zip(late, in_time, strict=True):
            assert [row for row in found if row not in expected] == [row for row in expected if row not in found]
        assert {row[-2:] for row in late[0] if row[0] == "first"} == {("queued", None)}

    in_world(test)
