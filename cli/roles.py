"""What somebody may, as the command line writes it: `viewer`, or `editor@12` for one site."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from custom_events.access.roles import Grant

ROLES = ("viewer", "editor", "publisher", "administrator")

role_option = click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ROLE[@SITE]",
    help=f"{', '.join(ROLES)}; of all sites, or of one (an id, a key or a shop domain). As often as you like.",
)


def grants_of(site_id: Callable[[str], int], roles: tuple[str, ...]) -> "tuple[Grant, ...]":
    """The grants; `site_id` is asked for the site of a name. Raises BadParameter for a role that does not exist, NotFound for a site
    that does not."""
    from custom_events.access.roles import Grant, Role

    grants: list[Grant] = []
    for written in roles:
        role, at, site = written.partition("@")
        if role not in ROLES:
            raise click.BadParameter(f'"{role}" is no role: one of {", ".join(ROLES)}', param_hint="--role")
        grants.append(Grant(role=Role(role), site_id=site_id(site) if at else None))
    return tuple(grants)


def shown(grants: "tuple[Grant, ...]") -> str:
    """The same for people: `editor of site 12, viewer of all sites`."""
    return (
        ", ".join(
            f"{grant.role} of {'all sites' if grant.site_id is None else f'site {grant.site_id}'}" for grant in grants
        )
        or "no role"
    )
