"""Thresholds over whole sites, counted as events come: a batch reads the days, and the few events at the edges of its windows.

What counts is kept in tables by assignment and revisions (`tables/counting.py`). A counter is filled from history when its
revisions meet the first batch; a batch adds its events, `recount` mends those that were corrected. Where there is no counter
(a draft, an older revision) the caller reads the events themselves: slower, and the same.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import CompiledRules, Rule
from custom_events.matching.match import counted
from custom_events.matching.threshold import Occurrence, affected_until, fired, look_back, midnight
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.customers import Asked, customer_facts
from custom_events.pipeline.understanding import SiteEvent
from custom_events.queries import counting as sql
from custom_events.values import events
from custom_events.values.definitions import ThresholdPeriod
from custom_events.values.events import CommerceEvent

READ_AT_ONCE = 1_000  # stored events while history is counted: some megabytes
_TICK = timedelta(microseconds=1)  # Postgres's


class Counter(NamedTuple):
    """A counter of a rule, and the last event it has counted."""

    id: int
    is_stale: bool
    latest: tuple[datetime, str] | None


class Shift(NamedTuple):
    """A site-wide rule's verdicts may differ: this event and others until `last` were put in, or taken out, before others."""

    site_id: int
    rule: Rule
    since: datetime
    key: str
    last: datetime


class Stretch(NamedTuple):
    """What a site-wide rule is asked about: the events of a batch between these moments."""

    site_id: int
    rule: Rule
    first: datetime
    last: datetime


async def count_new(
    connection: Connection, compiled_rules: CompiledRules, rules: Mapping[int, Sequence[Rule]], new: Sequence[SiteEvent]
) -> list[Shift]:
    """Count a batch's new events, which are stored. `rules`: by site, those whose threshold is over the whole site; nothing is
    asked of the database when there are none. What came late for a rule is returned."""
    here = [site_event for site_event in new if site_event.site_id in rules]
    if not here:
        return []
    wanted = [(site_id, rule) for site_id in {site_event.site_id for site_event in here} for rule in rules[site_id]]
    known = await find(connection, compiled_rules, wanted)
    filled = {number for number, counter in known.items() if not counter.is_stale}
    for site_id, rule in wanted:
        if rule.id not in filled:
            await _fill(connection, compiled_rules, site_id, rule)
    facts = await _facts(connection, compiled_rules, here, [rule for _, rule in wanted])
    rows: list[tuple[Any, ...]] = []
    shifts: dict[int, Shift] = {}
    for site_event in here:
        for rule in rules[site_event.site_id]:
            occurrence = counted(rule, site_event.event, _facts_of(facts, compiled_rules, site_event))
            if occurrence is None:
                continue
            latest = None
            if rule.id in filled:
                rows.append(_row(known[rule.id].id, occurrence, _zone(compiled_rules, site_event.site_id)))
                latest = known[rule.id].latest
            # Nobody knows what came before what in a history that was counted just now.
            if rule.id not in filled or (latest is not None and (occurrence.occurred_at, occurrence.key) < latest):
                _note(
                    shifts,
                    Shift(site_event.site_id, rule, occurrence.occurred_at, occurrence.key, occurrence.occurred_at),
                )
    if rows:
        await connection.execute(sql.COUNT, *columns_of(rows))
    return list(shifts.values())


async def recount(
    connection: Connection,
    compiled_rules: CompiledRules,
    rules: Mapping[int, Sequence[Rule]],
    stored: Sequence[SiteEvent],
) -> list[Shift]:
    """Count stored events again that were corrected, or whose customers have another past now."""
    here = [site_event for site_event in stored if site_event.site_id in rules]
    wanted = [(site_id, rule) for site_id in {site_event.site_id for site_event in here} for rule in rules[site_id]]
    known = {
        number: counter
        for number, counter in (await find(connection, compiled_rules, wanted)).items()
        if not counter.is_stale
    }
    if not known:
        return []
    facts = await _facts(connection, compiled_rules, here, [rule for _, rule in wanted])
    keys = [
        (known[rule.id].id, site_event.key)
        for site_event in here
        for rule in rules[site_event.site_id]
        if rule.id in known
    ]
    before = {
        (row[0], row[1]): Occurrence(
            occurred_at=row[2], key=row[1], amount=row[3], currency=row[4] or None, customer=row[5]
        )
        for row in await connection.fetch(sql.COUNTED, *columns_of(keys))
    }
    gone: list[tuple[int, str]] = []
    rows: list[tuple[Any, ...]] = []
    shifts: dict[int, Shift] = {}
    for site_event in here:
        for rule in rules[site_event.site_id]:
            if rule.id not in known:
                continue
            place = known[rule.id].id, site_event.key
            was, now = before.get(place), counted(rule, site_event.event, _facts_of(facts, compiled_rules, site_event))
            if was == now:
                continue
            if was is not None:
                gone.append(place)
            if now is not None:
                rows.append(_row(place[0], now, _zone(compiled_rules, site_event.site_id)))
            moments = [occurrence.occurred_at for occurrence in (was, now) if occurrence is not None]
            _note(shifts, Shift(site_event.site_id, rule, min(moments), site_event.key, max(moments)))
    if gone:
        await connection.execute(sql.UNCOUNT, *columns_of(gone))
    if rows:
        await connection.execute(sql.COUNT, *columns_of(rows))
    return list(shifts.values())


class Shifted(NamedTuple):
    """Natural keys of events that fire now and have no custom event of the rule, or the other way round; and their customers, where
    windows of deduplication begin with what fires: each begins where the one before it ended, so those that follow move."""

    events: list[str]
    customers: list[str]


async def shifted(connection: Connection, compiled_rules: CompiledRules, shift: Shift) -> Shifted:
    """What a shift makes of the rule's verdicts."""
    rule, threshold = shift.rule, shift.rule.threshold
    counters = await find(connection, compiled_rules, [(shift.site_id, rule)])
    if threshold is None or rule.id not in counters:
        return Shifted([], [])
    zone = _zone(compiled_rules, shift.site_id)
    until = affected_until(threshold, shift.last, zone)  # the last one may lie in a later period than the first
    last = until or datetime.max.replace(tzinfo=UTC)
    stretch = Stretch(shift.site_id, rule, shift.since, last)
    occurrences = (await histories(connection, compiled_rules, [stretch])).get(rule.id, [])
    firing = fired(threshold, occurrences, zone)
    now = {
        occurrence.key: occurrence.customer
        for occurrence in firing
        if shift.since <= occurrence.occurred_at <= last and occurrence.key
    }
    rows = await connection.fetch(sql.STANDING_OF_ASSIGNMENT, rule.id, shift.since, until)
    before: dict[str, str | None] = {row[0]: row[1] for row in rows}
    different = now.keys() ^ before.keys()
    customers = {now.get(key) or before.get(key) for key in different} if rule.has_window else set[str | None]()
    return Shifted(sorted(different), sorted(customer for customer in customers if customer is not None))


async def histories(
    connection: Connection, compiled_rules: CompiledRules, stretches: Sequence[Stretch]
) -> dict[int, list[Occurrence]]:
    """What each rule's threshold has to count, by assignment id: events at the edges one by one, and those between together.
    Rules without a counter are left out."""
    known = await find(connection, compiled_rules, [(stretch.site_id, stretch.rule) for stretch in stretches])
    one_by_one: list[tuple[Any, ...]] = []
    together: list[tuple[Any, ...]] = []
    ends: dict[int, datetime] = {}
    for stretch in stretches:
        counter = known.get(stretch.rule.id)
        if counter is None or counter.is_stale:
            continue
        spans, between = _parts(stretch, _zone(compiled_rules, stretch.site_id))
        one_by_one += [(stretch.rule.id, counter.id, *span) for span in spans]
        if between is not None:
            together.append((stretch.rule.id, counter.id, *_days(*between, _zone(compiled_rules, stretch.site_id))))
            ends[stretch.rule.id] = between[1] - _TICK
    result: dict[int, list[Occurrence]] = {row[0]: [] for row in one_by_one}
    if together:
        for rule_id, currency, number, amount in await connection.fetch(sql.TOGETHER, *columns_of(together)):
            whole = Occurrence(
                occurred_at=ends[rule_id], key="", amount=amount, currency=currency or None, events=number
            )
            result[rule_id].append(whole)
    if one_by_one:
        for rule_id, at, key, amount, currency, customer in await connection.fetch(
            sql.ONE_BY_ONE, *columns_of(one_by_one)
        ):
            single = Occurrence(occurred_at=at, key=key, amount=amount, currency=currency or None, customer=customer)
            result[rule_id].append(single)
    return result


async def find(
    connection: Connection, compiled_rules: CompiledRules, rules: Iterable[tuple[int, Rule]]
) -> dict[int, Counter]:
    """The counters of rules, by assignment id, as far as there are any."""
    rows = [(rule.id, *_name(compiled_rules, site_id, rule)) for site_id, rule in rules]
    if not rows:
        return {}
    stored = await connection.fetch(sql.COUNTERS, *columns_of(rows))
    return {row[0]: Counter(row[1], row[2], None if row[3] is None else (row[3], row[4])) for row in stored}


def _name(compiled_rules: CompiledRules, site_id: int, rule: Rule) -> tuple[int, int, int, str]:
    assignment = rule.assignment
    zone = str(_zone(compiled_rules, site_id))
    return assignment.assignment_id, assignment.definition_revision_id, assignment.assignment_revision_id, zone


async def _fill(connection: Connection, compiled_rules: CompiledRules, site_id: int, rule: Rule) -> None:
    """Count the site's whole history, once for each pair of revisions."""
    await connection.execute(sql.DROP_COUNTERS, rule.id)
    counter_id = await connection.fetchval(sql.ADD_COUNTER, *_name(compiled_rules, site_id, rule))
    types = sorted(rule.assignment.config.trigger)
    async for page in _pages(connection, site_id, types):
        asked = [Asked(site_id, event) for event in page] if rule.needs_facts else []
        facts = await customer_facts(connection, compiled_rules, asked)
        nothing_known = compiled_rules.sites[site_id].facts
        occurrences = (counted(rule, event, facts.get((site_id, event.key), nothing_known)) for event in page)
        rows = [
            _row(counter_id, occurrence, nothing_known.zone) for occurrence in occurrences if occurrence is not None
        ]
        if rows:
            await connection.execute(sql.COUNT, *columns_of(rows))


async def _pages(connection: Connection, site_id: int, types: list[Any]) -> AsyncIterator[list[CommerceEvent]]:
    cursor = await connection.cursor(sql.HISTORY, site_id, types)
    while rows := await cursor.fetch(READ_AT_ONCE):
        yield [events.from_json(row[0]) for row in rows]


async def _facts(
    connection: Connection, compiled_rules: CompiledRules, happened: Sequence[SiteEvent], rules: Iterable[Rule]
) -> Mapping[tuple[int, str], Facts]:
    if not any(rule.needs_facts for rule in rules):
        return {}
    return await customer_facts(
        connection, compiled_rules, [Asked(site_event.site_id, site_event.event) for site_event in happened]
    )


def _facts_of(facts: Mapping[tuple[int, str], Facts], compiled_rules: CompiledRules, site_event: SiteEvent) -> Facts:
    return facts.get((site_event.site_id, site_event.key), compiled_rules.sites[site_event.site_id].facts)


def _zone(compiled_rules: CompiledRules, site_id: int) -> tzinfo:
    return compiled_rules.sites[site_id].facts.zone


def _note(shifts: dict[int, Shift], shift: Shift) -> None:
    known = shifts.get(shift.rule.id, shift)
    first = min(known, shift, key=lambda candidate: (candidate.since, candidate.key))
    shifts[shift.rule.id] = first._replace(last=max(known.last, shift.last))


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


def _parts(
    stretch: Stretch, zone: tzinfo
) -> tuple[list[tuple[datetime | None, datetime]], tuple[datetime | None, datetime] | None]:
    """Spans whose events matter one by one (both ends included), and the one between whose events do together (end left out):
    no window of the events asked about begins within it."""
    threshold = stretch.rule.threshold
    if threshold is None or stretch.rule.has_window:  # windows of deduplication are a chain from the very first event
        return [(None, stretch.last)], None
    since = look_back(threshold, stretch.first, zone)
    if threshold.period is ThresholdPeriod.ROLLING and threshold.window_days and since is not None:
        edge = stretch.last - timedelta(days=threshold.window_days)
        if edge >= stretch.first - _TICK:
            return [(since, stretch.last)], None
        return [(since, edge), (stretch.first, stretch.last)], (edge + _TICK, stretch.first)
    return [(stretch.first, stretch.last)], (since, stretch.first)


def _days(since: datetime | None, until: datetime, zone: tzinfo) -> tuple[Any, ...]:
    """A span (end left out) as whole days, and what is left at its beginning and its end."""
    end_day = until.astimezone(zone).date()
    if since is None:
        return None, end_day, until, until, midnight(end_day, zone), until
    first_day: date = since.astimezone(zone).date()
    if midnight(first_day, zone) != since:
        first_day += timedelta(days=1)
    if first_day > end_day:
        return end_day, end_day, since, until, until, until
    return first_day, end_day, since, midnight(first_day, zone), midnight(end_day, zone), until
