"""What who looks may choose from: the sites that they may see, one of them chosen, their names beside ids; ads accounts and their actions."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from console.api.calls import Call
from console.api.lists import asked_site
from console.pages.ask import Ask
from custom_events.access.roles import Role
from custom_events.catalog import ads, sites
from custom_events.catalog.ads import AdsName

MOST_CHOICES: Final = 200  # sites, accounts or actions to choose from in one field; with more, their numbers are typed


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
    visible = sites.names(call.connection, only, MOST_CHOICES + 1)
    listed = tuple(visible.items()) if len(visible) <= MOST_CHOICES else ()
    return SiteChoice(choices=listed, may_all=only is None)


def site_names(call: Call, rows: Iterable[Any]) -> dict[int, str]:
    """The names of the sites of these rows, by id."""
    ids = {row.site_id for row in rows if row.site_id is not None}
    return sites.names(call.connection, ids, len(ids)) if ids else {}


class AdsChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter bar offers of ads accounts or actions: none where there are too many (then they are typed) or where none may be seen."""

    choices: tuple[AdsName, ...] = ()
    is_typed: bool = False

    def pairs(self, by_reference: bool) -> list[tuple[int | str, str]]:
        """What is sent and what is shown of each: our id, or the reference."""
        return [
            (choice.reference if by_reference else choice.id, f"{choice.name}, {choice.reference}")
            for choice in self.choices
        ]


def account_choice(call: Call) -> AdsChoice:
    """The ads accounts to choose from, for who may see them."""
    return (
        _choice(ads.account_names(call.connection, MOST_CHOICES + 1)) if call.caller.may(Role.VIEWER) else AdsChoice()
    )


def action_choice(call: Call, account_id: int | None = None) -> AdsChoice:
    """The ads actions to choose from, of one account (our id) or of all."""
    return _choice(ads.action_names(call.connection, MOST_CHOICES + 1, account_id))


def _choice(names: list[AdsName]) -> AdsChoice:
    is_typed = len(names) > MOST_CHOICES
    return AdsChoice(choices=() if is_typed else tuple(names), is_typed=is_typed)
