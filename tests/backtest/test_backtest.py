"""A draft against history: verdicts, value by day, what Google would hear, samples that explain themselves."""

import time
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from custom_events.backtest.backtest import backtest_sync
from custom_events.backtest.result import Progress, to_json
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.history.drafts import Draft

LARGE = {"field": "order.total", "op": ">=", "value": "150"}


def totals(world: Any, site: int, *amounts: str, first_day: int = 1) -> None:
    for number, amount in enumerate(amounts, start=1):
        world.order(site, number, first_day + number - 1, customer=number, total_price=amount)
    world.drain()


def test_a_stricter_draft_drops_what_is_too_small_and_nothing_is_written(world: Any) -> None:
    site, action = world.site(), world.action()
    key = world.define()
    assignment = world.assign(site, key, ads_action=action)
    totals(world, site, "100.00", "200.00", "300.00")
    world.draft(key, conditions=LARGE)
    before = world.written()
    heard: list[Progress] = []
    found = world.backtest(Draft(definition=key), on_progress=heard.append, page_events=2)
    assert world.written() == before
    assert (found.counts.would_add, found.counts.would_drop, found.counts.unchanged) == (0, 1, 2)
    assert found.counts.differs
    assert found.is_complete
    assert found.events == 3
    assert [one.assignment_id for one in found.assignments] == [assignment]
    assert [(str(day.value_now), str(day.value_then)) for day in found.days] == [
        ("100.00", "0"), ("200.00", "200.00"), ("300.00", "300.00")
    ]  # fmt: skip
    (sample,) = found.samples
    assert (sample.verdict, sample.event_key, sample.order_id, sample.upload) == (
        "would_drop",
        "order.paid:1",
        "1",
        "queued",
    )
    assert sample.explanation.conditions.tree is not None
    assert sample.explanation.conditions.tree.value == "100.00"
    (effect,) = found.effects
    assert (effect.ads_action, effect.currency, effect.withdrawn_unsent) == (action, "EUR", 1)
    assert [one.events for one in heard] == [2, 3]
    assert 0 < heard[0].share < heard[1].share <= 1
    assert b'"would_drop":1' in to_json(found)


def test_what_is_at_google_would_be_retracted_and_restated(world: Any) -> None:
    site, action = world.site(), world.action()
    key = world.define()
    world.assign(site, key, ads_action=action)
    totals(world, site, "100.00", "200.00")
    world.execute("UPDATE app.conversion_uploads SET state = 'claimed'")
    world.execute("UPDATE app.conversion_uploads SET state = 'accepted'")
    world.draft(key, conditions=LARGE, value={"factor": "0.5"})
    found = world.backtest(Draft(definition=key))
    assert (found.counts.would_drop, found.counts.would_change, found.counts.unchanged) == (1, 1, 0)
    (effect,) = found.effects
    assert (effect.retracted, effect.value_retracted) == (1, Decimal(100))
    assert (effect.restated, effect.restated_by) == (1, Decimal(-100))
    assert [one.verdict for one in found.samples] == ["would_drop", "would_change"]


def test_a_value_that_waits_to_be_sent_would_be_changed(world: Any) -> None:
    site, action = world.site(), world.action()
    key = world.define()
    world.assign(site, key, ads_action=action)
    totals(world, site, "100.00")
    found = world.backtest(Draft(definition=key, config=_config(value={"factor": "2"})))
    assert [(one.changed_unsent, one.changed_by) for one in found.effects] == [(1, Decimal(100))]


def test_a_new_definition_on_a_site_that_does_not_have_it(world: Any) -> None:
    site, action = world.site(), world.action()
    world.rule(site, ads_action=action)
    totals(world, site, "100.00", "200.00")
    found = world.backtest(Draft(config=_config(conditions=LARGE, ads_action=action)), sites=[site])
    assert (found.counts.would_add, found.counts.already_sent) == (1, 1)
    assert found.effects == ()
    assert [(one.assignment_id, one.label) for one in found.assignments] == [(-site, "(not assigned)")]
    other = world.action()
    found = world.backtest(Draft(config=_config(conditions=LARGE, ads_action=other)), sites=[site])
    assert [(one.ads_action, one.sent_new, one.value_new) for one in found.effects] == [(other, 1, Decimal(200))]
    nowhere = world.backtest(Draft(config=_config()), sites=[site])
    assert nowhere.counts.withheld == {"no_ads_action": 2}


def test_what_would_be_new_goes_by_what_a_later_body_said_of_consent(world: Any, body: Any, day: Any) -> None:
    site, action = world.site(), world.action()
    totals(world, site, "100.00", "200.00")
    later = body(1, 1, customer=1, total_price="100.00", updated_at=day(3).isoformat())
    later["note_attributes"] = [{"name": "_ce_consent", "value": '{"ad_user_data": "denied"}'}]
    world.land(site, "orders/updated", later)
    world.drain()
    found = world.backtest(Draft(config=_config(ads_action=action)), sites=[site])
    assert (found.counts.would_add, found.counts.withheld) == (2, {"consent_denied": 1})
    assert [(one.sent_new, one.value_new) for one in found.effects] == [(1, Decimal(200))]


def test_overrides_of_one_assignment(world: Any) -> None:
    site = world.site()
    key = world.define()
    first, second = world.assign(site, key, "first"), world.assign(site, key, "second")
    totals(world, site, "100.00", "200.00")
    found = world.backtest(Draft(assignment=first, overrides=_overrides(also=LARGE)))
    assert [one.assignment_id for one in found.assignments] == [first]
    assert (found.counts.would_drop, found.counts.unchanged) == (1, 1)
    both = world.backtest(Draft(definition=key, config=_config(conditions=LARGE), assignment=second))
    assert [one.assignment_id for one in both.assignments] == [second]
    assert world.backtest(Draft(assignment=second, assignment_number=1)).counts.unchanged == 2


def test_a_group_is_compared_as_a_whole(world: Any) -> None:
    site = world.site()
    low = world.rule(site, group="order", priority=1)
    high = world.rule(site, group="order", priority=2, conditions=LARGE)
    totals(world, site, "100.00", "200.00")
    key = world.rows("SELECT key FROM app.custom_event_definitions ORDER BY id DESC LIMIT 1")[0][0]
    found = world.backtest(Draft(definition=key, config=_config(group="order", priority=0, conditions=LARGE)))
    counts = {one.assignment_id: one.counts for one in found.assignments}
    assert (counts[low].would_add, counts[low].unchanged) == (1, 1)
    assert (counts[high].would_drop, counts[high].unchanged) == (1, 0)


@pytest.mark.parametrize(("now", "then", "expected"), [
    ({"trigger": ["order.created"]}, {"trigger": ["order.paid"]}, (0, 0, 1)),  # another event of the order stands in
    ({"trigger": ["order.paid"]}, {"trigger": ["order.created"]}, (0, 0, 1)),
    ({"dedup": {"per": "customer"}}, {"dedup": {"per": "order"}}, (0, 0, 1)),
    ({"conditions": LARGE, "dedup": {"per": "customer"}}, {"dedup": {"per": "customer"}}, (0, 0, 0)),
], ids=["created-paid", "paid-created", "key", "nothing-stands"])  # fmt: skip
def test_a_key_stays_with_its_order(
    world: Any, body: Any, now: dict[str, Any], then: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    site = world.site()
    key = world.define(**now)
    world.assign(site, key)
    world.land(site, "orders/create", body(1, 1, financial_status="pending"))
    world.land(site, "orders/paid", body(1, 2))
    world.drain()
    world.draft(key, **then)
    found = world.backtest(Draft(definition=key)).counts
    if expected == (0, 0, 0):
        assert (found.would_add, found.would_drop, found.unchanged) == (1, 0, 0)
    else:
        assert (found.would_add, found.would_drop, found.unchanged) == expected


def test_of_a_customer_s_events_the_first_one_has_the_key(world: Any) -> None:
    site = world.site()
    key = world.define(conditions=LARGE, dedup={"per": "customer"})
    world.assign(site, key)
    for number, amount in enumerate(("100.00", "200.00", "120.00"), start=1):
        world.order(site, number, number, total_price=amount)
    world.drain()
    everything = Draft(definition=key, config=_config(dedup={"per": "customer"}))
    counts = world.backtest(everything).counts
    assert (counts.would_add, counts.would_drop, counts.unchanged) == (1, 1, 0)
    # the holder happened after the period: it loses the key all the same
    found = world.backtest(everything, last=2)
    assert [(one.verdict, one.order_id) for one in found.samples] == [("would_add", "1"), ("would_drop", "2")]
    small = {"field": "order.total", "op": "<", "value": "150"}
    found = world.backtest(Draft(definition=key, config=_config(conditions=small, dedup={"per": "customer"})))
    assert (found.counts.would_add, found.counts.would_drop, found.counts.unchanged) == (1, 1, 0)
    assert [(one.verdict, one.order_id) for one in found.samples] == [("would_add", "1"), ("would_drop", "2")]
    # the holder of the key lies outside the period: nobody else gets it
    later = world.backtest(Draft(definition=key, config=_config(dedup={"per": "customer"})), first=3)
    assert not later.counts.differs
    # the holder came before in the period and has lost its key
    after = {"field": "order.number", "op": "=", "value": "#3"}
    found = world.backtest(Draft(definition=key, config=_config(conditions=after, dedup={"per": "customer"})))
    assert [(one.verdict, one.order_id) for one in found.samples] == [("would_add", "3"), ("would_drop", "2")]


def test_an_assignment_that_names_an_action_now_sends_what_was_withheld(world: Any) -> None:
    site, action = world.site(), world.action()
    key = world.define()
    world.assign(site, key)
    totals(world, site, "100.00", "200.00")
    sends = Draft(definition=key, config=_config(ads_action=action))
    found = world.backtest(sends)
    assert (found.counts.would_change, found.counts.unchanged) == (2, 0)
    assert [(one.ads_action, one.sent_new, one.value_new) for one in found.effects] == [(action, 2, Decimal(300))]
    world.publish(key, world.draft(key, ads_action=action))
    world.order(site, 3, 3)
    world.drain()
    found = world.backtest(Draft(definition=key, config=_config()), first=3)
    assert [(one.ads_action, one.withdrawn_unsent) for one in found.effects] == [(action, 1)]
    world.execute("UPDATE app.conversion_uploads SET state = 'claimed', attempts = 1 WHERE state = 'queued'")
    assert world.backtest(Draft(definition=key, config=_config()), first=3).counts.unchanged == 1


def test_two_that_shared_nothing_share_a_key_now(world: Any) -> None:
    site = world.site()
    key = world.define()
    world.assign(site, key)
    for number in (1, 2, 3):
        world.order(site, number, number)
    world.drain()
    counts = world.backtest(Draft(definition=key, config=_config(dedup={"per": "customer"}))).counts
    assert (counts.would_add, counts.would_drop, counts.unchanged) == (0, 2, 1)


@pytest.mark.parametrize("scope", ["customer", "site"])
def test_thresholds_count_what_was_before_the_period(world: Any, scope: str) -> None:
    site = world.site()
    key = world.define()
    world.assign(site, key)
    for number in range(1, 7):
        world.order(site, number, number, total_price="200.00" if number != 2 else "10.00")
    world.drain()
    config = _config(threshold={"at_least": "2", "scope": scope, "fires": "every_nth"}, conditions=LARGE)
    found = world.backtest(Draft(definition=key, config=config), first=2)
    assert [one.order_id for one in found.samples if one.verdict == "would_drop"] == ["2", "4", "6"]
    assert found.counts.unchanged == 2
    rolling = _config(threshold={"at_least": "3", "scope": scope, "period": "rolling", "window_days": 3, "fires": "every_further"})  # fmt: skip
    assert world.backtest(Draft(definition=key, config=rolling), first=2, page_events=1).counts.unchanged == 4
    windows = _config(threshold={"at_least": "2", "scope": scope, "fires": "every_further"},
                      dedup={"per": "customer_window", "window_days": 3})  # fmt: skip
    found = world.backtest(Draft(definition=key, config=windows), page_events=2)
    assert found.counts.unchanged == 2  # 2 and 5: they open windows
    assert found.counts.would_drop == 4


def test_customer_facts_decide_in_a_site_wide_threshold(world: Any) -> None:
    site = world.site()
    key = world.define()
    world.assign(site, key)
    for number in range(1, 5):
        world.order(site, number, number, customer=number % 2)
    world.drain()
    repeated = {"field": "customer.orders_before", "op": ">=", "value": 1}
    config = _config(threshold={"at_least": "2", "scope": "site"}, conditions=repeated)
    for first in (0, 4):
        assert world.backtest(Draft(definition=key, config=config), first=first).counts.unchanged == 1


def test_several_sites_and_a_stop(world: Any) -> None:
    key = world.define()
    sites = [world.site() for _ in range(3)]
    for site in sites[:2]:
        world.assign(site, key)
        world.order(site, 1, 1)
    world.drain()
    found = world.backtest(Draft(definition=key), stop=lambda: True)
    assert (found.is_complete, found.events, found.sites) == (False, 1, tuple(sites[:2]))
    assert world.backtest(Draft(definition=key)).counts.unchanged == 2
    everywhere = world.backtest(Draft(definition=key), sites=sites)
    assert [one.assignment_id for one in everywhere.assignments] == [-sites[2], *[1, 2]]
    assert f"Site {sites[2]} has no events of these types." in everywhere.notes
    assert world.backtest(sites=[sites[2]]).assignments == ()


def test_what_cannot_be_asked(world: Any) -> None:
    site, key = world.site(), world.define()
    world.define("unpublished", published=False)

    def refuse(kind: type[Exception], words: str, draft: Draft, **how: Any) -> None:
        with pytest.raises(kind, match=words):
            world.backtest(draft, **how)

    refuse(InvalidConfiguration, "since: .* is not before", Draft(), first=5, last=5)
    refuse(NotFound, 'no definition "nothing". There are: .*unpublished', Draft(definition="nothing"))
    refuse(NotFound, "no revision 7; it has 1 to 1", Draft(definition=key, definition_number=7))
    refuse(NotFound, "no assignment 99", Draft(assignment=99))
    refuse(NotFound, "no site 99", Draft(definition=key), sites=[99])
    refuse(NeedsAction, "No site has .* assigned", Draft(definition=key))
    refuse(NeedsAction, "name the one", Draft(overrides=_overrides()))
    refuse(NotFound, 'no definition "nothing"', Draft(), definition="nothing")
    refuse(NotFound, "no assignment 9", Draft(), assignment=9)
    refuse(NeedsAction, "Nothing of definition", Draft(), definition="unpublished")
    assignment = world.assign(site, "unpublished")
    refuse(NeedsAction, "Nothing of the definition of assignment", Draft(assignment=assignment))
    wrong = Draft(definition="unpublished", config=_config(), assignment=assignment, overrides=_overrides(click_window_days=400))  # fmt: skip
    refuse(InvalidConfiguration, r"click_window_days: 400 days.*assignment", wrong)
    assert world.backtest(Draft(definition="unpublished")).assignments[0].assignment_id == assignment


def test_the_database_itself_refuses_to_write(world: Any, day: Any) -> None:
    import asyncio

    import asyncpg

    from custom_events.history.reading import reading

    async def write() -> None:
        async with reading(world.url) as connection:
            await connection.execute("DELETE FROM app.sites")

    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        asyncio.run(write())
    empty = backtest_sync(world.url, since=day(0), until=day(1))
    assert (empty.events, empty.sites, empty.events_per_s) == (0, (), 0.0)


def test_ctrl_c_leaves_nothing_behind(world: Any) -> None:
    site = world.site()
    world.rule(site)
    world.order(site, 1, 1)
    world.drain()

    def interrupt(_progress: Progress) -> None:
        raise KeyboardInterrupt

    before = world.written()
    with pytest.raises(KeyboardInterrupt):
        world.backtest(on_progress=interrupt)
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'custom-events-history' AND datname = current_database()"
    deadline = time.monotonic() + 10
    while world.rows(left) != [(0,)] and time.monotonic() < deadline:
        pass
    assert world.rows(left) == [(0,)]
    assert world.written() == before


def _config(**config: Any) -> Any:
    import msgspec

    from custom_events.values.definitions import DefinitionConfig

    return msgspec.convert({"trigger": ["order.paid"], **config}, DefinitionConfig)


def _overrides(**overrides: Any) -> Any:
    import msgspec

    from custom_events.values.definitions import Overrides

    return msgspec.convert(overrides, Overrides)


def test_a_day_is_one_of_the_site_s_calendar(world: Any, body: Any) -> None:
    site = world.site(time_zone="Pacific/Auckland")  # noon in UTC is the next day there
    key = world.define()
    world.assign(site, key)
    world.order(site, 1, 1)
    world.drain()
    at = datetime.fromisoformat(body(1, 1)["created_at"])
    (day,) = world.backtest(Draft(definition=key)).days
    assert (day.day - at.date()).days == 1
    assert (day.number_now, day.number_then, day.currency) == (1, 1, "EUR")
