"""Signing in by an OpenID provider: there, and back with a session."""

from typing import Annotated, Final

import msgspec
from fastapi import Query

from console.api import cookies, problems
from console.api.calls import Answer, Call
from console.api.operations import Routes
from console.api.rights import OPEN, SIGNED_IN
from console.api.routes.sessions import ROUTES as SESSIONS
from console.api.routes.sessions import cookie
from custom_events.access import openid, sessions
from custom_events.access.openid_provider import CALLBACK
from custom_events.errors import NotAdmitted
from custom_events.settings import Settings

ROUTES: Final = Routes(SESSIONS.tag, SESSIONS.about)
FLOW_COOKIE: Final = "custom_events_openid"
LONGEST: Final = 4_096  # characters of what comes back from the provider
_CONFIGURED: Final = (problems.NOT_FOUND, problems.UNAUTHENTICATED)


class SignedOut(msgspec.Struct, frozen=True, kw_only=True):
    """`go_to`: where the provider's own session is ended; null where there is no provider, or it has no such place."""

    go_to: str | None


Code = Annotated[str | None, Query(max_length=LONGEST, description="What the provider gave for who has signed in.")]
State = Annotated[str | None, Query(max_length=LONGEST, description="As this sign-in was begun.")]
Fault = Annotated[
    str | None, Query(max_length=LONGEST, description="Why nobody has signed in, as the provider calls it.")
]
Issuer = Annotated[str | None, Query(max_length=LONGEST, description="The provider (RFC 9207).")]


@ROUTES.get("/sessions/openid", right=OPEN, status=302, raises=(problems.NOT_FOUND, problems.INVALID))
def begin_openid(call: Call) -> Answer:
    """Sign in by the OpenID provider of the installation (`CUSTOM_EVENTS_OPENID_ISSUER`).

    For browsers: it leads to the provider, which leads back, and then to the console. 404 where there is no provider.
    """
    url, kept = openid.begin(call.openid, call.key)
    return Answer(location=url, headers={"Set-Cookie": _kept(kept, call.settings)})


@ROUTES.get(
    "/sessions/openid/callback",
    right=OPEN,
    transaction=True,  # link, session and audit entry together
    status=302,
    raises=_CONFIGURED,
    open_query=True,
)
def end_openid(call: Call, code: Code = None, state: State = None, error: Fault = None, iss: Issuer = None) -> Answer:
    """Where the OpenID provider leads people back to: a session begins.

    The person is whom the provider's account is linked to: at first whoever has its verified e-mail address as login
    (`CUSTOM_EVENTS_OPENID_DEFAULT_ROLE` says whether others are made). Other parameters of the provider are not looked at.
    """
    flow = openid.resume(
        call.asked.cookies.get(cookies.name_of(FLOW_COOKIE, call.settings, path=CALLBACK), ""), state, call.key
    )
    if error is not None or code is None:
        raise NotAdmitted(
            "The OpenID provider signed nobody in" + (f" ({error[:100]})." if error else ".") + " Begin again."
        )
    claims = call.openid.claims(flow, code, iss)
    token = openid.sign_in(
        call.connection,
        claims,
        client_address=call.asked.address,
        user_agent=call.asked.headers.get("user-agent", ""),
        settings=call.settings,
    )
    return Answer(
        location=f"{call.settings.console_url.rstrip('/')}/", headers={"Set-Cookie": cookie(token, call.settings)}
    )


@ROUTES.post(
    "/sessions/current/end",
    right=SIGNED_IN,
    answer=SignedOut,
    example=SignedOut(go_to="https://login.example/logout?client_id=custom-events"),
    idempotent=False,
    raises=(problems.NOT_FOUND,),
)
def sign_out_of_provider(call: Call) -> Answer:
    """Sign out, and learn where the OpenID provider's own session is ended, by which one would be signed in again without being asked."""
    if call.caller.session_id is None or call.caller.person_id is None:
        raise problems.not_found("session", "by which this was asked: an API key was sent")
    sessions.sign_out(call.connection, call.caller.person_id, call.caller.session_id, actor=call.actor)
    go_to = call.openid.logout_url(f"{call.settings.console_url.rstrip('/')}/")
    return Answer(content=SignedOut(go_to=go_to), headers={"Set-Cookie": cookie("", call.settings)})


def _kept(kept: str, settings: Settings) -> str:
    """The header that has the browser keep what it must say again. Lax: it goes along when the provider leads back."""
    return cookies.written(FLOW_COOKIE, kept, settings, age_s=openid.FLOW_LIFETIME_S, path=CALLBACK)
