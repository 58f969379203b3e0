"""A plan of files in the light of history: its effect and its conflicts, counted; nothing is written."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import config
from custom_events.backtest import result_lines, rule_conflict_counts
from custom_events.backtest.plan_effects import Outlook, conflicts, outlook
from custom_events.catalog.files import folder, plan, stored
from custom_events.catalog.files.plan import Plan
from custom_events.catalog.files.stored import Stored
from tests.backtest.conftest import PastWorld, day_of

BIG = {"field": "order.total", "op": ">=", "value": "150.00"}


@pytest.fixture
def shop(world: PastWorld) -> tuple[int, str]:
    """A site whose orders go to an action: ten of 100 EUR, and five of 200."""
    site, action = world.site(), world.action()
    world.rule(site, key="paid", ads_action=action)
    for number in range(15):
        world.order(site, number + 1, 9, customer=number, total_price="100.00" if number < 10 else "200.00")
    world.drain()
    return site, action


def _stored(world: PastWorld) -> Stored:
    with world.engine.connect() as connection:
        return stored.read(connection)


def _planned(world: PastWorld, tmp_path: Path, **files: str) -> tuple[Stored, Plan]:
    """A plan of what is exported, with these texts added to files."""
    found = _stored(world)
    texts = folder.texts(stored.exported(found.catalog))
    for name, text in files.items():
        texts[f"{name}.yaml"] = texts.get(f"{name}.yaml", "") + text
    folder.write(tmp_path, texts)
    made = plan.make(found, folder.read(tmp_path))
    assert made.can_be_applied, made.findings
    return found, made


def _outlook(world: PastWorld, found: Stored, made: Plan, limit_s: float = 60.0) -> tuple[Outlook, list[str]]:
    said: list[str] = []
    before = world.written()
    seen = outlook(
        world.url, found, made.wanted, until=day_of(11), period=timedelta(days=30), limit_s=limit_s, tell=said.append
    )
    assert world.written() == before
    return seen, said


def test_a_plan_shows_what_it_would_have_made_and_who_would_have_met(
    world: PastWorld, shop: tuple[int, str], tmp_path: Path
) -> None:
    _, action = shop
    entry = f"- {{definition: big, label: twice, ads_action: {action}}}\n"
    files = {
        "definitions/big": "name: Big\ntrigger: [order.paid]\nconditions: {field: order.total, op: '>=', value: '150.00'}\n",
        "sites/shop-key-1": entry,
    }
    seen, said = _outlook(world, *_planned(world, tmp_path, **files))
    (one,) = seen.foreseen
    assert (one.subject, one.is_complete, one.events) == ('shop-key-1: "big" labelled "twice"', True, 15)
    assert (one.counts.would_add, one.counts.already_sent) == (5, 5)  # all of them are the other's already
    (met,) = seen.conflicts
    assert (met.orders, met.twice, met.events) == (15, 5, 15)
    assert [(pair.first[0], pair.second[0], pair.orders) for pair in met.pairs] == [("big", "paid", 5)]
    assert f"send the same orders to {action}: 5 of 15 orders since" in met.sentence
    assert "put them into one group" in met.sentence
    assert said == [f"counting what meets at {action}", 'looking back at shop-key-1: "big" labelled "twice"']


def test_a_group_keeps_them_apart(world: PastWorld, shop: tuple[int, str], tmp_path: Path) -> None:
    site, action = shop
    world.assign(site, world.define("big", conditions=BIG, group="one"), ads_action=action, priority=1)
    found = _stored(world)
    (met,) = conflicts(world.url, found, until=day_of(11), period=timedelta(days=30))
    assert met.twice == 5
    number = world.draft("paid", group="one")
    world.publish("paid", number)
    assert conflicts(world.url, _stored(world), until=day_of(11), period=timedelta(days=30)) == ()
    assert conflicts(world.url, found, until=day_of(11), period=timedelta(days=30), site_key="other") == ()


def test_what_others_of_a_group_lose_has_a_line_of_its_own(
    world: PastWorld, shop: tuple[int, str], tmp_path: Path
) -> None:
    site, action = shop
    world.publish("paid", world.draft("paid", group="one"))
    entry = f"- {{definition: big, label: twice, ads_action: {action}}}\n"
    files = {
        "definitions/big": "name: Big\ntrigger: [order.paid]\ngroup: one\npriority: 1\nvalue: {factor: 2}\n"
        "conditions: {field: order.total, op: '>=', value: '150.00'}\n",
        "sites/shop-key-1": entry,
    }
    seen, _ = _outlook(world, *_planned(world, tmp_path, **files))
    assert [line.strip() for line in config.outlook_lines(seen)][1:] == [
        'shop-key-1: "big" labelled "twice": 5 more, 5 fewer, 0 of another value, 10 as they are',
        f'big "twice", new, on site {site}: 5 more, 0 fewer, 0 of another value, 0 as they are',
        f'paid "paid" on site {site}: 0 more, 5 fewer, 0 of another value, 10 as they are',
        f"at Google, {action}: 5 new, 2,000.00 EUR; 5 taken back before sending, 1,000.00 EUR",
    ]


def test_only_some_of_many_shares_are_shown(
    world: PastWorld, shop: tuple[int, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_lines, "MAX_SHOWN_ASSIGNMENTS", 1)
    second = world.site()
    world.assign(second, "paid")
    world.order(second, 99, 9)
    world.drain()
    seen, _ = _outlook(world, *_planned(world, tmp_path, **{"definitions/paid": "value: {factor: 2}\n"}))
    shown = [line.strip() for line in config.outlook_lines(seen)]
    assert shown[2].startswith(f'paid "paid" on site {shop[0]}: 0 more, 0 fewer, 15 of another value')
    assert shown[3] == "... and 1 more assignments (--json has all)"


def test_conditions_that_exclude_each_other_are_shown_to(world: PastWorld, shop: tuple[int, str]) -> None:
    site, action = shop
    world.assign(site, world.define("big", conditions=BIG), ads_action=action)
    number = world.draft("paid", conditions={"not": BIG})
    world.publish("paid", number)
    (met,) = conflicts(world.url, _stored(world), until=day_of(11), period=timedelta(days=30))
    assert (met.orders, met.twice, met.pairs) == (15, 0, ())
    assert met.sentence.endswith(
        f"send the same orders to {action}, as it seems: 0 of 15 orders since {met.since:%Y-%m-%d}"
    )


def test_only_the_newest_events_are_counted(
    world: PastWorld, shop: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, action = shop
    monkeypatch.setattr(rule_conflict_counts, "MAX_EVENTS", 4)
    world.assign(site, world.define("big", conditions=BIG), ads_action=action)
    (met,) = conflicts(world.url, _stored(world), until=day_of(11), period=timedelta(days=30))
    assert (met.events, met.orders, met.twice) == (4, 4, 4)


def test_a_changed_definition_is_looked_back_at_once_for_all_its_sites(
    world: PastWorld, shop: tuple[int, str], tmp_path: Path
) -> None:
    second = world.site()
    world.assign(second, "paid")
    third = world.site()
    world.assign(third, "paid", priority=1)
    found, made = _planned(world, tmp_path, **{"definitions/paid": "delay_minutes: 5\nvalue: {factor: 2}\n"})
    seen, _ = _outlook(world, found, made)
    (one,) = seen.foreseen
    assert one.subject == 'definition "paid" on 3 assignments'
    assert one.counts.would_change == 15
    assert seen.conflicts == ()


def test_changed_overrides_and_sites_that_are_not_there_yet(
    world: PastWorld, shop: tuple[int, str], tmp_path: Path
) -> None:
    found = _stored(world)
    texts = folder.texts(stored.exported(found.catalog))
    _, action = shop
    entries = f"- {{definition: paid, label: a, ads_action: {action}}}\n- {{definition: paid, label: b, ads_action: {action}}}\n"
    new = "name: New\nplatform: custom\nassignments:\n" + entries
    changed = texts["sites/shop-key-1.yaml"].replace("label: paid", "label: paid\n  priority: 3\n  value: {factor: 3}")
    folder.write(tmp_path, {**texts, "sites/shop-key-1.yaml": changed, "sites/new-key-1.yaml": new})
    made = plan.make(found, folder.read(tmp_path))
    seen, _ = _outlook(world, found, made)
    assert [(one.subject, one.counts.would_change) for one in seen.foreseen] == [
        ('shop-key-1: "paid" labelled "paid"', 15)
    ]
    (met,) = seen.conflicts
    assert (met.conflict.site_key, met.events) == ("new-key-1", 0)
    assert "no history to count on; put them into one group" in met.sentence


def test_what_there_is_no_time_for_is_said(world: PastWorld, shop: tuple[int, str], tmp_path: Path) -> None:
    files: dict[str, Any] = {"definitions/paid": "value: {factor: 2}\n"}
    seen, _ = _outlook(world, *_planned(world, tmp_path, **files), limit_s=-1)
    assert (seen.foreseen, seen.left_out) == ((), 1)
