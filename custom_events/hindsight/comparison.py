"""What should be, under some rules, against what is: the machine that backtest and replay share (decision 0012).

A site's stored events pass once, in the order of the store's time, through the functions that batches match with. Each custom
event that stands, and each match without one, gets a verdict:

    would_add     the event matches, and has no custom event (or a withdrawn one)
    would_drop    a custom event stands, and its event matches no more, or another event has its key
    would_change  both are there, with another value or currency, or another decision whether it is sent
    unchanged     both are there, alike

Of the events with one deduplication key the first by the store's time has it, as `pipeline.standing` decides; one that lies
before the period keeps it. Where it goes to another event of the same transaction (`order.paid` instead of `order.created`), the
custom event stays and moves: Google knows the order, not the event.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from custom_events.hindsight.findings import Finding, Standing, Verdict, ledger_rows, standing_of
from custom_events.hindsight.reading import Stored, stored_events
from custom_events.hindsight.rules import SiteRules
from custom_events.hindsight.site_totals import SiteTotals, is_site_wide
from custom_events.matching.match import History, Match, Settled, match
from custom_events.pipeline.conversion import TOO_LATE, AdsAction, draft, transaction_id
from custom_events.pipeline.matching import Happened, Needs, NeedsMemo, Surrounded, needs_of, surroundings
from custom_events.pipeline.rows import Connection, columns_of, texts_of
from custom_events.queries import hindsight as sql
from custom_events.queries import stories
from custom_events.values import events
from custom_events.values.conversions import SAME_TRANSACTION, UploadState
from custom_events.values.definitions import Assignment, DedupPer
from custom_events.values.events import EventType

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # before every event

# One event of each of these types has an order at most, so keys per order never meet with one of them as the only trigger.
_ONE_PER_ORDER: Final = frozenset(
    {EventType.ORDER_CREATED, EventType.ORDER_PAID, EventType.ORDER_FULFILLED, EventType.ORDER_CANCELLED}
)
_OURS: Final = frozenset({UploadState.NEW, UploadState.HELD, UploadState.QUEUED, UploadState.WITHHELD})


class _Holder(NamedTuple):
    """The custom event that has a key, and the commerce event it was made from."""

    standing: Standing
    event_id: int
    key: str

    @property
    def moment(self) -> tuple[datetime, str]:
        """Its place in the order of the store's time."""
        return self.standing.occurred_at, self.key


Key = tuple[int, str]  # assignment, deduplication key


class Comparison:
    """One site, one period. Feed every page of `stored_events` of `types` to `judge`, in order, after `prepare`."""

    def __init__(
        self,
        connection: Connection,
        rules: SiteRules,
        actions: Mapping[int, AdsAction],
        since: datetime,
        until: datetime,
        now: datetime,
    ) -> None:
        self._connection, self._rules, self._actions, self._now = connection, rules, actions, now
        self._since, self._until = since, until
        site = rules.plan.sites.get(rules.site.site_id)
        self._totals = None if site is None else SiteTotals(site)
        self._needs: NeedsMemo = {}
        self._repeating = {one.assignment_id for one in rules.assignments.values() if _keys_repeat(one)}
        self._taken: set[int] = (
            set()
        )  # hashes of keys that an event of the period has: 64 bits each, so nothing collides
        self._leaving: dict[Key, Finding] = {}  # drops whose custom event may yet move to another event of the order
        self._moved: set[int] = set()  # custom events that have moved to an earlier event
        self._events: dict[str, Stored] = {}  # of holders, as far as they are asked for
        self.types: frozenset[EventType] = frozenset()

    async def prepare(self) -> None:
        """What precedes the period: which types of events there may be custom events of, and site-wide measures."""
        ever = await self._connection.fetch(
            sql.TRIGGERS_EVER, texts_of(one for one in self._rules.assignments if one > 0)
        )
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
        return await self._settled(found)

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
            one = standing_of(*row)
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
        holders = [_Holder(standing_of(*row[:-2]), *row[-2:]) for row in map(tuple, rows)]
        found = {(one.standing.assignment_id, one.standing.dedup_key): one for one in holders}
        await self._read_events([one for one in holders if self._may_move(one, page)])
        return found

    def _may_move(self, holder: _Holder, page: Sequence[Happened]) -> bool:
        """Whether its event itself is asked for: it happened after the period, or something else of its order comes first."""
        orders = {proposal.event.order_id for proposal in page} - {None}
        return holder.standing.occurred_at >= self._until or holder.standing.order_id in orders

    async def _read_events(self, holders: Sequence[_Holder]) -> None:
        keys = sorted({one.key for one in holders})
        self._events = {}
        if keys:
            site_id = self._rules.site.site_id
            for row in await self._connection.fetch(stories.EVENTS_OF_KEYS, site_id, keys):
                self._events[row["key"]] = Stored(row["id"], site_id, row["key"], events.from_json(row["facts"]))

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
        here = {number: own for number, own in standing.items() if own.custom_event_id not in self._moved}
        found: list[Finding] = []
        for made in matches:
            number = made.assignment.assignment_id
            key, own = (number, made.dedup_key), here.pop(number, None)
            if self._is_taken(key):
                found += [] if own is None else self._drop(one, own)
            elif own is not None:
                found.append(self._kept(one, made, own))
            else:
                found += self._new(one, made, key, holders.get(key))
        for own in here.values():
            found += self._drop(one, own)
        return found

    def _new(self, one: Surrounded, made: Match, key: Key, holder: _Holder | None) -> list[Finding]:
        """A match without a custom event of its own."""
        left = self._leaving.pop(key, None)
        if left is not None and left.standing is not None:
            if _same_transaction(left.proposal, one.proposal):
                return [self._kept(one, made, left.standing)]
            return [left, self._added(one, made)]
        if holder is None or (self._since <= holder.moment[0] and holder.moment < _moment(one)):
            return [self._added(one, made)]  # who had it was judged before, and has it no more
        if holder.moment < _moment(one):
            return []
        event = self._events.get(holder.key)
        if event is not None and _same_transaction(event, one.proposal):
            self._moved.add(holder.standing.custom_event_id)
            return [self._kept(one, made, holder.standing)]
        found = [self._added(one, made)]
        if event is not None and holder.moment[0] >= self._until:
            found.append(Finding(Verdict.DROP, made.assignment, *self._unasked(event), None, holder.standing))
        return found

    def _kept(self, one: Surrounded, made: Match, own: Standing) -> Finding:
        self._take((own.assignment_id, made.dedup_key))
        same = (own.value, own.currency) == (made.value, made.currency) and not self._is_redecided(one, made, own)
        return Finding(Verdict.SAME if same else Verdict.CHANGE, made.assignment, *one, made, own)

    def _is_redecided(self, one: Surrounded, made: Match, own: Standing) -> bool:
        """Whether it would be sent now and was not, or the other way round. What the clock has done since is no reason."""
        action = self._actions.get(made.assignment.ads_action_id or 0)
        found = draft(made, one.proposal.event, action, self._now)
        reason = found.reason if found.state is UploadState.WITHHELD else None
        return reason != own.withheld_reason and TOO_LATE not in (reason, own.withheld_reason) and own.withheld_reason != SAME_TRANSACTION  # fmt: skip

    async def _settled(self, found: list[Finding]) -> list[Finding]:
        """A conversion that somebody has tried to send is not decided again: only its value may change."""
        asked = [one for one in found if one.verdict is Verdict.CHANGE and one.has_same_value]
        if not asked:
            return found
        rows = await ledger_rows(self._connection, asked)
        sent = {number for number, own in rows.items() if own[0]["attempts"] or own[0]["state"] not in _OURS}
        return [
            one._replace(verdict=Verdict.SAME)
            if one.standing is not None and one.standing.custom_event_id in sent and one.has_same_value
            else one
            for one in found
        ]

    def _added(self, one: Surrounded, made: Match) -> Finding:
        self._take((made.assignment.assignment_id, made.dedup_key))
        return Finding(Verdict.ADD, made.assignment, *one, made, None)

    def _drop(self, one: Surrounded, own: Standing) -> list[Finding]:
        """The custom event goes, or moves to an event of its order that is still to come."""
        assignment = self._rules.assignments[own.assignment_id]
        leaving = Finding(Verdict.DROP, assignment, *one, None, own)
        key = (own.assignment_id, own.dedup_key)
        if assignment.config.dedup.per is not DedupPer.EVENT and len(self.types) > 1 and not self._is_taken(key):
            self._leaving[key] = leaving
            return []
        return [leaving]

    def _take(self, key: Key) -> None:
        if key[0] in self._repeating:
            self._taken.add(hash(key))

    def _is_taken(self, key: Key) -> bool:
        return key[0] in self._repeating and hash(key) in self._taken


def _moment(one: Surrounded) -> tuple[datetime, str]:
    return one.proposal.event.occurred_at, one.proposal.key


def _same_transaction(one: Happened, other: Happened) -> bool:
    return transaction_id(one.site_id, one.event) == transaction_id(other.site_id, other.event)


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
