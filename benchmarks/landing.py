"""Landing on tables that have deliveries of two weeks, beside another build: what a delivery costs PostgreSQL and the receiver's process.

    python -m benchmarks.landing [--quick] [--against FOLDER] [--filled N] [--deliveries N] [--rounds N]

As `filled`: both databases are on one server (embedded, with fsync), take turns within each round, and each turn begins after a checkpoint.
Deliveries of Shopify's (6.7 KB) go through the build's own writer, which commits groups of what waits (`landing_writer.py`). `plain` is most days
of a week, `around` Monday and Tuesday, when keys of the week before are looked at; in both so many wait that groups are large, in `calm` 16. `--filled` deliveries are there of this week and as many of the last;
they have the keys of real ones and empty bodies, since what lands is appended and nobody reads theirs.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks import filled, pipeline
from benchmarks.filled import Build, Figures

WAYS: Final = ("plain", "around", "calm")
TARGETS: Final = {f"{way}_{what}": target for way in WAYS for what, target in (("cpu", 0.8), ("wal", 0.7))}
FILLED, DELIVERIES, ROUNDS = 200_000, 20_000, 3
QUICK_FILLED, QUICK_DELIVERIES = 1_000, 600
WRITER_LIMIT_S: Final = 600.0
RESULT = Path(".local/bench/landing.json")
_FILL: Final = """
INSERT INTO landing.raw_events (landed_week, site_id, topic, dedup_key, delivery_id, signature, headers, body, body_bytes)
SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date - week * 7, n %% 1000 + 1, 'orders/paid', decode(md5(week || '-' || n), 'hex'),
  'filled-' || n, 'verified', '{}', '', 0
FROM generate_series(1, %s) n, generate_series(0, 1) week
"""
_SIZES: Final = """
SELECT sum(pg_table_size(t.relid))::float8, sum(pg_indexes_size(t.relid))::float8
FROM unnest(ARRAY['landing.raw_events', 'landing.raw_queue', 'landing.receipts']) n(name)
CROSS JOIN LATERAL pg_partition_tree(n.name::regclass) t WHERE t.isleaf
"""


def prepare(build: Build, count: int) -> None:
    """Its tables, with `count` deliveries of this week and of the last."""
    build.migrate()
    with psycopg.connect(build.url, autocommit=True) as connection:
        connection.execute(_FILL, [count])
        connection.execute("VACUUM ANALYZE")


def land(build: Build, way: str, first: int, count: int) -> Figures:
    """What landing `count` deliveries cost, for each: cpu_us is of PostgreSQL's backends, receiver_us of the receiver's process. The queue is
    empty before, as a drain leaves it."""
    with psycopg.connect(build.url, autocommit=True) as connection:
        connection.execute("DELETE FROM landing.raw_queue")
        connection.execute("VACUUM landing.raw_queue")
        connection.execute("CHECKPOINT")
        heap, indexes = _sizes(connection)
        before = filled.log_position(connection)
    cpu_s = pipeline.ended_backends_cpu_s(build.place)
    program = Path(__file__).with_name("landing_writer.py")
    done = subprocess.run(
        [sys.executable, program, build.url, str(first), str(count), way],
        stdout=subprocess.PIPE,
        text=True,
        cwd=build.folder,
        env=pipeline.environment(build.folder),
        timeout=WRITER_LIMIT_S,
        check=True,
    )
    postgres_s = pipeline.ended_backends_cpu_s(build.place) - cpu_s
    with psycopg.connect(build.url) as connection:
        wal = filled.log_position(connection) - before
        heap_after, indexes_after = _sizes(connection)
    return {
        "cpu_us": postgres_s / count * 1e6,
        "receiver_us": json.loads(done.stdout.splitlines()[-1])["cpu_s"] / count * 1e6,
        "wal_bytes": wal / count,
        "heap_bytes": (heap_after - heap) / count,
        "index_bytes": (indexes_after - indexes) / count,
    }


def _sizes(connection: psycopg.Connection[Any]) -> tuple[float, float]:
    row = connection.execute(_SIZES).fetchone()
    return (0.0, 0.0) if row is None else (row[0], row[1])


def run(count: int, deliveries: int, rounds: int, against: Path | None) -> dict[str, Any]:
    """Measure and write RESULT; its content."""
    measured: dict[str, dict[str, list[Figures]]] = {}
    with filled.builds_beside(against) as builds:
        for build in builds:
            prepare(build, count)
        filled.rest_autovacuum(builds[0].url)
        first = 1
        for number in range(rounds):
            for way in WAYS:
                for build in builds if number % 2 else reversed(builds):
                    measured.setdefault(way, {}).setdefault(build.name, []).append(land(build, way, first, deliveries))
                    filled.say(
                        f"round {number + 1}, {way}, {build.name}: {filled.shown(measured[way][build.name][-1])}"
                    )
                first += deliveries
    result = filled.summary(measured, count, deliveries, TARGETS)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="Landing on filled tables, beside another build.")
    parser.add_argument("--quick", action="store_true", help="one small round, only to see that everything works")
    parser.add_argument("--against", type=Path, help="folder of the other build (git worktree add FOLDER COMMIT)")
    parser.add_argument("--filled", type=int, default=FILLED)
    parser.add_argument("--deliveries", type=int, default=DELIVERIES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    if chosen.quick:
        result = run(QUICK_FILLED, QUICK_DELIVERIES, 1, chosen.against)
    else:
        result = run(chosen.filled, chosen.deliveries, chosen.rounds, chosen.against)
    print(filled.table(result))


if __name__ == "__main__":
    main()
