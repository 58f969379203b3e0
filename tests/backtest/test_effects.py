"""What Google would hear when a conversion passes from one assignment to another one with the same ads action."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from custom_events.backtest.effects import Effect
from custom_events.backtest.replay import Order, replay_sync
from custom_events.history.drafts import Draft
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
    world.execute("UPDATE app.conversion_uploads SET state = 'claimed', attempts = 1 WHERE state = 'queued'")
    world.execute("UPDATE app.conversion_uploads SET state = 'accepted' WHERE state = 'claimed'")


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


def covered(world: Any) -> tuple[Draft, str]:
    """Two rules that feed one action without a group, so that large orders wait behind the first; the draft takes them out of it."""
    site, action = world.site(), world.action()
    every = world.define()
    narrowed = world.assign(site, every, ads_action=action)
    world.assign(site, world.define(conditions=LARGE, value={"factor": "2"}), ads_action=action)
    for number, amount in enumerate(("100.00", "200.00"), start=1):
        world.order(site, number, number, customer=number, total_price=amount)
    world.drain()
    number = world.draft(every, conditions={"not": LARGE})
    return Draft(definition=every, definition_number=number, assignment=narrowed), action


@pytest.mark.parametrize("is_sent", [True, False])
def test_what_waits_behind_a_conversion_takes_its_place(world: Any, day: Any, is_sent: bool) -> None:
    draft, action = covered(world)
    if is_sent:
        at_google(world)
    found = world.backtest(draft)
    assert (found.counts.would_add, found.counts.would_drop, found.counts.unchanged) == (0, 1, 1)
    told = {"restated": 1, "restated_by": Decimal(200)}
    anew = {"sent_new": 1, "value_new": Decimal(400), "withdrawn_unsent": 1, "value_withdrawn": Decimal(200)}
    assert found.effects == (Effect(ads_action=action, currency="EUR", **(told if is_sent else anew)),)
    world.publish(draft.definition, draft.definition_number)
    replay_sync(
        world.url, world.settings, since=day(0), until=day(14), order=Order(actor="ana@example.org", reason="r")
    )
    with world.engine.begin() as connection:
        adjust(connection, datetime.now(UTC))
    waiting = "SELECT kind, value FROM app.conversion_uploads WHERE state = 'queued' ORDER BY value"
    assert world.rows(waiting) == (
        [("restatement", Decimal(400))] if is_sent else [("conversion", Decimal(100)), ("conversion", Decimal(400))]
    )


def test_who_waits_and_would_go_as_well_takes_nothing(world: Any) -> None:
    site, action = world.site(), world.action()
    key = world.define()
    for label in ("first", "second"):
        world.assign(site, key, label, ads_action=action)
    world.order(site, 1, 1, total_price="200.00")
    world.drain()
    at_google(world)
    found = world.backtest(Draft(definition=key, definition_number=world.draft(key, conditions=NEVER)))
    assert found.counts.would_drop == 2
    assert found.effects == (Effect(ads_action=action, currency="EUR", retracted=1, value_retracted=Decimal(200)),)
    doubled = Draft(definition=key, definition_number=world.draft(key, value={"factor": "2"}))
    assert [(one.restated, one.restated_by) for one in world.backtest(doubled).effects] == [(1, Decimal(200))]


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
