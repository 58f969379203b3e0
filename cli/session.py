"""What most verbs begin with: the settings, logging, and a database."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import sqlalchemy as sa

    from custom_events.settings import Settings


def prepared() -> "Settings":
    """The settings; logging goes to standard error, warnings only unless --verbose. Raises InvalidConfiguration."""
    from pydantic import ValidationError

    from custom_events import logs
    from custom_events.errors import InvalidConfiguration
    from custom_events.logs import is_private
    from custom_events.settings import settings as read
    from custom_events.settings import variable_of

    try:
        settings = read()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = variable_of(str(first["loc"][0]))
        given = "" if is_private(name) else f" (it is {str(first['input'])!r})"
        raise InvalidConfiguration(
            f"{first['msg'][:1].lower()}{first['msg'][1:]}{given}; docs/reference/settings.md lists the settings",
            path=name,
        ) from None
    root = click.get_current_context().find_root()
    try:
        logs.level_number(settings.log_level)
    except ValueError as error:
        raise InvalidConfiguration(str(error), path=variable_of("log_level")) from None
    level = settings.log_level if root.params.get("verbose") else "WARNING"
    logs.configure("cli", level=level, json_lines=settings.log_json)
    return settings


@contextmanager
def connected(settings: "Settings") -> Generator["sa.Engine"]:
    """An engine on the configured database; the embedded server is started if need be and stopped again."""
    from custom_events.postgres import address, connect

    with address.database(settings) as url:
        engine = connect.engine(url, name="custom-events cli")
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def located(settings: "Settings") -> Generator[str]:
    """The configured database's URL; the embedded server is started if need be and stopped again."""
    from custom_events.postgres import address

    with address.database(settings) as url:
        yield url
