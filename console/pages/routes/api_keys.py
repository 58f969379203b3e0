"""API keys: made and shown once, with what they may and until when; revoked."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from console.api.bodies import typed
from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.routes import api_keys as operations
from console.api.routes.api_keys import NewApiKey
from console.pages.ask import ROWS, Ask, parsed_day
from console.pages.navigation import MANAGE
from console.pages.page import Moved, Pages, Shown
from console.pages.translations import _
from console.pages.visible import site_choice, site_names
from custom_events.access.roles import MAY, Role

PAGES: Final = Pages()
USUAL_LIFE: Final = timedelta(
    days=365
)  # of a key, unless another day is chosen: what nobody needs any more ends by itself


@PAGES.show("/api-keys", right=MANAGE, template="api_keys.html", is_secret=True)
def api_keys_page(call: Call, ask: Ask) -> Shown:
    """All keys, by their beginning."""
    listed = operations.list_api_keys(
        call, good=ask.flag("good"), sort="-id", limit=ROWS, after=ask.text("after", longest=2_000)
    )
    names = site_names(call, [grant for key in listed.items for grant in key.grants])
    return Shown(title=_("API keys"), content={"ask": ask, "list": listed, "names": names})


@PAGES.change("/api-keys/{api_key_id}/revoke", right=MANAGE)
def revoke(call: Call, ask: Ask) -> Moved:
    """The key is good no longer."""
    key = operations.revoke_api_key(call, ask.path["api_key_id"])
    return Moved(to="api-keys", said=_("The key %(name)s is good no longer.", name=key.name))


@PAGES.show("/api-keys/new", right=MANAGE, template="api_key_new.html", is_secret=True)
def new_key_page(call: Call, ask: Ask) -> Shown:
    """The form for a new key: what it is for, what it may, until when it is good."""
    until = (datetime.now(UTC) + USUAL_LIFE).date().isoformat()
    content = {
        "form": {"role": Role.VIEWER.value, "expires": until, **ask.form},
        "errors": {"expires" if name == "expires_at" else name: error for name, error in ask.errors.items()},
        "role_choices": [(role.value, f"{role}: {may}") for role, may in MAY.items()],
        "sites": site_choice(call),
    }
    return Shown(title=_("New API key"), content=content)


@PAGES.change("/api-keys/new", right=MANAGE, form=new_key_page, template="api_key_made.html", checks=True)
def make_key(call: Call, ask: Ask) -> Shown:
    """Make the key, which is shown this once."""
    role, site, expires = ask.field("role"), ask.field("site_id"), ask.field("expires")
    if role not in tuple(Role):
        raise invalid(FieldError(field="role", problem="it is missing", remedy=f"one of {', '.join(Role)}"))
    if site and not site.isdecimal():
        raise invalid(
            FieldError(field="site_id", problem=f"{site!r} is no site", remedy="its number, or nothing for all sites")
        )
    until = parsed_day("expires", expires, place="body") if expires else None
    end_of_day = None if until is None else datetime.combine(until + timedelta(days=1), time(), UTC)
    body = {
        "name": ask.field("name"),
        "grants": [{"role": role, "site_id": int(site) if site else None}],
        "expires_at": end_of_day.isoformat() if end_of_day is not None else None,
    }
    made = operations.make_api_key(call, typed(body, NewApiKey)).content
    names = site_names(call, made.api_key.grants)
    return Shown(
        title=_("The key %(name)s is made", name=made.api_key.name),
        content={"made": made.api_key, "key": made.key, "names": names},
    )
