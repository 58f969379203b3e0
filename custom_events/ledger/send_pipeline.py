"""Requests in a row: two at Google, the next ones claimed and made already, those before them being written."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from operator import attrgetter
from typing import Final, NamedTuple, Self

from custom_events.errors import NeedsAction
from custom_events.ledger.claim import ClaimedBatch
from custom_events.ledger.sender import Outcome, Sender
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.ledger.upload_rows import Request
from custom_events.values.conversions import Scope, Verdict

# Calls at once: while one answer is read the next request is there already (decision 17: 0.73 -> 0.82 of the bare client).
CALLS_AT_ONCE: Final = 2
AHEAD: Final = 3  # requests claimed behind those at Google: with fewer, a claim that takes long is waited for
UNWRITTEN: Final = 2  # answers being written or waiting for it, likewise

_VERDICT: Final = attrgetter("verdict")
_PLAIN: Final = (Verdict.ACCEPTED, Verdict.PENDING)  # a tuple, since members hash by a function of Python


class Claim(NamedTuple):
    """A claim under way: its rows, and the request that is made of them. None: nothing was due, or nothing of it may go."""

    claimed: Future[ClaimedBatch | None]
    request: Future[Request | None]


class SendPipeline:
    """At most two requests are at Google, each in a thread of its own. Claims, the messages made of them, writes and maintenance
    have a thread each, so that a call waits for none as long as they keep up. What was claimed ahead and may not go is put back."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._claimer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="claims")
        self._maker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="messages")
        self._caller = ThreadPoolExecutor(max_workers=CALLS_AT_ONCE, thread_name_prefix="google")
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")
        self._maintainer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="maintenance")
        self._claims: deque[Claim] = deque()
        self._ahead: deque[Request] = deque()  # claimed, and left after some were put back; they go before `_claims`
        self._calling: deque[tuple[Request, Future[Outcome]]] = deque()
        self._writing: deque[Future[UploadFigures]] = deque()
        self._maintaining: Future[UploadFigures] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for threads in (self._claimer, self._maker, self._caller, self._writer, self._maintainer):
            threads.shutdown(wait=True, cancel_futures=True)

    @property
    def empty(self) -> bool:
        """Nothing is claimed, at Google, or being written, and no maintenance runs."""
        return not (self._calling or self._writing or self._ahead or self._claims or self._maintaining)

    def run_maintenance(self) -> None:
        """Begin maintenance and the recheck of what is parked, beside the calls; the figures come with those of a later step."""
        if self._maintaining is None:
            self._maintaining = self._maintainer.submit(self._sender.run_maintenance_and_recheck)

    def step(self) -> UploadFigures:
        """Wait for the oldest request at Google, send what is ready, begin to write the answer. What one earlier answer was."""
        if not self._calling:
            self._claim(1)
            self._send()
            idle = not self._calling
            figures = self._written(0 if idle else UNWRITTEN)
            figures.add(self._maintained(wait=idle))
            return figures
        self._send()
        self._claim(AHEAD)
        request, call = self._calling.popleft()
        outcome = call.result()
        if is_plain(outcome):
            self._send()
            figures = self._written(UNWRITTEN - 1)
            figures.add(self._maintained(wait=False))
            self._writing.append(self._writer.submit(self._sender.write, request, outcome))
            return figures
        self.put_back(lambda following: stops(outcome, request, following))
        self._send()
        figures = self._all_written()
        figures.add(self._sender.write(request, outcome))  # it may stop an account, which the next claim has to see
        return figures

    def put_back(self, stopped: Callable[[Request], bool]) -> None:
        """Put back what was claimed and is stopped by an answer; claims that have not begun are left until later."""
        claims = [claim for claim in self._claims if not claim.claimed.cancel()]
        self._claims.clear()
        claimed = [*self._ahead, *(request for claim in claims if (request := claim.request.result()) is not None)]
        self._ahead.clear()
        for request in claimed:
            if stopped(request):
                self._sender.unclaim(request)
            else:
                self._ahead.append(request)

    def finish(self) -> UploadFigures:
        """Wait for what is at Google and write it; what was claimed behind it is put back."""
        self.put_back(lambda _: True)
        figures = self._all_written()
        figures.add(self._maintained(wait=True))
        while self._calling:
            request, call = self._calling.popleft()
            figures.add(self._sender.write(request, call.result()))
        return figures

    def _claim(self, requests: int) -> None:
        """Have so many claimed, or asked for."""
        while len(self._ahead) + len(self._claims) < requests:
            claimed = self._claimer.submit(self._sender.take)
            self._claims.append(Claim(claimed, self._maker.submit(self._make, claimed)))

    def _make(self, claim: Future[ClaimedBatch | None]) -> Request | None:
        claimed = claim.result()
        request = None if claimed is None else self._sender.make(claimed)
        return None if request is None else self._sender.prepared(request)

    def _next(self, *, wait: bool) -> Request | None:
        """The next request that was claimed; None when nothing was due, or, unless it is waited for, when none is made yet."""
        if self._ahead:
            return self._ahead.popleft()
        while self._claims and (wait or self._claims[0].request.done()):
            claim = self._claims.popleft()
            request = claim.request.result()
            if request is not None:
                return request
            if claim.claimed.result() is not None:  # our own checks kept back all of it: there may be more
                self._claim(1)
        return None

    def _send(self) -> None:
        """Send as many as may be at Google. None is waited for while another one is there."""
        while len(self._calling) < CALLS_AT_ONCE:
            request = self._next(wait=not self._calling)
            if request is None:
                return
            request = self._sender.allowed(request)
            if request is None:
                continue
            self._calling.append((request, self._caller.submit(self._sender.call, request)))

    def _written(self, leave: int) -> UploadFigures:
        """What the oldest answer was, when it is written; waited for while more than `leave` are not."""
        if self._writing and (len(self._writing) > leave or self._writing[0].done()):
            return self._writing.popleft().result()
        return UploadFigures()

    def _maintained(self, *, wait: bool) -> UploadFigures:
        """What maintenance did, when it is done."""
        if self._maintaining is None or not (wait or self._maintaining.done()):
            return UploadFigures()
        maintaining, self._maintaining = self._maintaining, None
        return maintaining.result()

    def _all_written(self) -> UploadFigures:
        figures = UploadFigures()
        while self._writing:
            figures.add(self._writing.popleft().result())
        return figures


def is_plain(outcome: Outcome) -> bool:
    """Whether every row was taken: such an answer changes nothing but its rows."""
    if isinstance(outcome, NeedsAction) or outcome.verdict is not None:
        return False
    return all(map(_PLAIN.__contains__, map(_VERDICT, outcome.rows)))  # no bytecode: the next call waits for this


def stops(outcome: Outcome, request: Request, following: Request) -> bool:
    """Whether what became of a request speaks against sending one that was claimed behind it."""
    if request.account.lane is not following.account.lane:
        return False
    if isinstance(outcome, NeedsAction):
        return request.account.id == following.account.id
    scopes = {row.scope for row in outcome.rows if row.verdict is Verdict.FIX and row.scope is not Scope.ROW}
    if outcome.verdict is not None:
        scopes.add(outcome.scope)
    return Scope.PROJECT in scopes or (bool(scopes) and request.account.id == following.account.id)
