"""The management API beside the statements that it runs.

    python -m benchmarks.api [--quick] [--sites N] [--assignments N] [--events N] [--seconds S]

One embedded PostgreSQL with a world made in SQL, and the console as a process, asked over HTTP by 16 clients from another one. Beside it the same
statement, run by 16 threads of one process directly on a pool of the same size. Lists: the page that is 1,000 pages on beside the
first. Memory: of the console's process, before and after 100 sessions are used once and stay open.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
import sqlalchemy as sa

from benchmarks import api_load
from benchmarks.api_load import Load, request
from benchmarks.reading_world import OPEN_ROWS, fill
from console.api.serving import AT_ONCE
from custom_events.access import api_keys, people, sessions
from custom_events.access.roles import Grant, Role
from custom_events.postgres import connect, embedded, migrate
from custom_events.queries import assignments as assignment_queries
from custom_events.queries import sites as site_queries
from custom_events.settings import settings as read_settings

RESULT: Final = Path(".local/bench/api.json")
CLIENTS: Final = 16
FULL: Final = {"sites": 10_000, "assignments": 50_000, "events": 5_000_000, "seconds": 8.0}
QUICK: Final = {"sites": 200, "assignments": 1_000, "events": 5_000, "seconds": 1.0}
FAR: Final = 1_000  # pages
SESSIONS: Final = 100
ROUNDS: Final = 3  # each figure is the median of
TARGETS: Final = {"read of a site": 0.5, "read of an assignment": 0.5, "p95 of a site": 10.0, "pages": 1.2}
LISTS: Final = {
    "sites": "/api/v1/sites?limit=10",
    "assignments": "/api/v1/assignments?limit=50&fields=id,label",
    "commerce events": "/api/v1/commerce-events?limit=100",
    "uploads": "/api/v1/uploads?limit=100",
}
MORE_ASSIGNMENTS: Final = """
INSERT INTO app.site_custom_events (id, site_id, definition_id, label) OVERRIDING SYSTEM VALUE
  SELECT :sites + n, 1 + n % :sites, 1, 'more-' || n FROM generate_series(1, :more) n;
INSERT INTO app.assignment_revisions (id, assignment_id, number, state, overrides, author, published_at) OVERRIDING SYSTEM VALUE
  SELECT :sites + n, :sites + n, 1, 'published', '{}', 'bench', '2020-01-01' FROM generate_series(1, :more) n
"""
UPDATE: Final = sa.text("UPDATE app.sites SET name = :name, updated_at = now() WHERE id = :id")


def run(sizes: dict[str, float]) -> dict[str, Any]:
    """Measure and write RESULT; its content."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-api-", ignore_cleanup_errors=True) as place,
        embedded.start(Path(place) / "postgres") as server,
    ):
        migrate.upgrade(server.url)
        engine = connect.engine(server.url, name="bench")
        store(engine, sizes)
        with engine.begin() as connection:
            key = api_keys.make(connection, name="bench", grants=(Grant(role=Role.ADMINISTRATOR),), actor="bench")[1]
        _say(
            f"{sizes['events']:,.0f} events of {sizes['sites']:,.0f} sites, {sizes['assignments']:,.0f} assignments are stored"
        )
        with console(server.url, Path(place)) as (port, process):
            result = measure(engine, port, process, key, sizes)
        engine.dispose()
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def store(engine: sa.Engine, sizes: dict[str, float], *, open_rows: int = OPEN_ROWS) -> None:
    """A year of so many events and sites, with more assignments than the one of each site; `open_rows` of the ledger wait."""
    sites, more = int(sizes["sites"]), int(sizes["assignments"] - sizes["sites"])
    fill(engine, int(sizes["events"]), sites, datetime.now(UTC).replace(microsecond=0), open_rows)
    with engine.begin() as connection:
        for statement in MORE_ASSIGNMENTS.split(";\n"):
            connection.execute(sa.text(statement), {"sites": sites, "more": more})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE) app.site_custom_events, app.assignment_revisions"))


def measure(engine: sa.Engine, port: int, process: psutil.Process, key: str, sizes: dict[str, float]) -> dict[str, Any]:
    """All figures of a running console."""
    sites, assignments, seconds = int(sizes["sites"]), int(sizes["assignments"]), sizes["seconds"]
    pool = connect.engine(connect.libpq_url(engine), name="bench pool", kept=AT_ONCE)  # as the console has it
    memory = memory_of_sessions(engine, port, process)  # first: what is measured later leaves its own behind

    def ids(most: int) -> list[int]:
        return [1 + n * 7_919 % most for n in range(2_000)]

    def site(number: int) -> None:
        with pool.begin() as connection:
            site_queries.by_id(connection, 1 + number * 7_919 % sites)

    def assignment(number: int) -> None:
        with pool.begin() as connection:
            values = {"assignment_id": 1 + number * 7_919 % assignments}
            connection.exec_driver_sql(assignment_queries.CURRENT, values).one()

    def write(number: int) -> None:
        with pool.begin() as connection:
            connection.execute(UPDATE, {"name": f"Renamed {number}", "id": 1 + number * 7_919 % sites})

    def patch(number: int, id_: int) -> bytes:
        body = json.dumps({"name": f"Renamed {number}"}).encode()
        return request("PATCH", f"/api/v1/sites/{id_}", key, body, If_Match="*")

    compared: dict[str, tuple[list[bytes], Callable[[int], None] | None]] = {
        "read of a site": ([request("GET", f"/api/v1/sites/{site_id}", key) for site_id in ids(sites)], site),
        "read of an assignment": (
            [request("GET", f"/api/v1/assignments/{assignment_id}", key) for assignment_id in ids(assignments)],
            assignment,
        ),
        "write of a site": ([patch(number, site_id) for number, site_id in enumerate(ids(sites))], write),
        "explanation": (
            [
                request("GET", f"/api/v1/explanations?subject=order.paid:{event_id}", key)
                for event_id in ids(int(sizes["events"]))
            ],
            None,
        ),
    }
    measured = {name: beside(port, process, requests, bare, seconds) for name, (requests, bare) in compared.items()}
    pool.dispose()
    pages = {name: pages_of(port, path, key) for name, path in LISTS.items()}
    ratios = {name: figures["ratio"] for name, figures in measured.items() if "ratio" in figures}
    site_figures = measured["read of a site"]
    ratios["p95 of a site"] = round(site_figures["p95_ms"] / site_figures["bare_median_ms"], 2)
    ratios["pages"] = max(page["times"] for page in pages.values())
    reached = {
        name: ratios[name] <= target if name in ("p95 of a site", "pages") else ratios[name] >= target
        for name, target in TARGETS.items()
    }
    return {
        "sizes": sizes,
        "measured": measured,
        "pages": pages,
        "memory_of_100_sessions_mb": memory,
        "ratios": ratios,
        "targets": TARGETS,
        "reached": reached,
    }


def beside(
    port: int, process: psutil.Process, requests: list[bytes], bare: Callable[[int], None] | None, seconds: float
) -> dict[str, float]:
    """An operation, and the statement beside it, one after the other in each round. Processor's time, of the console for an answer and of
    this process for a statement, says on a busy machine what rates do not."""
    loads, bares = list[Load](), list[Load]()
    costs, bare_costs = list[float](), list[float]()
    api_load.run(port, requests, CLIENTS, seconds / 4)  # warm
    for _ in range(ROUNDS):
        before = _processor_s(process)
        loads.append(api_load.run(port, requests, CLIENTS, seconds))
        costs.append((_processor_s(process) - before) / len(loads[-1].latencies_ms))
        if bare is not None:
            before = _processor_s(psutil.Process())
            bares.append(api_load.run_threads(bare, CLIENTS, seconds))
            bare_costs.append((_processor_s(psutil.Process()) - before) / len(bares[-1].latencies_ms))
    figures = {
        "processor_us": round(1e6 * statistics.median(costs)),
        "per_s": round(statistics.median(load.per_s for load in loads), 1),
        "median_ms": round(statistics.median(_quantile(load, 0.5) for load in loads), 2),
        "p95_ms": round(statistics.median(_quantile(load, 0.95) for load in loads), 2),
    }
    if bares:
        figures["bare_per_s"] = round(statistics.median(load.per_s for load in bares), 1)
        figures["bare_median_ms"] = round(statistics.median(_quantile(load, 0.5) for load in bares), 2)
        figures["ratio"] = round(figures["per_s"] / figures["bare_per_s"], 2)
        figures["bare_processor_us"] = round(1e6 * statistics.median(bare_costs))
    return figures


def pages_of(port: int, path: str, key: str) -> dict[str, float]:
    """Milliseconds of the first page and of the one `FAR` pages on, or of the last that is full; alternately, and their ratio."""
    after, far, number = None, path, 1
    for page in range(1, FAR):
        listed = _get(port, path if after is None else f"{path}&after={after}", key)
        after = listed["next"]
        if after is None:
            break
        far, number = f"{path}&after={after}", page + 1
    firsts, fars = list[float](), list[float]()
    for _ in range(40):
        for address, taken in ((path, firsts), (far, fars)):
            at = time.perf_counter()
            _get(port, address, key)
            taken.append(1_000 * (time.perf_counter() - at))
    first, last = statistics.median(firsts), statistics.median(fars)
    return {"page": number, "first_ms": round(first, 2), "far_ms": round(last, 2), "times": round(last / first, 2)}


def memory_of_sessions(
    engine: sa.Engine, port: int, process: psutil.Process, path: str = "/api/v1/me", count: int = SESSIONS
) -> float:
    """Megabytes that the process grows by when so many people have signed in, looked once at `path`, and leave their connections open."""
    import http.client

    settings, password = read_settings(), "four words and more"
    with engine.begin() as connection:
        grants = (Grant(role=Role.VIEWER),)
        people.add(connection, login="idle", display_name="Idle", grants=grants, actor="bench", password=password)

    def signed_in() -> str:
        return sessions.sign_in(
            engine, login="idle", password=password, client_address="", user_agent="", settings=settings
        )

    def ask(token: str) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", path, headers={"Cookie": f"custom_events_session={token}"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        return connection

    warm = signed_in()
    for _ in range(200):
        ask(warm).close()
    before = process.memory_info().rss
    held = [ask(signed_in()) for _ in range(count)]
    grown = process.memory_info().rss - before
    for connection in held:
        connection.close()
    return round(grown / 1e6, 2)


@contextmanager
def console(url: str, directory: Path) -> Generator[tuple[int, psutil.Process]]:
    """The console as a process, once it is ready: its port, and the process."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "CUSTOM_EVENTS_CONSOLE_PORT": str(port),
        "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(directory / "local"),
        "CUSTOM_EVENTS_LOG_LEVEL": "WARNING",
        "CUSTOM_EVENTS_API_REQUESTS_PER_CALLER": "1000000000",  # what is measured is one caller
    }
    with subprocess.Popen([sys.executable, "-m", "console.serve"], env=environment) as process:
        try:
            deadline = time.monotonic() + 60
            while not _ready(port):
                assert process.poll() is None, "the console ended"
                assert time.monotonic() < deadline, "the console does not answer"
                time.sleep(0.1)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _get(port: int, path: str, key: str) -> dict[str, Any]:
    listing = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(listing, timeout=60) as answer:
        page: dict[str, Any] = json.load(answer)
    return page


def _quantile(load: Load, share: float) -> float:
    return load.latencies_ms[min(int(len(load.latencies_ms) * share), len(load.latencies_ms) - 1)]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"{'':<24}{'API/s':>9}{'bare/s':>9}{'ratio':>7}{'median ms':>11}{'p95 ms':>9}{'bare median ms':>16}{'processor us':>14}{'bare':>7}"
    ]
    for name, figures in result["measured"].items():
        bare = f"{figures['bare_per_s']:>9,.0f}{figures['ratio']:>7}" if "ratio" in figures else f"{'':>16}"
        lines.append(
            f"{name:<24}{figures['per_s']:>9,.0f}{bare}{figures['median_ms']:>11}{figures['p95_ms']:>9}{figures.get('bare_median_ms', ''):>16}"
            f"{figures['processor_us']:>14}{figures.get('bare_processor_us', ''):>7}"
        )
    lines += [
        f"{name}: page 1 in {page['first_ms']} ms, page {page['page']:,.0f} in {page['far_ms']} ms: {page['times']} times"
        for name, page in result["pages"].items()
    ]
    lines.append(f"100 idle sessions: {result['memory_of_100_sessions_mb']} MB")
    return "\n".join(lines)


def chosen_sizes(description: str | None, *, quick: Mapping[str, Any], full: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes of a run as the command line has them: the full ones, or those of --quick, each of which an option of its name changes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true")
    for name in full:
        parser.add_argument(f"--{name}", type=float)
    options = vars(parser.parse_args())
    return {
        **(quick if options.pop("quick") else full),
        **{name: value for name, value in options.items() if value is not None},
    }


def main() -> None:
    print(_table(run(chosen_sizes(__doc__, quick=QUICK, full=FULL))))


if __name__ == "__main__":
    main()
