"""A draft against stored history: what it would add, drop and change, by whom and when, and what Google would hear of it.

    found = backtest_sync(url, Draft(definition="purchase"), since=..., until=..., on_progress=print)

Nothing is written: it runs in a READ ONLY transaction with one snapshot. Memory is bounded by the page, whatever the history:
history streams by, histories of customers are fetched page by page, measures over a whole site run along.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from custom_events.backtest import unkept
from custom_events.backtest.effects import ALREADY_SENT, Effects, Ledgered
from custom_events.backtest.findings import Finding, Verdict
from custom_events.backtest.result import Backtest, Counts, Day, Progress, Sample, counts_of
from custom_events.backtest.verdicts import SiteVerdicts
from custom_events.errors import InvalidConfiguration
from custom_events.history.drafts import PUBLISHED, Draft
from custom_events.history.reading import PAGE_EVENTS, first_event_at, reading, stored_events
from custom_events.history.rules import DraftedRules, SiteRules, load_rules
from custom_events.matching.explain import explain
from custom_events.pipeline.bulk_rows import Connection
from custom_events.queries import understanding
from custom_events.values.definitions import Assignment

SAMPLES: Final = 3  # of each verdict and assignment, unless told otherwise
MAX_SAMPLES: Final = 200  # in one answer: an API's answer and a page must hold them

_ORDER: Final = {verdict: place for place, verdict in enumerate((Verdict.ADD, Verdict.DROP, Verdict.CHANGE))}


def _go_on() -> bool:
    return False


def _unheard(_progress: Progress) -> None:
    pass


async def backtest(
    connection: Connection,
    draft: Draft = PUBLISHED,
    *,
    since: datetime,
    until: datetime,
    sites: Sequence[int] | None = None,
    definition: str | None = None,
    assignment: int | None = None,
    samples: int = SAMPLES,
    page_events: int = PAGE_EVENTS,
    on_progress: Callable[[Progress], None] = _unheard,
    stop: Callable[[], bool] = _go_on,
) -> Backtest:
    """Compare within `connection`'s transaction (`reading`). `since` and `until` (not included) are of the store's time.

    `sites`: only these; without them all that have what the draft is about. Of published rules `definition` and `assignment`
    choose one. `stop` is asked after each page. Raises InvalidConfiguration for a period or draft that cannot be used,
    NotFound and NeedsAction as `load_rules` does.
    """
    if since >= until:
        raise InvalidConfiguration(f"{since:%Y-%m-%d %H:%M} is not before {until:%Y-%m-%d %H:%M}", path="since")
    book = await load_rules(connection, draft, sites, definition=definition, assignment=assignment)
    return await backtest_of(
        connection,
        book,
        since=since,
        until=until,
        samples=samples,
        page_events=page_events,
        on_progress=on_progress,
        stop=stop,
    )


async def backtest_of(
    connection: Connection,
    book: DraftedRules,
    *,
    since: datetime,
    until: datetime,
    samples: int = SAMPLES,
    page_events: int = PAGE_EVENTS,
    on_progress: Callable[[Progress], None] = _unheard,
    stop: Callable[[], bool] = _go_on,
) -> Backtest:
    """`backtest` of rules that are loaded already."""
    now: datetime = await connection.fetchval(understanding.NOW)
    run = _Run(connection, book, since, until, now, samples)
    began = time.monotonic()
    await run.note_fields()
    complete = await run.all_sites(page_events, on_progress, stop)
    return run.answer(complete, time.monotonic() - began)


def backtest_sync(url: str, draft: Draft = PUBLISHED, **how: Any) -> Backtest:
    """`backtest` for callers without an event loop (the command line, Dagster, a thread of the API), on a connection of its own."""

    async def whole() -> Backtest:
        async with reading(url) as connection:
            return await backtest(connection, draft, **how)

    return asyncio.run(whole())


class _Run:
    """The sums that grow while sites and pages pass."""

    def __init__(
        self, connection: Connection, book: DraftedRules, since: datetime, until: datetime, now: datetime, samples: int
    ) -> None:
        self._connection, self._book, self._now = connection, book, now
        self._effects = Effects(connection, book, now)
        self._since, self._until, self._per_verdict = since, until, samples
        self._events = 0
        self._verdicts: Counter[tuple[int, str]] = Counter()
        self._withheld: Counter[tuple[int, str]] = Counter()
        self._asked: dict[int, Assignment] = {}
        self._days: dict[tuple[Any, str | None], list[Any]] = {}
        self._samples: list[Sample] = []
        self._sampled: Counter[tuple[int, str]] = Counter()
        self._notes: list[str] = list(book.notes())

    async def all_sites(
        self, page_events: int, on_progress: Callable[[Progress], None], stop: Callable[[], bool]
    ) -> bool:
        """Every site; False when it was stopped."""
        for done, site_id in enumerate(self._book):
            rules = self._book.site(site_id)
            self._asked |= rules.assignments
            verdicts = SiteVerdicts(self._connection, rules, self._book.actions, self._since, self._until, self._now)
            await verdicts.prepare()
            await self._note(rules, verdicts)
            pages = stored_events(self._connection, site_id, verdicts.types, self._since, self._until, page_events)
            async for page in pages:
                await self._take(rules, await verdicts.judge(page))
                self._events += len(page)
                on_progress(self._progress(site_id, done, page[-1].event.occurred_at))
                if stop():
                    return False
            await self._take(rules, verdicts.finish())
        return True

    async def note_fields(self) -> None:
        """What the rules ask may not have been kept of old events."""
        rules = [assignment for site_id in self._book for assignment in self._book.scope(site_id)]
        self._notes += await unkept.notes(self._connection, rules, self._since)

    def _progress(self, site_id: int, done: int, reached: datetime) -> Progress:
        sites = len(self._book.sites)
        share = (done + (reached - self._since) / (self._until - self._since)) / sites
        return Progress(
            events=self._events, site_id=site_id, sites_done=done, sites=sites, reached=reached, share=min(share, 1.0)
        )

    async def _note(self, rules: SiteRules, verdicts: SiteVerdicts) -> None:
        """The history may begin later than the period."""
        if not verdicts.types:
            return
        first = await first_event_at(self._connection, rules.site.site_id, verdicts.types)
        if first is None:
            self._notes.append(f"Site {rules.site.site_id} has no events of these types.")
        elif first > self._since:
            self._notes.append(f"Site {rules.site.site_id}: what is stored begins on {first.astimezone(UTC):%Y-%m-%d}.")

    async def _take(self, rules: SiteRules, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self._verdicts[finding.assignment.assignment_id, finding.verdict] += 1
            self._count_day(rules, finding)
        for ledgered in await self._effects.take(findings):
            finding = ledgered.finding
            if ledgered.reason is not None:
                self._withheld[finding.assignment.assignment_id, ledgered.reason] += 1
            self._sample(rules, ledgered)

    def _count_day(self, rules: SiteRules, finding: Finding) -> None:
        zone = rules.compiled_rules.sites[rules.site.site_id].facts.zone
        day = finding.site_event.event.occurred_at.astimezone(zone).date()
        if finding.standing is not None:
            sums = self._days.setdefault((day, finding.standing.currency), [0, Decimal(0), 0, Decimal(0)])
            sums[0] += 1
            sums[1] += finding.standing.value or 0
        if finding.match is not None:
            sums = self._days.setdefault((day, finding.match.currency), [0, Decimal(0), 0, Decimal(0)])
            sums[2] += 1
            sums[3] += finding.match.value or 0

    def _sample(self, rules: SiteRules, ledgered: Ledgered) -> None:
        finding = ledgered.finding
        kind = (finding.assignment.assignment_id, finding.verdict)
        if self._sampled[kind] >= self._per_verdict or len(self._samples) >= MAX_SAMPLES:
            return
        self._sampled[kind] += 1
        event, made, standing = finding.site_event.event, finding.match, finding.standing
        upload = ledgered.state or ledgered.reason or (ledgered.draft.state if ledgered.draft is not None else None)
        self._samples.append(
            Sample(
                verdict=finding.verdict,
                assignment_id=finding.assignment.assignment_id,
                site_id=finding.site_event.site_id,
                event_key=event.key,
                occurred_at=event.occurred_at,
                order_id=event.order_id,
                value_now=standing.value if standing is not None else None,
                value_then=made.value if made is not None else None,
                currency=made.currency if made is not None else standing.currency if standing is not None else None,
                upload=upload,
                explanation=explain(event, finding.assignment, finding.facts, finding.history, rules.compiled_rules),
            )
        )

    def answer(self, is_complete: bool, seconds: float) -> Backtest:
        """The whole, in a stable order."""
        shares = tuple(
            counts_of(assignment, self._counts({number})) for number, assignment in sorted(self._asked.items())
        )
        days = tuple(
            Day(day=day, currency=currency, number_now=a, value_now=b, number_then=c, value_then=d)
            for (day, currency), (a, b, c, d) in sorted(
                self._days.items(), key=lambda item: (item[0][0], item[0][1] or "")
            )
        )
        return Backtest(
            draft=self._book.draft,
            since=self._since,
            until=self._until,
            sites=tuple(self._book),
            events=self._events,
            seconds=round(seconds, 3),
            is_complete=is_complete,
            counts=self._counts({share.assignment_id for share in shares}),
            assignments=shares,
            days=days,
            effects=self._effects.sums(),
            samples=tuple(
                sorted(self._samples, key=lambda sample: (_ORDER[Verdict(sample.verdict)], sample.assignment_id))
            ),
            notes=tuple(self._notes),
        )

    def _counts(self, assignments: set[int]) -> Counts:
        verdicts: Counter[str] = Counter()
        for (number, verdict), count in self._verdicts.items():
            if number in assignments:
                verdicts[verdict] += count
        reasons: Counter[str] = Counter()
        for (number, reason), count in self._withheld.items():
            if number in assignments:
                reasons[reason] += count
        already_sent = reasons.pop(ALREADY_SENT, 0)
        return Counts(
            **{str(verdict): verdicts[verdict] for verdict in Verdict},
            already_sent=already_sent,
            withheld=dict(sorted(reasons.items())),
        )
