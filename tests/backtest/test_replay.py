"""Replay: the past through today's understanding and rules; a dry run lists, a real run changes just that, sends nothing twice."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import zstandard

from custom_events.backtest.replay import Order, Replay, replay_sync, to_json
from custom_events.errors import InvalidConfiguration
from custom_events.explain.find import explain_sync
from custom_events.history.drafts import Draft
from custom_events.queries.stored_facts import facts_of
from custom_events.values.events import from_json
from custom_events.values.events import to_json as event_json

LARGE = {"field": "order.total", "op": ">=", "value": "150"}
BY_ANA = Order(actor="ana@example.org", reason="the parser was mended")


@pytest.fixture
def replay(world: Any, day: Any) -> Callable[..., Replay]:
    """Replays the days of the world; raw events landed today."""

    def run(first: int = 0, last: int = 14, **how: Any) -> Replay:
        return replay_sync(world.url, world.settings, since=day(first), until=day(last), **how)

    return run


def numbers(found: Any) -> tuple[int, int, int, int]:
    counts = found.counts
    return counts.would_add, counts.would_drop, counts.would_change, counts.unchanged


def test_a_definition_also_for_the_days_before_it_was_published(world: Any, replay: Any) -> None:
    site, action = world.site(), world.action()
    for number in range(1, 5):
        world.order(site, number, number, total_price=f"{number}00.00")
    world.drain()
    key = world.define(conditions=LARGE)
    world.assign(site, key, ads_action=action)
    world.rule(site, key="another")
    before = world.written()
    dry = replay(definition=key)
    assert world.written() == before
    assert (numbers(dry), dry.is_written, dry.name, dry.reread) == ((3, 0, 0, 0), False, None, None)
    assert [one.sent_new for one in dry.effects] == [3]
    heard: list[Any] = []
    real = replay(definition=key, order=BY_ANA, on_progress=heard.append)
    assert numbers(real) == (3, 0, 0, 0)
    assert heard
    assert world.rows("SELECT order_id, state FROM app.conversion_uploads ORDER BY order_id") == [
        ("2", "queued"), ("3", "queued"), ("4", "queued")
    ]  # fmt: skip
    assert numbers(replay(definition=key)) == (0, 0, 0, 3)
    assert numbers(replay(definition=key, order=BY_ANA)) == (0, 0, 0, 3)
    assert world.rows("SELECT count(*) FROM app.conversion_uploads") == [(3,)]
    (actor, action_word, subject, detail) = world.rows(
        "SELECT actor, action, subject, detail FROM app.audit_entries WHERE action = 'replay.run' ORDER BY id LIMIT 1"
    )[0]
    assert (actor, action_word, subject) == ("ana@example.org", "replay.run", real.name)
    assert (detail["reason"], detail["counts"]["would_add"], detail["sites"]) == (BY_ANA.reason, 3, "all")
    assert b'"is_written":true' in to_json(real)


def test_what_one_event_of_an_order_leaves_another_takes_at_once(world: Any, replay: Any) -> None:
    """The transaction of an order is free when its next event is matched, whichever of them is found to differ first."""
    site, action = world.site(), world.action()
    key = world.define(trigger=["order.created"], dedup={"per": "customer"})
    world.assign(site, key, ads_action=action)
    world.order(site, 1, 1, customer=1)
    world.drain()
    world.publish(key, world.draft(key, trigger=["order.paid"], dedup={"per": "order"}))
    assert numbers(replay(definition=key)) == (1, 1, 0, 0)
    assert numbers(replay(definition=key, order=BY_ANA)) == (1, 1, 0, 0)
    rows = "SELECT state, reason FROM app.conversion_uploads ORDER BY id"
    assert world.rows(rows) == [("withheld", "invalidated_by_replay"), ("queued", None)]


def test_who_stays_under_another_key_keeps_it_from_the_next(world: Any, replay: Any) -> None:
    """The first of a customer's orders stays as it is but for its key, by which the second one goes."""
    site, action = world.site(), world.action()
    key = world.define(dedup={"per": "order"})
    world.assign(site, key, ads_action=action)
    world.order(site, 1, 1, customer=1)
    world.order(site, 2, 2, customer=1)
    world.drain()
    world.publish(key, world.draft(key, dedup={"per": "customer"}))
    assert numbers(replay(definition=key)) == (0, 1, 0, 1)
    assert numbers(replay(definition=key, order=BY_ANA)) == (0, 1, 0, 1)
    assert numbers(replay(definition=key)) == (0, 0, 0, 1)
    rows = "SELECT order_id, dedup_key, withdrawn_at IS NULL FROM app.custom_events ORDER BY 1"
    assert world.rows(rows) == [("1", "c:c:1", True), ("2", "o:2", False)]


def test_an_earlier_event_that_takes_the_order_s_transaction_changes_no_decision(world: Any, replay: Any) -> None:
    """Google gets the order's conversion once, by the event before or by the one after."""
    site, action = world.site(), world.action()
    key = world.define()
    world.assign(site, key, ads_action=action)
    world.order(site, 1, 1)
    world.drain()
    world.publish(key, world.draft(key, trigger=["order.created", "order.paid"], dedup={"per": "event"}))
    assert numbers(replay(definition=key)) == (1, 0, 0, 1)
    assert numbers(replay(definition=key, order=BY_ANA)) == (1, 0, 0, 1)
    rows = "SELECT state, reason FROM app.conversion_uploads ORDER BY state"
    assert world.rows(rows) == [("queued", None), ("withheld", "same_transaction_other_assignment")]


def test_stricter_rules_take_back_and_restate(world: Any, replay: Any) -> None:
    site, action = world.site(), world.action()
    key = world.define()
    world.assign(site, key, ads_action=action)
    for number in range(1, 4):
        world.order(site, number, number, total_price=f"{number}00.00")
    world.drain()
    world.execute("UPDATE app.conversion_uploads SET state = 'claimed', attempts = 1 WHERE order_id IN ('1', '2')")
    world.execute("UPDATE app.conversion_uploads SET state = 'accepted' WHERE order_id IN ('1', '2')")
    draft = {"conditions": LARGE, "value": {"factor": "0.5"}}
    number = world.draft(key, **draft)
    expected = world.backtest(Draft(definition=key))
    world.publish(key, number)
    dry = replay(sites=[site])
    assert numbers(dry) == numbers(expected) == (0, 1, 2, 0)
    real = replay(sites=[site], order=BY_ANA)
    assert numbers(real) == (0, 1, 2, 0)
    assert world.rows("SELECT withdrawn_reason, withdrawn_by FROM app.custom_events WHERE withdrawn_at IS NOT NULL") == [
        ("invalidated_by_replay", real.name)
    ]  # fmt: skip
    assert numbers(replay(sites=[site])) == (0, 0, 0, 2)
    # the story of that time is told under the revisions that decided, also when nothing of the assignment applies any more
    world.execute("UPDATE app.site_custom_events SET is_active = false")
    for order in ("1", "2"):
        (decided,) = explain_sync(world.url, f"order.paid:{order}").events[0].decisions
        assert (decided.definition_revision, decided.label) == (2, key)
    world.execute("UPDATE app.site_custom_events SET is_active = true")
    # the rule is as it was: what was withdrawn stands again
    world.publish(key, world.draft(key))
    assert numbers(replay()) == (1, 0, 2, 0)
    assert numbers(replay(order=BY_ANA)) == (1, 0, 2, 0)
    assert numbers(replay()) == (0, 0, 0, 3)
    assert world.rows("SELECT count(*) FROM app.custom_events") == [(3,)]


def test_raw_events_through_today_s_understanding(world: Any, replay: Any, body: Any) -> None:
    site = world.site()
    world.rule(site)
    world.order(site, 1, 1)
    parked = world.land(site, "orders/paid", {"nothing": 1})
    world.drain()
    assert replay().reread.would_change == 0
    # as if it had been parked, and the order's total misread, by an earlier version
    mended = json.dumps(body(2, 2)).encode()
    world.execute(
        "UPDATE landing.raw_events SET body = :body, body_bytes = :size WHERE id = :id",
        body=zstandard.compress(mended), size=len(mended), id=parked,
    )  # fmt: skip
    ((facts,),) = world.rows(f"SELECT {facts_of('e')} FROM app.commerce_events e WHERE key = 'order.paid:1'")
    world.execute(
        "UPDATE app.commerce_events SET facts = CAST(:misread AS json), packed = NULL, amount = 90 WHERE key = 'order.paid:1'",
        misread=event_json(from_json(facts)).decode().replace('"100.00"', '"90.00"'),
    )
    before = world.written()
    dry = replay()
    assert world.written() == before
    assert dry.reread is not None
    assert (dry.reread.raw_events, dry.reread.would_change) == (2, 2)
    assert dry.reread.new_events == {"order.created": 1, "order.paid": 1}
    assert dry.reread.revised_events == {"order.paid": 1}
    assert dry.reread.outcomes == {"parked to understood": 1}
    assert parked in dry.reread.raw_ids
    assert any("as they are understood" in note for note in dry.notes)
    real = replay(order=BY_ANA)
    assert real.reread.would_change == 2
    assert world.rows("SELECT order_id, value FROM app.custom_events ORDER BY 1") == [("1", 100), ("2", 100)]
    assert world.rows("SELECT amount FROM app.commerce_events WHERE key = 'order.paid:1'") == [(100,)]
    again = replay()
    assert (again.reread.would_change, numbers(again)) == (0, (0, 0, 0, 2))


def test_matching_begins_where_google_takes_clicks(world: Any, replay: Any) -> None:
    site = world.site()
    world.rule(site, click_window_days=5)
    for number in (1, 9):
        world.order(site, number, number)
    world.drain()
    world.execute("DELETE FROM app.custom_event_keys")
    world.execute("DELETE FROM app.custom_events")
    found = replay(stop=lambda: True)
    assert found.counts.would_add == 1
    assert any("longest click window has 5 days" in note for note in found.notes)
    assert numbers(replay(order=BY_ANA, stop=lambda: True))[0] == 1


def test_what_is_no_replay(world: Any, replay: Any) -> None:
    with pytest.raises(InvalidConfiguration, match=r"since: .* is not before"):
        replay(first=3, last=3)
    with pytest.raises(InvalidConfiguration, match="who wants it and why"):
        replay(order=Order(actor="ana", reason=" "))
    assert replay(order=BY_ANA).sites == ()


def test_a_custom_event_that_contradicts_its_conversion_says_anew_what_became_of_it(world: Any, replay: Any) -> None:
    """As those were written that a poorer body corrected after their conversion had been sent."""
    site, action = world.site(), world.action()
    world.rule(site, ads_action=action)
    for number in (1, 2):
        world.order(site, number, number)
    world.drain()
    for state in ("claimed", "sent", "accepted"):
        world.execute(f"UPDATE app.conversion_uploads SET state = '{state}', attempts = 1 WHERE order_id = '1'")
    world.execute("UPDATE app.custom_events SET withheld_reason = 'value_unknown', value = NULL WHERE order_id = '1'")
    says = "SELECT withheld_reason, value::float FROM app.custom_events ORDER BY order_id"
    assert numbers(replay())[2:] == (1, 1)
    replay(order=BY_ANA)
    assert world.rows(says) == [(None, 100), (None, 100)]
    world.execute("UPDATE app.custom_events SET withheld_reason = 'value_unknown' WHERE order_id = '1'")
    assert numbers(replay())[2:] == (1, 1)
    replay(order=BY_ANA)
    assert world.rows(says) == [(None, 100), (None, 100)]
    assert numbers(replay())[2:] == (0, 2)
