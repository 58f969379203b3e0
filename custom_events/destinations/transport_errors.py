"""What an exception of a Google client means when Google's own reason is not in it.

The text decides, not the class alone: a revoked grant, a refused certificate and a lost connection all arrive as 503
(docs/reference/google-ads.md 0.7 and 3.2). Whatever may have reached Google is UNKNOWN, never RETRY.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from custom_events.destinations.rules import RATE_PAUSE_S, Rule, not_understood
from custom_events.values.conversions import Scope, Verdict

T = TypeVar("T")

_GRANT_WORDS: Final = (
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "deleted_client",
    "invalid_scope",
    "access_denied",
    "no access token",
)
_NETWORK_WORDS: Final = (
    "transporterror",
    "connectionerror",
    "max retries",
    "timed out",
    "temporarily",
    "internal_failure",
    "connection refused",
    "connection aborted",
    "server_error",
)
_NOT_TRUSTED_WORDS: Final = (
    "ssl handshake failed",
    "certificate_verify_failed",
    "certificate verify failed",
    "sslerror",
)
_NOT_SENT_WORDS: Final = (
    "failed to connect",
    "connection refused",
    "newconnectionerror",
    "connecttimeout",
    "dns resolution failed",
    "name resolution",
    "no route to host",
    "network is unreachable",
)

NOT_ALLOWED: Final = Rule(
    Verdict.FIX,
    "Google does not accept our credentials: check the service account's key or grant access again, then release",
    Scope.PROJECT,
)
TOKEN_LATER: Final = Rule(Verdict.RETRY, "The service that gives out access tokens did not answer", Scope.ACCOUNT)
NOT_TRUSTED: Final = Rule(
    Verdict.FIX,
    "The certificate of the other side is not trusted: check the endpoint and GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    Scope.PROJECT,
)
NOT_SENT: Final = Rule(Verdict.RETRY, "No connection to Google; nothing was sent", Scope.ACCOUNT)
NO_ANSWER: Final = Rule(Verdict.UNKNOWN, "The call ended without an answer; it may have been applied", Scope.ACCOUNT)
NOT_PERMITTED: Final = Rule(Verdict.FIX, "Google refuses the request: check the rights of our user", Scope.ACCOUNT)
NO_METHOD: Final = Rule(
    Verdict.FIX, "The endpoint does not know this method: check it, or update the client", Scope.PROJECT
)
TOO_MUCH: Final = Rule(Verdict.SPLIT, "The request was too large, or too many came", Scope.ACCOUNT, RATE_PAUSE_S)
BAD_REQUEST: Final = not_understood("INVALID_ARGUMENT", "and no reason")

_BY_STATUS: Final[dict[str, Rule]] = {
    "UNAUTHENTICATED": NOT_ALLOWED,
    "PERMISSION_DENIED": NOT_PERMITTED,
    "UNIMPLEMENTED": NO_METHOD,
    "NOT_FOUND": NO_METHOD,
    "RESOURCE_EXHAUSTED": TOO_MUCH,
    "INVALID_ARGUMENT": BAD_REQUEST,
    "FAILED_PRECONDITION": BAD_REQUEST,
    "OUT_OF_RANGE": BAD_REQUEST,
}
_BY_HTTP: Final[dict[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Classified(msgspec.Struct, frozen=True):
    """A rule with the code it goes by in our tables: `grpc.UNAVAILABLE`, `auth.RefreshError`."""

    code: str
    rule: Rule


def classify(error: BaseException) -> Classified:
    """The meaning of an exception that carries no reason of Google's own."""
    from google.auth import exceptions as auth

    text = f"{type(error).__name__} {error}".lower()
    if isinstance(error, auth.GoogleAuthError) or "getting metadata from plugin failed" in text:
        return Classified("auth.credentials", _credentials(text))
    if any(word in text for word in _NOT_TRUSTED_WORDS):
        return Classified("tls.not_trusted", NOT_TRUSTED)
    status = status_of(error)
    if status in {"UNAVAILABLE", None} and any(word in text for word in _NOT_SENT_WORDS):
        return Classified("grpc.UNAVAILABLE", NOT_SENT)
    if status is None:
        return Classified(f"client.{type(error).__name__}", NO_ANSWER)
    return Classified(f"grpc.{status}", _BY_STATUS.get(status, NO_ANSWER))


def status_of(error: BaseException) -> str | None:
    """The gRPC status by name, for gRPC and REST alike; None when there was no answer with a status."""
    from google.api_core import exceptions as api

    if not isinstance(error, api.GoogleAPICallError):
        return None
    if error.grpc_status_code is not None:
        return str(error.grpc_status_code.name)
    return _BY_HTTP.get(int(error.code or 0), "UNKNOWN")


def is_foreseen(error: BaseException) -> bool:
    """Whether the exception is one that a Google client raises for what the network or Google does; others are defects."""
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    return isinstance(error, api.GoogleAPIError | auth.GoogleAuthError | requests.RequestException)


def attempt(call: Callable[[], T], foreseen: Callable[[Exception], bool] = is_foreseen) -> T | Exception:
    """What a call to Google gives, or what Google or the network made it raise. Raises what is a defect of ours."""
    try:
        return call()
    except Exception as error:
        if not foreseen(error):
            raise
        return error


def _credentials(text: str) -> Rule:
    """Credentials that Google refuses need a person; a token service that is away does not."""
    if any(word in text for word in _GRANT_WORDS):
        return NOT_ALLOWED
    return TOKEN_LATER if any(word in text for word in _NETWORK_WORDS) else NOT_ALLOWED
