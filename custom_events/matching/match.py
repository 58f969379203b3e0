"""A commerce event and a site's rules give matches: what becomes custom events. Pure; everything it needs is handed in.

    rules = CompiledRules(assignments, time_zones)             once per set of revisions
    facts = rules.site(site_id).facts_with(orders_before=2)    only where rules.needs_facts(site_id, event.type)
    history = History(counted={assignment_id: [...]})          only where rules.needs_history(site_id, event.type)
    for made in match(event, site_id, rules, facts, history): ...

Which matches exist follows from the event, the rules and what happened before it by the store's time; never from the order
of arrival or from how events are batched. `counted` lets a caller make the history; what a late event changes is settled by
matching again (`custom_events/pipeline/rematch/run.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.conditions.runtime import as_number, as_text
from custom_events.matching.compiled_rules import CompiledRules, Rule
from custom_events.matching.match_fields import MatchFields, MatchSettings, match_fields
from custom_events.matching.money import is_amount
from custom_events.matching.threshold import Crossing, Occurrence, crossing, fired
from custom_events.values.clicks import Click, ConsentStatus
from custom_events.values.definitions import Assignment
from custom_events.values.events import CommerceEvent
from custom_events.values.reasons import Reason


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Occurrences that count for thresholds and deduplication windows, by assignment id: of this event's customer, or of the
    site for thresholds of that scope. Earlier ones decide about this event; later ones and itself may be among them.

    `settled` holds, by assignment id, what a caller has worked out for this event already: over a whole site's history that is
    done for all events in one pass (`threshold.crossings`, `threshold.Tally`)."""

    counted: Mapping[int, Sequence[Occurrence]] = {}
    settled: Mapping[int, "Settled"] = {}


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """An event's place against one threshold, and of the occurrences that it fired on before those that matter to a
    deduplication window. `crossing` is None when the event does not count."""

    crossing: Crossing | None
    fired: Sequence[Occurrence] = ()


NO_HISTORY = History()
_BY_ID = attrgetter("id")
_UNKNOWN = ConsentStatus.UNKNOWN


class Match(msgspec.Struct, frozen=True, gc=False):
    """One occurrence of a custom event. `withheld` says why it must not leave; it is recorded all the same."""

    assignment: Assignment
    event_key: str
    dedup_key: str
    value: Decimal | None
    currency: str | None
    occurred_at: datetime
    order_id: str | None
    customer_key: str | None
    consent: ConsentStatus
    click: Click | None  # the best one that can stand for the event
    withheld: Reason | None
    not_before: datetime  # the earliest time to send it
    waits_for_consent: bool = False  # held until somebody says
    with_user_data: bool = True  # hashed e-mail and phone may go
    new_customer: bool | None = None  # first order; None: not known, or not to be told


class Item(NamedTuple):
    """One event to match, with what is known about it."""

    event: CommerceEvent
    site_id: int
    facts: Facts | None = None
    history: History = NO_HISTORY


def match(
    event: CommerceEvent,
    site_id: int,
    compiled_rules: CompiledRules,
    facts: Facts | None = None,
    history: History = NO_HISTORY,
) -> list[Match]:
    """The matches of one event, by assignment id. Without `facts` nothing is known but the site's time zone. Never raises."""
    site = compiled_rules.sites.get(site_id)
    if site is None or event.is_test or event.is_undone:
        return []
    buckets = site.buckets.get(event.type)
    if buckets is None:
        return []
    if facts is None:
        facts = site.facts
    firing: list[Rule] = []
    for holds, rules, is_plain in buckets:
        if holds(event, facts):
            firing += rules if is_plain else [rule for rule in rules if _fires(rule, event, facts, history)]
    if not firing:
        return []
    if site.has_groups:
        firing = group_winners(firing)
    if not site.is_sorted:
        firing.sort(key=_BY_ID)
    return _made(firing, event, facts, history)


def match_batch(items: Iterable[Item], compiled_rules: CompiledRules) -> list[list[Match]]:
    """The matches of each item, in the items' order: the same as one by one."""
    return [match(event, site_id, compiled_rules, facts, history) for event, site_id, facts, history in items]


def is_in_dates(rule: Rule, event: CommerceEvent, facts: Facts) -> bool:
    """Whether the event happened within the rule's dates, both included, by the site's calendar."""
    if not rule.is_bounded:
        return True
    day = event.occurred_at.astimezone(facts.zone).date()
    return (rule.valid_from is None or day >= rule.valid_from) and (rule.valid_until is None or day <= rule.valid_until)


def refused(rule: Rule, event: CommerceEvent, facts: Facts, history: History) -> Reason | None:
    """Why a rule whose conditions hold does not fire on this event; None when it does. Groups come after."""
    if rule.is_bounded and not is_in_dates(rule, event, facts):
        return Reason.NOT_VALID_AT_THAT_TIME
    if rule.threshold is None:
        return None
    if rule.counts_per_customer and event.customer_key is None:
        return Reason.CUSTOMER_UNKNOWN
    reached = threshold_crossing(rule, event, facts, history)
    return None if reached is not None and reached.fires else Reason.THRESHOLD_NOT_REACHED


def _fires(rule: Rule, event: CommerceEvent, facts: Facts, history: History) -> bool:
    """`refused(...) is None`, without working out by how much a threshold is missed where counting says enough."""
    counts = rule.counts
    if counts is None or rule.id in history.settled:
        return rule.always_fires or refused(rule, event, facts, history) is None
    if rule.is_bounded and not is_in_dates(rule, event, facts):
        return False
    if rule.counts_per_customer and ((customer := event.customer) is None or customer.key is None):
        return False
    return counts(history.counted.get(rule.id, ()), event.occurred_at, event.key)


def threshold_crossing(rule: Rule, event: CommerceEvent, facts: Facts, history: History) -> Crossing | None:
    """Where the event stands against the rule's threshold; None without one."""
    if rule.threshold is None:
        return None
    settled = history.settled.get(rule.id)
    if settled is not None:
        return settled.crossing
    return crossing(rule.threshold, history.counted.get(rule.id, ()), occurrence(rule, event, facts), facts.zone)


def occurrence(rule: Rule, event: CommerceEvent, facts: Facts) -> Occurrence:
    """The event as the rule's threshold counts it."""
    amount = event.amount if rule.amount is None else as_number(rule.amount(event, facts))
    currency = event.currency if rule.currency is None else as_text(rule.currency(event, facts))
    if amount is not None and not is_amount(amount):
        amount = None
    return Occurrence(
        occurred_at=event.occurred_at,
        key=event.key,
        amount=amount,
        currency=currency,
        customer=event.customer_key,
    )


def counted(rule: Rule, event: CommerceEvent, facts: Facts) -> Occurrence | None:
    """The event as an occurrence when it counts for the rule (trigger, dates, conditions; no test order, not undone), else None.
    This is how a caller makes `History` from stored events."""
    if event.is_test or event.is_undone or event.type not in rule.assignment.config.trigger:
        return None
    if not is_in_dates(rule, event, facts):
        return None
    return occurrence(rule, event, facts) if rule.condition.holds(event, facts) else None


def group_winners(rules: Sequence[Rule]) -> list[Rule]:
    """Of the rules that fire on one event, those that stay: in each group the highest priority (ties: the lowest id, which is that
    of the assignment made first)."""
    best: dict[str, Rule] = {}
    for rule in rules:
        group = rule.group
        if group is not None and (group not in best or _rank(rule) < _rank(best[group])):
            best[group] = rule
    return [rule for rule in rules if rule.group is None or best[rule.group] is rule]


def key_of(rule: Rule, event: CommerceEvent, facts: Facts, history: History) -> str:
    """The deduplication key of the event's occurrence, where windows ask for those before it."""
    settled = history.settled.get(rule.id)
    if settled is not None:
        return rule.match_settings.key(event, settled.fired)
    earlier = history.counted.get(rule.id, ())
    if rule.threshold is not None:
        earlier = fired(rule.threshold, earlier, facts.zone)
    return rule.match_settings.key(event, earlier)


def make_match(rule: Rule, event: CommerceEvent, facts: Facts, history: History) -> Match:
    """The match of a rule that fires."""
    return _made([rule], event, facts, history)[0]


def _made(firing: Iterable[Rule], event: CommerceEvent, facts: Facts, history: History) -> list[Match]:
    """The matches of the rules that fire on one event, in their order."""
    # Parts instead of properties: in Python 3.11 a property costs as much as all parts together.
    order, customer, said = event.order, event.customer, event.consent
    consent = _UNKNOWN if said is None else said.ad_user_data
    key, occurred_at = event.key, event.occurred_at
    order_id = event.order_id if order is None else order.id
    customer_key = None if customer is None else customer.key
    known: dict[MatchSettings, MatchFields] = {}
    matches: list[Match] = []
    for rule in firing:
        match_settings = rule.match_settings
        made = known.get(match_settings)
        if made is None:
            made = known[match_settings] = match_fields(match_settings, event, facts, consent, order_id)
        dedup_key, value, currency, click, withheld, not_before, waits, with_user_data, new_customer = made
        if match_settings.has_window:
            dedup_key = key_of(rule, event, facts, history)
        matches.append(
            Match(rule.assignment, key, dedup_key, value, currency, occurred_at, order_id, customer_key, consent, click, withheld,
                  not_before, waits, with_user_data, new_customer)
        )  # fmt: skip
    return matches


def _rank(rule: Rule) -> tuple[int, bool, int]:
    """The smaller, the better. A negative id is of an assignment that is to be made: it will be the last."""
    return -rule.priority, rule.id < 0, abs(rule.id)
