"""A verdict about every custom event of a period, by some rules: what backtest, plan and dry replay are made of (decision 0012).

A site's stored events pass once, in the order of the store's time, through the functions that batches match with, and page by page
through the comparison that drain and replay write by (`pipeline/comparison.py`); here its answers get their names:

    would_add     the event matches, and has no custom event (or a withdrawn one)
    would_drop    a custom event stands, and its event matches no more, or another event has its key
    would_change  both are there, with another value or currency, or another decision whether it is sent
    unchanged     both are there, alike
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from custom_events.backtest.findings import Finding, StandingEvent, Verdict, ledger_rows, standing_of
from custom_events.backtest.site_totals import SiteTotals, is_site_wide
from custom_events.history.reading import EPOCH, Stored, stored_events
from custom_events.history.rules import SiteRules
from custom_events.matching.match import History, Match, Settled, match
from custom_events.pipeline.bulk_rows import Connection, columns_of, texts_of
from custom_events.pipeline.comparison import Comparison, Key, Rank, is_redecided, key_of, key_of_row
from custom_events.pipeline.consents import stored_consents, with_order_consent
from custom_events.pipeline.conversion import AdsAction, draft, transaction_id
from custom_events.pipeline.matching import EventContext, Matched, Needs, NeedsMemo, SiteEvent, event_contexts, needs_of
from custom_events.pipeline.paged_comparison import PagedComparison, Period
from custom_events.queries import history as sql
from custom_events.queries import traces
from custom_events.values import events
from custom_events.values.conversions import UploadState
from custom_events.values.definitions import Assignment, DedupPer
from custom_events.values.events import EventType
from custom_events.values.reasons import SAME_TRANSACTION

# One event of each of these types has an order at most, so keys per order never meet with one of them as the only trigger.
_ONE_PER_ORDER: Final = frozenset(
    {EventType.ORDER_CREATED, EventType.ORDER_PAID, EventType.ORDER_FULFILLED, EventType.ORDER_CANCELLED}
)
_OURS: Final = frozenset({UploadState.NEW, UploadState.HELD, UploadState.QUEUED, UploadState.WITHHELD})


class _Row(NamedTuple):
    """A custom event that stands, with the event it was made from as far as that is asked for."""

    standing: StandingEvent
    commerce_event_id: int
    event_key: str
    context: EventContext | None

    @property
    def id(self) -> int:
        """Of the custom event."""
        return self.standing.custom_event_id

    @property
    def assignment_id(self) -> int:
        """Its assignment."""
        return self.standing.assignment_id

    @property
    def dedup_key(self) -> str:
        """Its deduplication key."""
        return self.standing.dedup_key

    @property
    def is_withdrawn(self) -> bool:
        """Never: only those that stand are read."""
        return False

    @property
    def rank(self) -> Rank:
        """Its place in the order of the store's time."""
        return self.standing.occurred_at, self.event_key

    @property
    def transaction_id(self) -> str | None:
        """Of its conversion, worked out from its event: the ledger is not read for it."""
        site_event = None if self.context is None else self.context.site_event
        return None if site_event is None else transaction_id(site_event.site_id, site_event.event)


class SiteVerdicts:
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
        site = rules.compiled_rules.sites.get(rules.site.site_id)
        self._totals = None if site is None else SiteTotals(site)
        self._needs: NeedsMemo = {}
        repeating = {assignment.assignment_id for assignment in rules.assignments.values() if _keys_repeat(assignment)}
        self._pages = PagedComparison[_Row](Period(since, until), repeating, self._may_move)
        self.types: frozenset[EventType] = frozenset()

    async def prepare(self) -> None:
        """What precedes the period: which types of events there may be custom events of, and site-wide measures."""
        ever = await self._connection.fetch(
            sql.TRIGGERS_EVER, texts_of(assignment for assignment in self._rules.assignments if assignment > 0)
        )
        now = {kind for assignment in self._rules.assignments.values() for kind in assignment.config.trigger}
        known = {kind.value for kind in EventType}
        self.types = frozenset({EventType(row[0]) for row in ever if row[0] in known} | now)
        totals = self._totals
        if totals is None or not totals.triggers:
            return
        begins = totals.since(self._since) or EPOCH
        pages = stored_events(self._connection, self._rules.site.site_id, totals.triggers, begins, self._since)
        async for page in pages:
            for context in await event_contexts(
                self._connection, self._rules.compiled_rules, page, self._needs_without_history()
            ):
                totals.take(context.site_event, context.facts)

    def _needs_without_history(self) -> NeedsMemo:
        site_id, compiled_rules = self._rules.site.site_id, self._rules.compiled_rules
        memo: NeedsMemo = {}
        for kind in EventType:
            needed = needs_of(compiled_rules, site_id, kind)
            memo[site_id, kind] = None if needed is None else needed._replace(rules=())
        return memo

    async def judge(self, page: Sequence[SiteEvent]) -> list[Finding]:
        """The verdicts about a page of events, in their order (those that waited come when they are decided)."""
        contexts = {context.site_event.key: context for context in await self._event_contexts(page)}
        wanted = [
            Matched(made, context.site_event)
            for site_event in page
            if (context := contexts.get(site_event.key)) is not None
            for made in self._matches(context)
        ]
        contexts |= {site_event.key: self._unasked(site_event) for site_event in page if site_event.key not in contexts}
        own = await self._own(page, contexts)
        holders = await self._holders(page, wanted, own)
        judged = dict.fromkeys((site_event.event_id for site_event in page), self._rules.assignments)
        first = page[0].event.occurred_at, page[0].key
        compared = self._pages.compare(first, wanted, own, holders, judged)
        # What would be new goes by all that was said of its order; what stands has been decided by it.
        said = await stored_consents(self._connection, compared.added)
        compared = compared._replace(added=[with_order_consent(matched, said) for matched in compared.added])
        return await self._without_sent(self._findings(page, contexts, compared))

    def _findings(
        self, page: Sequence[SiteEvent], contexts: Mapping[str, EventContext], compared: Comparison[_Row]
    ) -> list[Finding]:
        """What was compared as verdicts, in the order of the events that give them."""
        places = {site_event.key: place for place, site_event in enumerate(page)}
        takers: dict[Key, int] = {}
        placed: list[tuple[int, int, int, Finding]] = []  # place, order within it, assignment
        for row, (made, site_event) in (*compared.kept, *((None, matched) for matched in compared.added)):
            place, context = places[site_event.key], contexts[site_event.key]
            takers[made.assignment.assignment_id, made.dedup_key] = place
            finding = (
                Finding(Verdict.ADD, made.assignment, *context, made, None)
                if row is None
                else self._kept(context, made, row.standing)
            )
            placed.append((place, 1, made.assignment.assignment_id, finding))
        for row in compared.withdrawn:
            if (own := places.get(row.event_key)) is not None:
                placed.append((own, 2, row.assignment_id, self._drop(row)))
            elif row.context is not None:  # of an earlier page, or from after the period
                order = 0 if row.standing.occurred_at < self._until else 3
                placed.append((takers[key_of_row(row)], order, row.assignment_id, self._drop(row)))
        return [finding for *_, finding in sorted(placed, key=lambda entry: entry[:3])]

    async def _event_contexts(self, page: Sequence[SiteEvent]) -> list[EventContext]:
        """Facts and histories; measures over the whole site come from the running ones."""
        for kind in {site_event.event.type for site_event in page}:
            place = (self._rules.site.site_id, kind)
            if place not in self._needs:
                self._needs[place] = _without_site_wide(needs_of(self._rules.compiled_rules, *place))
        contexts = await event_contexts(self._connection, self._rules.compiled_rules, page, self._needs)
        if self._totals is None or not self._totals.triggers:
            return contexts
        return [
            context._replace(
                history=History(
                    counted=context.history.counted,
                    settled={
                        **context.history.settled,
                        **self._totals.take(context.site_event, context.facts),
                    },
                )
            )
            for context in contexts
        ]

    def _matches(self, context: EventContext) -> list[Match]:
        return match(
            context.site_event.event,
            context.site_event.site_id,
            self._rules.compiled_rules,
            context.facts,
            context.history,
        )

    def _unasked(self, site_event: SiteEvent) -> EventContext:
        """An event that no rule waits for any more, or a test order."""
        site = self._rules.compiled_rules.sites[self._rules.site.site_id]
        settled: Mapping[int, Settled] = {}
        return EventContext(site_event, site.facts, History(settled=settled))

    async def _own(self, page: Sequence[SiteEvent], contexts: Mapping[str, EventContext]) -> list[_Row]:
        """The custom events that stand of these events."""
        places = [(place, site_event.event.occurred_at, site_event.event_id) for place, site_event in enumerate(page)]
        rows: list[_Row] = []
        for place, *row in await self._connection.fetch(sql.STANDING, *columns_of(places)):
            standing, site_event = standing_of(*row), page[place]
            if standing.assignment_id in self._rules.assignments:
                rows.append(_Row(standing, site_event.event_id, site_event.key, contexts[site_event.key]))
        return rows

    async def _holders(
        self, page: Sequence[SiteEvent], wanted: Sequence[Matched], own: Iterable[_Row]
    ) -> Iterable[_Row]:
        """Who has the keys of matches whose event does not have them itself."""
        here = {(row.event_key, *key_of_row(row)) for row in own}
        asked = dict.fromkeys(
            key_of(matched) for matched in wanted if (matched.site_event.key, *key_of(matched)) not in here
        )
        if not asked:
            return ()
        rows: Sequence[Any] = await self._connection.fetch(sql.KEY_HOLDERS, *columns_of(list(asked)))
        holders = [_Row(standing_of(*row), event_id, key, None) for *row, event_id, key in rows]
        orders = {site_event.event.order_id for site_event in page} - {None}
        # Its event itself is asked for where it happened after the period, or something else of its order comes first.
        keys = {
            row.event_key
            for row in holders
            if row.standing.occurred_at >= self._until or row.standing.order_id in orders
        }
        events_of = await self._read_events(keys)
        return [row._replace(context=events_of.get(row.event_key)) for row in holders]

    async def _read_events(self, keys: Collection[str]) -> dict[str, EventContext]:
        if not keys:
            return {}
        site_id = self._rules.site.site_id
        rows = await self._connection.fetch(traces.EVENTS_OF_KEYS, site_id, sorted(keys))
        return {
            row["key"]: self._unasked(
                Stored(row["id"], site_id, row["key"], events.from_json(row["facts"], is_undone=row["is_undone"]))
            )
            for row in rows
        }

    def finish(self) -> list[Finding]:
        """What no later event of the period stands in for."""
        return [self._drop(row) for row in self._pages.finish()]

    def _drop(self, row: _Row) -> Finding:
        assert row.context is not None  # noqa: S101  only rows with their event are dropped
        return Finding(Verdict.DROP, self._rules.assignments[row.assignment_id], *row.context, None, row.standing)

    def _kept(self, context: EventContext, made: Match, own: StandingEvent) -> Finding:
        same = (own.value, own.currency) == (made.value, made.currency) and not self._is_redecided(context, made, own)
        return Finding(Verdict.SAME if same else Verdict.CHANGE, made.assignment, *context, made, own)

    def _may_move(self, row: _Row) -> bool:
        """Whether its custom event may yet move to another event of its order."""
        per = self._rules.assignments[row.assignment_id].config.dedup.per
        return per is not DedupPer.EVENT and len(self.types) > 1

    def _is_redecided(self, context: EventContext, made: Match, own: StandingEvent) -> bool:
        """Whether it would be sent now and was not, or the other way round. Which of an order's conversions has its transaction is no
        such decision: Google gets it either way."""
        action = self._actions.get(made.assignment.ads_action_id or 0)
        decision = draft(made, context.site_event.event, action, self._now)
        reason = decision.reason if decision.state is UploadState.WITHHELD else None
        return own.withheld_reason != SAME_TRANSACTION and is_redecided(own.withheld_reason, reason)

    async def _without_sent(self, findings: list[Finding]) -> list[Finding]:
        """A conversion that somebody has tried to send is not decided again: only its value may change, and what is said of it."""
        asked = [finding for finding in findings if finding.verdict is Verdict.CHANGE and finding.has_same_value]
        if not asked:
            return findings
        rows = await ledger_rows(self._connection, asked)
        sent = {number for number, own in rows.items() if own[0]["attempts"] or own[0]["state"] not in _OURS}
        sent -= {
            finding.standing.custom_event_id
            for finding in asked
            if finding.standing is not None and finding.standing.withheld_reason is not None
            if rows[finding.standing.custom_event_id][0]["state"] != UploadState.WITHHELD
        }
        return [
            finding._replace(verdict=Verdict.SAME)
            if finding.standing is not None and finding.standing.custom_event_id in sent and finding.has_same_value
            else finding
            for finding in findings
        ]


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
