"""A server of Custom Events, asked from afar: the command line's half of its API, by the generated client."""

from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import httpx
import msgspec

from api_client import AuthenticatedClient
from api_client.models import Problem
from custom_events.errors import NeedsAction

if TYPE_CHECKING:
    from api_client.types import Response

LIMIT_S: Final = 60.0  # of one request: the longest statements of the console end after 30 seconds
PAGE: Final = 500  # rows of one page, the most that the API gives
ANY_STATE: Final = "*"  # of If-Match: what verbs of the command line change, they change whatever stands there

_PASSING: Final = frozenset({429, 502, 503, 504})  # of a server that restarts, of a proxy before it, of a quota

# Of the tests: how requests are carried instead of over the network.
transport: httpx.BaseTransport | None = None

_Found = TypeVar("_Found")
_Kind = TypeVar("_Kind", bound=msgspec.Struct)


class UnavailableError(NeedsAction):
    """The server does not answer this at the moment."""


class Server:
    """`client` is what the functions of `api_client` take."""

    def __init__(self, address: str, key: str) -> None:
        self.address = address
        more: dict[str, Any] = {"event_hooks": {"response": [self._check]}}
        if transport is not None:
            more["transport"] = transport
        self.client = AuthenticatedClient(
            base_url=address.rstrip("/"), token=key, timeout=httpx.Timeout(LIMIT_S), httpx_args=more
        )

    def close(self) -> None:
        """Close the connections to it."""
        self.client.get_httpx_client().close()

    def asked(self, response: "Response[Problem | _Found]") -> _Found:
        """What the server answered. Raises NeedsAction with the problem's sentences where it refused."""
        if isinstance(response.parsed, Problem):
            refused(response.parsed)
        if response.parsed is None:
            self._unknown(int(response.status_code))
        return response.parsed

    def done(self, response: "Response[Problem | Any]") -> None:
        """The server did it, and says nothing of it. Raises as `asked` does."""
        if isinstance(response.parsed, Problem):
            refused(response.parsed)

    def document(self) -> dict[str, Any]:
        """Its OpenAPI document."""
        answered = self.client.get_httpx_client().get("/openapi.json")
        answered.raise_for_status()
        document: dict[str, Any] = answered.json()
        return document

    def _check(self, response: httpx.Response) -> None:
        """Raise NeedsAction for an answer that is not of our API: of a proxy before it, or of something else."""
        kind = response.headers.get("content-type", "").partition(";")[0]
        if kind not in ("", "application/json", "application/problem+json", "text/csv") or response.is_redirect:
            self._unknown(response.status_code)

    def _unknown(self, status: int) -> NoReturn:
        raise _kind(status)(
            f"{self.address} answers {status}, and not as the API of Custom Events does: give its console's address by --server"
        )


def refused(problem: Problem) -> NoReturn:
    """Raise NeedsAction (UnavailableError where it passes) with what the server said: each value that cannot be used, and who else is concerned."""
    lines = [problem.detail]
    lines += [f"  {error.field}: {error.problem}; {error.remedy}" for error in problem.errors or []]
    for name, side in (("Theirs", problem.theirs), ("Yours", problem.yours)):
        if isinstance(side, list) and side:
            lines += [f"{name}:", *(f"  {line}" for line in side)]
    raise _kind(problem.status)("\n".join(lines))


def as_type(answered: Any, kind: type[_Kind]) -> _Kind:
    """What the server answered as the domain's own value, for the functions that show it."""
    return msgspec.convert(answered.to_dict(), kind)


def _kind(status: int) -> type[NeedsAction]:
    return UnavailableError if status in _PASSING else NeedsAction
