"""Matching stored events again: what a late or corrected event unmakes, and what a replay changes. One machine for both.

    scopes = [Scope(site_id, customer_key="c:7", since=moment, cause=Cause(Reason.UNMADE_BY_LATE_EVENT, "order.paid:1"))]
    changes = await rematch(connection, configuration, scopes, now)                    writes, in the transaction that is open
    changes = await rematch(connection, configuration, scopes, now, dry_run=True)      writes nothing

A replay gives stretches of whole sites and `rules=Rules.PUBLISHED`: `Scope(site_id, since=..., until=..., cause=Cause(
Reason.UNMADE_BY_REPLAY, "replay:12"))`, a day at a time when the period is long: memory holds the events of the scopes. The
caller holds the shards of these sites (`claim.LOCK_CLASS`), or nothing else drains; it commits.

What is written is only what differs: events that now fire get their custom event and conversion; one that no longer stands is
withdrawn (kept, with reason, time and cause), its conversion withheld if nobody has tried to send it, else retracted by the
ledger's adjuster after Google's answer; one that stands for another value, time or key is corrected in place. Withdrawn ones
that stand again are taken back. Nothing is sent twice: keys and transactions are those of the drain.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple

from custom_events.matching.plan import MatchPlan
from custom_events.pipeline import counters
from custom_events.pipeline.changes import Changes, settle_transactions, write
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.matching import Matched, match_events
from custom_events.pipeline.rows import Connection, columns_of
from custom_events.pipeline.rulebook import Pair, Rulebook
from custom_events.pipeline.standing import Cause, Comparison, StoredCustomEvent, StoredUpload, compare
from custom_events.pipeline.uploads import UploadData
from custom_events.queries import rematch as sql
from custom_events.values import events
from custom_events.values.events import CommerceEvent

_OF_A_CUSTOMER = ("c:", "w:")  # deduplication keys that a customer's events share (`matching.dedup`)
_BEGIN, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_DATA_WIDTH = len(UploadData._fields)
_UPLOAD_WIDTH = _DATA_WIDTH + len(StoredUpload._fields) - 1


class Rules(StrEnum):
    """By which rules stored events are judged."""

    OF_THEIR_TIME = "of_their_time"  # those that were published when they were understood
    PUBLISHED = "published"  # today's: a replay


class Scope(NamedTuple):
    """Stored events to match again: of a customer, of an order, a single one, or of the whole site; from `since` until before
    `until` by the store's time."""

    site_id: int
    cause: Cause
    customer_key: str | None = None
    order_id: str | None = None
    event_key: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def begins(self) -> datetime:
        """`since`, or before everything."""
        return _BEGIN if self.since is None else self.since

    @property
    def subject(self) -> tuple[int, str, str]:
        """What it is about, whatever the time."""
        if self.customer_key is not None:
            return self.site_id, "customer", self.customer_key
        if self.order_id is not None:
            return self.site_id, "order", self.order_id
        return self.site_id, _ONE if self.event_key is not None else "site", self.event_key or ""


class StoredEvent(NamedTuple):
    """A commerce event as it is stored."""

    event_id: int
    site_id: int
    understood_at: datetime
    event: CommerceEvent

    @property
    def key(self) -> str:
        """Its natural key."""
        return self.event.key


async def rematch(
    connection: Connection,
    configuration: Configuration,
    scopes: Iterable[Scope],
    now: datetime,
    *,
    rules: Rules = Rules.OF_THEIR_TIME,
    dry_run: bool = False,
) -> Changes:
    """Match the scopes' events again and bring custom events and ledger to what stands. Returns what changed, or would.

    A key that becomes free may go to an event outside the scopes; the events that share it are taken in then.
    """
    waiting = list(scopes)
    if not waiting:
        return Changes()
    book = Rulebook.published(configuration)
    if rules is Rules.OF_THEIR_TIME:
        book = await Rulebook.of_their_time(connection, configuration, {scope.site_id for scope in waiting})
    work = _Work(connection, configuration, book)
    comparison = Comparison(added=[], kept=[], withdrawn=[])
    while waiting:
        shifted = await work.take(waiting, recount=not dry_run)
        comparison = await work.judge()
        waiting = [*work.freed(comparison), *shifted]
    changes = await settle_transactions(connection, configuration, comparison, work.cause_of, now)
    changes.judged = len(work.events)
    if not dry_run:
        await write(connection, changes, now)
    return changes


async def shifted_scopes(connection: Connection, plan: MatchPlan, shift: counters.Shift, cause: Cause) -> list[Scope]:
    """What is to be matched again when the verdicts of a threshold over a whole site have shifted."""
    found = await counters.shifted(connection, plan, shift)
    scopes = [Scope(shift.site_id, cause, event_key=key) for key in found.events]
    return scopes + [Scope(shift.site_id, cause, customer_key=key, since=shift.since) for key in found.customers]


class _Work:
    """The events taken in so far, and why."""

    def __init__(self, connection: Connection, configuration: Configuration, book: Rulebook) -> None:
        self._connection, self._configuration, self._book = connection, configuration, book
        self._seen: dict[tuple[int, str, str], datetime] = {}  # since when, by subject
        self._causes: dict[int, Cause] = {}  # by id of the event
        self._taken_over: dict[int, Cause] = {}  # by id of a custom event whose key another event took
        self.events: dict[int, StoredEvent] = {}

    async def take(self, scopes: Sequence[Scope], *, recount: bool) -> list[Scope]:
        """Load the events of these scopes. `recount`: bring what site-wide thresholds count to what these events say now; the
        events of which that changes the verdict are returned."""
        before = len(self.events)
        for kind, chosen in groupby(sorted(scopes, key=_kind), key=_kind):
            group = list(chosen)
            for scope in group:
                self._seen[scope.subject] = min(scope.begins, self._seen.get(scope.subject, _END))
            rows = [(place, *self._asked(kind, scope)) for place, scope in enumerate(group)]
            for place, event_id, site_id, understood_at, facts in await self._connection.fetch(
                _QUERIES[kind], *columns_of(rows)
            ):
                if event_id not in self.events:
                    self.events[event_id] = StoredEvent(event_id, site_id, understood_at, events.from_json(facts))
                    self._causes[event_id] = group[place].cause
        fresh = list(self.events.values())[before:]
        return await self._shifted(fresh) if recount and self._configuration.site_wide and fresh else []

    def _asked(self, kind: str, scope: Scope) -> tuple[Any, ...]:
        if kind == _ONE:
            return scope.site_id, scope.event_key
        types = ",".join(self._book.kinds(scope.site_id))
        return scope.site_id, scope.subject[2], types, scope.since, scope.until

    async def _shifted(self, fresh: Sequence[StoredEvent]) -> list[Scope]:
        plan, rules = self._configuration.plan, self._configuration.site_wide
        scopes: list[Scope] = []
        for shift in await counters.recount(self._connection, plan, rules, fresh):
            cause = next(self._causes[one.event_id] for one in fresh if one.key == shift.key)
            scopes += await shifted_scopes(self._connection, plan, shift, cause)
        return self._unseen(scopes)

    def _unseen(self, scopes: Iterable[Scope]) -> list[Scope]:
        """Those that reach further than what was taken in."""
        return [scope for scope in scopes if scope.begins < self._seen.get(scope.subject, _END)]

    async def judge(self) -> Comparison:
        """Match every event that was taken in, and compare with what is stored."""
        rows = await self._custom_events()
        made: dict[int, dict[int, Pair]] = {}
        for row in rows:
            pair = row.definition_revision_id, row.assignment_revision_id
            made.setdefault(row.commerce_event_id, {})[row.assignment_id] = pair
        by_plan: dict[int, tuple[MatchPlan, list[StoredEvent]]] = {}
        judged: dict[int, frozenset[int]] = {}
        for one in sorted(self.events.values(), key=_moment):
            plan = self._book.plan(one.site_id, one.understood_at, made.get(one.event_id, {}))
            by_plan.setdefault(id(plan), (plan, []))[1].append(one)
            site = plan.site(one.site_id)
            judged[one.event_id] = frozenset(rule.id for rule in site.rules) if site is not None else frozenset()
        matched: list[Matched] = []
        for plan, group in by_plan.values():
            needs = self._configuration.needs if plan is self._configuration.plan else {}
            matched += await match_events(self._connection, plan, group, needs)
        rows += await self._holders(matched)
        found = compare(matched, rows, judged)
        self._remember(found)
        return found

    def _remember(self, found: Comparison) -> None:
        """Custom events outside the scopes lose their key to an event within: that one is the cause."""
        takers = {(one.match.assignment.assignment_id, one.match.dedup_key): one for one in found.added}
        takers |= {(one.row.assignment_id, one.matched.match.dedup_key): one.matched for one in found.kept}
        for row in found.withdrawn:
            taker = takers.get((row.assignment_id, row.dedup_key))
            if row.commerce_event_id not in self._causes and taker is not None:
                cause = self._causes[taker.proposal.event_id]
                self._taken_over[row.id] = cause._replace(by=taker.match.event_key)

    def freed(self, found: Comparison) -> list[Scope]:
        """The events that share a key which became free, as far as they were not taken in."""
        scopes: dict[tuple[int, str, str], Scope] = {}
        gone = [*found.withdrawn, *(one.row for one in found.kept if one.row.dedup_key != one.matched.match.dedup_key)]
        for row in gone:
            cause = self.cause_of(row)
            if row.order_id is not None:
                scope = Scope(row.site_id, cause, order_id=row.order_id)
                scopes.setdefault(scope.subject, scope)
            if row.customer_key is not None and row.dedup_key.startswith(_OF_A_CUSTOMER):
                scope = Scope(row.site_id, cause, customer_key=row.customer_key, since=row.occurred_at)
                scopes.setdefault(scope.subject, scope)
        return self._unseen(scopes.values())

    def cause_of(self, row: StoredCustomEvent) -> Cause:
        """Why this custom event is withdrawn."""
        found = self._causes.get(row.commerce_event_id)
        return self._taken_over[row.id] if found is None else found

    async def _custom_events(self) -> list[StoredCustomEvent]:
        if not self.events:
            return []
        keys = [(one.event_id, one.key) for one in self.events.values()]
        return [_custom_event(row) for row in await self._connection.fetch(sql.CUSTOM_EVENTS_OF, *columns_of(keys))]

    async def _holders(self, matched: Sequence[Matched]) -> list[StoredCustomEvent]:
        keys = list({(one.match.assignment.assignment_id, one.match.dedup_key) for one in matched})
        if not keys:
            return []
        return [_custom_event(row) for row in await self._connection.fetch(sql.KEY_HOLDERS, *columns_of(keys))]


_ONE = "event"
_QUERIES: Mapping[str, str] = {
    "customer": sql.EVENTS_OF_CUSTOMERS,
    "order": sql.EVENTS_OF_ORDERS,
    "site": sql.EVENTS_OF_SITES,
    _ONE: sql.EVENTS_BY_KEY,
}


def _kind(scope: Scope) -> str:
    return scope.subject[1]


def _moment(one: StoredEvent) -> tuple[Any, ...]:
    return one.event.occurred_at, one.site_id, one.key


def _custom_event(row: Iterable[Any]) -> StoredCustomEvent:
    values = list(row)
    upload, data = values[-_UPLOAD_WIDTH:-_DATA_WIDTH], values[-_DATA_WIDTH:]
    found = None if upload[0] is None else StoredUpload._make([*upload, UploadData._make(data)])
    return StoredCustomEvent._make([*values[:-_UPLOAD_WIDTH], found])
