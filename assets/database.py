"""Engines for assets: one per use, so that a run that lives for minutes holds no idle connections."""

from collections.abc import Iterator
from contextlib import contextmanager

from custom_events.postgres.connect import engine
from sqlalchemy import Connection, Engine


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine that is disposed of at the end."""
    made = engine(url)
    try:
        yield made
    finally:
        made.dispose()


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """One connection in one transaction."""
    with opened(url) as made, made.begin() as connection:
        yield connection
