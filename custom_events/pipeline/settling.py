"""Thresholds and windows of deduplication worked out for a whole history in one pass. Event by event they cost the square of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta, tzinfo
from typing import Final, NamedTuple

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import Rule
from custom_events.matching.day_totals import DayKey
from custom_events.matching.match import Settled, occurrence
from custom_events.matching.threshold import NOT_MEASURED, Crossing, Occurrence, crossings, in_order
from custom_events.pipeline.counted_history import CountedHistory, day_of
from custom_events.pipeline.understanding import SiteEvent

# Events of one customer that are asked about together: for fewer, judging each by itself is faster (`matching.threshold.count_function`).
SETTLED_FROM: Final = 4


class Settlement(NamedTuple):
    """A rule's verdicts over a history."""

    rule: Rule
    zone: tzinfo
    places: Mapping[str, Crossing]
    openers: Mapping[str, Occurrence]  # of windows of deduplication: the last that began before the event
    decided: Mapping[DayKey, bool]

    def of(self, site_event: SiteEvent, facts: Facts) -> Settled:
        """What it says of one event, whose conditions hold; no crossing when it is not among those counted."""
        opener = self.openers.get(site_event.key)
        place = self.places.get(site_event.key)
        if place is None and self.decided:
            place = self._by_its_day(site_event, facts)
        return Settled(crossing=place, fired=() if opener is None else (opener,))

    def _by_its_day(self, site_event: SiteEvent, facts: Facts) -> Crossing | None:
        """The verdict of a day whose events were not read: they all have it. By how much, nobody asks here."""
        verdict = self.decided.get(day_of(occurrence(self.rule, site_event.event, facts), self.zone))
        if verdict is None:
            return None
        return Crossing(before=NOT_MEASURED.before, after=NOT_MEASURED.after, fires=verdict)


def settle(rule: Rule, history: CountedHistory, zone: tzinfo) -> Settlement:
    """One pass over a history of one customer, or of the whole site."""
    places: Mapping[str, Crossing] = {}
    if rule.threshold is not None:
        places = crossings(rule.threshold, history.occurrences, zone)
    openers: Mapping[str, Occurrence] = {}
    if rule.has_window:
        in_time = sorted(history.occurrences, key=in_order)
        fired = [counting for counting in in_time if rule.threshold is None or places[counting.key].fires]
        openers = _openers(fired, timedelta(days=rule.assignment.config.dedup.window_days or 0))
    return Settlement(rule, zone, places, openers, history.decided)


def _openers(fired: Sequence[Occurrence], window: timedelta) -> dict[str, Occurrence]:
    """By key of each occurrence, the last of the same customer before it that opened a window. In the order of time."""
    openers: dict[str, Occurrence] = {}
    last: dict[str | None, Occurrence] = {}
    for this in fired:
        opener = last.get(this.customer)
        if opener is not None:
            openers[this.key] = opener
        if opener is None or this.occurred_at - opener.occurred_at >= window:
            last[this.customer] = this
    return openers
