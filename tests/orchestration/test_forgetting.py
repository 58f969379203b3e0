"""The nightly job forgets people, and Dagster is told counts only."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from custom_events.settings import settings
from orchestration import jobs
from tests.world import World, paid_order

EMAIL = "annelotte.vonderplanitz@example.org"


@pytest.fixture(autouse=True)
def _own_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUSTOM_EVENTS_SECRET_KEY", Fernet.generate_key().decode())
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_dagster_is_told_counts_only(database: str, engine: sa.Engine, capfd: Any) -> None:
    world = World(database, engine)
    site = world.site()
    customer = {"id": 615243987, "email": EMAIL}
    world.land(site, "orders/paid", paid_order(1615243987, customer=customer, email=EMAIL))
    world.land(site, "customers/redact", {"customer": customer, "orders_to_redact": [1615243987]})
    world.land(site, "customers/redact", {})
    world.drain()
    told = []
    for _ in range(2):
        context = dg.build_op_context()
        jobs.forget_people(context, database_url=database)
        told.append(context.get_output_metadata("result"))
    assert {name: told[0][name] for name in ("done", "waiting", "quarantine")} == {
        "done": 1,
        "waiting": 1,
        "quarantine": 0,
    }
    assert told[1] == {"done": 0, "waiting": 1, "rows": 0, "quarantine": 0}
    captured = capfd.readouterr()
    said = f"{told} {captured.out} {captured.err}"
    assert "names nobody" in said, "what a person must do is logged"
    for trace in ("615243987", "annelotte", "example.org"):
        assert trace not in said.lower()
