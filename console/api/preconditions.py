"""Optimistic locking: an ETag says which state of a thing was read, If-Match that it must be the same still."""

import hashlib
from typing import Any

import msgspec

from console.api import problems
from console.api.problems import ProblemError

TAG_BYTES = 12  # of SHA-256: 96 bits, two states of one thing never meet


def tag_of(shown: msgspec.Struct) -> str:
    """The ETag of a stored thing: a digest of all that is kept of it."""
    return f'"{hashlib.sha256(msgspec.json.encode(shown)).hexdigest()[: 2 * TAG_BYTES]}"'


def check_precondition(if_match: str | None, current: msgspec.Struct, shown: Any, yours: Any = msgspec.UNSET) -> None:
    """Raise 412 with both sides unless `if_match` holds the tag of `current`, is `*`, or was not sent."""
    if if_match is None or if_match.strip() == "*":
        return
    tag = tag_of(current)
    if tag not in (part.strip() for part in if_match.split(",")):
        raise ProblemError(
            problems.PRECONDITION_FAILED,
            "It was changed since it was read: `theirs` is what stands now, `yours` what was asked. "
            "Read it again, and send If-Match with its new ETag.",
            theirs=shown,
            yours=yours,
            headers={"ETag": tag},
        )


def require_precondition(if_match: str | None) -> None:
    """Raise 428 where If-Match is missing: without it a change of somebody else would be overwritten unseen."""
    if if_match is None:
        raise ProblemError(
            problems.PRECONDITION_REQUIRED,
            "Send If-Match with the ETag of what you read, so that nobody else's change is overwritten; `*` takes whatever is there.",
        )
