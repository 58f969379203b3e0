"""One worker: claims rows, makes requests of them, makes calls, writes answers, runs maintenance. `take`, `make`, `call`, `write` and
`run_maintenance` may each run in a thread of their own: they share nothing but the engine."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa
import structlog

from custom_events.destinations.base import Destination
from custom_events.errors import CustomEventsError, NeedsAction
from custom_events.ledger import (
    adjustments,
    allowance,
    claim,
    poll,
    probe,
    recheck,
    record_answers,
    recover,
    retry,
    stops,
)
from custom_events.ledger.guard import Complaints, is_of_the_database
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.ledger.upload_rows import AccountWork, Request
from custom_events.settings import Settings
from custom_events.values.conversions import AdsAccount, BatchAnswer, Lane, RowAnswer, Scope, Verdict
from custom_events.values.reasons import FAULT, OUR_ERROR

log = structlog.get_logger(__name__)

ROUND: Final = 10  # requests after which the accounts are fetched again: with a long backlog, accounts may have joined

Lanes = Mapping[Lane, Destination]
Clock = Callable[[], datetime]
Outcome = BatchAnswer | NeedsAction  # an answer, or that the call could not even begin


class Sender:
    """One worker: its lanes, and which account comes next. What goes wrong with one account or request is logged once, keeps that one
    back with its reason, and lets the others go on."""

    def __init__(self, engine: sa.Engine, settings: Settings, lanes: Lanes, clock: Clock) -> None:
        self._engine = engine
        self._settings = settings
        self._lanes = lanes
        self._clock = clock
        self._accounts: list[AccountWork] = []
        self._round = 0  # requests since the accounts were fetched
        self._complaints = Complaints()

    def run_maintenance(self) -> UploadFigures:
        """Bring refunds to the ledger, resolve lost workers, expire what is too late."""
        now, adjusted = self._clock(), 0
        try:
            with self._engine.begin() as connection:
                adjusted = adjustments.adjust(connection, now, self._settings)
        except Exception as error:  # noqa: BLE001 (logged there; the orders wait, and the alarm RefundsStalled tells of them)
            self._complain("uploads_not_adjusted", error)
        with self._engine.begin() as connection:
            recovered = recover.recover(connection, now)
            expired = recover.expire(connection, now)
            recover.withhold_orphans(connection, now)
            recover.supersede(connection, now)
        return UploadFigures(adjusted_orders=adjusted, recovered=recovered, expired=expired)

    def ask(self) -> UploadFigures:
        """Ask for one later verdict that is due."""
        verdicts = poll.poll_due(self._engine, self._lanes, self._settings, self._clock, self._complaints)
        return UploadFigures() if verdicts is None else UploadFigures(polls=1, verdicts=verdicts)

    def recheck_one(self) -> UploadFigures:
        """Try whether one stopped account, action or part of an account is mended."""
        try:
            tried = recheck.recheck(self._engine, self._lanes, self._settings, self._clock)
        except Exception as error:  # noqa: BLE001 (logged there; it stays stopped, and is tried again later)
            self._complain("uploads_not_rechecked", error)
            return UploadFigures(rechecks=1)
        return UploadFigures() if tried is None else UploadFigures(rechecks=1)

    def run_maintenance_and_recheck(self) -> UploadFigures:
        """Both, one after the other."""
        figures = self.run_maintenance()
        figures.add(self.recheck_one())
        return figures

    def batch(self) -> UploadFigures:
        """Send one batch of the account that waits longest; idle figures when no account has anything due."""
        while (claimed := self.take()) is not None:
            request = self.make(claimed)
            request = None if request is None else self.prepared(request)
            request = None if request is None else self.allowed(request)
            if request is not None:
                return self.write(request, self.call(request))
        return UploadFigures()

    def take(self) -> claim.ClaimedBatch | None:
        """Claim the next rows of the account that waits longest; None when no account has anything due."""
        if self._round >= ROUND:
            self._accounts.clear()
        asked = False
        while self._accounts or not asked:
            if not self._accounts:
                with self._engine.connect() as connection:
                    self._accounts = claim.next_accounts(connection, self._clock())
                self._round, asked = 0, True
                continue
            work = self._accounts.pop(0)
            claimed = self._take(work)
            if claimed is not None:
                self._round += 1
                if claimed.rows.rowcount >= self._settings.upload_batch_size:
                    self._accounts.append(work)  # it has more, and comes again after all others
                return claimed
            if (
                work.unprobed and self._accounts
            ):  # what stopped it may have stopped others: they are not asked about the same
                self._accounts.clear()
                asked = False
        return None

    def _take(self, work: AccountWork) -> claim.ClaimedBatch | None:
        """The next rows of this account; None as well when the quota lets it wait, or when something is wrong with its account."""
        now = self._clock()
        try:
            if work.unprobed and not work.is_other_lane and not self._probed(work.account, now):
                return None
            return claim.take(self._engine, work, self._settings, now)
        except allowance.Refused as refused:
            with self._engine.begin() as connection:
                allowance.pause_for_quota(connection, work.account, refused, self._settings, now)
        except Exception as error:  # noqa: BLE001 (logged there)
            self._complain("uploads_not_claimed", error, work.account)
            self._keep_back(work.account)
        return None

    def make(self, claimed: claim.ClaimedBatch) -> Request | None:
        """The request of what was taken; None when our own checks, or an error of ours, keep back all of it."""
        account = claimed.work.account
        try:
            return claim.make(self._engine, claimed, self._lanes[account.lane], self._clock())
        except Exception as error:  # noqa: BLE001 (logged there)
            self._complain("uploads_not_made", error, account)
            with self._engine.begin() as connection:
                record_answers.give_back_unread(connection, claimed.request_id, _our_error(error), self._clock())
            self._keep_back(account)
            return None

    def prepared(self, request: Request) -> Request | None:
        """The request with its message: made ahead, no call has to wait for it. Rows of which none can be made are set aside; None:
        no other was left. Where no row is to blame it stays as it is: `call` meets the same error, and answers for it."""
        lane = self._lanes[request.account.lane]
        try:
            return request._replace(message=_message(lane, request))
        except (CustomEventsError, ImportError):
            log.warning("uploads_not_prepared", request=request.id, exc_info=True)
            return request
        except Exception as error:  # noqa: BLE001 (logged there)
            self._complaints.once("uploads_not_prepared", error, customer_id=request.account.customer_id)
            return claim.without_poison(self._engine, request, lane, self._clock())

    def allowed(self, request: Request) -> Request | None:
        """The request without the rows whose customers have refused since they were claimed; None: no other was left. To be asked
        right before the call."""
        left = claim.without_refused(self._engine, request, self._clock())
        return left if left is None or left is request else self.prepared(left)

    def _probed(self, account: AdsAccount, now: datetime) -> bool:
        """Ask what the account allows; whether it may be sent to."""
        try:
            return probe.before_sending(self._engine, self._lanes, self._settings, account, now)
        except NeedsAction as error:
            log.warning("uploads_cannot_begin", lane=account.lane.value, reason=str(error))
            with self._engine.begin() as connection:
                record_answers.cannot_begin(connection, account, now)
            return False

    def call(self, request: Request) -> Outcome:
        """The call, between two commits. Touches no database."""
        account = request.account
        try:
            answer = self._lanes[account.lane].send(
                account,
                request.conversions(),
                kind=request.kind,
                job_id=request.job_id,
                timeout_s=self._settings.upload_timeout_s,
                now=self._clock(),
                prepared=request.message,
            )
            return _checked(request, answer)
        except NeedsAction as error:
            log.warning("uploads_cannot_begin", lane=account.lane.value, reason=str(error))
            return error
        except Exception as error:  # noqa: BLE001 (logged there)
            self._complaints.once(
                "uploads_call_failed", error, customer_id=account.customer_id, lane=account.lane.value
            )
            return _no_answer(request, error)

    def write(self, request: Request, outcome: Outcome) -> UploadFigures:
        """Commit what became of a request. An answer that cannot be written is none: its rows go again under the same order ids."""
        try:
            return self._write(request, outcome)
        except Exception as error:  # noqa: BLE001 (logged there)
            self._complain("uploads_not_written", error, request.account)
            return self._write(request, _no_answer(request, error))

    def _write(self, request: Request, outcome: Outcome) -> UploadFigures:
        with self._engine.begin() as connection:
            if isinstance(outcome, NeedsAction):
                record_answers.give_back(connection, request, str(outcome), self._clock())
                return UploadFigures(requests=1, verdicts=Counter({"not_begun": len(request.rows)}))
            if is_rate_limited(outcome):
                allowance.exhausted(connection, request.account, outcome.scope, self._settings, self._clock())
            verdicts = record_answers.write_answer(
                connection, request, outcome, self._clock(), self._settings.upload_verdict_s
            )
        return UploadFigures(rows=len(request.rows), requests=1, verdicts=verdicts)

    def unclaim(self, request: Request) -> None:
        """Put a claimed request back as if it had never been."""
        with self._engine.begin() as connection:
            record_answers.unclaim(connection, request, self._clock())

    def _complain(self, event: str, error: Exception, account: AdsAccount | None = None) -> None:
        """Log it once. Raises what says that the database cannot be worked with: that ends the run."""
        if is_of_the_database(error):
            raise error
        about = {} if account is None else {"customer_id": account.customer_id, "lane": account.lane.value}
        self._complaints.once(event, error, **about)

    def _keep_back(self, account: AdsAccount) -> None:
        """Nothing of the account is tried for a minute; `uploads list` says why."""
        with self._engine.begin() as connection:
            stops.pause(connection, account, retry.CONFIGURATION_RECHECK_S, OUR_ERROR, self._clock(), Scope.ACCOUNT)


def _message(lane: Destination, request: Request) -> object:
    return lane.prepare(request.account, request.conversions(), kind=request.kind, job_id=request.job_id)


def is_rate_limited(outcome: BatchAnswer) -> bool:
    """Whether Google refused a call because there were too many; one that is to be split may only have been too large."""
    code = outcome.code or ""
    return outcome.verdict is Verdict.RETRY and (code.startswith("QuotaError.") or code.endswith("RESOURCE_EXHAUSTED"))


def _our_error(error: Exception) -> str:
    return FAULT.format(error=type(error).__name__)


def _checked(request: Request, answer: object) -> BatchAnswer:
    """A lane's answer, if it is one to this request. Raises TypeError else."""
    if not isinstance(answer, BatchAnswer) or len(answer.rows) != len(request.rows):
        raise TypeError(f"request {request.id} with {len(request.rows)} rows got no answer for each")
    if set(map(type, answer.rows)) - {RowAnswer}:
        raise TypeError(f"request {request.id} got answers to its rows that are none")
    return answer


def _no_answer(request: Request, error: Exception) -> BatchAnswer:
    """A call that failed in a way nobody foresaw: it may have reached Google."""
    code = f"client.{type(error).__name__}"
    sentence = "The call ended in an error of our own; it may have been applied, so it is sent again: report it with what `custom-events explain` shows"
    rows = tuple(
        RowAnswer(upload_id=row.conversion.upload_id, verdict=Verdict.UNKNOWN, code=code, sentence=sentence)
        for row in request.rows
    )
    return BatchAnswer(rows=rows, verdict=Verdict.UNKNOWN, code=code, sentence=sentence, scope=Scope.ACCOUNT)
