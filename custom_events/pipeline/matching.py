"""Matches the batch's events against the published rules, with customer facts and earlier occurrences where a rule asks for them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import CompiledRules, CompiledSite, Rule
from custom_events.matching.match import NO_HISTORY, History, Match, counted, match
from custom_events.matching.threshold import Occurrence, look_back
from custom_events.pipeline import counters
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.counted_history import CountedHistory, Stretch, histories
from custom_events.pipeline.crowds import Crowds
from custom_events.pipeline.customers import NOBODY_NEW, Asked, NewCustomers, customer_facts
from custom_events.pipeline.settling import SETTLED_FROM, settle
from custom_events.pipeline.understanding import Key, SiteEvent
from custom_events.queries import matching as sql
from custom_events.values import events
from custom_events.values.definitions import DedupPer, ThresholdScope
from custom_events.values.events import CommerceEvent, EventType


class Matched(NamedTuple):
    """A match and the event that gave it."""

    match: Match
    site_event: SiteEvent


class EventContext(NamedTuple):
    """An event with what is known about it."""

    site_event: SiteEvent
    facts: Facts
    history: History


class Needs(NamedTuple):
    """What the rules of one site for one type of event ask for, beyond the event."""

    site: CompiledSite
    facts: bool
    rules: tuple[Rule, ...]  # those that earlier occurrences decide


Scope = tuple[int, str | None]  # site and customer; no customer: all of the site
NeedsMemo = dict[tuple[int, EventType], Needs | None]


async def match_events(
    connection: Connection,
    compiled_rules: CompiledRules,
    site_events: Iterable[SiteEvent],
    needs: NeedsMemo,
    new_customers: NewCustomers = NOBODY_NEW,
    crowds: Crowds | None = None,
) -> list[Matched]:
    """The matches of events that are stored already, in the order that they are given in. `needs` is kept as long as the rules are.
    `crowds`: customers with many events, where the rules are those that are published."""
    return [
        Matched(made, context.site_event)
        for context in await event_contexts(connection, compiled_rules, site_events, needs, new_customers, crowds)
        for made in match(
            context.site_event.event, context.site_event.site_id, compiled_rules, context.facts, context.history
        )
    ]


async def event_contexts(
    connection: Connection,
    compiled_rules: CompiledRules,
    site_events: Iterable[SiteEvent],
    needs: NeedsMemo,
    new_customers: NewCustomers = NOBODY_NEW,
    crowds: Crowds | None = None,
) -> list[EventContext]:
    """What deciding asks for beyond each event. Events that no rule waits for, test orders, and what was undone are left out."""
    waiting: list[tuple[SiteEvent, Needs]] = []
    for site_event in site_events:
        kind = (site_event.site_id, site_event.event.type)
        if kind not in needs:
            needs[kind] = needs_of(compiled_rules, *kind)
        needed_here = needs[kind]
        event = site_event.event
        if needed_here is not None and not event.is_test and not event.is_undone:
            waiting.append((site_event, needed_here))
    facts = await customer_facts(
        connection,
        compiled_rules,
        [Asked(site_event.site_id, site_event.event) for site_event, needed in waiting if needed.facts],
        new_customers,
    )
    histories = await earlier_occurrences(
        connection, compiled_rules, [pair for pair in waiting if pair[1].rules], facts, crowds
    )
    return [
        EventContext(
            site_event,
            facts.get((site_event.site_id, site_event.key), needed.site.facts),
            histories.get((site_event.site_id, site_event.key), NO_HISTORY) if histories else NO_HISTORY,
        )
        for site_event, needed in waiting
    ]


def needs_of(compiled_rules: CompiledRules, site_id: int, kind: EventType) -> Needs | None:
    """What matching such events asks for; None when no rule waits for them."""
    site = compiled_rules.site(site_id)
    if site is None or kind not in site.buckets:
        return None
    rules = site.history_needed(kind)
    return Needs(site, site.facts_needed(kind), rules)


class LookbackRange(NamedTuple):
    """A stretch of a customer's events (None: of the whole site's), of those types that its rules wait for."""

    since: datetime | None
    first: datetime
    until: datetime
    rules: dict[int, Rule]


async def earlier_occurrences(
    connection: Connection,
    compiled_rules: CompiledRules,
    waiting: list[tuple[SiteEvent, Needs]],
    facts: Mapping[Key, Facts],
    crowds: Crowds | None = None,
) -> dict[Key, History]:
    """What thresholds and deduplication windows have to count, by site and key of the event: stored events of the same
    customer or site, back to where the widest window begins. The batch's own events are stored already."""
    ranges: dict[Scope, LookbackRange] = {}
    asked: Counter[tuple[Scope, int]] = Counter()
    for site_event, needed in waiting:
        for rule in needed.rules:
            scope = _scope(site_event, rule)
            ranges[scope] = _widened(ranges.get(scope), site_event.event, rule, needed.site)
            asked[scope, rule.id] += 1
    if not ranges:
        return {}
    histories, uncounted = await _from_counters(connection, compiled_rules, ranges, crowds)
    read = await _count(connection, compiled_rules, uncounted)
    if crowds is not None:
        crowds.note_read(read)
    settled = {
        (scope, rule.id): settle(
            rule,
            histories.get((scope, rule.id)) or CountedHistory(read.get((scope, rule.id), [])),
            compiled_rules.sites[scope[0]].facts.zone,
        )
        for scope, lookback in ranges.items()
        for rule in lookback.rules.values()
        if scope[1] is None or (scope, rule.id) in histories or asked[scope, rule.id] >= SETTLED_FROM
    }
    result: dict[Key, History] = {}
    for site_event, needed in waiting:
        key = site_event.site_id, site_event.key
        known = facts.get(key, needed.site.facts)
        places = [(rule, (_scope(site_event, rule), rule.id)) for rule in needed.rules]
        result[key] = History(
            counted={rule.id: read.get(place, ()) for rule, place in places},
            settled={rule.id: settled[place].of(site_event, known) for rule, place in places if place in settled},
        )
    return result


async def _from_counters(
    connection: Connection,
    compiled_rules: CompiledRules,
    ranges: Mapping[Scope, LookbackRange],
    crowds: Crowds | None,
) -> tuple[dict[tuple[Scope, int], CountedHistory], dict[Scope, LookbackRange]]:
    """What thresholds have counted already, and the ranges whose events have to be read."""
    stretches: dict[tuple[Scope, int], Stretch] = {}
    for scope, lookback in ranges.items():
        site_id, customer = scope
        for rule in lookback.rules.values():
            if customer is None or (crowds is not None and (rule.id, customer) in crowds.counters):
                place = Stretch(site_id, rule, lookback.first, lookback.until, customer or counters.WHOLE_SITE)
                stretches[scope, rule.id] = place
    if not stretches:
        return {}, dict(ranges)
    known = crowds.counters if crowds is not None else {}
    by_place = await histories(connection, compiled_rules, list(stretches.values()), known)
    counted_here = {
        key: by_place[stretch.counting.place]
        for key, stretch in stretches.items()
        if stretch.counting.place in by_place
    }
    uncounted: dict[Scope, LookbackRange] = {}
    for scope, lookback in ranges.items():
        left = {number: rule for number, rule in lookback.rules.items() if (scope, number) not in counted_here}
        if left:
            uncounted[scope] = lookback._replace(rules=left)
    return counted_here, uncounted


def _scope(site_event: SiteEvent, rule: Rule) -> Scope:
    """Site and customer; no customer for thresholds over the whole site."""
    threshold = rule.assignment.config.threshold
    if threshold is not None and threshold.scope is ThresholdScope.SITE:
        return site_event.site_id, None
    return site_event.site_id, site_event.event.customer_key or ""


def _widened(lookback: LookbackRange | None, event: CommerceEvent, rule: Rule, site: CompiledSite) -> LookbackRange:
    since = _since(rule, event.occurred_at, site)
    if lookback is None:
        return LookbackRange(since, event.occurred_at, event.occurred_at, {rule.id: rule})
    lookback.rules[rule.id] = rule
    earliest = None if since is None or lookback.since is None else min(since, lookback.since)
    first, until = min(lookback.first, event.occurred_at), max(lookback.until, event.occurred_at)
    return LookbackRange(earliest, first, until, lookback.rules)


def _since(rule: Rule, at: datetime, site: CompiledSite) -> datetime | None:
    """From when occurrences matter. A chain of deduplication windows has no beginning."""
    config = rule.assignment.config
    if config.threshold is None or config.dedup.per is DedupPer.CUSTOMER_WINDOW:
        return None
    return look_back(config.threshold, at, site.facts.zone)


async def _count(
    connection: Connection, compiled_rules: CompiledRules, ranges: Mapping[Scope, LookbackRange]
) -> dict[tuple[Scope, int], list[Occurrence]]:
    """Stored events of each reach, as occurrences of each of its rules."""
    scopes = list(ranges)
    rows = [_range_row(place, scope, ranges[scope]) for place, scope in enumerate(scopes)]
    stored: list[tuple[int, CommerceEvent]] = []
    for query, chosen in (
        (sql.CUSTOMER_EVENTS, [row for row in rows if row[2] is not None]),
        (sql.SITE_EVENTS, [row for row in rows if row[2] is None]),
    ):
        if chosen:
            past_events = await connection.fetch(query, *columns_of(chosen))
            stored += [(place, events.from_json(facts)) for place, facts in past_events]
    asking = [
        Asked(scopes[place][0], event)
        for place, event in stored
        if any(rule.needs_facts for rule in ranges[scopes[place]].rules.values())
    ]
    facts = await customer_facts(connection, compiled_rules, asking)
    result: dict[tuple[Scope, int], list[Occurrence]] = {}
    for place, event in stored:
        scope = scopes[place]
        known = facts.get((scope[0], event.key), compiled_rules.sites[scope[0]].facts)
        for rule in ranges[scope].rules.values():
            occurrence = counted(rule, event, known)
            if occurrence is not None:
                result.setdefault((scope, rule.id), []).append(occurrence)
    return result


def _range_row(place: int, scope: Scope, lookback: LookbackRange) -> tuple[Any, ...]:
    types = {kind for rule in lookback.rules.values() for kind in rule.assignment.config.trigger}
    return place, scope[0], scope[1], ",".join(sorted(types)), lookback.since, lookback.until
