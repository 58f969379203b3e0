"""Engines for assets: one per use, so that a run that lives for minutes holds no idle connections."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from custom_events.postgres import schema_guard


@contextmanager
def opened(url: str) -> Generator[Engine]:
    """An engine that is disposed of at the end; where the database is of another version than this program, its transactions raise NeedsAction."""
    engine = schema_guard.engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def reading(url: str) -> Generator[Connection]:
    """One connection in one transaction."""
    with opened(url) as engine, engine.begin() as connection:
        yield connection
