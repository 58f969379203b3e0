"""Whether others than this machine reach the console, and what must be in place before they do."""

from urllib.parse import urlsplit

import sqlalchemy as sa

from custom_events import secrets
from custom_events.queries.people import has_administrator
from custom_events.settings import Settings, variable_of
from custom_events.values.hosts import is_local


def is_public(settings: Settings) -> bool:
    """Whether others may reach the console: it listens where they do, or is told to be found elsewhere than here."""
    return not (is_local(settings.console_host) and is_local(urlsplit(settings.console_url).hostname or ""))


def figures_are_open(settings: Settings, host: str) -> bool:
    """Whether figures need no login. `host`: as the request names us; a page of elsewhere that a name server leads here names another."""
    if settings.console_figures_open is not None:
        return settings.console_figures_open
    return not is_public(settings) and is_local(urlsplit(f"//{host}").hostname or "")


def problem(connection: sa.Connection, settings: Settings) -> str | None:
    """What must be done before others reach the console, as sentences; None where nothing must, or they do not."""
    if not is_public(settings):
        return None
    if not settings.console_url.startswith("https://"):
        return (
            f"The console is reached by others, and passwords would cross the net in clear: {variable_of('console_url')} is "
            f"{settings.console_url}. Put a proxy with TLS before it and set that to its https address, or listen on 127.0.0.1."
        )
    if not has_administrator(connection):
        return (
            "The console is reached by others, and there is no administrator yet. "
            "Make one: custom-events user add you@example.org --role administrator"
        )
    return secrets.public_problem(settings)
