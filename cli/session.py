"""What most verbs begin with: the settings, logging, and a database."""

import getpass
import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import sqlalchemy as sa

    from cli.afar.server import Server
    from custom_events.settings import Settings

KEY_VARIABLE = "CUSTOM_EVENTS_API_KEY"
_RUN = "custom_events.run"  # in click's context


def address_of_server() -> str | None:
    """What --server names; None: the database beside us is asked."""
    context = click.get_current_context(silent=True)
    address: str | None = context.find_root().params.get("server") if context is not None else None
    return address


def server() -> "Server | None":
    """The server that --server names; None: the database beside us is asked. Raises UsageError for an address or a key that cannot be
    used."""
    from urllib.parse import urlsplit

    address = address_of_server()
    if address is None:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f'"{address}" is no address of a server: give https://events.example, for example.')
    file = click.get_current_context().find_root().params.get("key_file")
    key = (file.read_text() if file is not None else os.environ.get(KEY_VARIABLE, "")).strip()
    if not key.isascii() or not key.isprintable() or not key:
        raise click.UsageError(
            f"--server needs an API key: in a file (--key-file), or in {KEY_VARIABLE}; `custom-events api-key make` beside the "
            "database makes one."
        )
    from cli.afar.server import Server
    from custom_events.access.exposure import is_local

    if parts.scheme == "http" and not is_local(parts.hostname):
        click.echo("The key goes over the network as it is: use https.", err=True)
    remote = Server(address, key)
    click.get_current_context().call_on_close(remote.close)
    return remote


def here_only(verb: str, reason: str) -> None:
    """Raise UsageError from afar: `what` does not go there, and why."""
    if address_of_server() is not None:
        raise click.UsageError(f"{verb} does not go by --server: {reason}.")


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
        if _takes_demo_variables(settings):
            read.cache_clear()
            settings = read()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = variable_of(str(first["loc"][0]))
        value = "" if is_private(name) else f" (it is {str(first['input'])!r})"
        raise InvalidConfiguration(
            f"{first['msg'][:1].lower()}{first['msg'][1:]}{value}; docs/reference/settings.md lists the settings",
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


def _takes_demo_variables(settings: "Settings") -> bool:
    """Set the variables that a running demo left in the local directory, those excepted that are set already. Whether there were any.

    Only beside the embedded server of that directory, which has the demo's data: on a server of one's own nothing may turn conversions
    away from Google.
    """
    from custom_events.settings import DEMO_FILE, variable_of

    file = settings.local_directory / DEMO_FILE
    if settings.database_url is not None or not file.is_file():
        return False
    from dotenv import dotenv_values

    known = {variable_of(field) for field in settings.model_fields_set}
    for name, value in dotenv_values(file).items():
        if value is not None and name not in known:
            os.environ.setdefault(name, value)
    return True


@contextmanager
def noted() -> Generator[None]:
    """What the block changes is noted as the command line's: by which login, whoever is named as its author, and in which run of a verb."""
    from custom_events.catalog import audit

    context = click.get_current_context(silent=True)
    meta = {} if context is None else context.meta  # one for all of a command
    run = meta.setdefault(_RUN, uuid.uuid4().hex)
    with audit.coming_from(audit.Origin(source="command line", via=f"login {getpass.getuser()}", request_id=run)):
        yield


@contextmanager
def connected(settings: "Settings") -> Generator["sa.Engine"]:
    """An engine on the configured database, whose transactions raise NeedsAction where that is of another version; the embedded server is started if need
    be and stopped again."""
    from custom_events.postgres import address, schema_guard

    with address.database(settings) as url, noted():
        engine = schema_guard.engine(url, name="custom-events cli")
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def located(settings: "Settings") -> Generator[str]:
    """The configured database's URL; the embedded server is started if need be and stopped again."""
    from custom_events.postgres import address

    with address.database(settings) as url, noted():
        yield url
