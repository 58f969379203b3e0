"""Errors as one clear line: what is wrong and what to do. Tracebacks are for `--verbose`."""

from typing import Any

import click

UNDEFINED = ("42P01", "3F000", "42703")  # SQLSTATE: no such table, schema, column


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
    first_line = (str(original).strip() or type(original).__name__).splitlines()[0]
    if library in ("psycopg", "asyncpg"):
        if getattr(original, "sqlstate", None) in UNDEFINED:
            return f"The database lacks what this version needs ({first_line}). Run: custom-events migrate"
        if getattr(original, "sqlstate", None) is None:
            return f"The database does not answer: {first_line}. Check DATABASE_URL, or run: custom-events doctor"
    return f"{type(original).__name__}: {first_line} (`custom-events --verbose ...` shows where)"
