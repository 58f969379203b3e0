"""The sender: one batch at a time, from whoever was served longest ago, until nothing is due.

The order within a batch is the promise (design, section 4, 7): claim and intent are committed, then Google is called, then the
answer is committed. A worker that dies anywhere leaves rows that are sent again under the same order ids, and Google's
duplicate answer is read as delivered. Several workers may run.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.destinations.base import Destination
from custom_events.destinations.registry import destinations
from custom_events.errors import NeedsAction
from custom_events.ledger import adjustments, answers, claim, poll, recover
from custom_events.ledger.rows import Request
from custom_events.queries import upload_requests as requests
from custom_events.settings import Settings
from custom_events.values.conversions import BatchAnswer, Lane, RowAnswer, Scope, Verdict

log = structlog.get_logger(__name__)

HOUSEKEEPING_S: Final = 1.0  # leases, deadlines and orphans are looked at this often while batches follow each other

Lanes = Mapping[Lane, Destination]
Clock = Callable[[], datetime]


class UploadFigures(msgspec.Struct, kw_only=True):
    """What was done. `verdicts` counts rows by what Google, or our own check, said of them."""

    rows: int = 0  # sent to Google
    requests: int = 0
    adjusted_orders: int = 0
    recovered: int = 0
    expired: int = 0
    polls: int = 0
    seconds: float = 0.0
    verdicts: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def idle(self) -> bool:
        """Nothing was found to do."""
        return not (self.requests or self.adjusted_orders or self.recovered or self.expired or self.polls)

    def add(self, other: "UploadFigures") -> None:
        """Sum up, seconds excepted: they are the whole run's."""
        self.rows += other.rows
        self.requests += other.requests
        self.adjusted_orders += other.adjusted_orders
        self.recovered += other.recovered
        self.expired += other.expired
        self.polls += other.polls
        self.verdicts += other.verdicts


def utc_now() -> datetime:
    """The clock of everything here, unless a test brings its own."""
    return datetime.now(UTC)


def has_work(connection: sa.Connection, now: datetime) -> bool:
    """Whether a run would find something to do now."""
    return bool(connection.execute(requests.HAS_WORK, {"now": now}).scalar_one())


def run_once(
    engine: sa.Engine, settings: Settings, *, lanes: Lanes | None = None, clock: Clock = utc_now
) -> UploadFigures:
    """Keep house, ask for one verdict, send one batch. Idle figures mean that nothing is due now."""
    sender = Sender(engine, settings, lanes if lanes is not None else destinations(settings), clock)
    figures = sender.keep_house()
    figures.add(sender.ask())
    figures.add(sender.batch())
    return figures


def drain(
    engine: sa.Engine,
    settings: Settings,
    *,
    until_idle_s: float,
    limit_s: float,
    on_batch: Callable[[UploadFigures], None] | None = None,
    lanes: Lanes | None = None,
    clock: Clock = utc_now,
) -> UploadFigures:
    """Send until nothing was due for `until_idle_s` seconds, or `limit_s` seconds have passed. The sum of it all.

    `on_batch` is told of every step that did something. A call that is under way when the limit comes is finished.
    """
    sender = Sender(engine, settings, lanes if lanes is not None else destinations(settings), clock)
    total = UploadFigures()
    began = busy_at = time.monotonic()
    house_at = 0.0
    while True:
        step = UploadFigures()
        if time.monotonic() - house_at >= HOUSEKEEPING_S:
            step.add(sender.keep_house())
            step.add(sender.ask())
            house_at = time.monotonic()
        step.add(sender.batch())
        total.add(step)
        moment = time.monotonic()
        total.seconds = moment - began
        if not step.idle:
            busy_at = moment
            if on_batch is not None:
                on_batch(step)
        elif moment - busy_at >= until_idle_s:
            return total
        if moment - began >= limit_s:
            return total
        if step.idle:
            time.sleep(min(settings.drain_poll_s, max(until_idle_s - (moment - busy_at), 0.01)))


class Sender:
    """One worker: its lanes, and whose turn comes next."""

    def __init__(self, engine: sa.Engine, settings: Settings, lanes: Lanes, clock: Clock) -> None:
        self._engine = engine
        self._settings = settings
        self._lanes = lanes
        self._clock = clock
        self._turns: list[claim.Turn] = []

    def keep_house(self) -> UploadFigures:
        """Bring refunds to the ledger, resolve lost workers, expire what is too late."""
        now = self._clock()
        with self._engine.begin() as connection:
            adjusted = adjustments.adjust(connection, now)
        with self._engine.begin() as connection:
            recovered = recover.recover(connection, now)
            expired = recover.expire(connection, now)
            recover.withhold_orphans(connection, now)
        return UploadFigures(adjusted_orders=adjusted, recovered=recovered, expired=expired)

    def ask(self) -> UploadFigures:
        """Ask for one later verdict that is due."""
        try:
            verdicts = poll.poll_due(self._engine, self._lanes, self._settings, self._clock)
        except NeedsAction as error:  # the poll comes back when its lease ends
            log.warning("uploads_cannot_ask", reason=str(error))
            return UploadFigures(polls=1)
        return UploadFigures() if verdicts is None else UploadFigures(polls=1, verdicts=verdicts)

    def batch(self) -> UploadFigures:
        """Send one batch of whoever's turn it is; idle figures when nobody has anything due."""
        for fresh in (False, True):
            if fresh:
                with self._engine.connect() as connection:
                    self._turns = claim.turns(connection, self._clock())
            while self._turns:
                turn = self._turns.pop(0)
                lane = self._lanes[turn.account.lane]
                request = claim.claim(self._engine, turn, lane, self._settings, self._clock())
                if request is not None:
                    return self._send(request, lane)
        return UploadFigures()

    def _send(self, request: Request, lane: Destination) -> UploadFigures:
        """The call, between two commits."""
        try:
            answer = lane.send(
                request.account,
                request.conversions(),
                kind=request.kind,
                job_id=request.job_id,
                timeout_s=self._settings.upload_timeout_s,
                now=self._clock(),
            )
        except NeedsAction as error:
            log.warning("uploads_cannot_begin", lane=request.account.lane.value, reason=str(error))
            with self._engine.begin() as connection:
                answers.give_back(connection, request, str(error), self._clock())
            return UploadFigures(requests=1, verdicts=Counter({"not_begun": len(request.rows)}))
        except Exception as error:
            log.exception("uploads_call_failed", lane=request.account.lane.value, request=request.id)
            answer = _no_answer(request, error)
        with self._engine.begin() as connection:
            verdicts = answers.write_answer(connection, request, answer, self._clock(), self._settings.upload_verdict_s)
        return UploadFigures(rows=len(request.rows), requests=1, verdicts=verdicts)


def _no_answer(request: Request, error: Exception) -> BatchAnswer:
    """A call that failed in a way nobody foresaw: it may have reached Google."""
    code = f"client.{type(error).__name__}"
    sentence = (
        "The call ended in an error of our own; it may have been applied, so it is sent again: tell the developers"
    )
    rows = tuple(
        RowAnswer(upload_id=row.conversion.upload_id, verdict=Verdict.UNKNOWN, code=code, sentence=sentence)
        for row in request.rows
    )
    return BatchAnswer(rows=rows, verdict=Verdict.UNKNOWN, code=code, sentence=sentence, scope=Scope.ACCOUNT)
