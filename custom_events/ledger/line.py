"""Three requests under way at most: one at Google, one claimed behind it, one before it whose answer is being written."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from custom_events.errors import NeedsAction
from custom_events.ledger.figures import UploadFigures
from custom_events.ledger.rows import Request
from custom_events.ledger.sender import Outcome, Sender
from custom_events.values.conversions import Scope, Verdict


class Line:
    """Requests in a row: at most one at Google, in a thread of its own (the client is used by no other), one claimed behind it, and
    one before it whose answer is being written, in another thread: claiming and writing cost Postgres about the same."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._caller = ThreadPoolExecutor(max_workers=1, thread_name_prefix="google")
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")
        self._calling: tuple[Request, Future[Outcome]] | None = None
        self._writing: Future[UploadFigures] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._caller.shutdown(wait=True)
        self._writer.shutdown(wait=True)

    @property
    def empty(self) -> bool:
        """Nothing is at Google, and nothing is being written."""
        return self._calling is None and self._writing is None

    def step(self) -> UploadFigures:
        """Claim the next request, wait for the one at Google, send the next, begin to write the answer."""
        following = self._sender.next_request()
        figures = self._written()
        if self._calling is None:
            if following is not None:
                self._send(following)
            return figures
        request, call = self._calling
        outcome = call.result()
        self._calling = None
        if following is not None and stops(outcome, request, following):
            self._sender.unclaim(following)
            following = None
        if following is not None:
            self._send(following)
        if is_plain(outcome):
            self._writing = self._writer.submit(self._sender.write, request, outcome)
        else:  # it may stop an account, which the next claim has to see
            figures.add(self._sender.write(request, outcome))
        return figures

    def finish(self) -> UploadFigures:
        """Wait for what is under way and write it."""
        figures = self._written()
        if self._calling is not None:
            request, call = self._calling
            self._calling = None
            figures.add(self._sender.write(request, call.result()))
        return figures

    def _written(self) -> UploadFigures:
        """What the last written answer was."""
        writing, self._writing = self._writing, None
        return UploadFigures() if writing is None else writing.result()

    def _send(self, request: Request) -> None:
        self._calling = (request, self._caller.submit(self._sender.call, request))


def is_plain(outcome: Outcome) -> bool:
    """Whether every row was taken: such an answer changes nothing but its rows."""
    if isinstance(outcome, NeedsAction) or outcome.verdict is not None:
        return False
    return all(row.verdict is Verdict.ACCEPTED or row.verdict is Verdict.PENDING for row in outcome.rows)


def stops(outcome: Outcome, request: Request, following: Request) -> bool:
    """Whether what became of a request speaks against sending the one behind it."""
    if request.account.lane is not following.account.lane:
        return False
    if isinstance(outcome, NeedsAction):
        return True
    if outcome.verdict is None:
        return False
    return outcome.scope is Scope.PROJECT or request.account.id == following.account.id
