"""Nothing lost, nothing doubled, no order of arrival: promises 1 to 3 (docs/architecture.md 5), on a real database."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.pipeline import batch, drain
from custom_events.pipeline.batch_figures import DrainFigures
from custom_events.postgres import connect

InWorld = Callable[[Callable[[Any], Any]], None]
WAIT_S = 60.0

WORKER = """
import sys
import structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
from custom_events.pipeline.drain import drain_sync
from custom_events.settings import Settings
print("ready", flush=True)
drain_sync(sys.argv[1], Settings(batch_size=int(sys.argv[2]), drain_poll_s=0.05), until_idle_s=float(sys.argv[3]), limit_s=60,
           on_batch=lambda batch: print(batch.raw, flush=True))
"""


def worker(url: str, batch_size: int, until_idle_s: float = 0.0) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WORKER, url, str(batch_size), str(until_idle_s)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "."})
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


async def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"waited {WAIT_S} s for {what}"
        await asyncio.sleep(0.01)
    return found


TOTALS = """
SELECT (SELECT count(*) FROM landing.raw_queue), (SELECT count(*) FROM app.raw_outcomes WHERE outcome = 'understood'),
       (SELECT count(*) FROM app.commerce_events), (SELECT count(*) FROM app.orders), (SELECT count(*) FROM app.custom_events),
       (SELECT count(*) FROM app.conversion_uploads WHERE state = 'queued'), (SELECT count(*) FROM app.upload_keys)
"""


@pytest.mark.usefixtures("untraced_processes")
def test_killed_in_the_middle_of_a_batch_nothing_is_lost_and_nothing_doubled(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        orders = 60
        for number in range(orders):
            world.land(site, "orders/paid", order(number + 1))
        # A lock on the last table that a batch writes: the worker has claimed, copied and matched, and waits to go on.
        blocker = await connect.asyncpg_connect(world.url)
        await blocker.execute("BEGIN; LOCK TABLE app.raw_outcomes IN EXCLUSIVE MODE")
        victim = worker(world.url, batch_size=20)
        stuck = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'app.raw_outcomes'::regclass"
        await until(lambda: world.value(stuck), "the worker to reach the last table")
        victim.send_signal(signal.SIGKILL)
        victim.communicate(timeout=WAIT_S)
        await blocker.close()
        await until(
            lambda: world.value("SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')"),
            "its locks to go",
        )
        assert await world.rows(TOTALS) == [(orders, 0, 0, 0, 0, 0, 0)]
        second = worker(world.url, batch_size=20)
        second.communicate(timeout=WAIT_S)
        assert second.returncode == 0
        assert await world.rows(TOTALS) == [(0, orders, 2 * orders, orders, orders, orders, orders)]

    in_world(test)


@pytest.mark.usefixtures("untraced_processes")
def test_two_workers_share_a_backlog_exactly(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        orders, sites = 120, 6
        ids = [world.site(f"shop{number}") for number in range(sites)]
        action = world.action()
        definition = await world.value(
            "SELECT definition_id FROM app.site_custom_events WHERE id = $1",
            world.rule(ids[0], ads_action=action),
        )
        for site in ids[1:]:
            world.assignment(site, definition, "", ads_action=action)
        for number in range(orders):
            world.land(ids[number % sites], "orders/paid", order(number // 2 + 1 + 1000 * (number % sites)))
        workers = [worker(world.url, batch_size=15) for _ in range(2)]
        told = [one.communicate(timeout=WAIT_S)[0].split() for one in workers]
        assert [one.returncode for one in workers] == [0, 0]
        assert sum(int(raw) for lines in told for raw in lines) == orders
        different = await world.value("SELECT count(DISTINCT (site_id, order_id)) FROM app.orders")
        assert await world.rows(TOTALS) == [(0, orders, 2 * different, different, different, different, different)]

    in_world(test)


SITES = count()
TOPICS = ["orders/create", "orders/paid", "orders/updated", "orders/cancelled", "orders/fulfilled", "refunds/create"]


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Bodies of one or two orders, as a store may send them; each is (topic, what differs from a paid order)."""
    bodies: list[tuple[str, dict[str, Any]]] = []
    for order_id in range(1, draw(st.integers(1, 2)) + 1):
        for _ in range(draw(st.integers(1, 4))):
            topic = draw(st.sampled_from(TOPICS))
            bodies.append(
                (
                    topic,
                    {
                        "order": order_id,
                        "minutes": draw(st.integers(0, 3)),
                        "refunds": draw(st.sets(st.integers(1, 3), max_size=2)),
                        "status": draw(st.sampled_from(["pending", "paid", "partially_refunded"])),
                    },
                )
            )
    return bodies


def body_of(topic: str, told: dict[str, Any], order: Any, noon: Any) -> dict[str, Any]:
    at = (noon + timedelta(minutes=told["minutes"])).isoformat()
    refunds = [
        {"id": told["order"] * 10 + number, "order_id": told["order"], "created_at": noon.isoformat(),
         "transactions": [{"amount": f"{number}.00", "kind": "refund", "status": "success", "currency": "EUR"}]}
        for number in sorted(told["refunds"])
    ]  # fmt: skip
    if topic == "refunds/create":
        return refunds[0] if refunds else {"id": told["order"] * 10, "order_id": told["order"], "created_at": at}
    cancelled = at if topic == "orders/cancelled" else None
    return order(told["order"], updated_at=at, financial_status=told["status"], refunds=refunds, cancelled_at=cancelled)


RESULT = {
    "events": "SELECT key, occurred_at, evidence_at FROM app.event_keys WHERE site_id = $1 ORDER BY 1",
    "contents": """SELECT key, regexp_replace(facts::text, '"raw_id":[0-9]+', '', 'g'), packed FROM app.commerce_events WHERE site_id = $1 ORDER BY 1""",
    "orders": "SELECT order_id, number, ordered_at, state_at, status, financial_status, paid_at, cancelled_at, total, refunded,"
    " customer_key FROM app.orders WHERE site_id = $1 ORDER BY 1",
    "refunds": "SELECT order_id, refund_id, amount, currency, refunded_at FROM app.order_refunds WHERE site_id = $1 ORDER BY 1, 2",
    "customers": "SELECT customer_key, first_seen_at FROM app.customers WHERE site_id = $1",
    "custom_events": "SELECT s.label, e.dedup_key FROM app.custom_events e JOIN app.site_custom_events s ON s.id = e.assignment_id"
    " WHERE e.site_id = $1 AND e.withdrawn_at IS NULL ORDER BY 1, 2",
}


def test_any_order_and_any_batching_gives_the_same(in_world: InWorld, order: Any, noon: Any) -> None:
    async def told_to(world: Any, definitions: list[int], batches: list[list[tuple[str, Any]]]) -> dict[str, Any]:
        site = world.site(f"shop{next(SITES)}")
        for definition in definitions:
            world.assignment(site, definition, f"d{definition}")
        for bodies in batches:
            for topic, told in bodies:
                world.land(site, topic, body_of(topic, told, order, noon))
            await world.batch()
        return {name: await world.rows(query, site) for name, query in RESULT.items()}

    async def test(world: Any) -> None:
        site = world.site("first")
        for key, config in {
            "purchase": {},
            "cancelled": {"trigger": ["order.cancelled"]},
            "refund": {"trigger": ["order.refunded"], "dedup": {"per": "event"}},
            "customer": {"trigger": ["order.created"], "dedup": {"per": "customer"}},
        }.items():
            world.rule(site, key, **config)
        definitions = [row[0] for row in await world.rows("SELECT id FROM app.custom_event_definitions ORDER BY id")]
        loop = asyncio.get_running_loop()

        @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(bodies=stories(), data=st.data())
        def law(bodies: list[tuple[str, Any]], data: st.DataObject) -> None:
            other = data.draw(st.permutations(bodies))
            cut = data.draw(st.integers(0, len(other)))
            both = (
                told_to(world, definitions, [bodies]),
                told_to(world, definitions, [other[:cut], other[cut:]]),
                told_to(world, definitions, [[one] for one in reversed(bodies)]),
            )
            together, split, single = (asyncio.run_coroutine_threadsafe(one, loop).result(WAIT_S) for one in both)
            assert split == together
            assert single == together

        await asyncio.to_thread(law)

    in_world(test)


class Poisoned(Exception):
    """What a row provokes that nobody thought of."""


@pytest.mark.parametrize("stage", ["writing", "matching"])
def test_a_poison_row_is_parked_and_the_others_go_through(
    in_world: InWorld, order: Any, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        for number in range(1, 12):
            world.land(site, "orders/paid", order(number))
        if stage == "matching":
            match = batch.match_events

            async def picky(connection: Any, compiled_rules: Any, site_events: Any, *more: Any) -> Any:
                if any(found.event.order_id == "7" for found in site_events):
                    raise Poisoned
                return await match(connection, compiled_rules, site_events, *more)

            monkeypatch.setattr(batch, "match_events", picky)
        else:  # Postgres refuses what understanding let through
            await world.connection.execute(
                "ALTER TABLE app.commerce_events ADD CONSTRAINT no_seven CHECK (order_id IS DISTINCT FROM '7')"
            )
        figures = await world.batch()
        assert figures.raw == 11
        assert figures.parked == {"internal_error": 1}
        assert figures.queued == 10
        error = "Poisoned" if stage == "matching" else "CheckViolationError"
        assert await world.rows("SELECT detail FROM app.raw_outcomes WHERE outcome = 'parked'") == [(error,)]
        assert await world.value("SELECT count(*) FROM app.orders") == 10
        assert await world.value("SELECT count(*) FROM landing.raw_queue") == 0

    in_world(test)


def test_a_transaction_that_another_worker_took_meanwhile_is_seen_at_the_second_try(
    in_world: InWorld, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        other = await connect.asyncpg_connect(world.url)
        action = await world.value("SELECT id FROM app.ads_actions")
        write = batch.uploads.write

        async def late(*args: Any) -> None:
            await other.execute(
                "INSERT INTO app.upload_keys VALUES ($1, $2, 0, 99, now()) ON CONFLICT DO NOTHING", action, f"{site}-1"
            )
            await write(*args)

        monkeypatch.setattr(batch.uploads, "write", late)
        figures = await world.batch()
        assert figures.withheld == {"same_transaction_other_assignment": 1}
        await other.close()

    in_world(test)


def test_failures_of_the_server_are_nobody_s_fault_and_leave_everything_waiting(
    in_world: InWorld, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.land(site, "orders/paid", order(1))
        for error in (asyncpg.AdminShutdownError("gone"), asyncpg.InterfaceError("closed"), OSError("reset")):

            async def failing(*_args: Any, error: Exception = error, **_options: Any) -> Any:
                raise error

            monkeypatch.setattr(batch, "process", failing)
            with pytest.raises(type(error)):
                await world.batch()
            assert await world.value("SELECT count(*) FROM landing.raw_queue") == 1

    in_world(test)


def test_what_collides_again_and_again_is_parked(
    in_world: InWorld, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.land(site, "orders/paid", order(1))

        async def colliding(*_args: Any) -> Any:
            raise asyncpg.UniqueViolationError("again")

        monkeypatch.setattr(batch, "process", colliding)
        assert (await world.batch()).parked == {"internal_error": 1}

    in_world(test)


def test_figures_of_a_run_add_up(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        for number in range(1, 6):
            world.land(site, "orders/paid", order(number))
        world.settings.batch_size = 2
        seen: list[int] = []
        figures = await drain.drain(
            world.url, world.settings, until_idle_s=0, limit_s=WAIT_S, on_batch=lambda one: seen.append(one.raw)
        )
        assert (figures.raw, figures.new_events, figures.batches) == (5, 10, len(seen))
        assert sum(seen) == 5
        assert figures.events_per_s > 0
        assert DrainFigures().events_per_s == 0
        assert json.dumps(figures.events)

    in_world(test)
