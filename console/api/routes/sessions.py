"""Signing in and out, who is signed in, and from where."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import Path

from console.api import cookies, problems
from console.api.authorization import COOKIE, check_origin
from console.api.calls import Answer, Call
from console.api.operations import Routes
from console.api.pages import Page
from console.api.rights import OPEN, SIGNED_IN
from custom_events.access import people, sessions
from custom_events.access.roles import Caller, Grant, Role
from custom_events.access.sessions import Session
from custom_events.settings import Settings
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("sessions", "Signing in and out; who is signed in, and from where.")

SessionId = Annotated[int, Path(ge=1, le=MAX_ID, description="A session's id.")]


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who signs in, and by what."""

    login: str
    password: str


class OwnPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another password in place of the current one."""

    current: str
    password: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may: a role on a site, or on all of them (`site_id` null)."""

    kind: str
    name: str
    grants: tuple[Grant, ...]


_ME = Me(kind="person", name="ana@example.org", grants=(Grant(role=Role.EDITOR, site_id=3), Grant(role=Role.VIEWER)))
_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_SESSION = Session(
    id=7,
    created_at=_NOON,
    last_used_at=_NOON,
    expires_at=datetime(2026, 12, 7, 12, tzinfo=UTC),
    idle_until=datetime(2026, 12, 1, tzinfo=UTC),
    revoked_at=None,
    client_address="192.0.2.7",
    user_agent="Mozilla/5.0",
    is_current=True,
)


@ROUTES.post(
    "/sessions",
    right=OPEN,
    status=201,
    answer=Me,
    example=_ME,
    body_example={"login": "ana@example.org", "password": "three words of hers"},
    idempotent=False,
    raises=(problems.UNAUTHENTICATED, problems.CROSS_SITE),
)
def sign_in(call: Call, body: SignIn) -> Answer:
    """Sign in.

    The answer sets the cookie of a session, which ends when it is not used for long, and in any case after some days
    (`CUSTOM_EVENTS_SESSION_IDLE_H`, `CUSTOM_EVENTS_SESSION_LIFETIME_H`). A page sends it back by itself; programs use an API key.
    """
    check_origin(call, needed=False)
    token = sessions.sign_in(
        call.engine,
        login=body.login,
        password=body.password,
        client_address=call.asked.address,
        user_agent=call.asked.headers.get("user-agent", ""),
        settings=call.settings,
    )
    caller = sessions.caller_of(call.connection, token, call.settings)
    assert caller is not None  # noqa: S101  (just made)
    headers = {"Set-Cookie": cookie(token, call.settings)}
    return Answer(content=_me(caller), location="/api/v1/me", headers=headers)


@ROUTES.get("/me", right=SIGNED_IN, answer=Me, example=_ME, of_primary=True)
def read_me(call: Call) -> Me:
    """Who asks, and what they may."""
    return _me(call.caller)


@ROUTES.post(
    "/me/password",
    right=SIGNED_IN,
    status=204,
    body_example={"current": "three words of hers", "password": "four other words of hers"},
    idempotent=False,
    raises=(problems.CONFLICT, problems.NOT_FOUND),
)
def change_own_password(call: Call, body: OwnPassword) -> None:
    """Choose another password for yourself. Your other sessions end; this one goes on. The current password is counted as one to sign in with."""
    if call.caller.session_id is None or call.caller.person_id is None:
        raise problems.not_found("session", "by which this was asked: an API key was sent")
    sessions.count_attempt(
        call.engine, login=call.caller.name, client_address=call.asked.address, settings=call.settings
    )
    people.change_own_password(
        call.connection,
        call.caller.person_id,
        current=body.current,
        password=body.password,
        session_id=call.caller.session_id,
        actor=call.actor,
    )


@ROUTES.get(
    "/sessions",
    right=SIGNED_IN,
    answer=Page[Session],
    example=Page[Session](items=(_SESSION,), next=None),
    of_primary=True,
)
def list_sessions(call: Call) -> Page[Session]:
    """Your own sessions, the newest first; ended ones are shown for a week."""
    person_id = call.caller.person_id
    own = [] if person_id is None else sessions.of_person(call.connection, person_id, current=call.caller.session_id)
    return Page(items=tuple(own), next=None)


@ROUTES.delete("/sessions/current", right=SIGNED_IN, raises=(problems.NOT_FOUND,))
def sign_out(call: Call) -> Answer:
    """Sign out: the session by which this is asked is good no longer."""
    if call.caller.session_id is None or call.caller.person_id is None:
        raise problems.not_found("session", "by which this was asked: an API key was sent")
    sessions.sign_out(call.connection, call.caller.person_id, call.caller.session_id, actor=call.actor)
    return Answer(headers={"Set-Cookie": cookie("", call.settings)})


@ROUTES.delete("/sessions/{session_id}", right=SIGNED_IN)
def end_session(call: Call, session_id: SessionId) -> None:
    """End one of your own sessions, wherever it was begun."""
    if call.caller.person_id is None:
        raise problems.not_found("session", session_id)
    sessions.revoke(call.connection, call.caller.person_id, session_id, actor=call.actor)


def cookie(token: str, settings: Settings) -> str:
    """The header that sets the session's cookie; an empty token takes it away."""
    age = round(settings.session_lifetime_h * 3600) if token else 0
    return cookies.written(COOKIE, token, settings, age_s=age)


def _me(caller: Caller) -> Any:
    return Me(kind=caller.kind, name=caller.name, grants=caller.grants)
