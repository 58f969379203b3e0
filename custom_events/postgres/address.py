"""Where the database is: DATABASE_URL, else the embedded server."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

from custom_events.errors import InvalidConfiguration
from custom_events.postgres import embedded
from custom_events.settings import Settings
from custom_events.values.hosts import is_local

DIRECTORY = "postgres"  # of the embedded server, inside settings.local_directory


@contextmanager
def database(settings: Settings) -> Generator[str]:
    """A libpq URL (`postgresql://...`) of the database, usable until the end of the block.

    Without DATABASE_URL the embedded server is started, or attached to if it runs; the last one to leave stops it.
    Raises InvalidConfiguration for a DATABASE_URL of another kind, NeedsAction when the embedded server does not start.
    """
    if settings.database_url is not None:
        yield libpq(settings.database_url.get_secret_value())
        return
    with embedded.start(settings.local_directory / DIRECTORY) as server:
        yield server.url


def transport_problem(url: str) -> str | None:
    """Why somebody on the way to the database could read or change what goes there, and what to do; None: nobody can, or it is here.

    Only `verify-full` compares the certificate with the name: `require` encrypts for whoever answers.
    """
    parts = urlsplit(libpq(url))
    query = dict(parse_qsl(parts.query))
    hosts = [host for host in (parts.hostname or query.get("host", "")).split(",") if host]
    afar = [host for host in hosts if not host.startswith("/") and not is_local(host)]
    mode = query.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    if not afar or mode == "verify-full":
        return None
    return (
        f"The way to {afar[0]} is not verified (sslmode={mode}). Put sslmode=verify-full into the address, and sslrootcert=system or the "
        "file of the server's authority beside it; dbt and every program take it from there."
    )


def libpq(url: str, *, variable: str = "DATABASE_URL") -> str:
    """`url` in the spelling that libpq and asyncpg share: SQLAlchemy's driver name and Heroku's `postgres:` are accepted. `variable`: where it was set."""
    match = re.match(r"(?:postgres|postgresql)(?:\+\w+)?://", url)
    if match is None:
        raise InvalidConfiguration("must begin with postgresql://", path=variable)
    try:
        is_readable = urlsplit(url).port != 0
    except ValueError:
        is_readable = False
    if not is_readable:  # what was read as its port may be a part of the password, and is not shown
        raise InvalidConfiguration(
            "its port is no number from 1 to 65535, or its host cannot be read (postgresql://user:password@host:5432/name). "
            "In a password, write / as %2F, : as %3A, @ as %40 and # as %23",
            path=variable,
        )
    return "postgresql://" + url[match.end() :]
