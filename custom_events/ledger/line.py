"""Requests in a row: one at Google, the next ones claimed already, those before it being written."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self

from custom_events.errors import NeedsAction
from custom_events.ledger.figures import UploadFigures
from custom_events.ledger.rows import Request
from custom_events.ledger.sender import Outcome, Sender
from custom_events.values.conversions import Scope, Verdict

AHEAD: Final = 2  # requests claimed behind the one at Google: with one, a claim longer than a call is waited for
UNWRITTEN: Final = 2  # answers being written or waiting for it, likewise


class Line:
    """At most one request is at Google, in a thread of its own (the client is used by no other). Claims and writes have a thread
    each, so that a call waits for neither as long as they keep up. What was claimed ahead and may not go is put back."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._claimer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="claims")
        self._caller = ThreadPoolExecutor(max_workers=1, thread_name_prefix="google")
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")
        self._claims: deque[Future[Request | None]] = deque()
        self._ahead: deque[Request] = deque()  # claimed, and left after some were put back; they go before `_claims`
        self._calling: tuple[Request, Future[Outcome]] | None = None
        self._writing: deque[Future[UploadFigures]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for threads in (self._claimer, self._caller, self._writer):
            threads.shutdown(wait=True, cancel_futures=True)

    @property
    def empty(self) -> bool:
        """Nothing is claimed, at Google, or being written."""
        return self._calling is None and not (self._writing or self._ahead or self._claims)

    def step(self) -> UploadFigures:
        """Wait for the request at Google, send the next one, begin to write the answer. What one earlier answer was."""
        if self._calling is None:
            self._claim(1)
            self._send_next()
            return self._written(0 if self._calling is None else UNWRITTEN)
        self._claim(AHEAD)
        request, call = self._calling
        outcome = call.result()
        self._calling = None
        if is_plain(outcome):
            self._send_next()
            figures = self._written(UNWRITTEN - 1)
            self._writing.append(self._writer.submit(self._sender.write, request, outcome))
            return figures
        self.put_back(lambda following: stops(outcome, request, following))
        self._send_next()
        figures = self._all_written()
        figures.add(self._sender.write(request, outcome))  # it may stop an account, which the next claim has to see
        return figures

    def put_back(self, stopped: Callable[[Request], bool]) -> None:
        """Put back what was claimed and is stopped by an answer; claims that have not begun are left until later."""
        claims = [claim for claim in self._claims if not claim.cancel()]
        self._claims.clear()
        claimed = [*self._ahead, *(request for claim in claims if (request := claim.result()) is not None)]
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
        if self._calling is not None:
            request, call = self._calling
            self._calling = None
            figures.add(self._sender.write(request, call.result()))
        return figures

    def _claim(self, requests: int) -> None:
        """Have so many claimed, or asked for."""
        while len(self._ahead) + len(self._claims) < requests:
            self._claims.append(self._claimer.submit(self._sender.next_request))

    def _next(self) -> Request | None:
        """The next request that was claimed, waited for; None when nothing was due."""
        if self._ahead:
            return self._ahead.popleft()
        while self._claims:
            request = self._claims.popleft().result()
            if request is not None:
                return request
        return None

    def _send_next(self) -> None:
        request = self._next()
        if request is not None:
            self._calling = (request, self._caller.submit(self._sender.call, request))

    def _written(self, leave: int) -> UploadFigures:
        """What the oldest answer was, when it is written; waited for while more than `leave` are not."""
        if self._writing and (len(self._writing) > leave or self._writing[0].done()):
            return self._writing.popleft().result()
        return UploadFigures()

    def _all_written(self) -> UploadFigures:
        figures = UploadFigures()
        while self._writing:
            figures.add(self._writing.popleft().result())
        return figures


def is_plain(outcome: Outcome) -> bool:
    """Whether every row was taken: such an answer changes nothing but its rows."""
    if isinstance(outcome, NeedsAction) or outcome.verdict is not None:
        return False
    return all(row.verdict is Verdict.ACCEPTED or row.verdict is Verdict.PENDING for row in outcome.rows)


def stops(outcome: Outcome, request: Request, following: Request) -> bool:
    """Whether what became of a request speaks against sending one that was claimed behind it."""
    if request.account.lane is not following.account.lane:
        return False
    if isinstance(outcome, NeedsAction):
        return True
    scopes = {row.scope for row in outcome.rows if row.verdict is Verdict.FIX and row.scope is not Scope.ROW}
    if outcome.verdict is not None:
        scopes.add(outcome.scope)
    return Scope.PROJECT in scopes or (bool(scopes) and request.account.id == following.account.id)
