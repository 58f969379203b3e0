"""One worker: claims rows, makes requests of them, makes calls, writes answers, keeps house. `take`, `make`, `call`, `write` and
`keep_house` may each run in a thread of their own: they share nothing but the engine."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa
import structlog

from custom_events.destinations.base import Destination
from custom_events.errors import CustomEventsError, NeedsAction
from custom_events.ledger import adjustments, allowance, answers, claim, poll, probe, recheck, recover
from custom_events.ledger.figures import UploadFigures
from custom_events.ledger.rows import Request, Turn
from custom_events.settings import Settings
from custom_events.values.conversions import AdsAccount, BatchAnswer, Lane, RowAnswer, Scope, Verdict

log = structlog.get_logger(__name__)

ROUND: Final = 10  # requests after which the turns are asked for again: with a long backlog, accounts may have joined

Lanes = Mapping[Lane, Destination]
Clock = Callable[[], datetime]
Outcome = BatchAnswer | NeedsAction  # an answer, or that the call could not even begin


class Sender:
    """One worker: its lanes, and whose turn comes next."""

    def __init__(self, engine: sa.Engine, settings: Settings, lanes: Lanes, clock: Clock) -> None:
        self._engine = engine
        self._settings = settings
        self._lanes = lanes
        self._clock = clock
        self._turns: list[Turn] = []
        self._round = 0  # requests since the turns were asked for

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

    def look_again(self) -> UploadFigures:
        """Try whether one parked account or action is mended."""
        try:
            tried = recheck.recheck(self._engine, self._lanes, self._settings, self._clock)
        except NeedsAction as error:
            log.warning("uploads_cannot_begin", reason=str(error))
            return UploadFigures(rechecks=1)
        return UploadFigures() if tried is None else UploadFigures(rechecks=1)

    def keep_house_and_look_again(self) -> UploadFigures:
        """Both, one after the other."""
        figures = self.keep_house()
        figures.add(self.look_again())
        return figures

    def batch(self) -> UploadFigures:
        """Send one batch of whoever's turn it is; idle figures when nobody has anything due."""
        while (taken := self.take()) is not None:
            made = self.make(taken)
            request = None if made is None else self.prepared(made)
            if request is not None:
                return self.write(request, self.call(request))
        return UploadFigures()

    def take(self) -> claim.Taken | None:
        """Claim the next rows of whoever's turn it is; None when nobody has anything due."""
        for fresh in (False, True):
            if fresh or self._round >= ROUND:
                with self._engine.connect() as connection:
                    self._turns = claim.turns(connection, self._clock())
                self._round = 0
            while self._turns:
                turn = self._turns.pop(0)
                taken = self._take(turn)
                if taken is not None:
                    self._round += 1
                    if taken.rows.rowcount >= self._settings.upload_batch_size:
                        self._turns.append(turn)  # it has more, and comes again after all others
                    return taken
        return None

    def _take(self, turn: Turn) -> claim.Taken | None:
        """The next rows of this turn; None as well when the quota lets it wait."""
        now = self._clock()
        if turn.unprobed and not self._probed(turn.account, now):
            return None
        try:
            return claim.take(self._engine, turn, self._settings, now)
        except allowance.Refused as refused:
            with self._engine.begin() as connection:
                allowance.heed(connection, turn.account, refused, self._settings, now)
            return None

    def make(self, taken: claim.Taken) -> Request | None:
        """The request of what was taken; None when our own checks keep back all of it."""
        return claim.make(self._engine, taken, self._lanes[taken.turn.account.lane], self._clock())

    def prepared(self, request: Request) -> Request | None:
        """The request with its message: made ahead, no call has to wait for it. Rows of which none can be made are set aside; None:
        no other was left. Where no row is to blame it stays as it is: `call` meets the same error, and answers for it."""
        lane = self._lanes[request.account.lane]
        try:
            return request._replace(message=_message(lane, request))
        except (CustomEventsError, ImportError):
            log.warning("uploads_not_prepared", request=request.id, exc_info=True)
            return request
        except Exception:
            log.exception("uploads_not_prepared", request=request.id)
            return claim.without_poison(self._engine, request, lane, self._clock())

    def _probed(self, account: AdsAccount, now: datetime) -> bool:
        """Ask what the account allows; whether it may be sent to."""
        try:
            return probe.before_sending(self._engine, self._lanes, self._settings, account, now)
        except NeedsAction as error:
            log.warning("uploads_cannot_begin", lane=account.lane.value, reason=str(error))
            with self._engine.begin() as connection:
                answers.cannot_begin(connection, account, now)
            return False

    def call(self, request: Request) -> Outcome:
        """The call, between two commits. Touches no database."""
        lane = request.account.lane
        try:
            return self._lanes[lane].send(
                request.account,
                request.conversions(),
                kind=request.kind,
                job_id=request.job_id,
                timeout_s=self._settings.upload_timeout_s,
                now=self._clock(),
                prepared=request.message,
            )
        except NeedsAction as error:
            log.warning("uploads_cannot_begin", lane=lane.value, reason=str(error))
            return error
        except Exception as error:
            log.exception("uploads_call_failed", lane=lane.value, request=request.id)
            return _no_answer(request, error)

    def write(self, request: Request, outcome: Outcome) -> UploadFigures:
        """Commit what became of a request."""
        with self._engine.begin() as connection:
            if isinstance(outcome, NeedsAction):
                answers.give_back(connection, request, str(outcome), self._clock())
                return UploadFigures(requests=1, verdicts=Counter({"not_begun": len(request.rows)}))
            if said_too_much(outcome):
                allowance.exhausted(connection, request.account, outcome.scope, self._settings, self._clock())
            verdicts = answers.write_answer(
                connection, request, outcome, self._clock(), self._settings.upload_verdict_s
            )
        return UploadFigures(rows=len(request.rows), requests=1, verdicts=verdicts)

    def unclaim(self, request: Request) -> None:
        """Put a claimed request back as if it had never been."""
        with self._engine.begin() as connection:
            answers.unclaim(connection, request, self._clock())


def _message(lane: Destination, request: Request) -> object:
    return lane.prepare(request.account, request.conversions(), kind=request.kind, job_id=request.job_id)


def said_too_much(outcome: BatchAnswer) -> bool:
    """Whether Google refused a call because there were too many; one that is to be split may only have been too large."""
    code = outcome.code or ""
    return outcome.verdict is Verdict.RETRY and (code.startswith("QuotaError.") or code.endswith("RESOURCE_EXHAUSTED"))


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
