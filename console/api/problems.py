"""Every error of the API has one shape, a problem document (RFC 9457), and one of the kinds listed here.

`type` is stable: programs branch on it. `detail` is for people and may change. `errors` name each value that cannot be used, all of
them at once, with what would be right.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:custom-events:problem:{word}"

SHOWN_CHARACTERS: Final = 200  # of a wrong value

Place = Literal["body", "query", "path", "header"]


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """A value that cannot be used. `value` is what was given, left out where it is secret, missing or no plain value."""

    field: str
    place: Place = "body"
    problem: str
    remedy: str
    value: str | int | float | bool | None | msgspec.UnsetType = msgspec.UNSET


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an error is about: what others depend on it, or what was named and is not there."""

    noun: str
    id: str
    name: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong and what to do. `theirs` and `yours`: where somebody else changed the same in between, what stands now and what
    was asked. `request_id` finds the request in the logs and in the audit trail."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: tuple[FieldError, ...] = ()
    references: tuple[Reference, ...] = ()
    theirs: Any = msgspec.UNSET
    yours: Any = msgspec.UNSET


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of problem; `example` is a detail as it may read."""

    word: str
    status: int
    title: str
    example: str

    @property
    def type(self) -> str:
        """The stable name that programs branch on."""
        return TYPE.format(word=self.word)


def _kind(word: str, status: int, title: str, example: str) -> Kind:
    return Kind(word=word, status=status, title=title, example=example)


MALFORMED: Final = _kind(
    "malformed", 400, "The request cannot be read", "The body is no JSON: unexpected end of input."
)
UNAUTHENTICATED: Final = _kind(
    "unauthenticated", 401, "Nobody is signed in", "Send an API key (Authorization: Bearer ...) or sign in."
)
FORBIDDEN: Final = _kind("forbidden", 403, "The right is missing", "This needs the role editor for all sites.")
CROSS_SITE: Final = _kind(
    "cross-site", 403, "The request came from another site", "A page of another site may not act with your session."
)
NOT_FOUND: Final = _kind("not-found", 404, "There is no such thing", "There is no site 7.")
METHOD_NOT_ALLOWED: Final = _kind("method-not-allowed", 405, "The method is not known here", "Use one of GET, POST.")
NOT_ACCEPTABLE: Final = _kind(
    "not-acceptable", 406, "No form that is accepted can be given", "The answer is application/json: accept that."
)
TOO_SLOW: Final = _kind("too-slow", 408, "The body came too slowly", "The body must be here within 20 seconds.")
CONFLICT: Final = _kind(
    "conflict", 409, "What is there does not allow it", 'Another site has the site_key "shop-berlin". Choose another.'
)
CHANGED: Final = _kind("changed", 409, "Somebody else changed it in between", "You began from revision 3; 4 is newest.")
IN_USE: Final = _kind("in-use", 409, "Others depend on it", "Assignments 12 and 13 use it.")
BROKEN_REFERENCE: Final = _kind(
    "broken-reference", 409, "Something that is named does not exist", "There is no site 7: name another one."
)
PRECONDITION_FAILED: Final = _kind(
    "precondition-failed", 412, "It was changed since it was read", "Read it again, and change what is there now."
)
TOO_LARGE: Final = _kind("too-large", 413, "The body is too large", "At most 1048576 bytes are taken.")
MEDIA_TYPE_UNKNOWN: Final = _kind(
    "unsupported-media-type", 415, "The body is of another kind", "Send it as application/json."
)
INVALID: Final = _kind("invalid", 422, "Values cannot be used", "1 value cannot be used; nothing was changed.")
KEY_REUSED: Final = _kind(
    "idempotency-key-reused",
    422,
    "The idempotency key belongs to another request",
    "This Idempotency-Key was sent with another request: use a new one for each.",
)
PRECONDITION_REQUIRED: Final = _kind(
    "precondition-required", 428, "A precondition is missing", "Send If-Match with the ETag that you read, or *."
)
THROTTLED: Final = _kind("throttled", 429, "Too many requests", "Try again in 600 seconds.")
INTERNAL: Final = _kind(
    "internal", 500, "An error of our own", "Nothing was changed. The log has the request by its request_id."
)
UNAVAILABLE: Final = _kind("unavailable", 503, "Not possible right now", "The database does not answer: try again.")

KINDS: Final = (
    *(MALFORMED, UNAUTHENTICATED, FORBIDDEN, CROSS_SITE, NOT_FOUND, METHOD_NOT_ALLOWED, NOT_ACCEPTABLE, TOO_SLOW),
    *(CONFLICT, CHANGED, IN_USE, BROKEN_REFERENCE, PRECONDITION_FAILED, TOO_LARGE, MEDIA_TYPE_UNKNOWN, INVALID),
    *(KEY_REUSED, PRECONDITION_REQUIRED, THROTTLED, INTERNAL, UNAVAILABLE),
)


class ProblemError(Exception):
    """An error of the API, raised anywhere while a request is served. Its transaction is rolled back."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        references: tuple[Reference, ...] = (),
        theirs: Any = msgspec.UNSET,
        yours: Any = msgspec.UNSET,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.references = references
        self.theirs = theirs
        self.yours = yours
        self.headers = dict(headers or {})

    def document(self, request_id: str) -> Problem:
        """The problem document of this error."""
        return Problem(
            type=self.kind.type,
            title=self.kind.title,
            status=self.kind.status,
            detail=self.detail,
            request_id=request_id,
            errors=self.errors,
            references=self.references,
            theirs=self.theirs,
            yours=self.yours,
        )


def invalid(*errors: FieldError) -> ProblemError:
    """Values that cannot be used, all of them."""
    count = "1 value" if len(errors) == 1 else f"{len(errors)} values"
    return ProblemError(INVALID, f"{count} cannot be used; nothing was changed.", errors=errors)


def not_found(noun: str, name: object) -> ProblemError:
    """What is not there, and what the caller may not see: the same words for both."""
    return ProblemError(NOT_FOUND, f"There is no {noun} {name}.")


def example(kind: Kind) -> dict[str, Any]:
    """A problem of this kind as it may look."""
    shown = ProblemError(
        kind,
        kind.example,
        errors=_EXAMPLE_ERRORS if kind is INVALID else (),
        references=_EXAMPLE_REFERENCES.get(kind.word, ()),
        theirs={"name": "Shop Berlin"} if kind is PRECONDITION_FAILED else msgspec.UNSET,
        yours={"name": "Shop Hamburg"} if kind is PRECONDITION_FAILED else msgspec.UNSET,
    )
    built: dict[str, Any] = msgspec.to_builtins(shown.document("5f0c6c1e9f6b4f6c8d3f2a7b1c0d9e8f"))
    return built


_EXAMPLE_ERRORS: Final = (
    FieldError(
        field="currency",
        problem='"euro" is not an ISO 4217 code',
        remedy="three capitals, EUR for example",
        value="euro",
    ),
)
_EXAMPLE_REFERENCES: Final[dict[str, tuple[Reference, ...]]] = {
    "in-use": (Reference(noun="assignment", id="12", name="all orders"), Reference(noun="assignment", id="13")),
    "broken-reference": (Reference(noun="site", id="7"),),
}
