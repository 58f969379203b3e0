"""Thresholds that are counted as events come: over whole sites, and of customers with many events.

What counts is kept in tables by assignment, revisions and customer (`tables/counting.py`). A counter of a whole site is filled from history
when its revisions meet the first batch, one of a customer when matching has read many events of theirs (`MANY_EVENTS`); a batch adds its
events, `recount` mends those that were corrected. Where there is no counter (a draft, an older revision) the caller reads the events
themselves: slower, and the same. `counted_history.py` reads what was counted, `shifts.py` says what that changes.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import CompiledRules, Rule
from custom_events.matching.match import counted
from custom_events.matching.threshold import Occurrence, in_order
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.customers import Asked, customer_facts
from custom_events.pipeline.understanding import SiteEvent
from custom_events.queries import counting as sql
from custom_events.values import events

READ_AT_ONCE = 1_000  # stored events while history is counted: some megabytes
MANY_EVENTS = (
    200  # of one customer: from then on reading them again with every batch costs more than counting them once
)
WHOLE_SITE: Final = ""  # instead of a customer

Place = tuple[int, str]  # assignment, and customer or WHOLE_SITE
RulesBySite = Mapping[int, Sequence[Rule]]


class Counter(NamedTuple):
    """A counter of a rule, and the last event it has counted. `others_until`: of a customer, the last event that was understood under
    earlier revisions: up to there the counter is not the whole truth about what a late event changes."""

    id: int
    is_stale: bool
    latest: tuple[datetime, str] | None
    others_until: datetime | None = None


class Counting(NamedTuple):
    """A rule of a site, and whose events it counts."""

    site_id: int
    rule: Rule
    customer: str = WHOLE_SITE

    @property
    def place(self) -> Place:
        """What distinguishes it from others."""
        return self.rule.id, self.customer


Counters = dict[Place, Counter]


class Shift(msgspec.Struct, kw_only=True):
    """A counted rule's verdicts may differ: occurrences came and went, the first of them `key` at `since`, the last at `last`.
    `is_new`: its counter was filled just now, and nobody knows what of it came before what."""

    counting: Counting
    since: datetime
    key: str
    last: datetime
    come: list[Occurrence]
    gone: list[Occurrence]
    is_new: bool = False


class _Shifts:
    """Collects what came and went by counter. Only what may have moved another event's verdict becomes a shift."""

    def __init__(self) -> None:
        self._by_place: dict[Place, Shift] = {}
        self._moving: set[Place] = set()

    def note(
        self,
        counting: Counting,
        key: str,
        *,
        come: Occurrence | None = None,
        gone: Occurrence | None = None,
        is_late: bool = True,
        is_new: bool = False,
    ) -> None:
        """An event that counts now, or did."""
        moments = [occurrence.occurred_at for occurrence in (come, gone) if occurrence is not None]
        place, first, last = counting.place, min(moments), max(moments)
        shift = self._by_place.get(place)
        if shift is None:
            shift = Shift(counting=counting, since=first, key=key, last=last, come=[], gone=[], is_new=is_new)
            self._by_place[place] = shift
        shift.since, shift.key = min((shift.since, shift.key), (first, key))
        shift.last = max(shift.last, last)
        if come is not None:
            shift.come.append(come)
        if gone is not None:
            shift.gone.append(gone)
        if is_late:
            self._moving.add(place)

    def moving(self) -> list[Shift]:
        """Those that may change another event's verdict."""
        return [shift for place, shift in self._by_place.items() if place in self._moving]


async def count_new(
    connection: Connection,
    compiled_rules: CompiledRules,
    rules: RulesBySite,
    new: Sequence[SiteEvent],
    crowded: Counters | None = None,
) -> list[Shift]:
    """Count a batch's new events, which are stored. `rules`: by site, those whose threshold is over the whole site; `crowded`: the
    counters of customers with many events. Nothing is asked of the database when there are none. What came late for a rule is returned."""
    countings = _countings(compiled_rules, rules, crowded or {}, new)
    if not countings:
        return []
    countings_here = list({counting.place: counting for _, counting in countings}.values())
    known = await find(connection, compiled_rules, countings_here, crowded)
    filled = {place for place, counter in known.items() if not counter.is_stale}
    for counting in countings_here:
        if counting.place not in filled:
            await _fill(connection, compiled_rules, counting)
    facts = await _facts(connection, compiled_rules, countings)
    rows: list[tuple[Any, ...]] = []
    shifts = _Shifts()
    for site_event, counting in countings:
        occurrence = counted(counting.rule, site_event.event, _facts_of(facts, compiled_rules, site_event))
        if occurrence is None:
            continue
        is_new = counting.place not in filled
        latest = None
        if not is_new:
            counter = known[counting.place]
            rows.append(_row(counter.id, occurrence, _zone(compiled_rules, site_event.site_id)))
            latest = counter.latest
        # Nobody knows what came before what in a history that was counted just now.
        is_late = is_new or (latest is not None and in_order(occurrence) < latest)
        shifts.note(counting, occurrence.key, come=occurrence, is_late=is_late, is_new=is_new)
    if rows:
        await connection.execute(sql.COUNT, *columns_of(rows))
    return shifts.moving()


async def recount(
    connection: Connection,
    compiled_rules: CompiledRules,
    rules: RulesBySite,
    stored: Sequence[SiteEvent],
    crowded: Counters | None = None,
) -> list[Shift]:
    """Count stored events again that were corrected, or whose customers have another past now."""
    countings = _countings(compiled_rules, rules, crowded or {}, stored)
    countings_here = list({counting.place: counting for _, counting in countings}.values())
    by_place = await find(connection, compiled_rules, countings_here, crowded)
    known = {place: counter for place, counter in by_place.items() if not counter.is_stale}
    countings = [(site_event, counting) for site_event, counting in countings if counting.place in known]
    if not countings:
        return []
    facts = await _facts(connection, compiled_rules, countings)
    keys = [(known[counting.place].id, site_event.key) for site_event, counting in countings]
    before = {
        (row[0], row[1]): Occurrence(
            occurred_at=row[2], key=row[1], amount=row[3], currency=row[4] or None, customer=row[5]
        )
        for row in await connection.fetch(sql.COUNTED, *columns_of(keys))
    }
    gone: list[tuple[int, str]] = []
    rows: list[tuple[Any, ...]] = []
    shifts = _Shifts()
    for (site_event, counting), place in zip(countings, keys, strict=True):
        known_facts = _facts_of(facts, compiled_rules, site_event)
        was, now = before.get(place), counted(counting.rule, site_event.event, known_facts)
        if was == now:
            continue
        if was is not None:
            gone.append(place)
        if now is not None:
            rows.append(_row(place[0], now, _zone(compiled_rules, site_event.site_id)))
        shifts.note(counting, site_event.key, come=now, gone=was)
    if gone:
        await connection.execute(sql.UNCOUNT, *columns_of(gone))
    if rows:
        await connection.execute(sql.COUNT, *columns_of(rows))
    return shifts.moving()


async def find(
    connection: Connection,
    compiled_rules: CompiledRules,
    countings: Iterable[Counting],
    crowded: Counters | None = None,
) -> Counters:
    """The counters of rules, as far as there are any. `crowded`: those of customers, where they were looked up already."""
    countings_here = [counting for counting in countings if crowded is None or counting.customer == WHOLE_SITE]
    by_place = dict(crowded or {})
    if countings_here:
        rows = [(place, *_name(compiled_rules, counting)) for place, counting in enumerate(countings_here)]
        for place, number, is_stale, others_until, at, key in await connection.fetch(sql.COUNTERS, *columns_of(rows)):
            latest = None if at is None else (at, key)
            by_place[countings_here[place].place] = Counter(number, is_stale, latest, others_until)
    return by_place


async def begin(connection: Connection, compiled_rules: CompiledRules, countings: Iterable[Counting]) -> None:
    """Count the history of customers, from now on instead of reading it."""
    for counting in countings:
        await _fill(connection, compiled_rules, counting)


async def drop_customers(connection: Connection, customers: Iterable[tuple[int, str]]) -> None:
    """Forget the counters of customers (site and key) some of whose events are no longer theirs."""
    rows = sorted(set(customers))
    if rows:
        await connection.execute(sql.DROP_CUSTOMERS, *columns_of(rows))


def _countings(
    compiled_rules: CompiledRules, rules: RulesBySite, crowded: Counters, happened: Iterable[SiteEvent]
) -> list[tuple[SiteEvent, Counting]]:
    """Each event with each rule that may count it."""
    pairs: list[tuple[SiteEvent, Counting]] = []
    for site_event in happened:
        site_id, customer = site_event.site_id, site_event.event.customer_key
        pairs += [(site_event, Counting(site_id, rule)) for rule in rules.get(site_id, ())]
        site = compiled_rules.site(site_id) if crowded and customer is not None else None
        if site is not None and customer is not None:
            pairs += [
                (site_event, Counting(site_id, rule, customer)) for rule in site.rules if (rule.id, customer) in crowded
            ]
    return pairs


def _name(compiled_rules: CompiledRules, counting: Counting) -> tuple[int, int, int, str, str]:
    assignment = counting.rule.assignment
    zone = str(_zone(compiled_rules, counting.site_id))
    revisions = assignment.definition_revision_id, assignment.assignment_revision_id
    return assignment.assignment_id, *revisions, zone, counting.customer


async def _fill(connection: Connection, compiled_rules: CompiledRules, counting: Counting) -> None:
    """Count the site's or the customer's whole history, once for each pair of revisions."""
    site_id, rule, customer = counting
    name = _name(compiled_rules, counting)
    await connection.execute(sql.DROP_COUNTERS, *name[:3], customer)
    counter_id = await connection.fetchval(sql.ADD_COUNTER, *name)
    published_at = await connection.fetchval(sql.PUBLISHED_AT, *name[1:3]) if customer != WHOLE_SITE else None
    others_until: datetime | None = None
    nothing_known = compiled_rules.sites[site_id].facts
    async for page in _pages(connection, counting):
        asked = [Asked(site_id, event) for event, _ in page] if rule.needs_facts else []
        facts = await customer_facts(connection, compiled_rules, asked)
        occurrences = (counted(rule, event, facts.get((site_id, event.key), nothing_known)) for event, _ in page)
        rows = [
            _row(counter_id, occurrence, nothing_known.zone) for occurrence in occurrences if occurrence is not None
        ]
        if rows:
            await connection.execute(sql.COUNT, *columns_of(rows))
        if published_at is not None:
            of_others = [event.occurred_at for event, understood_at in page if understood_at < published_at]
            of_others += [] if others_until is None else [others_until]
            others_until = max(of_others, default=others_until)
    if others_until is not None:
        await connection.execute(sql.OTHERS_UNTIL, counter_id, others_until)


async def _pages(
    connection: Connection, counting: Counting
) -> AsyncIterator[list[tuple[events.CommerceEvent, datetime]]]:
    types = sorted(counting.rule.assignment.config.trigger)
    if counting.customer == WHOLE_SITE:
        cursor = await connection.cursor(sql.HISTORY, counting.site_id, types)
    else:
        cursor = await connection.cursor(sql.CUSTOMER_HISTORY, counting.site_id, types, counting.customer)
    while rows := await cursor.fetch(READ_AT_ONCE):
        yield [(events.from_json(row[0]), row[1]) for row in rows]


async def _facts(
    connection: Connection, compiled_rules: CompiledRules, countings: Sequence[tuple[SiteEvent, Counting]]
) -> Mapping[tuple[int, str], Facts]:
    asked = {
        (site_event.site_id, site_event.key): Asked(site_event.site_id, site_event.event)
        for site_event, counting in countings
        if counting.rule.needs_facts
    }
    return await customer_facts(connection, compiled_rules, list(asked.values())) if asked else {}


def _facts_of(facts: Mapping[tuple[int, str], Facts], compiled_rules: CompiledRules, site_event: SiteEvent) -> Facts:
    return facts.get((site_event.site_id, site_event.key), compiled_rules.sites[site_event.site_id].facts)


def _zone(compiled_rules: CompiledRules, site_id: int) -> tzinfo:
    return compiled_rules.sites[site_id].facts.zone


def _row(counter_id: int, occurrence: Occurrence, zone: tzinfo) -> tuple[Any, ...]:
    day = occurrence.occurred_at.astimezone(zone).date()
    return (
        counter_id,
        occurrence.key,
        occurrence.occurred_at,
        day,
        occurrence.amount,
        occurrence.currency or "",
        occurrence.customer,
    )
