"""Reading after a year: the pages that each path reads at two sizes of history, and its milliseconds.

    python -m benchmarks.reading [--quick] [--orders N N] [--sites N]

One embedded PostgreSQL for each size, filled in SQL (reading_world.py). Each path runs once to be warm; then every statement that it
executes is run again by EXPLAIN (ANALYZE, BUFFERS), in a transaction that is rolled back. Pages do not depend on the machine's mood.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event

from benchmarks import reading_lists
from benchmarks.reading_world import fill
from custom_events.explain.find import trace_of
from custom_events.history.reading import reading
from custom_events.ledger import overview, progress, reconcile, waiting
from custom_events.postgres import connect, embedded, migrate
from custom_events.settings import settings as configured
from custom_events.watching import contradictions, day_figures, sums
from custom_events.watching.measure import measure
from custom_events.watching.status import status

ORDERS, QUICK_ORDERS, SITES, QUICK_SITES = (100_000, 1_500_000), (5_000, 20_000), 1_000, 50
RESULT = Path(".local/bench/reading.json")
EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
FLAT = 1.2  # pages at the larger size for one at the smaller
FEW = 300  # pages: of a site's or an account's rows, the smaller history may not fill a page of the list
# Times ten or more of history. What counts a period, or everything, is shown and has no target.
TARGETS: Final = {
    "uploads list": FLAT,
    "status": FLAT,
    "minute's watch": FLAT,
    "checks of a run": FLAT,
    "sensor of uploads": FLAT,
    "what waits, and by week": FLAT,
    "parked and withheld, by reason": FLAT,
    "who went quiet": FLAT,
    "explain of an old order": FLAT,
}


def paths(now: datetime) -> dict[str, Callable[[sa.Connection], object]]:
    """What is read, by name."""
    settings = configured()
    return {
        "uploads list": lambda connection: (
            overview.overview(connection, now),
            overview.without_account(connection),
        ),
        "status": lambda connection: status(connection, settings, now),
        "minute's watch": lambda connection: measure(connection, settings, now),
        "checks of a run": sums.tallied,
        "sensor of uploads": lambda connection: waiting.has_work(connection, now),
        "what waits, and by week": lambda connection: progress.progress(connection, now),
        "parked and withheld, by reason": sums.reasons,
        "who went quiet": lambda connection: day_figures.quiet(connection, now=now, after=timedelta(days=1)),
        "today beside last week": lambda connection: day_figures.today(connection, now=now),
        "contradictions of a day": lambda connection: contradictions.contradictions(
            connection, now - timedelta(days=1)
        ),
        "sums, counted": sums.sums,
        "reconcile of 7 days": lambda connection: reconcile.count_ours(connection, now, 8),
        "reconcile of 28 days": lambda connection: reconcile.count_ours(connection, now),
    }


def run(quick: bool = False, *, orders: tuple[int, ...] = ORDERS, sites: int = SITES) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: small worlds, only to see that everything works."""
    if quick:
        orders, sites = QUICK_ORDERS, QUICK_SITES
    now = datetime.now(UTC).replace(microsecond=0)
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for size in orders:
        with (
            tempfile.TemporaryDirectory(prefix="bench-reading-", ignore_cleanup_errors=True) as place,
            embedded.start(Path(place) / "postgres", fast=True) as server,
        ):
            migrate.upgrade(server.url)
            engine = connect.engine(server.url)
            fill(engine, size, sites, now)
            _say(f"{size:,} orders of {sites:,} sites are stored")
            for name, path in {**paths(now), **reading_lists.paths(now)}.items():
                measured.setdefault(name, {})[str(size)] = explained(engine, path)
            engine.dispose()
            measured.setdefault("explain of an old order", {})[str(size)] = asyncio.run(
                story(server.url, str(size // 20))
            )
    result = summary(measured, orders)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def summary(measured: dict[str, dict[str, dict[str, float]]], orders: tuple[int, ...]) -> dict[str, Any]:
    """How many times the pages of the smallest size each path reads at the largest."""
    small, large = str(orders[0]), str(orders[-1])
    targets = {**TARGETS, **{name: FLAT for name in measured if name.startswith(("list:", "search:"))}}
    ratios = {
        name: round(by_size[large]["pages"] / max(by_size[small]["pages"], 1), 2) for name, by_size in measured.items()
    }
    pages = {name: by_size[large]["pages"] for name, by_size in measured.items()}
    reached = {name: ratios[name] <= target or pages[name] <= FEW for name, target in targets.items()}
    return {"orders": orders, "measured": measured, "ratios": ratios, "targets": targets, "reached": reached}


def explained(engine: sa.Engine, path: Callable[[sa.Connection], object]) -> dict[str, float]:
    """What the statements of a path read and take."""
    taken = statements(engine, path)
    with engine.connect() as connection:
        plans = [connection.exec_driver_sql(EXPLAIN + statement, values).scalar_one()[0] for statement, values in taken]
        connection.rollback()
    return _figures(plans)


def statements(engine: sa.Engine, path: Callable[[sa.Connection], object]) -> list[tuple[str, Any]]:
    """What a path executes, with its parameters; nothing of it stays."""
    noted: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        noted.append((statement, values))

    with engine.connect() as connection:
        path(connection)  # warm
        connection.rollback()
        event.listen(engine, "before_cursor_execute", note)
        try:
            path(connection)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        connection.rollback()
    return noted


def _figures(plans: list[dict[str, Any]]) -> dict[str, float]:
    pages = sum(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] for plan in plans)
    ms = sum(plan["Execution Time"] + plan["Planning Time"] for plan in plans)
    return {"pages": pages, "ms": round(ms, 1), "planning_ms": round(sum(plan["Planning Time"] for plan in plans), 1)}


class _Noted:
    """A connection that remembers what it was asked."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._connection.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._connection.fetchrow(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._connection.fetchval(statement, *values)


async def story(url: str, order_id: str) -> dict[str, float]:
    """The same of one order, told on a connection of its own."""
    async with reading(url, once=True) as connection:
        noted: Any = _Noted(connection)
        await trace_of(noted, order_id)
        plans = [
            json.loads(await connection.fetchval(EXPLAIN + statement, *values))[0] for statement, values in noted.asked
        ]
    return _figures(plans)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _table(result: dict[str, Any]) -> str:
    sizes = [str(size) for size in result["orders"]]
    lines = [f"{'':<50}" + "".join(f"{int(size):>12,} orders" + f"{'ms':>9}" for size in sizes) + f"{'times':>8}"]
    for name, by_size in result["measured"].items():
        figures = "".join(f"{by_size[size]['pages']:>13,.0f} pages{by_size[size]['ms']:>9,.1f}" for size in sizes)
        target = (
            f"  (target {result['targets'][name]}, {'reached' if result['reached'][name] else 'MISSED'})"
            if name in result["targets"]
            else ""
        )
        lines.append(f"{name:<50}{figures}{result['ratios'][name]:>8}{target}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--orders", type=int, nargs=2, default=ORDERS, help="5000000 shows five million")
    parser.add_argument("--sites", type=int, default=SITES, help="and as many ads accounts")
    options = parser.parse_args()
    print(_table(run(options.quick, orders=tuple(options.orders), sites=options.sites)))


if __name__ == "__main__":
    main()
