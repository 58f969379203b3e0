"""The same law through the real pipeline: bodies of a custom sender in any order and batches, drained on Postgres, looked back at."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import count
from pprint import pformat
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.backtest.backtest import backtest
from custom_events.backtest.replay import Order, replay_sync
from custom_events.history.drafts import Draft
from custom_events.history.reading import reading
from tests.oracle.bodies import Sender, body_of, paid_orders
from tests.oracle.histories import SPRING, config_of
from tests.oracle.reading import Event, Rule, World
from tests.oracle.sending import conversions

InWorld = Callable[[Callable[[Any], Any]], None]
StandingEvent = set[tuple[int, str, Fraction | None, str | None, str | None]]

RECENT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=6)
BY_ANA = Order(actor="ana@example.org", reason="a law")
NUMBERS = count(1)
STANDING = """
SELECT u.assignment_id, e.key, u.value, u.currency, u.withheld_reason
FROM app.custom_events u JOIN app.commerce_events e ON e.occurred_at = u.occurred_at AND e.id = u.commerce_event_id
WHERE u.site_id = $1 AND u.withdrawn_at IS NULL
"""
LAW: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


class Shop:
    """A site with rules; the oracle's rules have the ids of its assignments."""

    def __init__(self, world: Any, site: int, zone: str, rules: list[Rule], keys: dict[int, str]) -> None:
        self.world, self.site, self.zone, self.rules, self.keys = world, site, zone, rules, keys

    async def receive(self, batches: list[list[Event]]) -> None:
        for batch in batches:
            for event in batch:
                self.world.land(self.site, event["type"], body_of(event), headers={"content-type": "application/json"})
            while (await self.world.batch()).raw:
                pass

    async def standing(self) -> StandingEvent:
        return {
            (number, key, None if value is None else Fraction(value), currency, reason)
            for number, key, value, currency, reason in await self.world.rows(STANDING, self.site)
        }

    def expected(self, events: list[Event], rules: list[Rule] | None = None) -> StandingEvent:
        known = World(self.zone, paid_orders(events))
        found = conversions(events, rules or self.rules, known, site_id=self.site, now=datetime.now(UTC))
        return {(one["rule"], one["event"], one["value"], one["currency"], one["reason"]) for one in found}


async def opened(world: Any, rules: list[Rule], zone: str) -> Shop:
    """A new site with these rules, published."""
    number = next(NUMBERS)
    site = world.site(f"shop{number}", "custom")
    await world.connection.execute("UPDATE app.sites SET time_zone = $2 WHERE id = $1", site, zone)
    action = world.action(str(number))
    found: list[Rule] = []
    keys: dict[int, str] = {}
    for place, rule in enumerate(rules):
        own = {**rule, "ads_action": rule["ads_action"] and action}
        key = f"rule_{number}_{place}"
        assignment = world.rule(site, key, **msgspec.to_builtins(config_of(own)))
        found.append({**own, "id": assignment})
        keys[assignment] = key
    for table in ("definition_revisions", "assignment_revisions"):
        await world.connection.execute(f"UPDATE app.{table} SET published_at = created_at WHERE published_at IS NULL")
    return Shop(world, site, zone, found, keys)


def explained(shop: Shop, events: list[Event], found: StandingEvent, expected: StandingEvent) -> str:
    return pformat([shop.zone, shop.rules, events, "product only", found - expected, "page only", expected - found])


def of(found: StandingEvent) -> set[tuple[int, str]]:
    return {(number, event) for number, event, *_ in found}


def test_any_arrival_gives_what_the_page_says(in_world: InWorld) -> None:
    """Custom events, their values, and why their conversions do not go; a look back at what is published finds no difference."""

    async def one_history(world: Any, seed: int) -> None:
        sender = Sender(seed)
        shop = await opened(world, sender.rules(), sender.zone())
        events = sender.sent(sender.pick((RECENT, SPRING)))
        await shop.receive(sender.shuffled(events))
        found, expected = await shop.standing(), shop.expected(events)
        assert found == expected, explained(shop, events, found, expected)
        async with reading(world.url) as connection:
            since, until = min(one["at"] for one in events), max(one["at"] for one in events)
            seen = await backtest(
                connection, since=since, until=until + timedelta(days=1), sites=[shop.site], page_events=3
            )
        assert not seen.counts.differs, seen.samples
        assert seen.counts.unchanged == len(found)

    _law(in_world, one_history, max_examples=14)


def test_a_draft_is_looked_back_at_as_the_page_says_and_a_replay_writes_it(in_world: InWorld) -> None:
    """One of a site's rules is drafted anew: what it and the others of its groups gain and lose, and what stands after a replay."""

    async def one_history(world: Any, seed: int) -> None:
        sender = Sender(seed)
        rules = sender.rules()
        shop = await opened(world, [{**rule, "click_window_days": 90} for rule in rules], sender.zone())
        events = sender.sent(RECENT)
        await shop.receive(sender.shuffled(events))
        changed = sender.pick(shop.rules)
        drafted = {
            **sender.rules()[0],
            "id": changed["id"],
            "ads_action": changed["ads_action"],
            "click_window_days": 90,
        }
        after = [drafted if rule["id"] == changed["id"] else rule for rule in shop.rules]
        before, expected = shop.expected(events), shop.expected(events, after)
        key, config = shop.keys[changed["id"]], config_of(drafted)
        how = {"since": RECENT - timedelta(days=2), "until": RECENT + timedelta(days=8)}
        async with reading(world.url) as connection:
            seen = await backtest(connection, Draft(definition=key, config=config), sites=[shop.site], **how)
        for share in seen.assignments:
            counts, old, new = share.counts, _of(before, share.assignment_id), _of(expected, share.assignment_id)
            assert counts.would_drop + counts.would_change + counts.unchanged == len(old), (
                share,
                explained(shop, events, before, expected),
            )
            assert counts.would_add - counts.would_drop == len(new) - len(old), (
                share,
                explained(shop, events, before, expected),
            )
        covered = {share.assignment_id for share in seen.assignments}
        assert {
            one for one in before ^ expected if one[0] not in covered and one[:2] in of(before) ^ of(expected)
        } == set()
        await _publish(world, key, config)
        done = await asyncio.to_thread(
            replay_sync, world.url, world.settings, sites=[shop.site], definition=key, order=BY_ANA, **how
        )
        found = await shop.standing()
        assert of(found) == of(expected), (done.counts, explained(shop, events, found, expected))
        assert {one[:4] for one in found} == {one[:4] for one in expected}, explained(shop, events, found, expected)

    _law(in_world, one_history, max_examples=8)


def _of(found: StandingEvent, assignment: int) -> set[tuple[int, str]]:
    return {one for one in of(found) if one[0] == assignment}


async def _publish(world: Any, key: str, config: Any) -> None:
    definition = await world.value("SELECT id FROM app.custom_event_definitions WHERE key = $1", key)
    await world.connection.execute(
        "UPDATE app.definition_revisions SET state = 'retired', retired_at = clock_timestamp() WHERE definition_id = $1",
        definition,
    )
    await world.connection.execute(
        "INSERT INTO app.definition_revisions (definition_id, number, state, config, author, published_at)"
        " VALUES ($1, 2, 'published', $2, 'test', clock_timestamp())",
        definition,
        msgspec.json.encode(config).decode(),
    )


def _law(in_world: InWorld, one_history: Callable[[Any, int], Any], *, max_examples: int) -> None:
    """Run for random seeds in one world."""

    async def test(world: Any) -> None:
        loop = asyncio.get_running_loop()

        @settings(max_examples=max_examples, **LAW)
        @given(st.integers(0, 2**40))
        def law(seed: int) -> None:
            asyncio.run_coroutine_threadsafe(one_history(world, seed), loop).result()

        await asyncio.to_thread(law)

    in_world(test)
