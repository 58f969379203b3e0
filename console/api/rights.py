"""What an operation asks of who calls it. Every operation declares one; a test walks all routes."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.access.roles import Role
from custom_events.queries.lookups import Lookup

Locate = Callable[[sa.Connection, Mapping[str, Any]], int | None]


class Resource(msgspec.Struct, frozen=True):
    """What a path names, found by one statement, of which the path's parameter is the only value; `site_of` says its site."""

    lookup: Lookup[Any]
    site_of: Callable[[Any], int]


class Scope(StrEnum):
    """On which sites the role is asked for."""

    OPEN = "open"  # of nobody
    SIGNED_IN = "signed_in"  # of whoever is signed in, whatever the role
    ONE_SITE = "one_site"  # on the site that the path names; without any role on it, it does not exist
    SOME_SITE = "some_site"  # on one site at least; the answer is narrowed to those sites
    ALL_SITES = "all_sites"  # on all sites: people, keys, what belongs to no site


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """A role on some sites. `noun` and `parameter` say what the path names; `site_of` finds its site (None: it is not there), or
    `resource` all of it, which the operation then has as `call.resource`; both are left out where the parameter is the site's own id. `local`: whoever asks on this machine may, too (docs of `console_figures_open`)."""

    scope: Scope
    role: Role | None = None
    noun: str = "site"
    parameter: str = "site_id"
    site_of: Locate | None = None
    resource: Resource | None = None
    local: bool = False

    def __str__(self) -> str:
        match self.scope:
            case Scope.OPEN:
                return "nobody has to be signed in"
            case Scope.SIGNED_IN:
                return "anybody who is signed in"
            case Scope.ONE_SITE:
                return f"{self.role} of the {'site' if self.noun == 'site' else f'{self.noun}’s site'}"
            case Scope.SOME_SITE:
                return f"{self.role} of at least one site; only those sites are seen"
            case Scope.ALL_SITES:
                return f"{self.role} of all sites" + (
                    "; on a machine of one's own nobody has to be signed in" if self.local else ""
                )


OPEN: Final = Right(scope=Scope.OPEN)
SIGNED_IN: Final = Right(scope=Scope.SIGNED_IN)


def of_site(
    role: Role,
    *,
    noun: str = "site",
    parameter: str = "site_id",
    site_of: Locate | None = None,
    resource: Resource | None = None,
) -> Right:
    """The role on the site that the path names, directly or as the site of `noun`."""
    return Right(scope=Scope.ONE_SITE, role=role, noun=noun, parameter=parameter, site_of=site_of, resource=resource)


def of_some_site(role: Role) -> Right:
    """The role on one site at least; the operation narrows its answer to `call.caller.sites()`."""
    return Right(scope=Scope.SOME_SITE, role=role)


def of_all_sites(role: Role, *, local: bool = False) -> Right:
    """The role on all sites."""
    return Right(scope=Scope.ALL_SITES, role=role, local=local)
