"""How far an event reaches through time: what to read to match it, and what to match again when it came late."""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from custom_events.matching.plan import Rule, SitePlan
from custom_events.matching.threshold import affected_until, look_back
from custom_events.values.definitions import DedupPer, ThresholdScope
from custom_events.values.events import EventType


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """Events of `kinds`, of the same customer (`whole_site`: of everybody), from `since` (None: the first) decide about an
    event; those after it up to `until` (None: without end) may change by it and are matched again if they are there."""

    kinds: frozenset[EventType]
    since: datetime | None
    until: datetime | None
    whole_site: bool


def horizon(site: SitePlan, kind: EventType, occurred_at: datetime) -> Horizon | None:
    """The reach of an event of this type and time under a site's rules; None when no other event matters to it or by it."""
    rules = list(site.history_needed(kind))
    if kind is EventType.ORDER_PAID:  # paid orders are what customers' facts are made of
        rules += [rule for rule in site.rules if rule.needs_facts and rule not in rules]
    if not rules:
        return None
    reaches = [_reach(rule, site, occurred_at) for rule in rules]
    return Horizon(
        kinds=frozenset(trigger for rule in rules for trigger in rule.assignment.config.trigger) | {kind},
        since=_widest(min, (since for since, _ in reaches)),
        until=_widest(max, (until for _, until in reaches)),
        whole_site=any(_is_site_wide(rule) for rule in rules),
    )


def _reach(rule: Rule, site: SitePlan, occurred_at: datetime) -> tuple[datetime | None, datetime | None]:
    config = rule.assignment.config
    # Facts are about all of the customer's past, and each window is opened by where the one before it ended.
    if rule.needs_facts or config.dedup.per is DedupPer.CUSTOMER_WINDOW or config.threshold is None:
        return None, None
    zone = site.facts.zone
    return look_back(config.threshold, occurred_at, zone), affected_until(config.threshold, occurred_at, zone)


def _is_site_wide(rule: Rule) -> bool:
    threshold = rule.assignment.config.threshold
    return threshold is not None and threshold.scope is ThresholdScope.SITE


def _widest(choose: Callable[[list[datetime]], datetime], ends: Iterable[datetime | None]) -> datetime | None:
    """The outermost end; None as soon as one is open."""
    found = list(ends)
    known = [end for end in found if end is not None]
    return choose(known) if len(known) == len(found) else None
