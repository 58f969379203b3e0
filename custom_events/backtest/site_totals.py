"""Thresholds over a whole site along its history: one running measure each, instead of the site's history for each page."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import CompiledSite, Rule
from custom_events.matching.match import Settled, counted
from custom_events.matching.threshold import Occurrence, Tally, look_back
from custom_events.pipeline.matching import SiteEvent
from custom_events.values.definitions import ThresholdScope
from custom_events.values.events import EventType


def is_site_wide(rule: Rule) -> bool:
    """Whether the rule's threshold counts over the whole site."""
    return rule.threshold is not None and rule.threshold.scope is ThresholdScope.SITE


class SiteTotals:
    """The site-wide rules of one site. Every event of their triggers is taken once, in the order of the store's time, from
    where `since` says. Memory: what rolling windows hold, and for deduplication windows one occurrence for each customer."""

    def __init__(self, site: CompiledSite) -> None:
        self._rules = [rule for rule in site.rules if is_site_wide(rule)]
        self._zone = site.facts.zone
        self._tallies = {rule.id: Tally(rule.threshold, self._zone) for rule in self._rules if rule.threshold}
        self._openers: dict[tuple[int, str], Occurrence] = {}

    @property
    def triggers(self) -> frozenset[EventType]:
        """Types of events to take; empty when no rule is site-wide."""
        return frozenset(kind for rule in self._rules for kind in rule.assignment.config.trigger)

    @property
    def needs_facts(self) -> bool:
        """Whether taking an event asks for facts about its customer."""
        return any(rule.needs_facts for rule in self._rules)

    def since(self, period_begins: datetime) -> datetime | None:
        """From when events have to be taken, so that the measures are right at `period_begins`; None: from the first one."""
        begins = [
            None if rule.has_window or rule.threshold is None else look_back(rule.threshold, period_begins, self._zone)
            for rule in self._rules
        ]
        known = [begin for begin in begins if begin is not None]
        return min(known) if known and len(known) == len(begins) else None

    def take(self, site_event: SiteEvent, facts: Facts) -> Mapping[int, Settled]:
        """The event's place against each site-wide rule."""
        return {rule.id: self._settle(rule, site_event, facts) for rule in self._rules}

    def _settle(self, rule: Rule, site_event: SiteEvent, facts: Facts) -> Settled:
        occurrence = counted(rule, site_event.event, facts)
        if occurrence is None:
            return Settled(crossing=None)
        place = self._tallies[rule.id].crossing(occurrence)
        before = self._openers.get((rule.id, occurrence.customer or ""))
        if rule.has_window and place.fires and occurrence.customer is not None:
            window = timedelta(days=rule.assignment.config.dedup.window_days or 0)
            if before is None or occurrence.occurred_at - before.occurred_at >= window:
                self._openers[rule.id, occurrence.customer] = occurrence
        return Settled(crossing=place, fired=() if before is None else (before,))
