"""Who asks, and may they: before anything else of a request is looked at."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from console.api import cookies, problems
from console.api.calls import Call, forbidden
from console.api.operations import Operation
from console.api.problems import ProblemError
from console.api.rights import Right, Scope
from custom_events.access import api_keys, exposure, sessions
from custom_events.access.credentials import Credential
from custom_events.access.roles import NOBODY, Caller, Role

COOKIE: Final = "custom_events_session"
_SAFE: Final = ("GET", "HEAD")

_LOG = structlog.get_logger(__name__)


def admit(call: Call, operation: Operation) -> None:
    """Find who asks. Raises 401 unless they are known, or the operation is open; 403 for a page of another site."""
    right = operation.right
    if right.scope is Scope.OPEN or (right.local and exposure.figures_are_open(call.settings, call.asked.host)):
        return
    call.caller = _caller(call)
    if call.caller is NOBODY:
        raise ProblemError(
            problems.UNAUTHENTICATED,
            "Sign in, or send an API key that is good (Authorization: Bearer ...).",
            headers={"WWW-Authenticate": "Bearer"},
        )


def authorize(call: Call, operation: Operation, parameters: Mapping[str, Any]) -> None:
    """Raise 403 or 404 unless the caller, who was admitted, has the operation's right. What they may not see is not there. The log says who it was."""
    try:
        _authorize(call, operation, parameters)
    except ProblemError as problem:
        _LOG.warning(
            "right_refused",
            method=operation.method,
            route=operation.path,
            status=problem.kind.status,
            caller=call.caller.via,
        )
        raise


def _authorize(call: Call, operation: Operation, parameters: Mapping[str, Any]) -> None:
    if call.caller is NOBODY:  # and may be
        return
    role = operation.right.role or Role.VIEWER
    match operation.right.scope:
        case Scope.ONE_SITE:
            _check_site(call, operation, parameters, role)
        case Scope.SOME_SITE if not call.caller.may_somewhere(role):
            raise forbidden(role, "at least one site")
        case Scope.ALL_SITES if not call.caller.may(role):
            raise forbidden(role, "all sites")
        case _:
            pass


def check_origin(call: Call, *, needed: bool) -> None:
    """Raise 403 for a request that a page of another site makes a browser send. `needed`: a browser that does not say from where it
    comes is refused as well, since a cookie goes with whatever it sends."""
    site, origin = call.asked.headers.get("sec-fetch-site"), call.asked.headers.get("origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    elif origin is not None:
        is_ours = urlsplit(origin).netloc in (call.asked.host, urlsplit(call.settings.console_url).netloc)
    else:
        is_ours = not needed
    if not is_ours:
        _LOG.warning("cross_site_refused", method=call.asked.method, site=site)
        raise ProblemError(
            problems.CROSS_SITE,
            "A page of another site may not act with your session. Programs send an API key, or the header Origin.",
        )


def credential(call: Call) -> Credential[Any] | None:
    """The key that was sent, else the cookie; None: nothing that could be good. A key that is not good is not made up for by a cookie.
    Raises 403 for a page of another site."""
    scheme, _, key = call.asked.headers.get("authorization", "").partition(" ")
    if scheme:
        return api_keys.credential(key.strip()) if scheme.lower() == "bearer" else None
    token = call.asked.cookies.get(cookies.name_of(COOKIE, call.settings))
    if not token:
        return None
    if call.asked.method not in _SAFE:
        check_origin(call, needed=True)
    return sessions.SessionCredential(token, call.settings)


def _caller(call: Call) -> Caller:
    sent = credential(call)
    caller = NOBODY if sent is None else sent.caller_by(call.connection) or NOBODY
    if sent is not None and caller is NOBODY:
        _LOG.warning(
            "credential_refused", kind="session" if isinstance(sent, sessions.SessionCredential) else "api key"
        )
    return caller


def _check_site(call: Call, operation: Operation, parameters: Mapping[str, Any], role: Role) -> None:
    right = operation.right
    site_id = _site_id(call, right, parameters)
    if site_id is None or not call.caller.may(Role.VIEWER, site_id):
        raise problems.not_found(right.noun, parameters[right.parameter])
    if not call.caller.may(role, site_id):
        raise forbidden(role, "its site")


def _site_id(call: Call, right: Right, parameters: Mapping[str, Any]) -> int | None:
    """The site of what the path names; None: that is not there."""
    if right.resource is not None:
        if call.resource is None:
            call.resource = right.resource.lookup.read(call.connection, {right.parameter: parameters[right.parameter]})
        return None if call.resource is None else right.resource.site_of(call.resource)
    if right.site_of is not None:
        return right.site_of(call.connection, parameters)
    site_id: int = parameters[right.parameter]
    return site_id
