"""Explain: every order can be followed from the store's webhook to Google's answer."""

from typing import Any

import msgspec
import pytest

from custom_events.errors import NeedsAction, NotFound
from custom_events.explain.find import explain_sync
from custom_events.explain.trace import Trace, to_json
from custom_events.explain.trace_lines import trace_lines

LARGE = {"field": "order.total", "op": ">=", "value": "150"}


def told(world: Any, subject: str, **how: Any) -> tuple[Trace, str]:
    found = explain_sync(world.url, subject, **how)
    return found, "\n".join(trace_lines(found))


def accept(world: Any, *, attempts: bool = True) -> None:
    """Google took everything that was queued."""
    world.execute("UPDATE app.conversion_uploads SET state = 'claimed' WHERE state = 'queued'")
    world.execute(
        "INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, google_request_id, intent_at, answered_at, outcome)"
        " SELECT id, 'google_ads', 'conversions', 1, 'abc-1', now(), now(), 'answered' FROM app.ads_accounts"
    )
    world.execute("UPDATE app.conversion_uploads SET state = 'accepted', request_id = 1 WHERE state = 'claimed'")
    if attempts:
        world.execute(
            "INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code, sentence)"
            " SELECT now(), id, 1, 'already_there', 'CLICK_CONVERSION_ALREADY_EXISTS', 'It was there' FROM app.conversion_uploads"
            " WHERE state = 'accepted'"
        )


def test_the_whole_story_of_an_order(world: Any, body: Any) -> None:
    site, action = world.site(), world.action()
    before = world.written()
    first = world.rule(site, ads_action=action, key="bought")
    large = world.rule(site, key="large", conditions=LARGE)
    refund = {"id": 5, "order_id": 1, "created_at": body(1, 9)["created_at"], "transactions": [
        {"id": 6, "kind": "refund", "status": "success", "amount": "30.00", "currency": "EUR"}]}  # fmt: skip
    world.order(site, 1, 1)
    world.land(site, "refunds/create", refund)
    world.drain()
    accept(world)
    before = world.written()
    found, text = told(world, "#1")
    assert world.written() == before
    assert found.order is not None
    assert (found.order.number, str(found.order.refunded)) == ("#1", "30.000000")
    assert [one.outcome for one in found.deliveries] == ["understood", "understood"]
    paid = next(one for one in found.events if one.type == "order.paid")
    decided = {one.assignment_id: one for one in paid.decisions}
    assert decided[first].verdict == "It became custom event 1. The conversion is accepted."
    assert decided[large].verdict == "The conditions do not hold."
    assert decided[large].explanation.conditions.tree.value == "100.00"
    (made,) = decided[first].custom_events
    assert made.uploads[0].answers[0].google_request_id == "abc-1"
    for words in (
        "Order #1 (id 1) of Shop 1 (shop-key-1, shopify)",
        "100.00 EUR, open, paid",
        "refunded 30.00 EUR",
        "orders/paid, delivery delivery-",
        "signature verified (raw:1)",
        "understood",
        "new event",
        "order.paid:1  ",
        "bought (assignment 1, revisions 1/1): It became custom event 1. The conversion is accepted.",
        "value 100.00 EUR, key o:1, consent unknown, click gclid",
        f"conversion of 100.00 EUR to {action}, transaction {made.uploads[0].transaction_id}: accepted",
        "already_there (CLICK_CONVERSION_ALREADY_EXISTS: It was there), request abc-1",
        "no  order.total >= 150   (is 100.00)",
        "these are about other types of events: bought (1), large (2)",
    ):
        assert words in text, text
    assert msgspec.json.decode(to_json(found))["events"][0]["decisions"]


def test_an_answer_without_rows_of_its_own_and_an_event_by_key(world: Any) -> None:
    site, action = world.site(), world.action()
    world.rule(site, ads_action=action)
    world.order(site, 1, 1)
    world.drain()
    accept(world, attempts=False)
    _, text = told(world, "order.paid:1")
    assert "accepted, request abc-1" in text
    found, _ = told(world, "order.paid:1", site=f"shop-{site}.myshopify.com", assignment=1)
    assert [one.key for one in found.events] == ["order.paid:1"]


def test_under_the_rules_of_that_time_or_of_today(world: Any) -> None:
    site = world.site()
    key = world.define()
    assignment = world.assign(site, key)
    world.order(site, 1, 1)
    world.order(site, 2, 1, total_price="500.00")
    world.drain()
    world.publish(key, world.draft(key, conditions=LARGE))
    found, text = told(world, "1")
    decided = found.events[-1].decisions[0]
    assert (decided.definition_revision, decided.explanation.fires) == (1, True)
    assert "not sent: The assignment names no ads action" in text
    found, text = told(world, "1", rules="now")
    decided = found.events[-1].decisions[0]
    assert (decided.definition_revision, decided.explanation.fires) == (2, False)
    assert decided.verdict == "It became custom event 1, and would not under these rules: The conditions do not hold."
    assert "as it is now" in text
    # what the revision of that time says of an event without a custom event
    world.execute("DELETE FROM app.custom_event_keys")
    world.execute("DELETE FROM app.custom_events")
    found, _ = told(world, "1")
    decided = found.events[-1].decisions[0]
    assert (decided.assignment_id, decided.definition_revision) == (assignment, 1)
    assert decided.verdict.startswith("It matches, and there is no custom event of it")


def test_thresholds_keys_groups_and_silent_assignments(world: Any) -> None:
    site = world.site()
    counting = world.rule(site, key="third", threshold={"at_least": "3", "scope": "site"})
    spent = world.rule(site, key="spent", threshold={"measure": "sum", "at_least": "250"})
    once = world.rule(site, key="once", dedup={"per": "customer"})
    world.rule(site, key="low", group="one", priority=1)
    world.rule(site, key="high", group="one", priority=2, valid_until="2020-01-01")
    world.rule(site, key="last", group="one")
    paused = world.rule(site, key="paused")
    world.assign(site, world.define("never", published=False))
    world.execute("UPDATE app.site_custom_events SET is_active = false WHERE id = :id", id=paused)
    for number in range(1, 15):
        world.order(site, number, 1)
    world.drain()
    found, text = told(world, "3")
    decided = {one.assignment_id: one for one in found.events[-1].decisions}
    step = decided[counting].explanation.threshold
    assert step is not None
    assert [one.key for one in step.counted] == ["order.paid:1", "order.paid:2", "order.paid:3"]
    assert decided[spent].explanation.threshold is not None
    assert decided[once].verdict == "It matches, but order.paid:1 has the key c:c:7 (custom event 1)."
    for words in (
        "yes threshold: number of events per site ever, when 3 is reached: 2 before, 3 with this one",
        "counted order.paid:1 of ",
        ", 100.00 EUR",
        "key c:c:7 belongs to order.paid:1 of ",
        "group one: assignment 4 keeps it (of 4, 6)",
        "outside its dates",
        "never (assignment 8): Nothing of it applied.",
        "paused (assignment 7): It is paused.",
    ):
        assert words in text, text
    assert "4 earlier ones were counted" in told(world, "14")[1]


def test_withdrawn_parked_and_waiting(world: Any) -> None:
    site = world.site()
    world.rule(site)
    world.order(site, 1, 1)
    world.drain()
    world.execute("UPDATE app.custom_events SET withdrawn_at = now(), withdrawn_reason = 'invalidated_by_late_event'")
    _, text = told(world, "1")
    assert "which was withdrawn: An event that arrived late" in text
    world.execute("UPDATE app.custom_events SET withdrawn_reason = 'something else'")
    assert "which was withdrawn: something else" in told(world, "1")[1]
    parked = world.land(site, "orders/paid", {"nothing": 1})
    found, text = told(world, f"raw:{parked}")
    assert "waits to be understood" in text
    assert "Nothing happened" in text
    world.drain()
    assert "parked (" in told(world, f"raw:{parked}")[1]
    found, _ = told(world, "raw:1")
    assert [one.type for one in found.events] == ["order.created", "order.paid"] or found.events
    world.execute("DELETE FROM app.raw_outcomes")
    assert "its outcome has expired by retention" in told(world, "1")[1]
    world.execute("DELETE FROM landing.raw_events")
    assert "the delivery has expired by retention" in told(world, "1")[1]


def test_events_without_an_order(world: Any) -> None:
    site, action = world.site(), world.action()
    world.rule(site, key="signup", trigger=["customer.created"], value={"source": "none"}, ads_action=action)
    at = "2026-11-10T12:00:00Z"
    world.land(site, "customers/create", {"id": 9, "created_at": at, "updated_at": at, "email": "person9@example.org"})
    world.drain()
    found, text = told(world, "customer.created:9")
    assert found.order is None
    assert text.startswith("Shop 1 (shop-key-1, shopify)")
    assert "no value" in text
    assert f"to {action}, transaction " in text


def test_what_is_not_there(world: Any) -> None:
    first, second = world.site(), world.site()
    for site in (first, second):
        world.order(site, 1, 1)
    world.drain()
    cases = [
        ("99", {}, NotFound, 'No order is called "99"'),
        ("99", {"site": "1"}, NotFound, "on site 1"),
        ("1", {}, NeedsAction, "Several sites have an order .*1, 2"),
        ("order.paid:1", {}, NeedsAction, "Several sites have an event order.paid:1"),
        ("order.paid:99", {}, NotFound, "No site has an event"),
        ("order.paid:99", {"site": "1"}, NotFound, "Site 1 has no event"),
        ("raw:99", {}, NotFound, "No raw event 99"),
        ("raw:x", {}, NotFound, "No raw event x"),
        ("1", {"site": "nowhere"}, NotFound, 'no site "nowhere".*shop-key-1, shop-key-2'),
    ]
    for subject, how, kind, words in cases:
        with pytest.raises(kind, match=words):
            explain_sync(world.url, subject, **how)
    found, text = told(world, "1", site="shop-key-1")
    assert "no assignment applied" in text
    assert found.silent == ()


def test_what_the_store_took_back_is_said(world: Any) -> None:
    site = world.site()
    world.rule(site, key="cancelled", trigger=["order.cancelled"], ads_action=world.action())
    at = {"updated_at": "2026-11-20T10:00:00Z", "created_at": "2026-11-20T09:00:00Z"}
    world.order(site, 1, 1, **at, cancelled_at="2026-11-20T10:00:00Z")
    world.drain()
    world.order(site, 1, 1, **at | {"updated_at": "2026-11-20T11:00:00Z"}, current_total_price="60.00")
    world.drain()
    found, text = told(world, "#1")
    (cancelled,) = [one for one in found.events if one.type == "order.cancelled"]
    assert cancelled.is_undone
    (decision,) = cancelled.decisions
    assert decision.explanation.reason == "taken_back_by_store"
    assert "which was withdrawn: The store took it back" in decision.verdict
    assert ", taken back by the store (stored" in text
    assert not world.backtest(first=-1000, last=14).counts.differs
