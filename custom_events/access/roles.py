"""Roles, and what a caller may do by them. Pure: nothing here knows a database or a request."""

from enum import StrEnum
from typing import Literal

import msgspec


class Role(StrEnum):
    """What somebody may do; each role may what those before it may.

    A viewer reads. An editor changes sites, drafts definitions and assignments, replays. A publisher lets drafts apply and
    releases uploads. An administrator manages people, API keys and secrets.
    """

    VIEWER = "viewer"
    EDITOR = "editor"
    PUBLISHER = "publisher"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Role).index(self)


MAY: dict[Role, str] = {
    Role.VIEWER: "Reads everything of its sites but the bodies of deliveries and what is secret.",
    Role.EDITOR: "Changes sites, drafts definitions and assignments, replays.",
    Role.PUBLISHER: "Lets drafts apply; holds and releases uploads and sends refused ones again.",
    Role.ADMINISTRATOR: "Manages people, API keys and secrets; reads the audit trail.",
}


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A role on one site, or on all of them (`site_id` None)."""

    role: Role
    site_id: int | None = None


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `name` stands in the audit trail; `id` is of the person or the API key; `via` says by what they came."""

    kind: Literal["person", "api_key", "nobody"]
    name: str
    grants: tuple[Grant, ...] = ()
    id: int = 0
    person_id: int | None = None
    session_id: int | None = None
    via: str = ""

    def may(self, role: Role, site_id: int | None = None) -> bool:
        """Whether the caller has `role` or more on this site; None: on all sites."""
        return any(
            grant.role.rank >= role.rank and (grant.site_id is None or grant.site_id == site_id)
            for grant in self.grants
        )

    def may_somewhere(self, role: Role) -> bool:
        """Whether the caller has `role` or more on at least one site."""
        return any(grant.role.rank >= role.rank for grant in self.grants)

    def sites(self, role: Role = Role.VIEWER) -> frozenset[int] | None:
        """The sites on which the caller has `role` or more; None: all of them."""
        if self.may(role):
            return None
        return frozenset(
            grant.site_id for grant in self.grants if grant.site_id is not None and grant.role.rank >= role.rank
        )


NOBODY = Caller(kind="nobody", name="")


def within(grants: tuple[Grant, ...], limits: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """The part of `grants` that `limits` allow: what a person's API key may, once the person may less than the key was made for."""
    return tuple(
        dict.fromkeys(
            Grant(role=min(grant.role, limit.role, key=lambda role: role.rank), site_id=site_id)
            for grant in grants
            for limit in limits
            for site_id in _common(grant, limit)
        )
    )


def _common(grant: Grant, other: Grant) -> tuple[int | None, ...]:
    """The site, or None for all sites, that both grants are about; nothing where they are about different sites."""
    if grant.site_id is None:
        return (other.site_id,)
    return (grant.site_id,) if other.site_id in (None, grant.site_id) else ()
