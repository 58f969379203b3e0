"""The receiver: durable deliveries per second beside (a) not storing, (b) a plain app, (c) pgbench's single-row inserts.

    python -m benchmarks.receiver [--quick]

Every contender has a database of its own on one real PostgreSQL with fsync on (embedded unless --machine), its server runs the
whole time, and rounds are interleaved: in each round every contender is measured once, and the median of the rounds counts.
"""

import base64
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg
import zstandard
from psycopg import sql

from benchmarks.receiver_load import SECRET, SITES, Order, requests, serve, site_key
from benchmarks.receiver_peers import PLAIN_TABLE
from custom_events import secrets
from custom_events.postgres import embedded, migrate
from custom_events.settings import Settings
from ingest_api.groups import ZSTD_LEVEL

TARGETS = {"of_not_storing": 0.8, "of_plain_app": 20.0, "of_pgbench": 2.0}  # issue 2, "Speed"
ROUNDS = 3
SECONDS = 2.0
WARM_UP_S = 0.7
CONNECTIONS = (64, 256)
WORKERS = (1, 2)
PGBENCH_CLIENTS = 64  # single-row inserts are fastest between 32 and 128 clients (docs/reference/performance.md 1)
START_LIMIT_S = 120.0
RESULT = Path(".local/bench/receiver.json")
Figures = dict[str, float]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: one short round at 64 connections, only to see that it works."""
    rounds, seconds, warm_up_s = (1, 0.5, 0.3) if quick else (ROUNDS, SECONDS, WARM_UP_S)
    workers, connections = ((1,), (64,)) if quick else (WORKERS, CONNECTIONS)
    measured: dict[str, list[Figures]] = {}
    load_before = os.getloadavg()[0]  # above 0.5 somebody else was at work, and the figures mean little
    with ExitStack() as stack:
        place = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-receiver-", ignore_cleanup_errors=True))
        )
        server = stack.enter_context(embedded.start(place / "postgres"))
        migrate.upgrade(server.url)
        load = stack.enter_context(_Load())
        contenders = [
            stack.enter_context(_Contender(name, count, server.url, place))
            for name in ("receiver", "not_storing", "plain_app")
            for count in workers
        ]
        for contender in contenders:  # they start side by side
            contender.until_ready()
        pgbench = _database(server.url, "pgbench")
        for number in range(rounds):
            for contender in contenders:
                for clients in connections:
                    figures = load.measure(Order(contender.port, clients, seconds, warm_up_s))
                    measured.setdefault(f"{contender.label}x{clients}", []).append(figures)
            measured.setdefault("pgbench", []).append(_pgbench(pgbench, seconds + warm_up_s, place))
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    result = _result(measured, [f"{count}x{clients}" for count in workers for clients in connections])
    result["load_before"] = round(load_before, 2)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def _result(measured: dict[str, list[Figures]], cells: list[str]) -> dict[str, Any]:
    """Medians, and for each cell (workers x connections) the ratios; the best cell counts, as a site would run it."""
    medians = {
        name: {key: round(statistics.median(figures[key] for figures in runs), 2) for key in runs[0]}
        for name, runs in measured.items()
    }
    peers = {"of_not_storing": "not_storing {}", "of_plain_app": "plain_app {}", "of_pgbench": "pgbench"}
    ratios = {
        ratio: {
            cell: round(
                statistics.median(
                    ours["per_second"] / max(theirs["per_second"], 1e-9)
                    for ours, theirs in zip(measured[f"receiver {cell}"], measured[peer.format(cell)], strict=True)
                ),
                2,
            )
            for cell in cells
        }
        for ratio, peer in peers.items()
    }
    best = {ratio: max(of_cell.values()) for ratio, of_cell in ratios.items()}
    return {
        "measured": medians,
        "ratios": best,
        "ratios_by_cell": ratios,
        "targets": TARGETS,
        "reached": {ratio: best[ratio] >= target for ratio, target in TARGETS.items()},
    }


class _Load:
    """The process that makes the load."""

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join(10)

    def measure(self, order: Order) -> Figures:
        self._pipe.send(order)
        figures = self._pipe.recv()
        if figures["failed"]:
            raise RuntimeError(f"{order}: {figures['failed']:.0f} requests failed")
        return figures


class _Contender:
    """One server on a database of its own."""

    def __init__(self, name: str, workers: int, server_url: str, place: Path) -> None:
        self._name, self._workers, self._place = name, workers, place
        self.label = f"{name} {workers}"
        self.url = _database(server_url, f"{name}_{workers}")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def __enter__(self) -> Self:
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(self._place),
            "CUSTOM_EVENTS_RECEIVER_PORT": str(self.port),
            "CUSTOM_EVENTS_RECEIVER_WORKERS": str(self._workers),
            "CUSTOM_EVENTS_LOG_LEVEL": "WARNING",
        }
        _seed(self.url, self._place)
        if self._name == "plain_app":
            options = f"--factory --port {self.port} --workers {self._workers} --loop uvloop --http httptools --log-level warning"
            more = "--no-access-log --no-server-header --no-date-header --timeout-worker-healthcheck 60"
            command = ["-m", "uvicorn", "benchmarks.receiver_peers:plain", *options.split(), *more.split()]
        else:
            module = {"receiver": "ingest_api.serve", "not_storing": "benchmarks.receiver_peers"}[self._name]
            command = ["-m", module]
        self._process = subprocess.Popen([sys.executable, *command], env=environment)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def until_ready(self) -> None:
        """Until it answers anything at all, several times: with two workers both should be up."""
        deadline, answers = time.monotonic() + START_LIMIT_S, 0
        while answers < 5 * self._workers:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._name} with {self._workers} workers did not start")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()
            except urllib.error.HTTPError:
                answers += 1
            except OSError:
                time.sleep(0.1)
            else:
                answers += 1


def _database(server_url: str, name: str) -> str:
    """A fresh copy of the migrated database."""
    with psycopg.connect(server_url.replace("/custom_events?", "/postgres?"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE custom_events").format(sql.Identifier(name)))
    return server_url.replace("/custom_events?", f"/{name}?")


def _seed(url: str, place: Path) -> None:
    key = secrets.key(Settings.model_validate({"local_directory": place}))
    token = secrets.encrypt(SECRET, key)
    with psycopg.connect(url) as connection:
        connection.execute(PLAIN_TABLE)
        connection.cursor().executemany(
            "INSERT INTO app.sites (site_key, platform, name, shop_domain) VALUES (%s, 'shopify', 'Benchmark', %s)",
            [(site_key(number), f"benchmark-{number}.myshopify.com") for number in range(SITES)],
        )
        connection.execute(
            "INSERT INTO app.site_secrets (site_id, secret_encrypted) SELECT id, %s FROM app.sites", [token]
        )


def _pgbench(url: str, seconds: float, place: Path) -> Figures:
    """Peer (c): the same rows (raw event and queue), one statement and commit each, prepared; no HTTP, no signature, no dedup."""
    script = place / "insert.sql"
    script.write_text(
        "\\set site random(1, 1000)\n"
        "WITH landed AS (INSERT INTO landing.raw_events (landed_week, site_id, topic, dedup_key, delivery_id, event_id, triggered_at, "
        "api_version, signature, headers, body, body_bytes) VALUES (date_trunc('week', now() AT TIME ZONE 'UTC')::date, "
        ":site, 'orders/paid', uuid_send(gen_random_uuid()), gen_random_uuid()::text, 'e', now(), '2026-10', 'verified', "
        ":headers, decode(:body, 'base64'), :size) RETURNING landed_week, id, site_id) "
        "INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT id, landed_week, site_id FROM landed;\n"
    )
    head, body = sorted(requests()[:199], key=lambda request: len(request[1]))[99]
    head, body = (after := body.partition(b"\r\n\r\n"))[0], after[2]
    headers = json.dumps(dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line))
    values = {
        "headers": headers,
        "body": base64.b64encode(zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)).decode(),
        "size": str(len(body)),
    }
    options = [part for name, value in values.items() for part in ("-D", f"{name}={value}")]
    binary = embedded.wheel_binaries() / "pgbench"
    command = [binary, "-n", "-M", "prepared", "-c", str(PGBENCH_CLIENTS), "-j", "2", "-T", str(max(1, round(seconds)))]
    done = subprocess.run([*command, "-f", script, *options, url], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    figures = {
        line.split(" = ")[0]: line.split(" = ")[1].split()[0] for line in done.stdout.splitlines() if " = " in line
    }
    return {
        "per_second": float(figures["tps"]),
        "p50_ms": float(figures["latency average"]),
        "p99_ms": 0.0,
        "failed": 0,
    }


def table(result: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{'':24}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}"]
    for name, figures in result["measured"].items():
        lines.append(f"{name:24}{figures['per_second']:12,.0f}{figures['p50_ms']:9.1f}{figures['p99_ms']:9.1f}")
    for ratio, of_cell in result["ratios_by_cell"].items():
        cells = "  ".join(f"{cell}: {value}" for cell, value in of_cell.items())
        verdict = "reached" if result["reached"][ratio] else "NOT reached"
        lines.append(f"{ratio:16} {result['ratios'][ratio]:>6} (target {TARGETS[ratio]}, {verdict})   {cells}")
    lines.append(f"load of the machine before: {result['load_before']}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run(quick="--quick" in sys.argv[1:])))
