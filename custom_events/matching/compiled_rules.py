"""The rules of many sites, compiled once for a set of revisions: an index by site and type of event.

Per site and type the assignments stand grouped by their condition, so that a condition many assignments share is asked once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from operator import attrgetter

import msgspec

from custom_events.conditions.compile import Condition, Predicate, compile_condition
from custom_events.conditions.facts import Facts
from custom_events.conditions.field_lookup import find_field
from custom_events.conditions.source import Source, event_function
from custom_events.matching.match_fields import MatchSettings, match_settings_of
from custom_events.matching.threshold import CountFunction, count_function
from custom_events.matching.value import amount_reader
from custom_events.values.definitions import Assignment, Threshold, ThresholdMeasure, ThresholdScope
from custom_events.values.events import CommerceEvent, EventType
from custom_events.values.zones import zone_or_utc

FIRST_SEEN = "customer.first_seen"

FieldReader = Callable[[CommerceEvent, Facts], object]


class Rule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One assignment, compiled. What matching reads for every event stands here as plain values (naming a member of an
    enumeration costs Python 3.11 as much as a comparison)."""

    id: int  # the assignment's
    assignment: Assignment
    group: str | None
    priority: int
    threshold: Threshold | None
    counts_per_customer: bool
    counts: CountFunction | None  # of thresholds that counting the history decides
    always_fires: bool  # when its conditions hold: neither dates nor threshold
    condition: Condition
    match_settings: MatchSettings
    amount: FieldReader | None = None  # of a sum threshold's field; None: the event's own amount
    currency: FieldReader | None = None  # of that amount; None: the event's own
    valid_from: date | None
    valid_until: date | None
    is_bounded: bool  # by dates

    @property
    def has_window(self) -> bool:
        """Whether the deduplication key follows from occurrences before the event."""
        return self.match_settings.has_window

    @property
    def needs_facts(self) -> bool:
        """Whether conditions, value or what Google is told ask for facts about the customer from our own state."""
        if self.assignment.config.extra_data.customer_type:
            return True
        named = [known_field for name in self._amount_fields if (known_field := find_field(name)) is not None]
        return self.condition.needs_history or any(field.history for field in named)

    @property
    def asks_first_seen(self) -> bool:
        """Whether one of these facts is when the customer was first seen."""
        return FIRST_SEEN in self.condition.fields or FIRST_SEEN in self._amount_fields

    @property
    def _amount_fields(self) -> tuple[str, ...]:
        """The fields that value and threshold name."""
        return tuple(
            name for name in (self.match_settings.value.rule.field, self.threshold and self.threshold.field) if name
        )

    @property
    def is_site_wide(self) -> bool:
        """Whether the threshold counts over the whole site instead of one customer."""
        return self.threshold is not None and not self.counts_per_customer

    @property
    def is_countable(self) -> bool:
        """Whether what the threshold counts of one customer can be kept instead of read: it asks for nothing but their events, one by
        one."""
        return self.counts_per_customer and not self.has_window and not self.needs_facts

    @property
    def needs_history(self) -> bool:
        """Whether earlier occurrences decide: a threshold, or a deduplication window."""
        return self.threshold is not None or self.has_window


def _no_amount(_event: CommerceEvent, _facts: Facts) -> None:
    """An amount field that does not exist: nothing is summed."""


def _currency_reader(name: str) -> FieldReader | None:
    """Reads the currency of a named amount; None where it has none of its own."""
    field = find_field(name)
    if field is None or field.currency is None:
        return None
    source = Source()
    return event_function(source, source.value(msgspec.structs.replace(field, expression=field.currency)))


Bucket = tuple[Predicate, tuple[Rule, ...], bool]


class CompiledSite(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One site's rules. `buckets` by type of event: (condition, the rules that share it, whether the condition alone decides)."""

    site_id: int
    facts: Facts  # of an event about which nothing else is known: the site's time zone
    buckets: Mapping[EventType, tuple[Bucket, ...]]
    rules: tuple[Rule, ...]
    has_groups: bool
    is_sorted: bool  # the rules of each type's buckets, one bucket after the other, by id

    def facts_with(
        self, *, orders_before: int | None, spent_before: Decimal | None = None, first_seen: datetime | None = None
    ) -> Facts:
        """The facts about one event of this site, in the site's time zone."""
        return Facts(
            zone=self.facts.zone, orders_before=orders_before, spent_before=spent_before, first_seen=first_seen
        )

    def facts_needed(self, kind: EventType) -> bool:
        """Whether any rule for this type of event asks for facts about the customer."""
        return any(rule.needs_facts for rule in self.rules_for(kind))

    def history_needed(self, kind: EventType) -> tuple[Rule, ...]:
        """The rules for this type of event that earlier occurrences decide."""
        return tuple(rule for rule in self.rules_for(kind) if rule.needs_history)

    def rules_for(self, kind: EventType) -> Iterator[Rule]:
        """The rules with this trigger."""
        for _, rules, _ in self.buckets.get(kind, ()):
            yield from rules


class CompiledRules:
    """Compiled once for a set of revisions, then only read: workers may share it between threads."""

    def __init__(self, assignments: Iterable[Assignment], time_zones: Mapping[int, str] | None = None) -> None:
        """`time_zones`: IANA names by site id; a site without a known one is in UTC."""
        by_site: dict[int, list[Rule]] = {}
        for assignment in assignments:
            by_site.setdefault(assignment.site_id, []).append(compile_rule_of(assignment))
        zones = time_zones or {}
        self.sites: dict[int, CompiledSite] = {
            site_id: _compiled_site(site_id, rules, zone_or_utc(zones.get(site_id)))
            for site_id, rules in by_site.items()
        }

    def site(self, site_id: int) -> CompiledSite | None:
        """The rules of a site; None when it has none."""
        return self.sites.get(site_id)

    def site_wide(self) -> dict[int, tuple[Rule, ...]]:
        """By site, the rules whose threshold counts over the whole site instead of one customer; only sites that have any."""
        by_site = {
            site.site_id: tuple(rule for rule in site.rules if rule.is_site_wide) for site in self.sites.values()
        }
        return {site_id: rules for site_id, rules in by_site.items() if rules}

    def countable(self) -> dict[int, tuple[Rule, ...]]:
        """By site, the rules whose thresholds can be counted by customer; only sites that have any."""
        by_site = {
            site.site_id: tuple(rule for rule in site.rules if rule.is_countable) for site in self.sites.values()
        }
        return {site_id: rules for site_id, rules in by_site.items() if rules}

    def needs_facts(self, site_id: int, kind: EventType) -> bool:
        """Whether matching such an event asks for facts about the customer (orders before, spend, first seen)."""
        site = self.sites.get(site_id)
        return site is not None and site.facts_needed(kind)

    def needs_history(self, site_id: int, kind: EventType) -> bool:
        """Whether matching such an event asks for earlier occurrences (thresholds, deduplication windows)."""
        site = self.sites.get(site_id)
        return site is not None and bool(site.history_needed(kind))

    def unreadable(self) -> list[Rule]:
        """Rules whose stored conditions cannot be read; they match nothing until mended."""
        return [rule for site in self.sites.values() for rule in site.rules if rule.condition.problems]


def compile_rule_of(assignment: Assignment) -> Rule:
    """One assignment, compiled."""
    config = assignment.config
    threshold = config.threshold
    sum_field = threshold.field if threshold is not None and threshold.measure is ThresholdMeasure.SUM else None
    return Rule(
        id=assignment.assignment_id,
        assignment=assignment,
        group=config.group,
        priority=config.priority,
        threshold=threshold,
        counts_per_customer=threshold is not None and threshold.scope is ThresholdScope.CUSTOMER,
        counts=None if threshold is None else count_function(threshold),
        always_fires=threshold is None and config.valid_from is None and config.valid_until is None,
        condition=compile_condition(config.conditions),
        match_settings=match_settings_of(assignment),
        amount=(amount_reader(sum_field) or _no_amount) if sum_field else None,
        currency=_currency_reader(sum_field) if sum_field else None,
        valid_from=config.valid_from,
        valid_until=config.valid_until,
        is_bounded=config.valid_from is not None or config.valid_until is not None,
    )


def _compiled_site(site_id: int, rules: list[Rule], zone: tzinfo) -> CompiledSite:
    grouped: dict[EventType, dict[int, tuple[Predicate, list[Rule]]]] = {}
    for rule in sorted(rules, key=attrgetter("id")):
        for kind in dict.fromkeys(rule.assignment.config.trigger):
            # Equal trees are one Condition object while its cache keeps it.
            _, same = grouped.setdefault(kind, {}).setdefault(id(rule.condition), (rule.condition.holds, []))
            same.append(rule)
    buckets = {
        kind: tuple((holds, tuple(same), all(rule.always_fires for rule in same)) for holds, same in by_id.values())
        for kind, by_id in grouped.items()
    }
    ids = [[rule.id for _, same, _ in of_kind for rule in same] for of_kind in buckets.values()]
    return CompiledSite(
        site_id=site_id,
        facts=Facts(zone=zone),
        buckets=buckets,
        rules=tuple(rules),
        has_groups=any(rule.group is not None for rule in rules),
        is_sorted=all(rule == sorted(rule) for rule in ids),
    )
