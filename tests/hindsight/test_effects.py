"""What Google would hear when a conversion passes from one assignment to another one with the same ads action."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from custom_events.hindsight.drafts import Draft
from custom_events.hindsight.effects import Effect
from custom_events.hindsight.replay import Order, replay_sync
from custom_events.ledger.adjustments import adjust

LARGE = {"field": "order.total", "op": ">=", "value": "150"}
NEVER = {"field": "order.total", "op": ">=", "value": "10000"}


def ladder(world: Any, factor: str) -> tuple[Draft, str]:
    """Two steps of one group that feed one action; the draft lets the upper step take orders of 150 and more from the lower one."""
    site, action = world.site(), world.action()
    world.assign(site, world.define(group="order", priority=1), ads_action=action)
    upper = world.define(group="order", priority=2, conditions=NEVER, value={"factor": factor})
    taking = world.assign(site, upper, ads_action=action)
    for number, amount in enumerate(("100.00", "200.00"), start=1):
        world.order(site, number, number, customer=number, total_price=amount)
    world.drain()
    number = world.draft(upper, group="order", priority=2, conditions=LARGE, value={"factor": factor})
    return Draft(definition=upper, definition_number=number, assignment=taking), action


def at_google(world: Any) -> None:
    world.execute("UPDATE app.conversion_uploads SET state = 'claimed', attempts = 1")
    world.execute("UPDATE app.conversion_uploads SET state = 'accepted'")


@pytest.mark.parametrize("factor", ["2", "1"])
def test_google_keeps_the_conversion_and_hears_of_another_value_at_most(world: Any, factor: str) -> None:
    draft, action = ladder(world, factor)
    at_google(world)
    found = world.backtest(draft)
    assert (found.counts.would_add, found.counts.would_drop, found.counts.already_sent) == (1, 1, 1)
    restated = Effect(ads_action=action, currency="EUR", restated=1, restated_by=Decimal(200))
    assert found.effects == ((restated,) if factor == "2" else ())


def test_what_waits_is_taken_back_and_the_other_ones_goes(world: Any) -> None:
    draft, action = ladder(world, "2")
    found = world.backtest(draft)
    assert (found.counts.would_add, found.counts.would_drop, found.counts.already_sent) == (1, 1, 0)
    anew = {"sent_new": 1, "value_new": Decimal(400), "withdrawn_unsent": 1, "value_withdrawn": Decimal(200)}
    assert found.effects == (Effect(ads_action=action, currency="EUR", **anew),)


def test_a_replay_does_what_it_foretells(world: Any, day: Any) -> None:
    draft, _ = ladder(world, "2")
    at_google(world)
    foretold = world.backtest(draft).effects
    world.publish(draft.definition, draft.definition_number)
    period = {"since": day(0), "until": day(14)}
    assert replay_sync(world.url, world.settings, **period).effects == foretold
    replay_sync(world.url, world.settings, **period, order=Order(actor="ana@example.org", reason="the new ladder"))
    with world.engine.begin() as connection:
        adjust(connection, datetime.now(UTC))
    later = "SELECT kind, state, value FROM app.conversion_uploads WHERE sequence > 0 OR state = 'withheld' ORDER BY sequence"
    assert world.rows(later) == [
        ("conversion", "withheld", Decimal(400)),
        ("restatement", "queued", Decimal(400)),
    ]
