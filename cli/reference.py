"""The reference pages, generated from the code. `make docs` writes them, a test compares."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cli import dashboards, rooms, security_page
from cli.main import main as command
from console.api import reference_page as api
from custom_events.backtest import json_page as looking_back
from custom_events.catalog.files import format_page as config_files
from custom_events.catalog.files import schema as config_schema
from custom_events.conditions import reference as conditions
from custom_events.conditions.schema import schema_text
from custom_events.destinations import error_page
from custom_events.platforms.custom import schema as custom_webhooks
from custom_events.redaction import personal_data
from custom_events.settings import Settings, variable_of
from custom_events.tables import picture, schema_page
from custom_events.watching import exposition

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "schema.svg"
RULES = Path(__file__).parents[1] / "deploy" / "prometheus" / "alerts.yml"
WIDTH = 100  # characters of a line of help
_SETTINGS = """\
# Settings

Every process reads its settings from the environment, or from a file `.env` in the directory it is started in; the
environment wins. A value that cannot be used ends the process with the name of its variable. Secrets are never logged. A
variable that is set and empty counts as unset, except where the last column says what empty means.

| variable | type | default | meaning |
|---|---|---|---|
"""
_COMMANDS = """\
# Command line

`custom-events` is installed by `make setup` in `.venv/bin`, or [from a wheel](../how-to/deploy.md#a-plain-machine). Errors are one line on standard error that says what to do; the exit
code is then 1, or 2 for a wrong usage. `--verbose` before the verb shows logs and tracebacks.
"""


def settings_page() -> str:
    """docs/reference/settings.md, whole."""
    return _SETTINGS + "".join(f"{_row(name, field)}\n" for name, field in Settings.model_fields.items())


def cli_page() -> str:
    """docs/reference/cli.md, whole: the help of every verb."""
    return _COMMANDS + "".join(
        f"\n{'#' * min(level + 2, 4)} {name}\n\n```text\n{text}```\n"
        for level, name, text in _helps(command, "custom-events", 0)
    )


def write(directory: Path) -> None:
    """Write the pages into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    pages = (
        ("settings.md", settings_page()),
        ("cli.md", cli_page()),
        ("schema.md", schema_page.render()),
        ("google-errors.md", error_page.render()),
        ("conditions.md", conditions.reference_page()),
        ("api.md", api.render()),
        ("personal-data.md", personal_data.page()),
        ("looking-back.md", looking_back.page()),
        ("conditions.schema.json", schema_text()),
        ("custom-webhook.schema.json", custom_webhooks.schema_text()),
        ("config-files.md", config_files.render()),
        *((name, config_schema.schema_text(name)) for name in config_schema.FILES),
    )
    for name, text in pages:
        (directory / name).write_text(text, encoding="utf-8")


def write_picture(file: Path = PICTURE) -> None:
    """Write the tables as a picture, where the manual's pictures are."""
    file.write_text(picture.render(), encoding="utf-8")


def write_rules(file: Path = RULES) -> None:
    """Write the rules for Prometheus, where those who install them look."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(exposition.rules(), encoding="utf-8")


def _row(name: str, field: FieldInfo) -> str:
    limits = ", ".join(
        f"{word} {getattr(limit, attribute)}"
        for limit in field.metadata
        for attribute, word in (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))
        if hasattr(limit, attribute)
    )
    kind = _type_name(field) + (f", {limits}" if limits else "")
    default = "" if field.default in (None, PydanticUndefined) else f"`{field.default}`"
    return f"| `{variable_of(name)}` | {kind} | {default} | {field.description} |"


def _type_name(field: FieldInfo) -> str:
    kinds = {SecretStr: "secret", Path: "path", int: "integer", float: "number", bool: "true or false", str: "text"}
    return next(name for kind, name in kinds.items() if kind.__name__ in str(field.annotation))


def _helps(
    verb: click.Command, name: str, level: int, parent: click.Context | None = None
) -> Iterator[tuple[int, str, str]]:
    context = click.Context(
        verb,
        info_name=name.rpartition(" ")[2],
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=verb.context_settings.get("help_option_names"),
    )
    lines = verb.get_help(context).splitlines()
    yield level, name, "".join(f"{line.rstrip()}\n" for line in lines)
    if isinstance(verb, click.Group):
        for child_name in verb.list_commands(context):
            child = verb.get_command(context, child_name)
            if child is not None:
                yield from _helps(child, f"{name} {child_name}", level + 1, context)


if __name__ == "__main__":  # pragma: no cover
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference"))
    write_picture()
    write_rules()
    dashboards.write()
    rooms.write()
    security_page.write()
