"""Matching stored events again: what a late or corrected event invalidates, and what a replay changes.

    scopes = [Scope(site_id, customer_key="c:7", since=moment, cause=Cause(Reason.INVALIDATED_BY_LATE_EVENT, "order.paid:1"))]
    changes = await rematch(connection, configuration, scopes, now)      writes, in the transaction that is open

What a replay would change, without writing, the backtest says by the same comparison, a page at a time (decision 12).

A replay gives stretches of whole sites and `rules=Rules.PUBLISHED`: `Scope(site_id, since=..., until=..., cause=Cause(
Reason.INVALIDATED_BY_REPLAY, "replay:12"))`, a day at a time when the period is long: memory holds the events of the scopes. The
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

from custom_events.matching.compiled_rules import CompiledRules
from custom_events.pipeline import counters
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.comparison import Comparison, compare, key_of, key_of_row, rank_of
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.crowds import Crowds
from custom_events.pipeline.matching import Matched, match_events
from custom_events.pipeline.rematch.changes import Changes, decide_changes
from custom_events.pipeline.rematch.rulebook import Pair, Rulebook
from custom_events.pipeline.rematch.stored import Cause, StoredCustomEvent, StoredUpload
from custom_events.pipeline.rematch.write import write
from custom_events.pipeline.shifts import shifted
from custom_events.pipeline.uploads import UploadData
from custom_events.queries import rematch as sql
from custom_events.values import events
from custom_events.values.events import CommerceEvent

_ONCE_A_CUSTOMER = "c:"
_OF_A_CUSTOMER = (_ONCE_A_CUSTOMER, "w:")  # deduplication keys that a customer's events share (`matching.dedup`)
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
    crowds: Crowds | None = None,
) -> Changes:
    """Match the scopes' events again and bring custom events and ledger to what stands. Returns what changed. `crowds`: the batch's.

    A key that becomes free may go to an event outside the scopes; the events that share it are taken in then.
    """
    waiting = list(scopes)
    if not waiting:
        return Changes()
    book = Rulebook.published(configuration)
    if rules is Rules.OF_THEIR_TIME:
        book = await Rulebook.of_their_time(connection, configuration, {scope.site_id for scope in waiting})
    crowds = crowds or Crowds(connection, configuration.compiled_rules, configuration.countable)
    work = _Work(connection, configuration, book, crowds)
    compared = Comparison[StoredCustomEvent]([], [], [])
    while waiting:
        shifted = await work.take(waiting)
        compared = await work.judge()
        waiting = [*work.freed(compared), *shifted]
    changes = await decide_changes(connection, configuration, compared, work.cause_of, now)
    if rules is Rules.PUBLISHED:
        changes.withdrawn = [
            withdrawn._replace(revisions=_published(configuration, withdrawn.row)) for withdrawn in changes.withdrawn
        ]
    changes.judged = len(work.events)
    await write(connection, changes, now)
    return changes


async def shifted_scopes(
    connection: Connection, compiled_rules: CompiledRules, shift: counters.Shift, cause: Cause
) -> list[Scope]:
    """What is to be matched again when the verdicts of a threshold over a whole site have shifted."""
    site_id = shift.counting.site_id
    moved = await shifted(connection, compiled_rules, shift)
    scopes = [Scope(site_id, cause, event_key=key) for key in moved.events]
    return scopes + [Scope(site_id, cause, customer_key=key, since=shift.since) for key in moved.customers]


class _Work:
    """The events taken in so far, and why."""

    def __init__(self, connection: Connection, configuration: Configuration, book: Rulebook, crowds: Crowds) -> None:
        self._connection, self._configuration, self._book = connection, configuration, book
        self._crowds = crowds
        self._seen: dict[tuple[int, str, str], datetime] = {}  # since when, by subject
        self._causes: dict[int, Cause] = {}  # by id of the event
        self._taken_over: dict[int, Cause] = {}  # by id of a custom event whose key another event took
        self.events: dict[int, StoredEvent] = {}

    async def take(self, scopes: Sequence[Scope]) -> list[Scope]:
        """Load the events of these scopes, and bring what site-wide thresholds count to what these events say now. Returns the
        events of which that changes the verdict."""
        before = len(self.events)
        for kind, chosen in groupby(sorted(scopes, key=_named_first), key=_kind):
            group = list(chosen)
            for scope in group:
                self._seen[scope.subject] = min(scope.begins, self._seen.get(scope.subject, _END))
            rows = [(place, *self._asked(kind, scope)) for place, scope in enumerate(group)]
            for place, event_id, site_id, understood_at, facts, is_undone in await self._connection.fetch(
                _QUERIES[kind], *columns_of(rows)
            ):
                if event_id not in self.events:
                    event = events.from_json(facts, is_undone=is_undone)
                    self.events[event_id] = StoredEvent(event_id, site_id, understood_at, event)
                    self._causes[event_id] = group[place].cause
        new = list(self.events.values())[before:]
        await self._crowds.learn((stored.site_id, stored.event.customer_key) for stored in new)
        return await self._shifted(new) if (self._configuration.site_wide or self._crowds.counters) and new else []

    def _asked(self, kind: str, scope: Scope) -> tuple[Any, ...]:
        if kind == _ONE:
            return scope.site_id, scope.event_key
        types = ",".join(self._book.kinds(scope.site_id))
        return scope.site_id, scope.subject[2], types, scope.since, scope.until

    async def _shifted(self, new: Sequence[StoredEvent]) -> list[Scope]:
        compiled_rules, rules = self._configuration.compiled_rules, self._configuration.site_wide
        scopes: list[Scope] = []
        crowded = self._crowds.counters
        for shift in await counters.recount(self._connection, compiled_rules, rules, new, crowded):
            cause = next(self._causes[event.event_id] for event in new if event.key == shift.key)
            scopes += await shifted_scopes(self._connection, compiled_rules, shift, cause)
        return self._unseen(scopes)

    def _unseen(self, scopes: Iterable[Scope]) -> list[Scope]:
        """Those that reach further than what was taken in."""
        return [scope for scope in scopes if scope.begins < self._seen.get(scope.subject, _END)]

    async def judge(self) -> Comparison[StoredCustomEvent]:
        """Match every event that was taken in, and compare with what is stored."""
        rows = await self._custom_events()
        made: dict[int, dict[int, Pair]] = {}
        standing: dict[int, set[int]] = {}  # assignments, by event
        for row in rows:
            pair = row.definition_revision_id, row.assignment_revision_id
            made.setdefault(row.commerce_event_id, {})[row.assignment_id] = pair
            if not row.is_withdrawn:
                standing.setdefault(row.commerce_event_id, set()).add(row.assignment_id)
        by_rules: dict[int, tuple[CompiledRules, list[StoredEvent]]] = {}
        judged: dict[int, frozenset[int]] = {}
        for event in sorted(self.events.values(), key=_moment):
            own = made.get(event.event_id, {}), standing.get(event.event_id, ())
            compiled_rules = self._book.compiled_rules(event.site_id, event.understood_at, *own)
            by_rules.setdefault(id(compiled_rules), (compiled_rules, []))[1].append(event)
            site = compiled_rules.site(event.site_id)
            judged[event.event_id] = frozenset(rule.id for rule in site.rules) if site is not None else frozenset()
        matched: list[Matched] = []
        for compiled_rules, group in by_rules.values():
            is_published = compiled_rules is self._configuration.compiled_rules
            needs, crowds = (self._configuration.needs, self._crowds) if is_published else ({}, None)
            matched += await match_events(self._connection, compiled_rules, group, needs, crowds=crowds)
        rows += await self._holders(matched, rows)
        compared = compare(matched, rows, judged)
        self._remember(compared)
        return compared

    def _remember(self, compared: Comparison[StoredCustomEvent]) -> None:
        """Custom events outside the scopes lose their key to an event within: that one is the cause."""
        takers = {key_of(matched): matched for matched in (*compared.added, *(kept.matched for kept in compared.kept))}
        for row in compared.withdrawn:
            taker = takers.get(key_of_row(row))
            if row.commerce_event_id not in self._causes and taker is not None:
                cause = self._causes[taker.site_event.event_id]
                self._taken_over[row.id] = cause._replace(by=taker.match.event_key)

    def freed(self, compared: Comparison[StoredCustomEvent]) -> list[Scope]:
        """The events that share a key which became free, as far as they were not taken in."""
        scopes: dict[tuple[int, str, str], Scope] = {}
        gone = [*compared.withdrawn, *(row for row, matched in compared.kept if key_of_row(row) != key_of(matched))]
        first = {
            key_of(matched): rank_of(matched)
            for matched in (*compared.added, *(kept.matched for kept in compared.kept))
        }
        for row in gone:
            cause = self.cause_of(row)
            if row.order_id is not None:
                scope = Scope(row.site_id, cause, order_id=row.order_id)
                scopes.setdefault(scope.subject, scope)
            taker = first.get(key_of_row(row)) if row.dedup_key.startswith(_ONCE_A_CUSTOMER) else None
            if taker is not None and taker < row.rank:
                continue  # whoever comes after both had no claim before, and has none now
            if row.customer_key is not None and row.dedup_key.startswith(_OF_A_CUSTOMER):
                scope = Scope(row.site_id, cause, customer_key=row.customer_key, since=row.occurred_at)
                scopes.setdefault(scope.subject, scope)
        return self._unseen(scopes.values())

    def cause_of(self, row: StoredCustomEvent) -> Cause:
        """Why this custom event is withdrawn."""
        cause = self._causes.get(row.commerce_event_id)
        return self._taken_over[row.id] if cause is None else cause

    async def _custom_events(self) -> list[StoredCustomEvent]:
        if not self.events:
            return []
        keys = [(event.event_id, event.key) for event in self.events.values()]
        return [_custom_event(row) for row in await self._connection.fetch(sql.CUSTOM_EVENTS_OF, *columns_of(keys))]

    async def _holders(self, matched: Sequence[Matched], rows: Iterable[StoredCustomEvent]) -> list[StoredCustomEvent]:
        """Custom events of other events that have the keys of these matches. Mostly an event's own has it, and nobody is asked."""
        held = {key_of_row(row) for row in rows if not row.is_withdrawn}
        keys = list({key_of(match) for match in matched} - held)
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


def _published(configuration: Configuration, row: StoredCustomEvent) -> Pair | None:
    """The published revisions of a custom event's assignment; None where nothing of it applies."""
    site = configuration.compiled_rules.site(row.site_id)
    assignments = [rule.assignment for rule in site.rules if rule.id == row.assignment_id] if site is not None else []
    return (assignments[0].definition_revision_id, assignments[0].assignment_revision_id) if assignments else None


def _kind(scope: Scope) -> str:
    return scope.subject[1]


def _named_first(scope: Scope) -> tuple[bool, str]:
    """Single events before what they are part of: the cause that an event is named with is its own."""
    kind = _kind(scope)
    return kind != _ONE, kind


def _moment(stored: StoredEvent) -> tuple[Any, ...]:
    return stored.event.occurred_at, stored.site_id, stored.key


def _custom_event(row: Iterable[Any]) -> StoredCustomEvent:
    values = list(row)
    upload, upload_data = values[-_UPLOAD_WIDTH:-_DATA_WIDTH], values[-_DATA_WIDTH:]
    stored_upload = None if upload[0] is None else StoredUpload._make([*upload, UploadData._make(upload_data)])
    *own, withheld_reason = values[:-_UPLOAD_WIDTH]
    return StoredCustomEvent._make([*own, stored_upload, withheld_reason])
