"""The pipeline: landed orders to queued uploads per second, beside (a) copying the finished rows, (b) dlt, (c) pandas.

    python -m benchmarks.pipeline [--quick] [--orders N] [--rounds N]

One real PostgreSQL with fsync on (embedded). Every run has a fresh copy of the database in which the orders have landed, after a
checkpoint, with nothing of the run before left to be written; workers are processes that were started before the clock. All
runs of a round follow each other, so that a noisy machine is noisy for all of them, and the median of each ratio counts.
`cpu_us` and `postgres_cpu_us` are the processors' time an order: they hardly depend on who else is at work.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from benchmarks import pipeline_ceiling, pipeline_peers
from benchmarks.pipeline_world import configure, land
from custom_events.postgres import embedded, migrate
from custom_events.settings import Settings

TARGETS = {"of_copying": 0.4, "of_dlt": 8.0, "of_pandas": 8.0}  # issue 2, "Speed"
ORDERS, SITES, ROUNDS = 100_000, 1_000, 3
QUICK_ORDERS, QUICK_SITES = 3_000, 100
PEER_ORDERS, QUICK_PEER_ORDERS = 4_000, 500  # the peers' rates do not depend on how many there are
WORKERS = (1, 2)
BACKENDS_END_S = 5.0  # a closed connection's process has ended long before
RESULT = Path(".local/bench/pipeline.json")
_COPY_DATABASE = "CREATE DATABASE {} TEMPLATE custom_events STRATEGY file_copy"

Figures = dict[str, float]


def run(quick: bool = False, *, orders: int = ORDERS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: one small round, only to see that everything works."""
    sites = SITES
    if quick:
        orders, sites, rounds = QUICK_ORDERS, QUICK_SITES, 1
    measured: dict[str, list[Figures]] = {}
    with ExitStack() as stack:
        place = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-pipeline-", ignore_cleanup_errors=True))
        )
        server = stack.enter_context(embedded.start(place / "postgres"))
        bench = _Bench(server.url, place, orders, sites)
        bench.prepare()
        _say(f"{orders} orders of {sites} sites have landed")
        count = QUICK_PEER_ORDERS if quick else PEER_ORDERS
        for number in range(rounds):
            for workers in WORKERS:
                measured.setdefault(f"workers_{workers}", []).append(bench.drain(workers))
                measured.setdefault(f"copying_{workers}", []).append(bench.copy_back(workers))
            for name, peer in (("dlt", pipeline_peers.with_dlt), ("pandas", pipeline_peers.with_pandas)):
                with bench.database(name) as url:
                    measured.setdefault(name, []).append({"per_second": count / peer(url, count, place)})
            _say(f"round {number + 1} of {rounds}")
    result = summary(measured, orders)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def summary(measured: dict[str, list[Figures]], orders: int) -> dict[str, Any]:
    """Medians; our rate over copying's with as many connections, and over each peer's own way of running; by workers, of
    which the better counts."""
    medians = {
        name: {key: round(statistics.median(figures[key] for figures in runs), 1) for key in runs[0]}
        for name, runs in measured.items()
    }
    by_workers = {
        ratio: {
            str(workers): round(
                statistics.median(
                    ours["per_second"] / theirs["per_second"]
                    for ours, theirs in zip(measured[f"workers_{workers}"], measured[peer.format(workers)], strict=True)
                ),
                2,
            )
            for workers in WORKERS
        }
        for ratio, peer in (("of_copying", "copying_{}"), ("of_dlt", "dlt"), ("of_pandas", "pandas"))
    }
    ratios = {name: max(by_count.values()) for name, by_count in by_workers.items()}
    return {
        "orders": orders,
        "measured": medians,
        "ratios": ratios,
        "ratios_by_workers": by_workers,
        "targets": TARGETS,
        "reached": {name: ratios[name] >= target for name, target in TARGETS.items()},
    }


class _Bench:
    """One server, and on it a template database in which everything has landed."""

    def __init__(self, server_url: str, place: Path, orders: int, sites: int) -> None:
        self._server, self._place, self._orders, self._sites = server_url, place, orders, sites
        self._finished = place / "finished"
        self._number = 0

    def prepare(self) -> None:
        migrate.upgrade(self._server)
        configure(self._server, self._sites)
        land(self._server, self._orders, self._sites)

    @contextmanager
    def database(self, name: str) -> Generator[str]:
        """A copy of the template."""
        self._number += 1
        name = f"{name}_{self._number}"
        admin = self._server.replace("/custom_events?", "/postgres?")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(sql.SQL(_COPY_DATABASE).format(sql.Identifier(name)))
            connection.execute("CHECKPOINT")
        os.sync()
        yield self._server.replace("/custom_events?", f"/{name}?")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def drain(self, workers: int) -> Figures:
        """Rate and peak memory of the workers; checks that every order came through."""
        with self.database("drain") as url:
            before = self._postgres_cpu_s()
            figures = drained(url, workers, Settings.model_validate({}).batch_size)
            figures["postgres_cpu_us"] = (self._postgres_cpu_s() - before) / self._orders * 1e6
            figures["cpu_us"] = figures.pop("cpu_s") / self._orders * 1e6
            with psycopg.connect(url) as connection:
                left, outcomes = connection.execute(
                    "SELECT (SELECT count(*) FROM landing.raw_queue),"
                    " (SELECT count(*) FROM app.raw_outcomes WHERE outcome = 'understood')"
                ).fetchone() or (None, None)
            if (left, outcomes) != (0, self._orders):
                raise RuntimeError(f"{left} orders left in the queue, {outcomes} of {self._orders} understood")
            if not self._finished.exists():
                self._finished.mkdir()
                pipeline_ceiling.export(url, self._finished)
            return {"per_second": self._orders / figures.pop("seconds"), **figures}

    def copy_back(self, connections: int) -> Figures:
        with self.database("copying") as url:
            before = self._postgres_cpu_s()
            rate = self._orders / pipeline_ceiling.copy_back(url, self._finished, connections)
            return {"per_second": rate, "postgres_cpu_us": (self._postgres_cpu_s() - before) / self._orders * 1e6}

    def _postgres_cpu_s(self) -> float:
        return ended_backends_cpu_s(self._place)


def ended_backends_cpu_s(place: Path) -> float:
    """Processors' time, in seconds, of all backends of the server in `place` that have ended; waits for those of our connections, which are
    closed."""
    postmaster = psutil.Process(int((place / "postgres/data/postmaster.pid").read_text().split("\n", 1)[0]))
    deadline = time.monotonic() + BACKENDS_END_S
    while time.monotonic() < deadline and _serves(postmaster):
        time.sleep(0.02)
    times = postmaster.cpu_times()
    return times.children_user + times.children_system


def _serves(postmaster: psutil.Process) -> bool:
    """Whether a connection's process is left."""
    try:
        return any("[local]" in " ".join(child.cmdline()) for child in postmaster.children())
    except psutil.NoSuchProcess:
        return True  # one ended while we looked: look again


def environment(folder: Path) -> dict[str, str]:
    """In which programs use the product in `folder`."""
    return {**os.environ, "PYTHONPATH": str(folder)}


def drained(url: str, workers: int, batch_size: int, folder: Path | None = None) -> Figures:
    """Seconds from the start signal to the last worker's end, and of processors' time; peak memory of the largest worker; uploads
    by state. `folder`: of the build that drains; None: this one."""
    env = None if folder is None else environment(folder)
    command = [sys.executable, "-m", "benchmarks.pipeline_worker", url, str(batch_size)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=env)
        for _ in range(workers)
    ]
    for process in processes:
        if process.stdout is None or not process.stdout.readline().startswith("ready"):
            raise RuntimeError("a worker did not start")
    began = time.time()
    for process in processes:
        if process.stdin is not None:
            process.stdin.write("\n")
            process.stdin.flush()
    done = [json.loads(process.communicate(timeout=600)[0]) for process in processes]
    return {
        "seconds": max(worker["ended"] for worker in done) - began,
        "cpu_s": sum(worker["cpu_s"] for worker in done),
        "peak_mib": max(worker["peak_mib"] for worker in done),
        "queued": sum(worker["queued"] for worker in done),
        "withheld": sum(sum(worker["withheld"].values()) for worker in done),
    }


def _table(result: dict[str, Any]) -> str:
    lines = [f"{'':<12}{'orders/s':>10}{'Python us':>11}{'Postgres us':>13}{'MiB':>8}"]
    for name, figures in result["measured"].items():
        cells = (figures.get(key) for key in ("per_second", "cpu_us", "postgres_cpu_us", "peak_mib"))
        wide = zip(cells, (10, 11, 13, 8), strict=True)
        lines.append(
            f"{name:<12}" + "".join(f"{'' if cell is None else f'{cell:,.0f}':>{width}}" for cell, width in wide)
        )
    for ratio, by_workers in result["ratios_by_workers"].items():
        parts = "  ".join(f"{workers} workers: {value}" for workers, value in by_workers.items())
        verdict = "reached" if result["reached"][ratio] else "missed"
        lines.append(f"{ratio:<12}{result['ratios'][ratio]:>10}  (target {TARGETS[ratio]}, {verdict})  {parts}")
    return "\n".join(lines)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="The pipeline beside copying its rows, dlt and pandas.")
    parser.add_argument("--quick", action="store_true", help="one small round, only to see that everything works")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    print(_table(run(chosen.quick, orders=chosen.orders, rounds=chosen.rounds)))


if __name__ == "__main__":
    main()
