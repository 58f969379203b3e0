"""Machines in network namespaces on one database: one is cut off in the middle of its batch, and nothing is lost or doubled."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
import sqlalchemy as sa

from benchmarks import fleet_world, load, machines, machines_page, namespaces
from benchmarks.fleet import Fleet, fleet
from benchmarks.namespaces import Network
from benchmarks.posting import post_all
from benchmarks.stored_bodies import compare
from custom_events.postgres import connect

SITES, FEW = 4, 12
PATIENCE_S = 180.0
# A backend that works for the machine with this address, and waits for a lock in the middle of its batch.
IN_A_BATCH = sa.text("""
SELECT count(*) FROM pg_stat_activity WHERE host(client_addr) = :address AND wait_event_type = 'Lock' AND backend_xid IS NOT NULL
""")
OUTCOMES = sa.text("SELECT count(*), count(DISTINCT raw_id) FROM app.raw_outcomes")
ORDERS = sa.text("SELECT count(*) FROM app.orders")
HOLD = "LOCK TABLE app.custom_event_keys IN ACCESS EXCLUSIVE MODE"


def until(is_true: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


@pytest.mark.flow
@pytest.mark.usefixtures("untraced_processes")
def test_a_machine_that_is_cut_off_in_its_batch_loses_and_doubles_nothing() -> None:
    if (obstacle := namespaces.obstacle()) is not None:
        pytest.skip(obstacle)
    posts = list(fleet_world.deliveries(2 * FEW, SITES))
    with Network(2) as network, fleet(SITES, network, {}, fast=True, with_google=False) as both:
        both.start(1, ("receiver", "drain"))
        engine = connect.engine(both.url)
        with psycopg.connect(both.url) as holder:
            holder.execute(HOLD)  # the batch waits here, with its shards locked
            first = asyncio.run(post_all([both.receiver(1)], iter(posts[:FEW]), connections=2))
            until(lambda: scalar(engine, IN_A_BATCH, address=network.address_of(1)), "a batch of machine 1")
            network.cut(1)
        both.start(0, ("receiver", "drain"))
        second = asyncio.run(post_all([both.receiver(0)], iter(posts[FEW:]), connections=2))
        wait_until_drained(both)
        stored = compare(both.url, first.digests | second.digests)
        assert (stored.answered, stored.missing, stored.doubled) == (2 * FEW, 0, 0)
        with engine.connect() as connection:
            assert connection.execute(OUTCOMES).one() == (2 * FEW, 2 * FEW)
            assert connection.execute(ORDERS).scalar_one() == 2 * FEW
        engine.dispose()
        check_limits(f"postgresql://custom_events@{network.address}/custom_events")


def wait_until_drained(both: Fleet) -> None:
    """PostgreSQL ends the connection of the machine that is gone, and its shards are free."""
    until(lambda: fleet_world.waiting(both.url)[0] == 0, "the queue to be empty")


def scalar(engine: sa.Engine, statement: sa.TextClause, **values: object) -> Any:
    with engine.connect() as connection:
        return connection.execute(statement, values).scalar_one()


def check_limits(url: str) -> None:
    """Over TCP both ends notice a loss, whichever driver connects."""
    limit = sa.text("SELECT current_setting('tcp_user_timeout')")
    engine = connect.engine(url)
    limit_of_psycopg = scalar(engine, limit)
    engine.dispose()
    assert limit_of_psycopg == connect.LOST["tcp_user_timeout"]

    async def of_asyncpg() -> tuple[str, int]:
        connection = await connect.asyncpg_connect(url)
        try:
            end: socket.socket = cast("Any", connection)._transport.get_extra_info("socket")
            return await connection.fetchval(limit.text), end.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        finally:
            await connection.close()

    assert asyncio.run(of_asyncpg()) == (connect.LOST["tcp_user_timeout"], connect.LOST_AFTER_S * 1_000)


def test_where_namespaces_are_not_permitted_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machines, "obstacle", lambda: "not here")
    monkeypatch.setattr(machines, "RESULT", tmp_path / "machines.json")
    assert machines.run(quick=True)["reached"] == {}
    assert "not here" in machines.table(machines.run())


def test_a_rate_is_held_while_what_waits_is_seconds_of_work() -> None:
    assert load.is_held(100, 300, 600)
    assert not load.is_held(100, 301, 0)
    assert not load.is_held(100, 0, 601)
    assert load.percentile_ms([], 0.99) == 0.0
    assert load.percentile_ms([0.001 * number for number in range(1, 101)], 0.5) == 51.0


def test_the_page_has_a_line_for_each_round_and_a_picture(tmp_path: Path) -> None:
    google = {"accepted": 30, "not_at_google": 0, "twice_at_google": 0, "states": {"accepted": 30, "held": 6}}
    common = {"bodies": {"answered": 20, "missing": 0, "doubled": 0}, "orders": 20, "google": google, "gaps": []}
    common |= {"lost": 0, "doubled": 0}
    rounds = [
        {
            **common,
            "machines": count,
            "posted_a_second": 90.0,
            "done_a_second": 40.0 / count,
            "processor_us": {"drain": 100, "postgres": 200 * count},
        }
        for count in (1, 2)
    ]
    cut = {**common, "in_flight": True, "silences": 4, "until_done_s": 31.0}
    machines_page.write(
        tmp_path / "proof/machines.md",
        {"cores": 2, "load_before": 20.0, "deliveries": 20, "rounds": rounds, "cut_off": cut},
    )
    text = (tmp_path / "proof/machines.md").read_text()
    assert "| 2 | 90.0 | 20.0 | 0 | 100 | 0 | 400 | 0 | 0 |" in text
    assert "1.67 times" in text
    assert (tmp_path / "proof/machines.png").read_bytes().startswith(b"\x89PNG")
