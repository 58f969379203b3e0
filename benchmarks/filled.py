"""The pipeline on tables of a year, beside another build of it: new orders, what shops send again, and late orders.

    python -m benchmarks.filled [--quick] [--against FOLDER] [--filled N] [--orders N] [--rounds N]

`--against` is another build's folder, as `git worktree add FOLDER COMMIT` makes it; its own programs migrate and drain its database, with this
interpreter. Both databases are on one server (embedded, with fsync), filled alike with `--filled` orders of a year of 1,000 sites, and take
turns within each round. Each drain begins after a checkpoint, so its log has the page images of a busy day. Processors' time is of the worker
and of Postgres' backends; it hardly depends on who else is at work. Autovacuum, whose seconds would fall to whoever's turn it is, rests meanwhile. `--filled 5000000` is the day on which it has grown.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Json

from benchmarks import filled_bodies, filled_world, pipeline
from benchmarks.filled_bodies import LIFE, PAID, Packed
from benchmarks.pipeline_world import HEADERS, configure
from custom_events.postgres import connect, embedded

TARGETS: Final = {  # issue 19, of the build of 2026-11-28 (b9b2913)
    "filled_cpu": 0.6,
    "filled_wal": 0.45,
    "disk": 0.6,
    "touched_cpu": 0.5,
    "repeated_cpu": 0.5,
    "late_cpu": 0.5,
}
FILLED, ORDERS, SITES, ROUNDS = 1_000_000, 20_000, 1_000, 3
QUICK_FILLED, QUICK_ORDERS, QUICK_SITES = 2_000, 300, 100
LATE_SHARE: Final = 10  # every tenth order of a round comes once more as a late one, of its own number
RESULT = Path(".local/bench/filled.json")
_UPGRADE = "import sys; from custom_events.postgres import migrate; migrate.upgrade(sys.argv[1])"
_PARTITIONS = """
import sys
from datetime import UTC, datetime, timedelta
from custom_events.postgres import connect, partitions
with connect.engine(sys.argv[1], name="bench").begin() as connection:
    for weeks in range(54, 0, -2):
        partitions.ensure(connection, datetime.now(UTC) - timedelta(weeks=weeks))
"""

Figures = dict[str, float]


class Build:
    """A folder of the product, and a database of its own."""

    def __init__(self, name: str, folder: Path, place: Path, url: str) -> None:
        self.name, self.folder, self.place, self.url = name, folder, place, url
        self._landed = 0
        self.engine = connect.engine(url, name="bench")

    def prepare(self, filled: int, sites: int, newest: datetime) -> Figures:
        """Migrate, configure, fill; the bytes of an order that is there."""
        self.migrate()
        self._run(_PARTITIONS)
        configure(self.url, sites)
        filled_world.begin_ids(self.engine)
        seed = min(filled, filled_world.SEED_ORDERS)
        self.land(filled_bodies.packed(PAID, filled_bodies.orders(0, seed, sites, newest - timedelta(days=1))))
        self.drain(seed)
        filled_world.multiply(self.engine, filled // seed - 1)
        heap, indexes = filled_world.sizes(self.engine)
        return {"heap_bytes": heap / filled, "index_bytes": indexes / filled}

    def migrate(self) -> None:
        """By the build's own migrations."""
        self._run(_UPGRADE)

    def land(self, deliveries: Iterable[Packed]) -> None:
        """As the receiver does, after a checkpoint; all wait in the queue. A checkpoint between landing and reading would charge the drain
        with images of the landed pages: with checksums, reading a row for the first time marks its page."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        week = (today := datetime.now(UTC).date()) - timedelta(days=today.weekday())
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            with cursor.copy(
                "COPY landing.raw_events (landed_week, site_id, topic, dedup_key, delivery_id, triggered_at, signature, headers, body,"
                " body_bytes) FROM STDIN WITH (FORMAT binary)"
            ) as copy:
                copy.set_types(
                    ["date", "int8", "text", "bytea", "text", "timestamptz", "text", "json", "bytea", "int4"]
                )
                now = datetime.now(UTC)
                for site_id, topic, body, size in deliveries:
                    self._landed += 1
                    number = str(self._landed)
                    key = sha256(number.encode()).digest()[:16]
                    headers = Json({**HEADERS, "x-shopify-topic": topic})
                    copy.write_row((week, site_id, topic, key, number, now, "verified", headers, body, size))
            cursor.execute(
                "INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT e.id, e.landed_week, e.site_id FROM landing.raw_events e"
                " WHERE e.landed_week = %s AND NOT EXISTS (SELECT FROM app.raw_outcomes o WHERE o.landed_week = e.landed_week AND o.raw_id = e.id)"
                " ORDER BY e.id",
                [week],
            )

    def drain(self, count: int) -> Figures:
        """What draining all that waits cost, for each of `count` deliveries; checks that all were understood."""
        self.engine.dispose()
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("ANALYZE landing.raw_queue")
            before = log_position(connection)
            parked = _parked(connection)
        cpu_s = pipeline.ended_backends_cpu_s(self.place)
        figures = pipeline.drained(self.url, 1, 5_000, self.folder)
        postgres_s = pipeline.ended_backends_cpu_s(self.place) - cpu_s
        with psycopg.connect(self.url) as connection:
            wal = log_position(connection) - before
            queued = connection.execute("SELECT count(*) FROM landing.raw_queue").fetchone()
            if queued != (0,) or _parked(connection) != parked:
                raise RuntimeError(f"{self.name}: {queued} deliveries left, or some were parked")
        return {
            "cpu_us": (figures["cpu_s"] + postgres_s) / count * 1e6,
            "python_us": figures["cpu_s"] / count * 1e6,
            "postgres_us": postgres_s / count * 1e6,
            "wal_bytes": wal / count,
        }

    def _run(self, program: str) -> None:
        subprocess.run(
            [sys.executable, "-c", program, self.url],
            cwd=self.folder,
            env=pipeline.environment(self.folder),
            check=True,
        )


@contextmanager
def builds_beside(against: Path | None) -> Generator[list[Build]]:
    """This build, and the one of `against`, each with an empty database on one server, which is gone afterwards."""
    here = Path(__file__).resolve().parent.parent
    folders = {"here": here} | ({} if against is None else {"other": against.resolve()})
    with ExitStack() as stack:
        place = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-filled-", ignore_cleanup_errors=True))
        )
        server = stack.enter_context(embedded.start(place / "postgres"))
        builds: list[Build] = []
        for name, folder in folders.items():
            with psycopg.connect(server.url.replace("/custom_events?", "/postgres?"), autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            builds.append(Build(name, folder, place, server.url.replace("/custom_events?", f"/{name}?")))
            stack.callback(builds[-1].engine.dispose)
        yield builds


def rest_autovacuum(url: str) -> None:
    """Returns when its last worker has ended."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
        while connection.execute("SELECT FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'").fetchone():
            time.sleep(1)


def log_position(connection: psycopg.Connection[Any]) -> int:
    """Bytes of log that the server has written."""
    row = connection.execute("SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
    return 0 if row is None else row[0]


def _parked(connection: psycopg.Connection[Any]) -> Any:
    return connection.execute("SELECT count(*) FROM app.raw_outcomes WHERE outcome = 'parked'").fetchone()


def run(filled: int, orders: int, sites: int, rounds: int, against: Path | None) -> dict[str, Any]:
    """Measure and write RESULT; its content."""
    newest = datetime.now(UTC)
    measured: dict[str, dict[str, list[Figures]]] = {}
    with builds_beside(against) as builds:
        for build in builds:
            began = time.monotonic()
            measured.setdefault("disk", {})[build.name] = [figures := build.prepare(filled, sites, newest)]
            say(f"{build.name}: {filled} orders are there after {time.monotonic() - began:.0f} s, {figures}")
        rest_autovacuum(builds[0].url)
        first = 1_000_000_000
        for number in range(rounds):
            work = {"filled": (PAID, first, orders, False), "late": (PAID, first + orders, orders // LATE_SHARE, True)}
            work |= {stage.name: (stage, first + 2 * orders, orders, False) for stage in LIFE}
            first += 3 * orders
            for name, (stage, start, count, is_late) in work.items():
                deliveries = list(
                    filled_bodies.packed(stage, filled_bodies.orders(start, count, sites, newest, is_late=is_late))
                )
                for build in builds if number % 2 else reversed(builds):
                    build.land(deliveries)
                    measured.setdefault(name, {}).setdefault(build.name, []).append(build.drain(count))
                    say(f"round {number + 1}, {name}, {build.name}: " + shown(measured[name][build.name][-1]))
    result = summary(measured, filled, orders)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def summary(
    measured: dict[str, dict[str, list[Figures]]], filled: int, orders: int, targets_of: Figures = TARGETS
) -> dict[str, Any]:
    """Medians by work and build; ratios of rounds to the other build's, of which the median counts."""
    medians = {
        work: {
            build: {key: round(statistics.median(figures[key] for figures in runs), 1) for key in runs[0]}
            for build, runs in builds.items()
        }
        for work, builds in measured.items()
    }
    ratios: Figures = {}
    for work, builds in measured.items():
        if "other" not in builds:
            continue
        for shown, keys in (("cpu", ("cpu_us",)), ("wal", ("wal_bytes",)), ("", ("heap_bytes", "index_bytes"))):
            if keys[0] in builds["here"][0]:
                ratios[f"{work}_{shown}" if shown else work] = round(
                    statistics.median(
                        sum(ours[key] for key in keys) / sum(theirs[key] for key in keys)
                        for ours, theirs in zip(builds["here"], builds["other"], strict=True)
                    ),
                    2,
                )
    targets = {name: target for name, target in targets_of.items() if name in ratios}
    return {
        "filled": filled,
        "orders": orders,
        "measured": medians,
        "rounds": measured,
        "ratios": ratios,
        "targets": targets,
        "reached": {name: ratios[name] <= target for name, target in targets.items()},
    }


def table(result: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [
        f"{work:<10} {build:<6} {shown(figures)}"
        for work, builds in result["measured"].items()
        for build, figures in builds.items()
    ]
    for name, ratio in result["ratios"].items():
        target = f"  (target {result['targets'][name]})" if name in result["targets"] else ""
        lines.append(f"{name:<16}{ratio:>6}{target}")
    return "\n".join(lines)


def shown(figures: Figures) -> str:
    """In one line."""
    return ", ".join(f"{name} {value:,.0f}" for name, value in figures.items())


def say(sentence: str) -> None:
    """How far it is."""
    print(sentence, file=sys.stderr, flush=True)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="The pipeline on filled tables, beside another build.")
    parser.add_argument("--quick", action="store_true", help="one small round, only to see that everything works")
    parser.add_argument("--against", type=Path, help="folder of the other build (git worktree add FOLDER COMMIT)")
    parser.add_argument("--filled", type=int, default=FILLED)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    if chosen.quick:
        result = run(QUICK_FILLED, QUICK_ORDERS, QUICK_SITES, 1, chosen.against)
    else:
        result = run(chosen.filled, chosen.orders, SITES, chosen.rounds, chosen.against)
    print(table(result))


if __name__ == "__main__":
    main()
