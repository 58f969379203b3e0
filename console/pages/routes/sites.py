"""Sites: a list with their health, one with all that belongs to it, a new one with its secret."""

import secrets as tokens
from datetime import UTC, datetime
from typing import Any, Final

from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.rights import of_all_sites, of_site
from console.api.routes import raw_events as raw_operations
from console.api.routes import site_secrets
from console.api.routes import sites as operations
from console.api.routes.figures import read_site_figures
from console.api.routes.site_secrets import NewSecret, Rotation
from console.api.routes.sites import NewSite, Reason
from console.pages.ask import ROWS, Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown, right_of
from custom_events.access.roles import Role
from custom_events.catalog import assignments, connecting, signing, sites
from custom_events.catalog.sites import SITE_KEY_BYTES
from custom_events.values.deliveries import Platform

PAGES: Final = Pages()
_STATES: Final = ("active", "paused", "removed")
_QUIET_H: Final = 24  # without a delivery for as long: marked in the list
# Makes a site and what its store signs with, which administrators give.
_CREATE: Final = of_all_sites(Role.ADMINISTRATOR)


@PAGES.show("/sites", right=READ, template="sites.html")
def sites_page(call: Call, ask: Ask) -> Shown:
    """The sites that one may see, by name, with when each last sent something."""
    platform = ask.choice("platform", tuple(Platform))
    listed = operations.list_sites(
        call,
        search=ask.text("search"),
        platform=None if platform is None else Platform(platform),
        state=ask.choice("state", _STATES),  # pyright: ignore[reportArgumentType]
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    last = connecting.last_deliveries(call.connection, datetime.now(UTC)) if listed.items else {}
    content = {
        "ask": ask,
        "list": listed,
        "last": last,
        "quiet_h": _QUIET_H,
        "platforms": tuple(Platform),
        "states": _STATES,
    }
    return Shown(title="Sites", content=content)


@PAGES.show("/sites/new", right=_CREATE, template="site_new.html")
def new_site_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """The form for a new site. Its key is in the form already, so that sending it twice makes one site."""
    form = {"site_key": tokens.token_urlsafe(SITE_KEY_BYTES), "time_zone": "Europe/Berlin", **ask.form}
    return Shown(title="New site", content={"form": form, "errors": ask.errors, "platforms": tuple(Platform)})


@PAGES.change("/sites/new", right=_CREATE, form=new_site_page, template="site_made.html")
def create_site(call: Call, ask: Ask) -> Shown:
    """Make the site and its secret, which is shown this once."""
    platform = ask.field("platform")
    if platform not in tuple(Platform):
        wrong = "it is missing" if not platform else f"{platform!r} is none"
        raise invalid(FieldError(field="platform", problem=wrong, remedy=f"one of {', '.join(Platform)}"))
    body = NewSite(
        platform=Platform(platform),
        name=ask.field("name"),
        shop_domain=ask.field("shop_domain") or None,
        currency=ask.field("currency").upper() or None,
        time_zone=ask.field("time_zone") or "UTC",
        site_key=ask.field("site_key") or None,
    )
    made = operations.create_site(call, body).content
    secret = site_secrets.add_secret(call, made.id, NewSecret(secret=ask.field("secret") or None)).content
    instructions = operations.read_instructions(call, made.id)
    content = {"site": made, "secret": secret, "instructions": instructions, "is_new": True}
    return Shown(title=f"{made.name} is made", content=content)


@PAGES.show("/sites/{site_id}", right=right_of(operations.ROUTES, operations.read_site), template="site.html")
def site_page(call: Call, ask: Ask) -> Shown:
    """One site: what it sent and what came of it in seven days, how it is connected, what is assigned to it."""
    site_id = ask.path["site_id"]
    site = operations.shown(call, sites.get(call.connection, site_id))
    content: dict[str, Any] = {
        "site": site,
        "figures": read_site_figures(call, site_id),
        "arrivals": operations.read_arrivals(call, site_id),
        "refusal": connecting.refusal_sentence,
        "parked": raw_operations.list_parked(call, site_id).items,
        "secrets": signing.of(call.connection, site_id),
        "instructions": operations.read_instructions(call, site_id),
        "assignments": assignments.of_site(call.connection, site_id),
        "now": datetime.now(UTC),
    }
    return Shown(title=site.name, content=content)


@PAGES.change("/sites/{site_id}/pause", right=right_of(operations.ROUTES, operations.pause_site))
def pause(call: Call, ask: Ask) -> Moved:
    """What the site sends is taken and understood, and matches nothing."""
    operations.pause_site(call, ask.path["site_id"], Reason(reason=ask.field("reason")))
    return Moved(to=f"sites/{ask.path['site_id']}", said="The site is paused: what it sends matches nothing.")


@PAGES.change("/sites/{site_id}/resume", right=right_of(operations.ROUTES, operations.resume_site))
def resume(call: Call, ask: Ask) -> Moved:
    """What the site sends matches again."""
    operations.resume_site(call, ask.path["site_id"], Reason(reason=ask.field("reason")))
    return Moved(to=f"sites/{ask.path['site_id']}", said="The site is active: what it sends matches again.")


@PAGES.change("/sites/{site_id}/rotate", right=of_site(Role.ADMINISTRATOR), template="site_made.html")
def rotate(call: Call, ask: Ask) -> Shown:
    """A new secret, shown this once; those before stay good for a while."""
    site_id = ask.path["site_id"]
    made = site_secrets.rotate_secret(call, site_id, Rotation()).content
    site = operations.shown(call, sites.get(call.connection, site_id))
    instructions = operations.read_instructions(call, site_id)
    content = {"site": site, "secret": made, "instructions": instructions, "is_new": False}
    return Shown(title=f"A new secret for {site.name}", content=content)
