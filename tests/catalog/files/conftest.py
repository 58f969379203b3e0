from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from custom_events.catalog.files import apply, folder, plan, stored
from custom_events.catalog.files.plan import Plan, Step
from custom_events.catalog.seed import seed_system_definitions
from tests.catalog.conftest import ME

NOW = datetime(2026, 11, 22, tzinfo=UTC)
Write = Callable[..., Path]


@pytest.fixture
def seeded(connection: sa.Connection) -> sa.Connection:
    seed_system_definitions(connection)
    return connection


@pytest.fixture
def rules(tmp_path: Path) -> Write:
    """`rules(**{"sites/shop-key-1": "..."})`: a folder with these files, beside those of before."""
    folder.write(tmp_path, {})

    def write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def planned(connection: sa.Connection, directory: Path) -> Plan:
    return plan.make(stored.read(connection), folder.read(directory))


def applied(
    connection: sa.Connection, directory: Path, *, author: str = ME, by: str = ME, reason: str = "test"
) -> tuple[Step, ...]:
    made = planned(connection, directory)
    assert made.can_be_applied, [str(finding) for finding in made.findings]
    return apply.apply(connection, apply.load(apply.save(made, author=author, reason=reason, now=NOW)), by=by)
