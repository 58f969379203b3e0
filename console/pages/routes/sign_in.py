"""Signing in and out, one's own account, light or dark."""

from typing import Any, Final

import msgspec

from console.api import cookies
from console.api.authorization import check_origin
from console.api.calls import Call
from console.api.rights import OPEN, SIGNED_IN
from console.api.routes import sessions as operations
from console.pages.ask import Ask
from console.pages.page import Answer, Moved, Pages, Shown
from console.pages.rendering import THEME, THEMES
from console.pages.toasts import is_own
from console.pages.translations import _
from custom_events.access import people, sessions
from custom_events.access.roles import MAY
from custom_events.errors import NotAdmitted, Throttled

PAGES: Final = Pages()
_YEAR_S: Final = 365 * 86_400


@PAGES.show("/sign-in", right=OPEN, template="sign_in.html", is_secret=True)
def sign_in_page(call: Call, ask: Ask) -> Shown:
    """Where people sign in."""
    return _form(call, ask)


@PAGES.change("/sign-in", right=OPEN, template="sign_in.html")
def sign_in(call: Call, ask: Ask) -> Answer:
    """Begin a session, and go where somebody wanted to."""
    check_origin(call, needed=True)
    try:
        token = sessions.sign_in(
            call.engine,
            login=ask.form.get("login", ""),
            password=ask.form.get("password", ""),
            client_address=call.asked.address,
            user_agent=call.asked.headers.get("user-agent", ""),
            settings=call.settings,
        )
    except (NotAdmitted, Throttled) as error:
        return msgspec.structs.replace(
            _form(call, ask, str(error)), status=429 if isinstance(error, Throttled) else 401
        )
    wanted = ask.form.get("next", "")
    return Moved(to=wanted if is_own(wanted) else "", cookies=(operations.cookie(token, call.settings),))


@PAGES.change("/sign-out", right=SIGNED_IN)
def sign_out(call: Call, ask: Ask) -> Moved:  # noqa: ARG001  (every page takes both)
    """End the session by which this is asked."""
    if call.caller.person_id is not None and call.caller.session_id is not None:
        sessions.sign_out(call.connection, call.caller.person_id, call.caller.session_id, actor=call.actor)
    return Moved(to="sign-in", cookies=(operations.cookie("", call.settings),))


@PAGES.show("/account", right=SIGNED_IN, template="account.html", of_primary=True)
def account_page(call: Call, ask: Ask) -> Shown:
    """Who is signed in, what they may, and from where."""
    person_id, person = call.caller.person_id, None
    if person_id is not None:
        person = people.get(call.connection, person_id)
    content = {
        "sessions": operations.list_sessions(call).items,
        "may": MAY,
        "themes": THEMES,
        "has_password": person is not None and person.has_password,
        "errors": ask.errors,
    }
    return Shown(title=_("Your account"), content=content)


def check_new_password(call: Call, ask: Ask) -> str:
    """Check the new password by its rules, and hash nothing. The current one is left alone, whether it is typed or not: what is said about it would
    be a way to guess it that is not counted as a sign-in."""
    if call.caller.person_id is not None and (password := ask.form.get("password")):
        people.check_password(call.connection, call.caller.person_id, password)
    return ""


@PAGES.change(
    "/account/password", right=SIGNED_IN, template="account.html", form=account_page, checks=check_new_password
)
def change_password(call: Call, ask: Ask) -> Moved:
    """Another password for oneself."""
    body = operations.OwnPassword(current=ask.form.get("current", ""), password=ask.form.get("password", ""))
    operations.change_own_password(call, body)
    return Moved(to="account", said=_("The password is changed. Your other sessions have ended."))


@PAGES.change("/account/sessions/{session_id}/end", right=SIGNED_IN)
def end_session(call: Call, ask: Ask) -> Moved:
    """End one of one's own sessions."""
    operations.end_session(call, ask.path["session_id"])
    return Moved(to="account", said=_("The session is ended."))


@PAGES.change("/account/theme", right=SIGNED_IN)
def choose_theme(call: Call, ask: Ask) -> Moved:
    """Light, dark, or as the system has it: kept by the browser."""
    theme = ask.form.get("theme", "")
    if theme not in THEMES:
        theme = THEMES[0]
    return Moved(to="account", cookies=(cookies.written(THEME, theme, call.settings, age_s=_YEAR_S),))


def _form(call: Call, ask: Ask, wrong: str = "") -> Shown:
    wanted = ask.form.get("next", ask.query.get("next", ""))
    content: dict[str, Any] = {
        "next": wanted if is_own(wanted) else "",
        "login": ask.form.get("login", ""),
        "wrong": wrong,
    }
    content["by_provider"] = call.settings.openid_issuer is not None
    content["by_password"] = call.settings.password_sign_in
    return Shown(title=_("Sign in"), content=content)
