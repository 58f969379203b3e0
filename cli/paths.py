"""Files and folders that people name: what cannot be read or written ends with a sentence that names it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Within the block `path`, or something in it, is written. Raises ClickException."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or path} cannot be written ({reason(error)}): choose another place, or mend its permissions."
        ) from error


@contextmanager
def readable(path: Path) -> Generator[None]:
    """Within the block `path`, or something in it, is read. Raises ClickException."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or path} cannot be read ({reason(error)}): name another one, or mend its permissions."
        ) from error


def reason(error: OSError) -> str:
    """Why, in the words of the system."""
    return error.strerror or str(error) or "no reason given"
