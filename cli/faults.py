"""Errors as one clear line: what is wrong and what to do. Tracebacks are for `--verbose`."""

import socket
from typing import Any

import click

UNDEFINED = ("42P01", "3F000", "42703")  # SQLSTATE: no such table, schema, column
REMEDIES = {  # by how a SQLSTATE begins (PostgreSQL's appendix A)
    "28": "Check user and password of DATABASE_URL.",
    "3D000": "Check the name of the database at the end of DATABASE_URL, or make it.",
    "42501": "The login lacks a right: use the one that owns the tables, or run: custom-events doctor",
    "25006": "It only reads: name its primary server in DATABASE_URL.",
    "55P03": "Something else holds it for long: try again in a minute.",
    "40": "Something else changed the same at the same time: try again.",
    "53": "It has no room for more connections, memory or files: mend that, then try again.",
    "57": "It is being stopped or started: try again in a minute.",
    "08": "Check DATABASE_URL, or run: custom-events doctor",
}
WHERE = "`custom-events --verbose ...` with the same words shows where; `custom-events doctor` what is missing."


class TellingGroup(click.Group):
    """A group whose verbs end with one line, and exit code 1, when something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb. Errors of our own and of the database become a ClickException."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:  # whoever read along has seen enough (`... | head`): click ends without a word
            raise
        except Exception as error:
            if ctx.params.get("verbose"):
                raise
            raise click.ClickException(sentence_of(error)) from error


def sentence_of(error: Exception) -> str:
    """What an error means to the person at the terminal."""
    from custom_events.errors import CustomEventsError

    if isinstance(error, CustomEventsError):
        return str(error)
    original = getattr(error, "orig", None) or error  # SQLAlchemy wraps the driver's error
    library = type(original).__module__.partition(".")[0]
    first_line = (str(original).strip() or "no reason given").splitlines()[0].rstrip(".")
    if library in ("httpx", "httpcore"):
        return f"The server does not answer: {first_line}. Is the address of --server right, and can it be reached from here?"
    if library in ("psycopg", "asyncpg"):
        return _of_database(getattr(original, "sqlstate", None), first_line)
    if isinstance(original, OSError):
        return _of_system(original, first_line)
    return f"An error of our own: {first_line}. {WHERE}"


def _of_database(sqlstate: str | None, first_line: str) -> str:
    if sqlstate is None:
        return f"The database does not answer: {first_line}. Check DATABASE_URL, or run: custom-events doctor"
    if sqlstate in UNDEFINED:
        return f"The database lacks what this version needs ({first_line}). Run: custom-events migrate"
    remedy = next((remedy for start, remedy in REMEDIES.items() if sqlstate.startswith(start)), None)
    if remedy is not None:
        return f"The database refused: {first_line}. {remedy}"
    return f"An error of our own, the database says: {first_line}. {WHERE}"


def _of_system(error: OSError, first_line: str) -> str:
    if error.filename is not None:
        reason = error.strerror or first_line
        return f"{error.filename} cannot be read or written ({reason}): choose another place, or mend its permissions."
    if isinstance(error, (ConnectionError, TimeoutError, socket.gaierror)):  # as asyncpg raises them
        return f"The database does not answer: {first_line}. Check DATABASE_URL, or run: custom-events doctor"
    return f"This machine refused: {first_line}. {WHERE}"
