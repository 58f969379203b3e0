"""Who wins or loses by what others of a group do: backtest, plan and replay say the same, and afterwards nothing is left to do."""

from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from cli import config as cli_config
from custom_events.backtest.plan_effects import Outlook, outlook
from custom_events.backtest.replay import Order, Replay, replay_sync
from custom_events.backtest.result_lines import backtest_lines, replay_lines
from custom_events.catalog import assignments, definitions
from custom_events.catalog.files import folder, plan, stored
from custom_events.errors import NeedsAction, NotFound
from custom_events.history.drafts import Draft
from custom_events.values.definitions import DefinitionConfig, Overrides
from tests.backtest.conftest import ME, PastWorld, day_of

LARGE = {"field": "order.total", "op": ">=", "value": "150"}
NEVER = {"field": "order.total", "op": "<", "value": "0"}
BY_ANA = Order(actor="ana@example.org", reason="the group has changed")
Counted = tuple[int, int, int, int]


class Shop(NamedTuple):
    """Sites with rules A (priority 2) and B (1) of one group, each with an action of its own, and an order of 100 EUR; A has it."""

    sites: list[int]
    a: list[int]
    b: list[int]


@pytest.fixture
def shop(world: PastWorld) -> Shop:
    """One site; the definitions are rule_a and rule_b."""
    return opened(world, 1, group="g")


def opened(world: PastWorld, number: int, **of_a: Any) -> Shop:
    world.define("rule_a", **{"priority": 2, **of_a})
    world.define("rule_b", group="g", priority=1)
    found = Shop([], [], [])
    for _ in range(number):
        site = world.site()
        found.sites.append(site)
        found.a.append(world.assign(site, "rule_a", "a", ads_action=world.action()))
        found.b.append(world.assign(site, "rule_b", "b", ads_action=world.action()))
        world.order(site, 1, 5)
    world.drain()
    return found


def config(**settings: Any) -> DefinitionConfig:
    return msgspec.convert({"trigger": ["order.paid"], **settings}, DefinitionConfig)


def overrides(world: PastWorld, assignment: int, **settings: Any) -> Overrides:
    known = world.rows("SELECT overrides FROM app.assignment_revisions WHERE assignment_id = :id", id=assignment)
    return msgspec.convert({**known[-1][0], **settings}, Overrides)


def shares(found: Any) -> dict[int, Counted]:
    """By assignment: added, dropped, changed, unchanged. Those without any are left out."""
    numbers = {
        one.assignment_id: (one.counts.would_add, one.counts.would_drop, one.counts.would_change, one.counts.unchanged)
        for one in found.assignments
    }
    return {number: counts for number, counts in numbers.items() if any(counts)}


def replayed(world: PastWorld, **how: Any) -> Replay:
    return replay_sync(world.url, world.settings, since=day_of(0), until=day_of(14), **how)


def corrected(world: PastWorld, shop: Shop) -> None:
    """Older evidence comes late: the first order of each site was of 80 EUR."""
    for site in shop.sites:
        world.order(site, 1, 5, total_price="80.00", updated_at=day_of(4).isoformat())
    world.drain()


def is_settled(world: PastWorld) -> bool:
    """Whether a look back at what is published finds nothing but what is there."""
    return not world.backtest(last=14).counts.differs


# What is done to A, as a draft of its definition; what A and B gain and lose by it.
DRAFTS: dict[str, tuple[dict[str, Any], dict[str, Any], Counted, Counted]] = {
    "leaves": ({"group": "g"}, {"priority": 2}, (0, 0, 0, 1), (1, 0, 0, 0)),
    "moves": ({"group": "g"}, {"priority": 2, "group": "h"}, (0, 0, 0, 1), (1, 0, 0, 0)),
    "joins": ({}, {"priority": 2, "group": "g"}, (0, 0, 0, 1), (0, 1, 0, 0)),
    "joins-below": ({}, {"priority": 0, "group": "g"}, (0, 1, 0, 0), (0, 0, 0, 1)),
    "priority": ({"group": "g"}, {"group": "g"}, (0, 1, 0, 0), (1, 0, 0, 0)),
    "equal": ({"group": "g", "priority": 0}, {"group": "g", "priority": 1}, (1, 0, 0, 0), (0, 1, 0, 0)),
    "conditions": ({"group": "g"}, {"group": "g", "priority": 2, "conditions": LARGE}, (0, 1, 0, 0), (1, 0, 0, 0)),
    "trigger": ({"group": "g"}, {"group": "g", "priority": 2, "trigger": ["order.cancelled"]}, (0, 1, 0, 0), (1, 0, 0, 0)),
    "begins": ({"group": "g", "conditions": NEVER}, {"group": "g", "priority": 2}, (1, 0, 0, 0), (0, 1, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("kind", DRAFTS)
def test_a_draft_says_what_the_others_of_its_groups_gain_and_lose(world: PastWorld, kind: str) -> None:
    """On every site that has the definition; a replay of it writes just that, and then everything is as the rules say."""
    before, after, of_a, of_b = DRAFTS[kind]
    shop = opened(world, 2, **before)
    expected = {number: counts for site in zip(shop.a, shop.b, strict=True) for number, counts in zip(site, (of_a, of_b), strict=True)}  # fmt: skip
    assert is_settled(world)
    assert shares(world.backtest(Draft(definition="rule_a", config=config(**after)))) == expected
    world.publish("rule_a", world.draft("rule_a", **after))
    assert shares(world.backtest(last=14)) == expected
    written = world.written()
    assert shares(replayed(world, definition="rule_a")) == expected
    assert shares(replayed(world, assignment=shop.a[0])) == {
        number: expected[number] for number in (shop.a[0], shop.b[0])
    }
    assert world.written() == written
    done = replayed(world, definition="rule_a", order=BY_ANA)
    assert shares(done) == expected
    assert is_settled(world)
    (note,) = [one for one in done.notes if one.startswith("Covered too")]
    assert note.endswith(f"assignments {shop.b[0]}, {shop.b[1]}.")


def test_the_answers_name_who_gains(world: PastWorld, shop: Shop) -> None:
    found = world.backtest(Draft(definition="rule_a", config=config()))
    assert f'          1           0             0          0  {shop.b[0]} rule_b "b", site {shop.sites[0]}' in list(
        backtest_lines(found)
    )
    world.publish("rule_a", world.draft("rule_a"))
    lines = list(replay_lines(replayed(world, definition="rule_a", order=BY_ANA)))
    assert f'          1           0             0          0  {shop.b[0]} rule_b "b", site {shop.sites[0]}' in lines


@pytest.mark.parametrize(("before", "after", "of_b"), [
    ({"group": "g"}, {"group": None}, (1, 0, 0, 0)),
    ({}, {"group": "g"}, (0, 1, 0, 0)),
], ids=["leaves", "joins"])  # fmt: skip
def test_overrides_take_an_assignment_out_of_a_group_and_into_one(
    world: PastWorld, before: Any, after: Any, of_b: Counted
) -> None:
    shop = opened(world, 1, **before)
    (site, a, b) = shop.sites[0], shop.a[0], shop.b[0]
    draft = overrides(world, a, **after)
    expected = {a: (0, 0, 0, 1), b: of_b}
    assert shares(world.backtest(Draft(assignment=a, overrides=draft))) == expected
    with world.engine.begin() as connection:
        number = assignments.override(connection, a, draft, expected=1, author=ME).number
        assignments.publish(connection, a, number, by=ME)
    assert shares(replayed(world, sites=[site], assignment=a, order=BY_ANA)) == expected
    assert is_settled(world)


STOPS: dict[str, Any] = {
    "pause": lambda connection, a: assignments.pause(connection, a, actor=ME),
    "retire": lambda connection, a: assignments.retire(connection, a, by=ME),
    "definition": lambda connection, _: definitions.retire(connection, "rule_a", by=ME),
}


@pytest.mark.parametrize("kind", STOPS)
def test_what_stops_leaves_the_field_to_the_others(world: PastWorld, shop: Shop, kind: str) -> None:
    """What it has made stays; the rest of its group fire as if it had never been there, on what happened before too."""
    (a,), (b,) = shop.a, shop.b
    draft = Draft(definition="rule_a", stopped=True) if kind == "definition" else Draft(assignment=a, stopped=True)
    foretold = world.backtest(draft)
    assert shares(foretold) == {b: (1, 0, 0, 0)}
    assert f"Nothing of assignment {a} applies: what it has made stays, and it makes nothing new." in foretold.notes
    with world.engine.begin() as connection:
        STOPS[kind](connection, a)
    world.order(shop.sites[0], 2, 6)  # while it is stopped
    world.drain()
    for asked in ({"definition": "rule_a"}, {"assignment": a}, {"definition": "rule_b"}, {}):
        assert shares(replayed(world, **asked)) == {b: (1, 0, 0, 1)}
    done = replayed(world, definition="rule_a", order=BY_ANA)
    assert shares(done) == {b: (1, 0, 0, 1)}
    assert f"Nothing of assignment {a} applies: what it has made stays, and it makes nothing new." in done.notes
    assert is_settled(world)
    standing = "SELECT assignment_id, order_id, value FROM app.custom_events WHERE withdrawn_at IS NULL ORDER BY 1, 2"
    assert world.rows(standing) == [(a, "1", 100), (b, "1", 100), (b, "2", 100)]
    corrected(world, shop)
    assert world.rows(standing) == [(a, "1", 80), (b, "1", 80), (b, "2", 100)]
    assert is_settled(world)


@pytest.mark.parametrize("kind", STOPS)
def test_what_stops_keeps_its_events_until_a_replay(world: PastWorld, shop: Shop, kind: str) -> None:
    """A correction of such an event gives it to nobody else: a late body carries no new rule into the past."""
    with world.engine.begin() as connection:
        STOPS[kind](connection, shop.a[0])
    corrected(world, shop)
    standing = "SELECT assignment_id, order_id, value FROM app.custom_events WHERE withdrawn_at IS NULL ORDER BY 1, 2"
    assert world.rows(standing) == [(shop.a[0], "1", 80)]


def test_what_begins_again_takes_its_group_over(world: PastWorld, shop: Shop) -> None:
    (a,), (b,) = shop.a, shop.b
    with world.engine.begin() as connection:
        assignments.pause(connection, a, actor=ME)
    world.order(shop.sites[0], 2, 6)
    world.drain()
    assert shares(world.backtest(Draft(assignment=a))) == {a: (1, 0, 0, 1), b: (0, 1, 0, 0)}
    with world.engine.begin() as connection:
        assignments.resume(connection, a, actor=ME)
    assert shares(replayed(world, assignment=a)) == {a: (1, 0, 0, 1), b: (0, 1, 0, 0)}
    assert shares(replayed(world, assignment=a, order=BY_ANA)) == {a: (1, 0, 0, 1), b: (0, 1, 0, 0)}
    assert is_settled(world)


def test_a_new_one_of_equal_priority_comes_after_those_that_are_there(world: PastWorld, shop: Shop) -> None:
    draft = Draft(config=config(group="g", priority=2))
    assert shares(world.backtest(draft, sites=shop.sites)) == {shop.a[0]: (0, 0, 0, 1)}
    world.define("rule_c", group="g", priority=2)
    world.assign(shop.sites[0], "rule_c")
    assert is_settled(world)


def test_a_replay_remembers_the_groups_of_before(world: PastWorld, shop: Shop) -> None:
    """Both have left the group by now; what the one did not get, since the other was there, is due to both."""
    for key in ("rule_a", "rule_b"):
        world.publish(key, world.draft(key))
    for key in ("rule_a", "rule_b"):
        assert shares(replayed(world, definition=key))[shop.b[0]] == (1, 0, 0, 0)


def test_what_is_corrected_after_a_replay_is_judged_by_what_the_replay_found(
    world: PastWorld, shop: Shop, body: Any
) -> None:
    """A replay decides by today's rules, and what comes later about the same order does not bring the former ones back."""
    world.publish("rule_a", world.draft("rule_a", priority=2))
    replayed(world, definition="rule_a", order=BY_ANA)
    corrected(world, shop)
    values = "SELECT assignment_id, value FROM app.custom_events WHERE withdrawn_at IS NULL ORDER BY 1"
    assert world.rows(values) == [(shop.a[0], 80), (shop.b[0], 80)]
    assert is_settled(world)


def test_what_a_replay_took_back_stays_so_after_a_correction(world: PastWorld) -> None:
    shop = opened(world, 1)
    world.publish("rule_a", world.draft("rule_a", priority=2, group="g"))
    replayed(world, definition="rule_a", order=BY_ANA)
    corrected(world, shop)
    values = "SELECT assignment_id, value FROM app.custom_events WHERE withdrawn_at IS NULL ORDER BY 1"
    assert world.rows(values) == [(shop.a[0], 80)]
    assert is_settled(world)


# ---------------------------------------------------------------- plans
def planned(world: PastWorld, directory: Path, changes: dict[str, tuple[str, str]]) -> Outlook:
    """What a plan says in which of each exported file a piece is replaced."""
    with world.engine.connect() as connection:
        found = stored.read(connection)
    texts = folder.texts(stored.exported(found.catalog))
    for name, (old, new) in changes.items():
        assert old in texts[name], texts[name]
        texts[name] = texts[name].replace(old, new)
    folder.write(directory, texts)
    made = plan.make(found, folder.read(directory))
    assert made.can_be_applied, made.findings
    return outlook(
        world.url, found, made.wanted, until=day_of(11), period=timedelta(days=30), limit_s=60, tell=lambda _: None
    )


PLANS: dict[str, tuple[str, dict[str, tuple[str, str]], Counted]] = {
    "leaves": ('definition "rule_a" on 1 assignment', {"definitions/rule_a.yaml": ("group: g\n", "")}, (1, 0, 0, 0)),
    "overrides": ('shop-key-1: "rule_a" labelled "a"', {"sites/shop-key-1.yaml": ("label: a\n", "label: a\n  group: null\n")}, (1, 0, 0, 0)),
    "pauses": ('shop-key-1: "rule_a" labelled "a" (stops)', {"sites/shop-key-1.yaml": ("label: a\n", "label: a\n  active: false\n")}, (1, 0, 0, 0)),
    "retires": ('definition "rule_a" on 1 assignment (stops)', {"definitions/rule_a.yaml": ("name: rule_a\n", "name: rule_a\npublished: false\n")}, (1, 0, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_says_what_the_others_of_a_group_gain(world: PastWorld, shop: Shop, tmp_path: Path, kind: str) -> None:
    subject, changes, of_b = PLANS[kind]
    (one,) = planned(world, tmp_path, changes).foreseen
    assert one.subject == subject
    assert shares(msgspec.structs.replace(world.backtest(), assignments=one.shares)) == {shop.b[0]: of_b}
    seen = planned(world, tmp_path / "again", changes)
    line = f'rule_b "b" on site {shop.sites[0]}: 1 more, 0 fewer, 0 of another value, 0 as they are'
    assert [one.strip() for one in cli_config.outlook_lines(seen)][2] == line


def test_a_plan_that_stops_what_has_no_rivals_looks_at_nothing(world: PastWorld, tmp_path: Path) -> None:
    opened(world, 1)
    pause = {"sites/shop-key-1.yaml": ("label: a\n", "label: a\n  active: false\n")}
    assert planned(world, tmp_path, pause).foreseen == ()


def test_who_moves_into_another_group_together_gains_nothing(world: PastWorld, shop: Shop, tmp_path: Path) -> None:
    moved = {f"definitions/rule_{key}.yaml": ("group: g\n", "group: h\n") for key in "ab"}
    (one,) = planned(world, tmp_path, moved).foreseen
    assert one.subject == 'definition "rule_a" on 1 assignment; definition "rule_b" on 1 assignment'
    assert not one.counts.differs


def test_two_new_ones_of_one_group_are_told_apart(world: PastWorld, shop: Shop, tmp_path: Path) -> None:
    entries = "- {definition: rule_b, label: first, priority: 3}\n- {definition: rule_b, label: second, priority: 3}\n"
    seen = planned(world, tmp_path, {"sites/shop-key-1.yaml": ("assignments:\n", f"assignments:\n{entries}")})
    assert [line.strip() for line in cli_config.outlook_lines(seen)][1:4] == [
        (
            'shop-key-1: "rule_b" labelled "first"; shop-key-1: "rule_b" labelled "second": '
            "1 more, 1 fewer, 0 of another value, 0 as they are"
        ),
        'rule_b "first", new, on site 1: 1 more, 0 fewer, 0 of another value, 0 as they are',
        'rule_a "a" on site 1: 0 more, 1 fewer, 0 of another value, 0 as they are',
    ]


# ---------------------------------------------------------------- what cannot be asked
def test_what_cannot_stop_and_what_is_not_there(world: PastWorld, shop: Shop) -> None:
    for draft in (Draft(stopped=True), Draft(stopped=True, definition="rule_a", assignment=shop.a[0])):
        with pytest.raises(NeedsAction, match="Name what stops"):
            world.backtest(draft)
    with pytest.raises(NeedsAction, match="neither a revision nor settings"):
        world.backtest(Draft(stopped=True, definition="rule_a", config=config()))
    with pytest.raises(NotFound, match=r'no definition "rule_x". There are: .*rule_a'):
        replayed(world, definition="rule_x")
    with pytest.raises(NotFound, match=r"no assignment 99.*lists those of a definition"):
        replayed(world, assignment=99)
    world.define("alone", published=False)
    with pytest.raises(NeedsAction, match=r'Nothing of definition "alone" is published.*Publish or resume'):
        replayed(world, definition="alone")
