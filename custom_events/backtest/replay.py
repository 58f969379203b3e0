"""The past once more: raw events through today's understanding, stored events through today's published rules.

    found = replay_sync(url, settings, since=..., until=..., sites=[3])                            what would change
    found = replay_sync(url, settings, ..., order=Order(actor="ana", reason="mended parser"))      just that, written

A dry run reads one snapshot in a READ ONLY transaction. A real run puts raw events that would say something else back into the
queue and drains it, then matches again (`pipeline.rematch`) exactly the events that the comparison of a backtest names, page by
page, each page in a transaction that holds the site's shard. Keys and transactions are those of the drain: nothing is sent
twice. Ended in between, what is done stays and is right; the next run finds the rest.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from custom_events.backtest.backtest import Backtest, backtest
from custom_events.backtest.effects import Effect
from custom_events.backtest.findings import Finding, Verdict
from custom_events.backtest.rereading import Reread, Rereader
from custom_events.backtest.result import AssignmentCounts, Counts, Progress, Sample, counts_of
from custom_events.backtest.verdicts import SiteVerdicts
from custom_events.catalog import audit
from custom_events.errors import InvalidConfiguration
from custom_events.history.drafts import PUBLISHED
from custom_events.history.reading import CLOSE_LIMIT_S, PAGE_EVENTS, reading, stored_events
from custom_events.history.rules import DraftedRules, load_rules
from custom_events.pipeline import kept_fields
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.claim import LOCK_CLASS
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.drain import drain
from custom_events.pipeline.rematch.changes import Changes, Corrected
from custom_events.pipeline.rematch.run import Cause, Rules, Scope, rematch
from custom_events.postgres import connect, schema_guard
from custom_events.queries import history as sql
from custom_events.queries import understanding
from custom_events.settings import Settings
from custom_events.values.conversions import UploadState
from custom_events.values.definitions import Assignment
from custom_events.values.reasons import SAME_TRANSACTION, Reason

REQUEUED_AT_ONCE: Final = 5_000  # raw events in one statement
ACTION: Final = "replay.run"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants a replay to be written, and why: both stand in the audit trail."""

    actor: str
    reason: str


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay changes, or (`is_written`) has changed. `reread` is None where only rules were asked about; `since` is where
    matching began: the click window bounds it. `assignments` are those asked about and those of the same groups. `name` stands at what a written one has withdrawn, and in the audit trail."""

    since: datetime
    until: datetime
    sites: tuple[int, ...]
    is_written: bool
    name: str | None
    reread: Reread | None
    events: int
    seconds: float
    counts: Counts
    assignments: tuple[AssignmentCounts, ...] = ()
    effects: tuple[Effect, ...] = ()  # of a dry run
    samples: tuple[Sample, ...] = ()  # of a dry run
    notes: tuple[str, ...] = ()


class _Asked(NamedTuple):
    since: datetime
    until: datetime
    sites: Sequence[int] | None
    definition: str | None
    assignment: int | None
    samples: int
    on_progress: Callable[[Progress], None]
    stop: Callable[[], bool]

    @property
    def rereads(self) -> bool:
        """One rule alone ("also for the last 30 days") asks nothing of the understanding."""
        return self.definition is None and self.assignment is None


def replay_sync(
    url: str,
    settings: Settings,
    *,
    since: datetime,
    until: datetime,
    sites: Sequence[int] | None = None,
    definition: str | None = None,
    assignment: int | None = None,
    order: Order | None = None,
    samples: int = 3,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Replay:
    """Replay raw events received, and stored events that happened, from `since` to before `until`, of all sites or these.

    `definition` or `assignment`: only these published rules, and no raw events. `order`: write it; without, nothing is written.
    Raises InvalidConfiguration for a period that is none, NotFound and NeedsAction as `load_rules` does.
    """
    if since >= until:
        raise InvalidConfiguration(f"{since:%Y-%m-%d %H:%M} is not before {until:%Y-%m-%d %H:%M}", path="since")
    asked = _Asked(since, until, sites, definition, assignment, samples, on_progress, stop)
    if order is None:
        return asyncio.run(_look(url, asked))
    if not order.actor.strip() or not order.reason.strip():
        raise InvalidConfiguration("a replay that writes needs who wants it and why", path="order")
    return asyncio.run(_Writing(url, settings, asked, order).run())


async def _look(url: str, asked: _Asked) -> Replay:
    """A dry run: what would change, as it stands in one snapshot."""
    async with reading(url) as connection:
        book = await _book(connection, asked)
        reread = await _reread(connection, book, asked) if asked.rereads else None
        begins, notes = await _bounded(connection, book, asked)
        result = await backtest(
            connection,
            PUBLISHED,
            since=begins,
            until=asked.until,
            sites=asked.sites,
            definition=asked.definition,
            assignment=asked.assignment,
            samples=asked.samples,
            on_progress=asked.on_progress,
            stop=asked.stop,
        )
    if reread is not None and (reread.answer().new_events or reread.answer().revised_events):
        notes = (
            *notes,
            "What new and revised events would match comes beside these figures: they are matched as they are understood.",
        )
    return _of_dry_run(result, reread.answer() if reread is not None else None, notes)


def _of_dry_run(result: Backtest, reread: Reread | None, notes: tuple[str, ...]) -> Replay:
    return Replay(
        since=result.since,
        until=result.until,
        sites=result.sites,
        is_written=False,
        name=None,
        reread=reread,
        events=result.events,
        seconds=result.seconds,
        counts=result.counts,
        assignments=result.assignments,
        effects=result.effects,
        samples=result.samples,
        notes=(*notes, *result.notes),
    )


async def _book(connection: Connection, asked: _Asked) -> DraftedRules:
    return await load_rules(
        connection, PUBLISHED, asked.sites, definition=asked.definition, assignment=asked.assignment
    )


async def _reread(connection: Connection, book: DraftedRules, asked: _Asked) -> Rereader:
    rereader = Rereader(connection, await kept_fields.load(connection))
    for site in book.sites.values():
        await rereader.read_site(site, asked.since, asked.until, asked.stop)
    return rereader


async def _bounded(connection: Connection, book: DraftedRules, asked: _Asked) -> tuple[datetime, tuple[str, ...]]:
    """Where matching begins: Google takes nothing of a click that is older than the click window."""
    now: datetime = await connection.fetchval(understanding.NOW)
    days = max((rule.config.click_window_days for own in book.by_site.values() for rule in own), default=0)
    earliest = now - timedelta(days=days)
    if asked.since >= earliest:
        return asked.since, ()
    begins = min(earliest, asked.until - timedelta(seconds=1))
    note = f"Matching begins on {begins.astimezone(UTC):%Y-%m-%d}: the rules' longest click window has {days} days."
    return begins, (note,)


class _Writing:
    """A real run."""

    def __init__(self, url: str, settings: Settings, asked: _Asked, order: Order) -> None:
        self._url, self._settings, self._asked, self._order = url, settings, asked, order
        self._name = f"replay:{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        self._verdicts: Counter[tuple[int, str]] = Counter()  # by assignment
        self._events = 0

    async def run(self) -> Replay:
        """Understand again, match again, and note who and why; the note is written also when it was stopped or failed."""
        began, asked = time.monotonic(), self._asked
        reread: Reread | None = None
        notes: tuple[str, ...] = ()
        sites: tuple[int, ...] = ()
        rules: list[Assignment] = []
        begins = asked.since
        try:
            if asked.rereads:
                reread = await self._understand()
            async with reading(self._url) as connection:
                book = await _book(connection, asked)
                sites = tuple(book)
                begins, notes = await _bounded(connection, book, asked)
                notes = (*notes, *book.notes())
                rules = [assignment for site_id in book for assignment in book.scope(site_id)]
                await self._match(connection, book, begins)
        finally:
            counts = self._counts({assignment.assignment_id for assignment in rules})
            self._note(counts, reread, sites, begins)
        return Replay(
            since=begins,
            until=asked.until,
            sites=sites,
            is_written=True,
            name=self._name,
            reread=reread,
            events=self._events,
            seconds=round(time.monotonic() - began, 3),
            counts=counts,
            assignments=tuple(counts_of(assignment, self._counts({assignment.assignment_id})) for assignment in rules),
            notes=notes,
        )

    def _counts(self, assignments: Collection[int]) -> Counts:
        sums: Counter[str] = Counter()
        for (number, verdict), count in self._verdicts.items():
            if number in assignments:
                sums[verdict] += count
        return Counts(**{str(verdict): sums[verdict] for verdict in Verdict}, withheld={})

    async def _understand(self) -> Reread:
        """Requeue what would say something else, and drain."""
        async with reading(self._url) as connection:
            rereader = await _reread(connection, await _book(connection, self._asked), self._asked)
        places = rereader.changing
        connection = await connect.asyncpg_connect(self._url, name="custom-events-replay")
        try:
            for first in range(0, len(places), REQUEUED_AT_ONCE):
                async with connection.transaction():
                    await schema_guard.hold_async(connection)
                    await connection.execute(sql.REQUEUE_THESE, *columns_of(places[first : first + REQUEUED_AT_ONCE]))
        finally:
            await connect.asyncpg_close(connection, CLOSE_LIMIT_S)
        if places:
            await drain(self._url, self._settings, until_idle_s=0.0, limit_s=self._settings.drain_limit_s)
        return rereader.answer()

    async def _match(self, reader: Connection, book: DraftedRules, begins: datetime) -> None:
        writer = await connect.asyncpg_connect(self._url, name="custom-events-replay")
        now: datetime = await reader.fetchval(understanding.NOW)
        try:
            await writer.execute(understanding.SESSION)
            for done, site_id in enumerate(book):
                verdicts = SiteVerdicts(reader, book.site(site_id), book.actions, begins, self._asked.until, now)
                await verdicts.prepare()
                pages = stored_events(reader, site_id, verdicts.types, begins, self._asked.until, PAGE_EVENTS)
                async for page in pages:
                    self._events += len(page)
                    await self._write(writer, book, site_id, await verdicts.judge(page))
                    reached = page[-1].event.occurred_at
                    self._asked.on_progress(Progress(events=self._events, site_id=site_id, sites_done=done,
                        sites=len(book.sites), reached=reached, share=done / len(book.sites)))  # fmt: skip
                    if self._asked.stop():
                        return
                await self._write(writer, book, site_id, verdicts.finish())
        finally:
            await connect.asyncpg_close(writer, CLOSE_LIMIT_S)

    async def _write(self, writer: Connection, book: DraftedRules, site_id: int, findings: Sequence[Finding]) -> None:
        """Match again the events that something is found about, in a transaction that holds the site's shard. With all events of
        their orders: what one of them adds may want the transaction that another one is about to leave."""
        different = [finding for finding in findings if finding.needs_writing]
        same = [finding.assignment.assignment_id for finding in findings if finding.verdict is Verdict.SAME]
        self._verdicts.update((number, Verdict.SAME) for number in same)
        if not different:
            return
        async with writer.transaction():
            await schema_guard.hold_async(writer)
            await writer.execute(sql.HOLD_SHARD, LOCK_CLASS, site_id % self._settings.shards)
            keys = {finding.site_event.key for finding in different}
            orders = {finding.site_event.event.order_id for finding in different}
            orders |= {finding.standing.order_id for finding in different if finding.standing}
            named = sorted(order for order in orders if order is not None)
            keys |= {row[0] for row in await writer.fetch(sql.KEYS_OF_ORDERS, site_id, named)}
            cause = Cause(Reason.INVALIDATED_BY_REPLAY, self._name)
            scopes = [Scope(site_id, cause, event_key=key) for key in sorted(keys)]
            now: datetime = await writer.fetchval(understanding.NOW)
            changes = await rematch(writer, _configuration(book, site_id), scopes, now, rules=Rules.PUBLISHED)
        self._count(changes)

    def _count(self, changes: Changes) -> None:
        self._verdicts.update((withdrawn.row.assignment_id, Verdict.DROP) for withdrawn in changes.withdrawn)
        self._verdicts.update((added.matched.match.assignment.assignment_id, Verdict.ADD) for added in changes.added)
        for corrected in changes.corrected:
            made = corrected.matched.match
            if corrected.row.is_withdrawn:
                self._verdicts[corrected.row.assignment_id, Verdict.ADD] += 1
            elif _is_redecided(corrected) or (corrected.row.value, corrected.row.currency) != (
                made.value,
                made.currency,
            ):
                self._verdicts[corrected.row.assignment_id, Verdict.CHANGE] += 1

    def _note(self, counts: Counts, reread: Reread | None, sites: tuple[int, ...], begins: datetime) -> None:
        asked = self._asked
        detail: dict[str, Any] = {
            "reason": self._order.reason,
            "since": begins.isoformat(),
            "until": asked.until.isoformat(),
            "sites": list(sites) if asked.sites is not None else "all",
            "definition": asked.definition,
            "assignment": asked.assignment,
            "counts": msgspec.to_builtins(counts),
            "reread": msgspec.to_builtins(reread),
        }
        engine = connect.engine(self._url, name="custom-events-replay")
        try:
            with engine.begin() as connection:
                known = {name: value for name, value in detail.items() if value is not None}
                audit.record(connection, actor=self._order.actor, action=ACTION, subject=self._name, detail=known)
        finally:
            engine.dispose()


def _is_redecided(corrected: Corrected) -> bool:
    """Whether its conversion goes now and did not, or the other way round; as in the comparison, which of an order's events has its
    transaction is no such decision: Google gets the conversion either way."""
    upload = corrected.row.upload
    before = upload.reason if upload is not None and upload.state == UploadState.WITHHELD else None
    after = corrected.draft.reason if corrected.draft.state is UploadState.WITHHELD else None
    return corrected.redecided and before not in {SAME_TRANSACTION, None if after == SAME_TRANSACTION else after}


def _configuration(book: DraftedRules, site_id: int) -> Configuration:
    """The rules that are asked about, as batches take them."""
    names = {name: book.actions[number] for number, name in book.action_names.items()}
    return Configuration(
        version=(),
        sites=dict(book.sites),
        compiled_rules=book.site(site_id).compiled_rules,
        actions=dict(book.actions),
        action_names=names,
    )


def to_json(replay: Replay) -> bytes:
    """The answer as JSON; amounts as text, times in ISO 8601."""
    return msgspec.json.encode(replay)
