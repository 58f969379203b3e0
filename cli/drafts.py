"""Options that name rules, sites and periods, alike in backtest, test-rule and replay; and how what is given is read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from custom_events.values.times import read_day_or_moment

if TYPE_CHECKING:
    from custom_events.history.drafts import Draft

_NUMBER = re.compile(r"[0-9]{1,40}\Z")
_DAYS = re.compile(r"(\d{1,5})d\Z")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NOT_SETTINGS = ("name", "description", "published", "definition", "label", "active")  # of the files of `config export`

Decorator = Callable[[Any], Any]


class Moment(click.ParamType[datetime]):
    """A point in time: ISO 8601 (without an offset: UTC), or days back from now (30d)."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time, aware."""
        if isinstance(value, datetime):
            return value
        if (days := _DAYS.match(value)) is not None:
            return datetime.now(UTC) - timedelta(days=int(days[1]))
        if (moment := read_day_or_moment(value)) is None:
            self.fail(
                f'"{value}" is no time: give 2026-11-01, 2026-11-01T12:00+01:00, or days back such as 30d', param, ctx
            )
        return moment


class Numbered(click.ParamType[tuple[str, int | None]]):
    """A name, with the number of a revision behind an @ where one is meant (purchase@3)."""

    name = "name[@number]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int | None]:
        """(name, number or None)."""
        if isinstance(value, tuple):
            return value
        name, at, number = value.partition("@")
        if at and _NUMBER.match(number) is None:
            self.fail(f'"{number}" is no revision: give its number ({name}@3)', param, ctx)
        return name, int(number) if at else None


def rule_options(command: Any) -> Any:
    """--definition, --config, --assignment, --overrides: what would apply instead of what is published."""
    options: list[Decorator] = [
        click.option("--definition", type=Numbered(), metavar="KEY[@N]", help="A definition: its revision N, else its newest draft or revision."),
        click.option("--config", "config_file", type=_FILE, help="A definition's settings from a file (YAML or JSON) instead of a stored revision."),
        click.option("--assignment", type=Numbered(), metavar="ID[@N]", help="An assignment: its revision N, else its newest."),
        click.option("--overrides", "overrides_file", type=_FILE, help="The assignment's overrides from a file instead of a stored revision."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def period_options(since: str) -> Decorator:
    """--since and --until by the store's time."""

    def decorate(command: Any) -> Any:
        command = click.option("--until", type=Moment(), default="0d", show_default="now", help="Events before this.")(command)  # fmt: skip
        return click.option("--since", type=Moment(), default=since, show_default=True, help="Events from then on: a date, or days back.")(command)  # fmt: skip

    return decorate


def sites_option(command: Any) -> Any:
    """--site, several times."""
    return click.option("--site", "sites", multiple=True, metavar="SITE", help="Only this site (id, key or shop domain); may be given several times.")(command)  # fmt: skip


def json_option(command: Any) -> Any:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")(command)


def draft_of(
    definition: tuple[str, int | None] | None,
    config_file: Path | None,
    assignment: tuple[str, int | None] | None,
    overrides_file: Path | None,
    *,
    stopped: bool = False,
) -> "Draft":
    """What the options mean together. Raises BadParameter and InvalidConfiguration."""
    from custom_events.catalog.configurations import read_config, read_overrides
    from custom_events.history.drafts import Draft

    if assignment is not None and _NUMBER.match(assignment[0]) is None:
        raise click.BadParameter(
            f'"{assignment[0]}" is no id of an assignment: give its number', param_hint="--assignment"
        )
    if overrides_file is not None and assignment is None:
        raise click.BadParameter(
            "overrides belong to an assignment: name it with --assignment", param_hint="--overrides"
        )
    return Draft(
        definition=definition[0] if definition is not None else None,
        definition_number=definition[1] if definition is not None else None,
        config=read_config(_settings_of(config_file)) if config_file is not None else None,
        assignment=int(assignment[0]) if assignment is not None else None,
        assignment_number=assignment[1] if assignment is not None else None,
        overrides=read_overrides(_settings_of(overrides_file)) if overrides_file is not None else None,
        stopped=stopped,
    )


def _settings_of(file: Path) -> dict[str, Any]:
    """The settings in a file, in the form of `config export` or bare. JSON is YAML, too."""
    from custom_events.catalog.files.text import parse

    read = parse(file.read_bytes())
    if read.problems:
        first = read.problems[0]
        path = f"{first.path}: " if first.path else ""
        raise click.BadParameter(f"line {first.line}: {path}{first.wrong}; {first.right}", param_hint=str(file))
    if not isinstance(read.value, dict):
        raise click.BadParameter("it has no settings by name, such as trigger: [order.paid]", param_hint=str(file))
    return {name: value for name, value in read.value.items() if name not in _NOT_SETTINGS}


def site_ids(url: str, names: tuple[str, ...]) -> list[int] | None:
    """Ids of the sites that people call so; None when none was named. Raises NotFound."""
    import asyncio

    from custom_events.history.reading import reading
    from custom_events.history.rules import site_called

    async def ask() -> list[int]:
        async with reading(url) as connection:
            return [await site_called(connection, name) for name in names]

    return asyncio.run(ask()) if names else None
