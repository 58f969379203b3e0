"""Laws of looking back, over random histories in any order of arrival and random rules."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.backtest.replay import Order, replay_sync
from custom_events.history.drafts import Draft
from tests.backtest.conftest import NOON, paid_order

BY_ANA = Order(actor="ana@example.org", reason="a law")
MANY: dict[str, Any] = {"max_examples": 8, "deadline": None, "suppress_health_check": list(HealthCheck)}

# What later bodies of an order show: each takes back what the one before said, or says it again.
MOVES: dict[str, dict[str, Any]] = {
    "as it was": {},
    "unpaid": {"financial_status": "pending"},
    "lost": {"financial_status": "voided"},
    "cancelled": {"cancelled_at": True},
    "refunded": {"refunds": [30]},
    "refunded twice": {"refunds": [30, 20]},
}
histories = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.integers(1, 3),
        st.sampled_from(["50.00", "150.00", "250.00"]),
        st.lists(st.sampled_from(list(MOVES)), max_size=2),
    ),
    min_size=1,
    max_size=8,
)  # day, customer, total, moves
conditions = st.sampled_from([
    None,
    {"field": "order.total", "op": ">=", "value": "100"},
    {"field": "order.total", "op": "<", "value": "200"},
    {"field": "customer.orders_before", "op": "=", "value": 0},
    {"field": "customer.spent_before", "op": ">=", "value": "100"},
])  # fmt: skip
thresholds = st.sampled_from([
    None,
    {"at_least": "2"},
    {"at_least": "2", "fires": "every_nth", "scope": "site"},
    {"measure": "sum", "at_least": "300", "period": "rolling", "window_days": 4, "fires": "every_further"},
    {"at_least": "2", "period": "week", "scope": "site", "fires": "every_further"},
])  # fmt: skip
keys = st.sampled_from([
    {"per": "order"},
    {"per": "customer"},
    {"per": "customer_window", "window_days": 3},
    {"per": "event"},
])  # fmt: skip
triggers = st.sampled_from(
    [
        ["order.paid"],
        ["order.created"],
        ["order.created", "order.paid"],
        ["order.cancelled", "order.paid"],
        ["order.refunded"],
    ]
)
rules = st.builds(
    lambda trigger, condition, threshold, dedup, factor: {
        "trigger": trigger,
        "conditions": condition,
        "threshold": threshold,
        "dedup": dedup,
        "value": {"factor": factor},
    },
    triggers, conditions, thresholds, keys, st.sampled_from(["1", "0.5"]),
)  # fmt: skip


groups = st.sampled_from([None, "g", "g"])


def shares(found: Any) -> dict[int, tuple[int, int, int, int]]:
    """By assignment, those with something."""
    return {one.assignment_id: numbers(one) for one in found.assignments if any(numbers(one))}


def numbers(found: Any) -> tuple[int, int, int, int]:
    counts = found.counts
    return counts.would_add, counts.would_drop, counts.would_change, counts.unchanged


def moved(day: int, hours: int, move: str) -> dict[str, Any]:
    """Fields of a body that many hours after its order."""
    at = (NOON + timedelta(days=day - 10, hours=hours + 1)).isoformat()
    fields = dict(MOVES[move])
    if "cancelled_at" in fields:
        fields["cancelled_at"] = at
    if "refunds" in fields:
        fields["refunds"] = [
            {
                "id": amount,
                "created_at": at,
                "transactions": [{"kind": "refund", "status": "success", "amount": amount}],
            }
            for amount in fields["refunds"]
        ]
    return {"updated_at": at, **fields}


def drained(world: Any, config: dict[str, Any], history: Any, cuts: Any, data: Any) -> tuple[int, str]:
    """A site with this rule, its history drained in some order and some batches."""
    site, action = world.site(), world.action()
    key = world.define(**config)
    world.assign(site, key, ads_action=action)
    fill(world, site, history, cuts, data)
    return site, key


def fill(world: Any, site: int, history: Any, cuts: Any, data: Any) -> None:
    bodies = [
        (number, day, {"customer": customer, "total_price": total, **moved(day, hours, move)})
        for number, (day, customer, total, moves) in enumerate(history, start=1)
        for hours, move in enumerate(["as it was", *moves])
    ]
    for place, (number, day, fields) in enumerate(data.draw(st.permutations(bodies))):
        world.land(site, "orders/updated", paid_order(number, day, **fields))
        if place in cuts:
            world.drain()
    world.drain()


@given(config=rules, history=histories, cuts=st.sets(st.integers(0, 7), max_size=2), data=st.data())
@settings(**MANY)
def test_published_rules_find_only_what_is_there(world: Any, config: Any, history: Any, cuts: Any, data: Any) -> None:
    site, _ = drained(world, config, history, cuts, data)
    before = world.written()
    found = world.backtest(sites=[site], last=14, page_events=3)
    assert world.written() == before
    assert not found.counts.differs, found.samples
    assert found.counts.unchanged == world.rows(
        "SELECT count(*) FROM app.custom_events WHERE site_id = :site AND withdrawn_at IS NULL", site=site
    )[0][0]  # fmt: skip


@given(config=rules, draft=rules, beside=rules, history=histories, data=st.data())
@settings(**MANY)
def test_a_backtest_says_what_publishing_and_a_replay_do(
    world: Any, config: Any, draft: Any, beside: Any, history: Any, data: Any, day: Any
) -> None:
    """For the rule itself and for another one, which is in a group with it before, after, always or never."""
    config, draft, beside = (
        {**one, "group": data.draw(groups), "priority": data.draw(st.integers(0, 2))} for one in (config, draft, beside)
    )
    site, action = world.site(), world.action()
    world.rule(site, ads_action=data.draw(st.sampled_from([None, action])) or world.action(), **beside)
    key = world.define(**config)
    world.assign(site, key, ads_action=action)
    fill(world, site, history, set(), data)
    number = world.draft(key, **draft)
    before = world.written()
    foretold = world.backtest(Draft(definition=key), sites=[site], last=14, page_events=4)
    assert world.written() == before
    world.publish(key, number)
    how: dict[str, Any] = {"since": day(0), "until": day(14), "definition": key}
    assert shares(replay_sync(world.url, world.settings, **how)) == shares(foretold)
    done = replay_sync(world.url, world.settings, order=BY_ANA, **how)
    assert shares(done) == shares(foretold)
    assert numbers(done) == numbers(foretold)
    afterwards = world.backtest(sites=[site], last=14)
    assert not afterwards.counts.differs
    keys_of = world.rows(
        "SELECT count(*), count(DISTINCT (ads_action_id, transaction_id)) FROM app.upload_keys WHERE sequence = 0"
    )
    assert keys_of[0][0] == keys_of[0][1]
