"""Histories that the laws have found: late orders under thresholds over a whole site, and what moves within an order."""

from typing import Any

from custom_events.backtest.replay import Order, replay_sync
from custom_events.history.drafts import Draft

Sale = tuple[int, int, int, str]  # number, day, customer, total


def drained(world: Any, config: dict[str, Any], *batches: list[Sale]) -> None:
    site, action = world.site(), world.action()
    world.assign(site, world.define(**config), ads_action=action)
    for batch in batches:
        for number, day, customer, total in batch:
            world.order(site, number, day, customer=customer, total_price=total)
        world.drain()


def test_what_customers_did_before_moves_a_threshold_over_the_site(world: Any) -> None:
    drained(
        world,
        {
            "conditions": {"field": "customer.spent_before", "op": ">=", "value": "100"},
            "threshold": {"at_least": "2", "scope": "site", "fires": "every_nth"},
        },
        [(1, 3, 3, "250.00"), (4, 5, 2, "250.00"), (3, 6, 3, "150.00")],
        [(2, 3, 2, "150.00")],  # from now on order 4 counts: its customer had spent enough
    )
    assert world.rows("SELECT order_id FROM app.custom_events WHERE withdrawn_at IS NULL") == [("3",)]
    assert not world.backtest(last=14).counts.differs


def test_a_window_that_begins_earlier_takes_in_what_began_one(world: Any) -> None:
    drained(
        world,
        {
            "trigger": ["order.created", "order.paid"],
            "threshold": {"at_least": "2", "scope": "site", "fires": "every_further"},
            "dedup": {"per": "customer_window", "window_days": 3},
        },
        [(1, 2, 1, "50.00")],  # the first of its two events does not fire
        [(2, 1, 2, "50.00")],  # now it does, and the other one lies in its window
    )
    assert not world.backtest(last=14).counts.differs
    standing = "SELECT order_id, count(*) FROM app.custom_events WHERE withdrawn_at IS NULL GROUP BY 1 ORDER BY 1"
    assert world.rows(standing) == [("1", 1), ("2", 1)]


def test_late_orders_of_two_weeks_each_move_their_own(world: Any) -> None:
    drained(
        world,
        {"threshold": {"at_least": "2", "period": "week", "scope": "site", "fires": "every_further"}},
        [(1, 2, 1, "50.00"), (2, 9, 2, "50.00")],  # a week lies between them
        [(3, 1, 3, "50.00"), (4, 8, 4, "50.00"), (5, 2, 5, "50.00"), (6, 9, 6, "50.00")],
    )
    assert not world.backtest(last=14).counts.differs


def test_a_customers_first_event_may_be_another_one_of_the_same_order(world: Any, day: Any) -> None:
    first = {"dedup": {"per": "customer"}}
    drained(world, {"trigger": ["order.created"], **first}, [(1, 1, 1, "50.00"), (2, 2, 1, "50.00")])
    (key,) = world.rows("SELECT key FROM app.custom_event_definitions ORDER BY id DESC LIMIT 1")[0]
    number = world.draft(key, trigger=["order.paid"], **first)
    foretold = world.backtest(Draft(definition=key)).counts
    assert (foretold.would_add, foretold.would_drop, foretold.unchanged) == (0, 0, 1)
    world.publish(key, number)
    how = {"since": day(0), "until": day(14), "definition": key}
    done = replay_sync(world.url, world.settings, order=Order(actor="ana@example.org", reason="paid only"), **how)
    assert done.counts == foretold
