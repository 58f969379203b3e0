"""The trickle of latency.py while all reports are computed anew, beside the same trickle without: a build must not starve the pipeline.

    python -m benchmarks.beside_builds [--quick] [--orders N] [--rate N]

One embedded PostgreSQL with fsync and a year of orders (reading_world.py), receiver and Dagster as the product starts them. Rounds without and
with a build take turns; what is compared is the 95th percentile of all rounds of a kind. A build is dbt as Dagster's job rebuild_reports calls it,
without the data tests, of which the world made in SQL fails some; where it ends within a round, the next one is started.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from assets.analytics import NICENESS
from benchmarks import latency
from benchmarks.reading_world import fill
from custom_events.postgres import embedded, migrate
from custom_events.postgres.connect import engine
from orchestration import dbt_project

ORDERS, QUICK_ORDERS, SITES = 200_000, 3_000, 20
ROUNDS, QUICK_ROUNDS = 3, 1  # of each kind
SECONDS, QUICK_SECONDS = 60, 10  # of a round
PATIENCE_S = 1_200.0  # for a build that was started last
TARGETS: Final = {"p95 beside a build": 2.0, "lost": 0}  # issue 16, "In Dagster"
RESULT: Final = Path(".local/bench/beside_builds.json")
# The world's rows have numbers of their own: what comes through the pipeline takes those after them.
_IDENTITIES: Final = """
SELECT format('%I.%I', table_schema, table_name) AS name, column_name AS column FROM information_schema.columns
WHERE table_schema IN ('app', 'landing') AND is_identity = 'YES'
"""
_BUILT: Final = "SELECT count(*) AS tables, sum(seconds) AS seconds FROM reporting.kept_marks WHERE was_whole"


def run(quick: bool = False, *, orders: int = ORDERS, rate: int = latency.RATE_PER_S) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: a small world, only to see that everything works; `rate`: webhooks a second."""
    orders = QUICK_ORDERS if quick else orders
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    without, beside, builds = list[dict[str, Any]](), list[dict[str, Any]](), list[int]()
    with (
        tempfile.TemporaryDirectory(prefix="bench-beside-", ignore_cleanup_errors=True) as place,
        embedded.start(Path(place) / "pg") as server,
    ):
        settings = latency.settings_of(Path(place))
        migrate.upgrade(server.url)
        prepare(server.url, orders)
        store = latency.shop(server.url, settings)
        with latency.pipeline(server.url, settings) as (base, environment):
            build(environment)
            for _ in range(rounds):
                without.append(asyncio.run(latency.trickle(server.url, base, store, seconds, rate)))
                with building(environment) as counted:
                    beside.append(asyncio.run(latency.trickle(server.url, base, store, seconds, rate)))
                builds.append(counted[0])
        reader = engine(server.url)
        with reader.connect() as connection:
            last = dict(connection.execute(sa.text(_BUILT)).mappings().one())
        reader.dispose()
    alone, together = percentile(without), percentile(beside)
    ratios = {
        "p95 beside a build": round(together / alone, 2),
        "lost": sum(figures["lost"] for figures in [*without, *beside]),
    }
    result = {
        "orders": orders,
        "rate_per_s": rate,
        "without": [summary(figures) for figures in without],
        "beside": [summary(figures) for figures in beside],
        "p95_s": {"without": round(alone, 3), "beside": round(together, 3)},
        "builds": builds,
        "tables_built_whole": last["tables"],
        "build_s": float(last["seconds"] or 0),
        "ratios": ratios,
        "targets": TARGETS,
        "reached": {name: ratios[name] <= target for name, target in TARGETS.items()},
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def prepare(url: str, orders: int) -> None:
    """The world, and numbers for what comes after it."""
    writer = engine(url)
    fill(writer, orders, SITES, datetime.now(UTC).replace(microsecond=0))
    with writer.begin() as connection:
        for row in connection.execute(sa.text(_IDENTITIES)).all():
            connection.execute(
                sa.text(
                    f"SELECT setval(pg_get_serial_sequence('{row.name}', '{row.column}'),"
                    f" (SELECT coalesce(max({row.column}), 0) + 1 FROM {row.name}))"
                )
            )
    writer.dispose()


@contextmanager
def building(environment: Mapping[str, str]) -> Generator[list[int]]:
    """Computes all reports anew, again and again, until the block ends, and waits for the last; how many ended before that, as the only item."""
    is_over, counted, failures = threading.Event(), [0], list[BaseException]()

    def work() -> None:
        try:
            while not is_over.is_set():
                build(environment)
                counted[0] += not is_over.is_set()
        except BaseException as error:  # noqa: BLE001  (handed to the thread that measures)
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield counted
    finally:
        is_over.set()
        thread.join(PATIENCE_S)
    if failures:
        raise failures[0]


def build(environment: Mapping[str, str]) -> None:
    """All tables computed anew. Raises AssertionError where dbt fails."""
    project = str(dbt_project.PROJECT_DIRECTORY)
    place = str(Path(environment["CUSTOM_EVENTS_LOCAL_DIRECTORY"]) / "dbt")
    command = [
        "nice",
        f"--adjustment={NICENESS}",
        dbt_project.executable(),
        "run",
        "--full-refresh",
        "--quiet",
        "--project-dir",
        project,
        "--profiles-dir",
        project,
    ]
    command += ["--target-path", place, "--log-path", place]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"the build failed: {done.stdout[-2_000:]}")


def percentile(rounds: list[dict[str, Any]]) -> float:
    """The 95th of a hundred of all that was measured in these rounds, in seconds."""
    latencies = sorted(seconds for figures in rounds for seconds in figures["latencies_s"])
    return float(latencies[int(len(latencies) * 0.95)])


def summary(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a round."""
    return {name: value for name, value in figures.items() if name != "latencies_s"}


def report(result: Mapping[str, Any]) -> str:
    """The figures for people."""
    lines = [
        f"{result['orders']:,} orders; a build of everything took {result['build_s']:.0f} s of its tables; {result['rate_per_s']} webhooks a second"
    ]
    lines.extend(
        f"  {kind:<8} p50 {figures['p50_s']:.3f} s  p95 {figures['p95_s']:.3f} s  max {figures['max_s']:.3f} s"
        for kind in ("without", "beside")
        for figures in result[kind]
    )
    lines.append(
        f"  p95 {result['p95_s']}: {result['ratios']['p95 beside a build']} times; lost {result['ratios']['lost']}"
    )
    return "\n".join(lines)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.beside_builds", description="The pipeline beside a build of the reports."
    )
    parser.add_argument("--quick", action="store_true", help="a small world, only to see that everything works")
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders of a year, one event each")
    parser.add_argument("--rate", type=int, default=latency.RATE_PER_S, help="webhooks a second")
    chosen = parser.parse_args()
    sys.stdout.write(report(run(chosen.quick, orders=chosen.orders, rate=chosen.rate)) + "\n")


if __name__ == "__main__":
    main()
