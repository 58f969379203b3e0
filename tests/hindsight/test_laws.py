"""Laws of looking back, over random histories in any order of arrival and random rules."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.hindsight.drafts import Draft
from custom_events.hindsight.replay import Order, replay_sync

BY_ANA = Order(actor="ana@example.org", reason="a law")
MANY: dict[str, Any] = {"max_examples": 8, "deadline": None, "suppress_health_check": list(HealthCheck)}

histories = st.lists(
    st.tuples(st.integers(1, 9), st.integers(1, 3), st.sampled_from(["50.00", "150.00", "250.00"])),
    min_size=1,
    max_size=8,
)  # day, customer, total
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
triggers = st.sampled_from([["order.paid"], ["order.created"], ["order.created", "order.paid"]])
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


def numbers(found: Any) -> tuple[int, int, int, int]:
    counts = found.counts
    return counts.would_add, counts.would_drop, counts.would_change, counts.unchanged


def drained(world: Any, config: dict[str, Any], history: Any, cuts: Any, data: Any) -> tuple[int, str]:
    """A site with this rule, its history drained in some order and some batches."""
    site, action = world.site(), world.action()
    key = world.define(**config)
    world.assign(site, key, ads_action=action)
    numbered = list(enumerate(history, start=1))
    for place, (number, (day, customer, total)) in enumerate(data.draw(st.permutations(numbered))):
        world.order(site, number, day, customer=customer, total_price=total)
        if place in cuts:
            world.drain()
    world.drain()
    return site, key


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


@given(config=rules, draft=rules, history=histories, data=st.data())
@settings(**MANY)
def test_a_backtest_says_what_publishing_and_a_replay_do(
    world: Any, config: Any, draft: Any, history: Any, data: Any, day: Any
) -> None:
    site, key = drained(world, config, history, set(), data)
    number = world.draft(key, **draft)
    before = world.written()
    foretold = world.backtest(Draft(definition=key), sites=[site], last=14, page_events=4)
    assert world.written() == before
    world.publish(key, number)
    how: dict[str, Any] = {"since": day(0), "until": day(14), "definition": key}
    assert numbers(replay_sync(world.url, world.settings, **how)) == numbers(foretold)
    done = replay_sync(world.url, world.settings, order=BY_ANA, **how)
    assert numbers(done) == numbers(foretold)
    afterwards = world.backtest(sites=[site], last=14)
    assert not afterwards.counts.differs
    standing = done.counts.would_add + done.counts.would_change + done.counts.unchanged
    assert afterwards.counts.unchanged == standing
    keys_of = world.rows(
        "SELECT count(*), count(DISTINCT (ads_action_id, transaction_id)) FROM app.upload_keys WHERE sequence = 0"
    )
    assert keys_of[0][0] == keys_of[0][1]
