"""The sites that who looks may see: one of them chosen, their names beside ids, and the choice in a filter bar."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from console.api.calls import Call
from console.api.lists import asked_site
from console.pages.ask import Ask
from custom_events.access.roles import Role
from custom_events.catalog import sites

MOST_CHOICES: Final = 200  # sites to choose from in one field; with more, their numbers are typed


class SiteChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter bar offers: (id, name) of each site, none where there are too many; `may_all`: no site may be chosen."""

    choices: tuple[tuple[int, str], ...]
    may_all: bool


def chosen_site(call: Call, ask: Ask) -> int | None:
    """The site that is asked about; None: all. Who may see some of them sees one at a time. Raises 404 for one that they may not see."""
    site_id, seen = ask.number("site_id"), call.caller.sites()
    if site_id is None and seen:
        site_id = min(seen)
    return asked_site(call, site_id)


def site_choice(call: Call, role: Role = Role.VIEWER) -> SiteChoice:
    """The sites to choose from, by name: those on which who looks has the role."""
    only = call.caller.sites(role)
    visible = sites.search(call.connection, only=only, limit=MOST_CHOICES + 1)
    listed = tuple((site.id, site.name) for site in visible) if len(visible) <= MOST_CHOICES else ()
    return SiteChoice(choices=listed, may_all=only is None)


def site_names(call: Call, rows: Iterable[Any]) -> dict[int, str]:
    """The names of the sites of these rows, by id."""
    ids = {row.site_id for row in rows if row.site_id is not None}
    visible = sites.search(call.connection, only=ids, limit=len(ids)) if ids else []
    return {site.id: site.name for site in visible}
