"""Long operations of a server, followed to their end: how far they are, cancelled by Ctrl-C, their results."""

import time
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import click
import httpx
import msgspec

from api_client.api.operations import cancel_operation, read_operation, read_operation_result
from cli.afar.server import Server, UnavailableError, refused
from cli.progress import write_over
from custom_events.errors import NeedsAction

if TYPE_CHECKING:
    from api_client import models

LOOK_S: Final = 0.5  # between two looks at how far it is, as often as the server's own stream of events looks
PATIENCE_S: Final = 60.0  # with a server that does not answer: a restart takes seconds, and operations survive it
_OPEN: Final = ("waiting", "running")

_Kind = TypeVar("_Kind")


class Ended(msgspec.Struct, frozen=True):
    """An operation that has ended. `cancelled_here`: by Ctrl-C."""

    operation: "models.LongOperation"
    cancelled_here: bool


def follow(server: Server, operation: "models.LongOperation") -> Ended:
    """Wait for its end, telling how far it is. Ctrl-C asks for its end and waits for that; another Ctrl-C leaves it to itself."""
    try:
        return Ended(_until_it_ended(server, operation), cancelled_here=False)
    except KeyboardInterrupt:
        _say("", end=f"Asking for the end of operation {operation.id}; Ctrl-C again leaves it to itself.")
    try:
        operation = server.asked(cancel_operation.sync_detailed(operation.id, client=server.client))
        return Ended(_until_it_ended(server, operation), cancelled_here=True)
    except KeyboardInterrupt:
        _say(
            "",
            end=f"Operation {operation.id} goes on, or ends by itself: GET /api/v1/operations/{operation.id} says it.",
        )
        raise


def result(server: Server, ended: Ended, kind: str, of: type[_Kind]) -> _Kind:
    """What it has found or done, as the domain's own value, whole or (cancelled) as far as it came. Raises Abort where it was cancelled by
    Ctrl-C and has none, NeedsAction with the problem's sentences where it failed or somebody else cancelled it."""
    operation = ended.operation
    if operation.state == "failed" and operation.problem is not None:
        refused(operation.problem)
    if operation.result is None:
        _without_result(ended)
    answer = read_operation_result.sync_detailed(operation.id, client=server.client)
    server.asked(answer)
    ending: dict[str, _Kind] = msgspec.json.decode(answer.content, type=dict[str, of])
    return ending[kind]


def _without_result(ended: Ended) -> NoReturn:
    if ended.cancelled_here:
        raise click.Abort
    number = ended.operation.id
    raise NeedsAction(f"Operation {number} was cancelled by somebody else, and has no result: ask again.")


def _until_it_ended(server: Server, operation: "models.LongOperation") -> "models.LongOperation":
    heard = time.monotonic()
    while operation.state in _OPEN:
        _say(_progress(operation))
        time.sleep(LOOK_S)
        try:
            operation = server.asked(read_operation.sync_detailed(operation.id, client=server.client))
            heard = time.monotonic()
        except (httpx.TransportError, UnavailableError):
            if time.monotonic() - heard > PATIENCE_S:
                raise
    _say("")
    return operation


def _progress(operation: "models.LongOperation") -> str:
    if operation.state == "waiting":
        return f"operation {operation.id} waits for others"
    if operation.total is None:
        return f"operation {operation.id}: {operation.done:,} {operation.unit}".rstrip()
    return f"operation {operation.id}: {operation.done:,} of {operation.total:,} {operation.unit}"


def _say(line: str, *, end: str | None = None) -> None:
    """One line that is written over, for people only; `end`: a line that stays, for whoever reads."""
    write_over(line)
    if end is not None:
        click.echo(end, err=True)
