"""Kept tables over the planted people of tests/redaction: three stores, receiver, drain, sandbox and requests to forget."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.redaction.conftest import (
    _ingestion,  # noqa: F401  fixtures that the others ask for
    _services,  # noqa: F401
    clock,  # noqa: F401
    google,  # noqa: F401
    lanes,  # noqa: F401
    ledger,  # noqa: F401
    planted,  # noqa: F401
)
from tests.warehouse import Warehouse


@pytest.fixture
def warehouse(database: str, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """dbt on the test's database."""
    return Warehouse(database, engine, tmp_path, monkeypatch)
