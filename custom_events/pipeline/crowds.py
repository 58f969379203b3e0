"""Customers with many events (marketplaces, wholesale, test accounts), whose thresholds are counted instead of read with every batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.horizon import looking_back
from custom_events.matching.threshold import Occurrence
from custom_events.pipeline import counters
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.counters import MANY_EVENTS, Counters, Counting, Place, RulesBySite
from custom_events.queries import counting as sql
from custom_events.values.events import EventType

Customer = tuple[int, str]  # site and key


class Crowds:
    """The counters of the customers of one batch, and who needs one from now on."""

    def __init__(self, connection: Connection, compiled_rules: CompiledRules, rules: RulesBySite) -> None:
        """`rules`: by site, those that can be counted by customer. Nothing is asked of the database where there are none."""
        self._connection, self._compiled_rules, self._rules = connection, compiled_rules, rules
        self._known: set[Customer] = set()
        self._sites: set[int] = set()
        self._counting: set[int] = set()  # assignments
        self._long: dict[Place, Counting] = {}
        self.counters: Counters = {}

    async def learn(self, customers: Iterable[tuple[int, str | None]]) -> None:
        """Look up the counters of these customers (None: nobody), as far as they are not known yet."""
        new = {
            (site_id, customer)
            for site_id, customer in customers
            if site_id in self._rules and customer is not None and (site_id, customer) not in self._known
        }
        self._known |= new
        await self._learn_rules({site_id for site_id, _ in new})
        countings = [
            Counting(site_id, rule, customer)
            for site_id, customer in sorted(new)
            for rule in self._rules[site_id]
            if rule.id in self._counting
        ]
        by_place = await counters.find(self._connection, self._compiled_rules, countings)
        self.counters |= {place: counter for place, counter in by_place.items() if not counter.is_stale}

    async def _learn_rules(self, site_ids: Iterable[int]) -> None:
        """Which of these sites' rules count any customer: mostly none does, and nothing is asked about customers."""
        rules = [(rule.id,) for site_id in set(site_ids) - self._sites for rule in self._rules[site_id]]
        self._sites |= set(site_ids)
        if rules:
            rows = await self._connection.fetch(sql.WITH_CUSTOMERS, *columns_of(rules))
            self._counting |= {row[0] for row in rows}

    def covers(self, site_id: int, kind: EventType, customer: str | None, since: datetime) -> bool:
        """Whether counters say all that an event of this type and moment may change about later ones of the customer: every rule that
        looks back at it has one, and judges all that came since."""
        site = self._compiled_rules.site(site_id)
        if site is None or customer is None or not self.counters:
            return False
        rules = looking_back(site, kind)
        counted = [self.counters.get((rule.id, customer)) for rule in rules]
        return all(
            counter is not None and (counter.others_until is None or counter.others_until < since)
            for counter in counted
        )

    def note_read(self, read: Mapping[tuple[tuple[int, str | None], int], Sequence[Occurrence]]) -> None:
        """What had to be read of customers, by site, customer and rule: where it was much, it is counted from the next batch on."""
        for ((site_id, customer), rule_id), occurrences in read.items():
            if customer and len(occurrences) >= MANY_EVENTS:
                rule = next((rule for rule in self._rules.get(site_id, ()) if rule.id == rule_id), None)
                if rule is not None and (rule_id, customer) not in self.counters:
                    self._long[rule_id, customer] = Counting(site_id, rule, customer)

    async def begin(self) -> None:
        """Count the histories that had to be read."""
        await counters.begin(self._connection, self._compiled_rules, self._long.values())
        self._long.clear()
