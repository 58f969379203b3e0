"""One filled world for all tests of this folder: its sources are exported and its marts built once in a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from custom_events.postgres import connect
from dbt_staging import parquet_export
from tests.analytics import shops
from tests.conftest import fresh
from tests.world import World


@pytest.fixture(scope="session")
def shops_url(postgres_url: str, _template: str) -> Iterator[str]:
    """URL of a database with the shops of `shops.py`; tests only read it."""
    for url in fresh(postgres_url, _template):
        engine = connect.engine(url, name="tests")
        try:
            shops.fill(World(url, engine))
        finally:
            engine.dispose()
        yield url


@pytest.fixture(scope="session")
def shops_engine(shops_url: str) -> Iterator[sa.Engine]:
    made = connect.engine(shops_url, name="tests")
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def parquet(shops_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the Parquet files of its sources."""
    directory = tmp_path_factory.mktemp("parquet")
    parquet_export.export(shops_url, directory)
    return directory
