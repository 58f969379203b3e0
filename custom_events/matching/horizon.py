"""How far an event reaches through time: whose verdicts may change when it comes late, or is corrected."""

from custom_events.matching.compiled_rules import CompiledSite, Rule
from custom_events.values.events import EventType


def changes_later(site: CompiledSite, kind: EventType) -> frozenset[EventType]:
    """The types of events, of the same customer, that an event of this type may change when it is put in before them: its own
    type and others in the triggers of rules that count it, or that ask what the customer did before. Empty: none, ever.

    What thresholds over a whole site count is not the customer's, see `custom_events/pipeline/counters.py`.
    """
    return frozenset(trigger for rule in looking_back(site, kind) for trigger in rule.assignment.config.trigger)


def looking_back(site: CompiledSite, kind: EventType) -> list[Rule]:
    """The rules whose verdicts about later events of the same customer an event of this type may change."""
    return [rule for rule in site.rules if _looks_back(rule, kind)]


def _looks_back(rule: Rule, kind: EventType) -> bool:
    if kind in rule.assignment.config.trigger and (rule.counts_per_customer or rule.has_window):
        return True
    # Paid orders are what a customer's facts are made of; when they were first seen, any event tells.
    return rule.needs_facts and (kind is EventType.ORDER_PAID or rule.asks_first_seen)
