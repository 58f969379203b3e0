"""Options of `custom-events bulk`: which sites or assignments, how; and the action that they mean together."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.author import author_option
from cli.drafts import json_option, overrides_in
from cli.revisions import LAST_ID, Name
from custom_events.values.platforms import Platform

if TYPE_CHECKING:
    from cli.nouns.bulk import How
    from custom_events.catalog.bulk.requests import BulkAction

SiteId = Callable[[str], int]
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SITE_FILTER = ("search", "platform", "state")
_ASSIGNMENT_FILTER = ("search", "site", "definition_key", "label", "active", "has_overrides")

_SEARCH = click.option("--search", metavar="TEXT", help="Those that this is a part of.")
_DEFINITION = click.option(
    "--definition", "definition_key", type=Name("definition"), metavar="KEY", help="Those of this definition."
)
_SITE = click.option("--site", metavar="SITE", help="Those of this site (id, key or shop domain).")
_LABEL = click.option("--label", help="Those of this label.")
_ACTIVE = click.option("--enabled/--disabled", "active", default=None, help="Only those that match, or the others.")


def _all_of(*options: Any) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


site_options = _all_of(
    click.option("--site", "sites", multiple=True, metavar="SITE", help="This site (id, key or shop domain); may be given several times."),
    _SEARCH,
    click.option("--platform", type=click.Choice([platform.value for platform in Platform]), help="Those of this platform."),
    click.option("--state", type=click.Choice(["active", "paused", "removed"]), help="Those in this state."),
    click.option("--all", "every", is_flag=True, help="Every site."),
)  # fmt: skip
assignment_options = _all_of(
    click.option("--id", "ids", multiple=True, type=click.IntRange(1, LAST_ID), help="This assignment; may be given several times."),
    _SITE, _DEFINITION, _LABEL, _SEARCH, _ACTIVE,
    click.option("--overridden/--not-overridden", "has_overrides", default=None, help="Only those with overrides, or without."),
    click.option("--all", "every", is_flag=True, help="Every assignment."),
)  # fmt: skip
reading_options = _all_of(_SITE, _DEFINITION, _LABEL, click.option("--search", "text", metavar="TEXT", help="Those that this is a part of."), _ACTIVE)  # fmt: skip
overrides_option = click.option(
    "--overrides", "overrides_file", type=_FILE, help="Settings that are overridden, from a file (YAML or JSON)."
)
publish_option = click.option("--publish", is_flag=True, help="It applies at once; else it is a draft.")
how_options = _all_of(
    click.option("--dry-run", "is_dry_run", is_flag=True, help="Say of each row what would become of it, and change nothing."),
    click.option("--row-by-row", is_flag=True, help="Each row by itself: those that fail leave the others."),
    click.option("--reason", default="", help="Why; kept with each revision and in the audit trail."),
    author_option(),
    json_option,
)  # fmt: skip


def how_of(options: dict[str, Any]) -> "How":
    """How it is done."""
    from cli.nouns.bulk import How

    return How(all_or_nothing=not options["row_by_row"], is_dry_run=options["is_dry_run"], reason=options["reason"])


def chosen_sites(site_id: SiteId, options: dict[str, Any]) -> dict[str, Any]:
    """`site_ids` or `sites`. Raises BadParameter unless they are chosen in one way."""
    from custom_events.catalog.bulk.requests import SiteFilter

    chosen = {name: options[name] for name in _SITE_FILTER if options[name] is not None}
    _check_choice("--site", bool(options["sites"]), bool(chosen), options["every"])
    if options["sites"]:
        return {"site_ids": tuple(map(site_id, options["sites"]))}
    platform = chosen.pop("platform", None)
    return {"sites": SiteFilter(platform=None if platform is None else Platform(platform), **chosen)}


def chosen_assignments(site_id: SiteId, options: dict[str, Any]) -> dict[str, Any]:
    """`assignment_ids` or `assignments`. Raises BadParameter unless they are chosen in one way."""
    from custom_events.catalog.bulk.requests import AssignmentFilter

    chosen = {name: options[name] for name in _ASSIGNMENT_FILTER if options[name] is not None}
    _check_choice("--id", bool(options["ids"]), bool(chosen), options["every"])
    if options["ids"]:
        return {"assignment_ids": options["ids"]}
    site = chosen.pop("site", None)
    return {"assignments": AssignmentFilter(site_id=None if site is None else site_id(site), **chosen)}


def action_of(
    action: str,
    chosen: dict[str, Any],
    site_id: SiteId,
    *,
    overrides_file: Path | None = None,
    to_site: str | None = None,
    from_site: str | None = None,
    **fields: Any,
) -> "BulkAction":
    """The action that is asked for. Raises InvalidConfiguration for overrides that cannot be used."""
    from custom_events.catalog.bulk.requests import Action, BulkAction

    return BulkAction(
        action=Action(action),
        overrides=None if overrides_file is None else overrides_in(overrides_file),
        to_site_id=None if to_site is None else site_id(to_site),
        from_site_id=None if from_site is None else site_id(from_site),
        **chosen,
        **fields,
    )


def _check_choice(option: str, *ways: bool) -> None:
    if sum(ways) != 1:
        raise click.UsageError(
            f"Choose what it is about in one way: {option}, or options that filter, or --all. `--help` lists them."
        )
