"""What was bought before each of many events is what each of them alone would be answered."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

import pytest

from custom_events.pipeline import customers
from custom_events.pipeline.customers import Asked, customer_facts
from custom_events.values.events import CommerceEvent
from tests.matching.building import paid

InWorld = Callable[[Callable[[Any], Any]], None]
ORDER = """
INSERT INTO app.orders (site_id, order_id, customer_key, ordered_at, paid_at, currency, total, is_test)
VALUES ($1, $2, 'c:7', $3, $4, $5, $6, $7)
"""


class Bought(NamedTuple):
    """An order: hours when it was placed and paid."""

    order_id: str
    placed: int | None
    was_paid: int | None
    currency: str = "EUR"
    is_test: bool = False


BOUGHT = [
    Bought("1", 1, 1),
    Bought("2", 2, 2),
    Bought("3", 2, 5),
    Bought("4", 6, 3),  # paid before it was placed, by the store's own clock
    Bought("5", 4, 4, "CHF"),
    Bought("6", 4, 4, is_test=True),
    Bought("7", 5, None),
    Bought("8", None, 5),
    Bought("9", 8, 8),
]


@pytest.mark.parametrize("currencies", [["EUR"], ["EUR", "CHF"]])
def test_many_events_are_answered_as_each_alone(
    in_world: InWorld, monkeypatch: pytest.MonkeyPatch, noon: datetime, currencies: list[str]
) -> None:
    def at(hour: int | None) -> datetime | None:
        return None if hour is None else noon + timedelta(hours=hour)

    def event(hour: int, order_id: str, currency: str) -> CommerceEvent:
        moment = noon + timedelta(hours=hour)
        return paid(
            order_id, occurred_at=moment, customer="c:7", currency=currency, key=f"{hour}:{order_id}:{currency}"
        )

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site)
        for bought in BOUGHT:
            if bought.currency in currencies:
                await world.connection.execute(
                    ORDER,
                    site,
                    bought.order_id,
                    at(bought.placed),
                    at(bought.was_paid),
                    bought.currency,
                    Decimal(10),
                    bought.is_test,
                )
        compiled_rules = (await world.cache.current(world.connection)).compiled_rules
        asked = [
            Asked(site, event(*chosen)) for chosen in product((0, 2, 4, 5, 6, 9), ("2", "3", "4", "5", "x"), currencies)
        ]
        one_by_one = await customer_facts(world.connection, compiled_rules, asked)
        monkeypatch.setattr(customers, "OFTEN", 1)
        assert await customer_facts(world.connection, compiled_rules, asked) == one_by_one
        late = [question for question in asked if question.event.occurred_at > noon + timedelta(hours=5)]
        assert await customer_facts(world.connection, compiled_rules, late) == {
            (site, question.event.key): one_by_one[site, question.event.key] for question in late
        }

    monkeypatch.setattr(customers, "OFTEN", 10**6)
    in_world(test)
