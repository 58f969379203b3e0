"""What should be, under some rules, against what is: the machine that backtest and replay share (decision 0012).

A site's stored events pass once, in the order of the store's time, through the functions that batches match with. Each custom
event that stands, and each match without one, gets a verdict:

    would_add     the event matches, and nobody has the deduplication key
    would_drop    a custom event stands, and its event matches no more (or another one takes its key)
    would_change  both are there, with another value or currency
    unchanged     both are there, alike

An event has at most one custom event of an assignment. A key that an event of outside the period has stays with it. A match
whose key belongs to a later event waits until that one is judged: it stays with the later one if that still matches. Where a key
is an order's, another event of the order may stand in for the one that matches no more: Google knows the order, not the event.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from custom_events.conditions.facts import Facts
from custom_events.hindsight.reading import stored_events
from custom_events.hindsight.rules import SiteRules
from custom_events.hindsight.site_totals import SiteTotals, is_site_wide
from custom_events.matching.match import History, Match, Settled, match
from custom_events.matching.money import rounded
from custom_events.pipeline.matching import Happened, Needs, NeedsMemo, Surrounded, needs_of, surroundings
from custom_events.pipeline.rows import Connection, columns_of
from custom_events.queries import hindsight as sql
from custom_events.values.definitions import Assignment, DedupPer
from custom_events.values.events import EventType

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # before every event

# One event of each of these types has an order at most, so keys per order never meet with one of them as the only trigger.
_ONE_PER_ORDER: Final = frozenset(
    {EventType.ORDER_CREATED, EventType.ORDER_PAID, EventType.ORDER_FULFILLED, EventType.ORDER_CANCELLED}
)
_OF_AN_ORDER: Final = (DedupPer.ORDER, DedupPer.SUBSCRIPTION_PERIOD)


class Verdict(StrEnum):
    """What the rules asked about make of one occurrence."""

    ADD = "would_add"
    DROP = "would_drop"
    CHANGE = "would_change"
    SAME = "unchanged"


class Standing(NamedTuple):
    """A custom event that is there and was not withdrawn."""

    assignment_id: int
    custom_event_id: int
    occurred_at: datetime
    dedup_key: str
    value: Decimal | None
    currency: str | None
    withheld_reason: str | None
    created_at: datetime
    order_id: str | None


class Finding(NamedTuple):
    """One verdict, with the event, what was known about it, the match (not of a drop) and the custom event (not of an add)."""

    verdict: Verdict
    assignment: Assignment
    proposal: Happened
    facts: Facts
    history: History
    match: Match | None
    standing: Standing | None


class _Holder(NamedTuple):
    """The commerce event whose custom event has a key."""

    event_id: int
    moment: tuple[datetime, str]


Key = tuple[int, str]  # assignment, deduplication key


class Comparison:
    """One site, one period. Feed every page of `stored_events` of `types` to `judge`, in order, after `prepare`."""

    def __init__(self, connection: Connection, rules: SiteRules, since: datetime, until: datetime) -> None:
        self._connection, self._rules = connection, rules
        self._since, self._until = since, until
        site = rules.plan.sites.get(rules.site.site_id)
        self._totals = None if site is None else SiteTotals(site)
        self._needs: NeedsMemo = {}
        self._repeating = {one.assignment_id for one in rules.assignments.values() if _keys_repeat(one)}
        self._taken: set[int] = (
            set()
        )  # hashes of keys that an event of the period has: 64 bits each, so nothing collides
        self._waiting: dict[Key, list[Surrounded]] = {}  # matches whose key belongs to a later event
        self._leaving: dict[Key, Finding] = {}  # drops for which another event of the order may stand in
        self.types: frozenset[EventType] = frozenset()

    async def prepare(self) -> None:
        """What precedes the period: which types of events there may be custom events of, and site-wide measures."""
        ever = await self._connection.fetch(sql.TRIGGERS_EVER, [one for one in self._rules.assignments if one > 0])
        now = {kind for one in self._rules.assignments.values() for kind in one.config.trigger}
        known = {kind.value for kind in EventType}
        self.types = frozenset({EventType(row[0]) for row in ever if row[0] in known} | now)
        totals = self._totals
        if totals is None or not totals.triggers:
            return
        begins = totals.since(self._since) or EPOCH
        pages = stored_events(self._connection, self._rules.site.site_id, totals.triggers, begins, self._since)
        async for page in pages:
            for one in await surroundings(self._connection, self._rules.plan, page, self._needs_without_history()):
                totals.take(one.proposal, one.facts)

    def _needs_without_history(self) -> NeedsMemo:
        site_id, plan = self._rules.site.site_id, self._rules.plan
        found: NeedsMemo = {}
        for kind in EventType:
            needed = needs_of(plan, site_id, kind)
            found[site_id, kind] = None if needed is None else needed._replace(rules=())
        return found

    async def judge(self, page: Sequence[Happened]) -> list[Finding]:
        """The verdicts about a page of events, in their order (those that waited come when they are decided)."""
        surrounded = {one.proposal.key: one for one in await self._surroundings(page)}
        matches = {key: self._matches(one) for key, one in surrounded.items()}
        standing = await self._standing(page)
        holders = await self._holders(page, matches, standing)
        found: list[Finding] = []
        for proposal in page:
            one = surrounded.get(proposal.key) or self._unasked(proposal)
            found += self._decide(one, matches.get(proposal.key, []), standing.get(proposal.key, {}), holders)
        return found

    async def _surroundings(self, page: Sequence[Happened]) -> list[Surrounded]:
        """Facts and histories; measures over the whole site come from the running ones."""
        for kind in {proposal.event.type for proposal in page}:
            place = (self._rules.site.site_id, kind)
            if place not in self._needs:
                self._needs[place] = _without_site_wide(needs_of(self._rules.plan, *place))
        found = await surroundings(self._connection, self._rules.plan, page, self._needs)
        if self._totals is None or not self._totals.triggers:
            return found
        return [
            one._replace(
                history=History(counted=one.history.counted, settled=self._totals.take(one.proposal, one.facts))
            )
            for one in found
        ]

    def _matches(self, one: Surrounded) -> list[Match]:
        return match(one.proposal.event, one.proposal.site_id, self._rules.plan, one.facts, one.history)

    def _unasked(self, proposal: Happened) -> Surrounded:
        """An event that no rule waits for any more, or a test order."""
        site = self._rules.plan.sites[self._rules.site.site_id]
        settled: Mapping[int, Settled] = {}
        return Surrounded(proposal, site.facts, History(settled=settled))

    async def _standing(self, page: Sequence[Happened]) -> dict[str, dict[int, Standing]]:
        """Custom events that stand, by the event's key and the assignment."""
        places = [(place, proposal.event.occurred_at, proposal.event_id) for place, proposal in enumerate(page)]
        found: dict[str, dict[int, Standing]] = {}
        for place, *row in await self._connection.fetch(sql.STANDING, *columns_of(places)):
            one = _standing(*row)
            if one.assignment_id in self._rules.assignments:
                found.setdefault(page[place].key, {})[one.assignment_id] = one
        return found

    async def _holders(
        self,
        page: Sequence[Happened],
        matches: Mapping[str, Sequence[Match]],
        standing: Mapping[str, Mapping[int, Standing]],
    ) -> dict[Key, _Holder]:
        """Who has the keys of matches that have no custom event of their own."""
        wanted = list(
            dict.fromkeys(
                (made.assignment.assignment_id, made.dedup_key)
                for proposal in page
                for made in matches.get(proposal.key, ())
                if made.assignment.assignment_id not in standing.get(proposal.key, {})
            )
        )
        if not wanted:
            return {}
        rows: Sequence[Any] = await self._connection.fetch(sql.KEY_HOLDERS, *columns_of(wanted))
        return {(row[0], row[1]): _Holder(row[4], (row[3], row[5])) for row in rows}

    def finish(self) -> list[Finding]:
        """What no later event of the period stands in for."""
        found = list(self._leaving.values())
        self._leaving.clear()
        return found

    def _decide(
        self,
        one: Surrounded,
        matches: Sequence[Match],
        standing: Mapping[int, Standing],
        holders: Mapping[Key, _Holder],
    ) -> list[Finding]:
        found: list[Finding] = []
        for made in matches:
            number = made.assignment.assignment_id
            key, own = (number, made.dedup_key), standing.get(number)
            if self._is_taken(key):
                found += [] if own is None else self._drop(one, own)
            elif own is not None:
                found.append(self._kept(one, made, own))
                self._waiting.pop((number, own.dedup_key), None)
            elif (left := self._leaving.pop(key, None)) is not None and left.standing is not None:
                found.append(self._kept(one, made, left.standing))
            elif (holder := holders.get(key)) is None or self._has_lost(holder, one):
                found.append(self._added(one, made))
            elif self._is_to_come(holder):
                self._waiting.setdefault(key, []).append(one)
        matched = {made.assignment.assignment_id for made in matches}
        for number, own in standing.items():
            if number not in matched:
                found += self._drop(one, own)
        return found

    def _kept(self, one: Surrounded, made: Match, own: Standing) -> Finding:
        self._take((own.assignment_id, made.dedup_key))
        same = (own.value, own.currency) == (made.value, made.currency)
        return Finding(Verdict.SAME if same else Verdict.CHANGE, made.assignment, *one, made, own)

    def _added(self, one: Surrounded, made: Match) -> Finding:
        self._take((made.assignment.assignment_id, made.dedup_key))
        return Finding(Verdict.ADD, made.assignment, *one, made, None)

    def _drop(self, one: Surrounded, own: Standing) -> list[Finding]:
        """The custom event goes; who waited for its key takes it, or stands in for it."""
        assignment = self._rules.assignments[own.assignment_id]
        leaving = Finding(Verdict.DROP, assignment, *one, None, own)
        key = (own.assignment_id, own.dedup_key)
        of_order = assignment.config.dedup.per in _OF_AN_ORDER
        heirs = [(waiting, made) for waiting in self._waiting.pop(key, []) for made in self._matches(waiting)
                 if (made.assignment.assignment_id, made.dedup_key) == key and not self._is_taken(key)]  # fmt: skip
        if heirs and of_order:
            return [self._kept(*heirs[0], own)]
        if not heirs and of_order and len(self.types) > 1 and not self._is_taken(key):
            self._leaving[key] = leaving
            return []
        return [leaving, *(self._added(*heir) for heir in heirs[:1])]

    def _has_lost(self, holder: _Holder, one: Surrounded) -> bool:
        """The holder was judged before in this period, and does not have the key any more: else it would be taken."""
        return holder.moment[0] >= self._since and holder.moment < (one.proposal.event.occurred_at, one.proposal.key)

    def _is_to_come(self, holder: _Holder) -> bool:
        return self._since <= holder.moment[0] < self._until

    def _take(self, key: Key) -> None:
        if key[0] in self._repeating:
            self._taken.add(hash(key))

    def _is_taken(self, key: Key) -> bool:
        return key[0] in self._repeating and hash(key) in self._taken


def _standing(assignment_id: int, custom_event_id: int, occurred_at: datetime, dedup_key: str, value: Decimal | None,
              currency: str | None, *rest: Any) -> Standing:  # fmt: skip
    """A row of STANDING; the value in its currency's minor units, as rules make it."""
    exact = None if value is None else rounded(value, currency)
    return Standing(assignment_id, custom_event_id, occurred_at, dedup_key, exact, currency, *rest)


def _without_site_wide(needed: Needs | None) -> Needs | None:
    if needed is None:
        return None
    return needed._replace(rules=tuple(rule for rule in needed.rules if not is_site_wide(rule)))


def _keys_repeat(assignment: Assignment) -> bool:
    """Whether two events can have one key of this assignment."""
    trigger = frozenset(assignment.config.trigger)
    match assignment.config.dedup.per:
        case DedupPer.EVENT:
            return False
        case DedupPer.ORDER:
            return len(trigger) > 1 or not trigger <= _ONE_PER_ORDER
        case DedupPer.CUSTOMER | DedupPer.CUSTOMER_WINDOW | DedupPer.SUBSCRIPTION_PERIOD:
            return True
