"""Directories and files that nobody but the account of our programs may read."""

import os
from pathlib import Path

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
# Of the group and of others: to read or to write. Passing through is not counted, which the account of an embedded server needs
# where we are root (postgres/account.py).
_OTHERS = 0o066


def make_directory(path: Path) -> None:
    """Make a directory, and those above it that are missing, for this account alone. One that is there keeps its mode:
    it may be somebody else's, a mounted volume or /tmp. Raises OSError.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=DIRECTORY_MODE, exist_ok=True)


def is_open_to_others(path: Path) -> bool:
    """Whether another account may read or write what is at `path`; False where nothing is."""
    return path.exists() and bool(path.stat().st_mode & _OTHERS)


def open_for_appending(path: Path) -> int:
    """The descriptor of a file that is made for this account alone; one that is there keeps its mode. Raises OSError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
