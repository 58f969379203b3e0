"""Two requests under way at most: one at Google, one claimed behind it; answers are written meanwhile."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from custom_events.errors import NeedsAction
from custom_events.ledger.figures import UploadFigures
from custom_events.ledger.rows import Request
from custom_events.ledger.sender import Outcome, Sender
from custom_events.values.conversions import Scope


class Line:
    """Requests in a row: at most one at Google, in a thread of its own (the client is used by no other), and one claimed
    behind it."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._caller = ThreadPoolExecutor(max_workers=1, thread_name_prefix="google")
        self._calling: tuple[Request, Future[Outcome]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._caller.shutdown(wait=True)

    @property
    def empty(self) -> bool:
        """Nothing is at Google."""
        return self._calling is None

    def step(self) -> UploadFigures:
        """Claim the next request, wait for the one at Google, send the next, write the answer."""
        following = self._sender.next_request()
        if self._calling is None:
            if following is not None:
                self._send(following)
            return UploadFigures()
        request, call = self._calling
        outcome = call.result()
        self._calling = None
        if following is not None and stops(outcome, request, following):
            self._sender.unclaim(following)
            return self._sender.write(request, outcome)
        if following is not None:
            self._send(following)
        return self._sender.write(request, outcome)

    def finish(self) -> UploadFigures:
        """Wait for what is under way and write it."""
        if self._calling is None:
            return UploadFigures()
        request, call = self._calling
        self._calling = None
        return self._sender.write(request, call.result())

    def _send(self, request: Request) -> None:
        self._calling = (request, self._caller.submit(self._sender.call, request))


def stops(outcome: Outcome, request: Request, following: Request) -> bool:
    """Whether what became of a request speaks against sending the one behind it."""
    if request.account.lane is not following.account.lane:
        return False
    if isinstance(outcome, NeedsAction):
        return True
    if outcome.verdict is None:
        return False
    return outcome.scope is Scope.PROJECT or request.account.id == following.account.id
