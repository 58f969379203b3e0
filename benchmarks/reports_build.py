"""Builds of the reports after 1 % more each, beside one of everything: processor time of the database, and memory of dbt.

    python -m benchmarks.reports_build [--quick] [--orders N]

One embedded PostgreSQL with a year of orders (reading_world.py), one event each. What is compared is the processor time of dbt's connections, which
other programs of the machine do not change; beside it stand the seconds of the tables, as the builds note them themselves. dbt's own start
takes the same whatever there is to do. Of the builds after 1 % the middle one counts.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
import sqlalchemy as sa

from benchmarks.reading_world import fill
from custom_events.postgres import connect, embedded, migrate
from custom_events.queries.report_builds import marks_of
from orchestration import dbt_project

ORDERS, QUICK_ORDERS, SITES = 5_000_000, 5_000, 50
RESULT = Path(".local/bench/reports_build.json")
SHARE: Final = 100  # one row in so many is new
ROUNDS, QUICK_ROUNDS = 3, 1  # builds after 1 % more
TARGETS: Final = {"build after +1 %": 0.05, "memory of dbt": 1.3}
SAMPLE_S = 0.2
_CONNECTIONS = sa.text("SELECT pid FROM pg_stat_activity WHERE application_name = 'dbt'")
_CUSTOMERS = "INSERT INTO app.customers (site_id, customer_key, first_seen_at) SELECT site_id, customer_key, min(ordered_at) FROM app.orders GROUP BY 1, 2"
# One order in a hundred comes again under a new number: the newest ones, as a day brings them.
_MORE: Final = """
CREATE TEMPORARY TABLE more ON COMMIT DROP AS SELECT * FROM app.commerce_events ORDER BY occurred_at DESC LIMIT :rows;
UPDATE more SET id = id + :after, order_id = order_id || :suffix, key = key || :suffix;
INSERT INTO app.commerce_events SELECT * FROM more;
INSERT INTO app.event_keys (site_id, key, event_id, occurred_at, evidence_at) SELECT site_id, key, id, occurred_at, evidence_at FROM more;
INSERT INTO app.orders (site_id, order_id, number, ordered_at, state_at, paid_at, currency, total, customer_key)
  SELECT site_id, order_id, order_id, occurred_at, occurred_at, occurred_at, currency, amount, customer_key FROM more;
INSERT INTO app.custom_events (id, occurred_at, site_id, assignment_id, definition_revision_id, assignment_revision_id, commerce_event_id,
    dedup_key, order_id, customer_key, value, currency, created_at, upload_id)
  OVERRIDING SYSTEM VALUE
  SELECT id, occurred_at, site_id, site_id, 1, site_id, id, key, order_id, customer_key, amount, currency, occurred_at, id FROM more;
INSERT INTO app.conversion_uploads (id, created_at, site_id, assignment_id, custom_event_id, ads_account_id, ads_action_id, kind, transaction_id,
    sequence, order_id, conversion_at, value, currency, ad_user_data, ad_personalization, state, not_before, deadline_at)
  OVERRIDING SYSTEM VALUE
  SELECT id, occurred_at, site_id, site_id, id, site_id, site_id, 'conversion', order_id, 0, order_id, occurred_at, amount, currency, 'granted',
    'granted', 'queued', occurred_at, occurred_at + interval '60 days' FROM more
"""


def run(quick: bool = False, *, orders: int = ORDERS) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: a small world, only to see that everything works."""
    orders = QUICK_ORDERS if quick else orders
    with (
        tempfile.TemporaryDirectory(prefix="bench-reports-", ignore_cleanup_errors=True) as place,
        embedded.start(Path(place) / "postgres", fast=True) as server,
    ):
        migrate.upgrade(server.url)
        engine = connect.engine(server.url)
        fill(engine, orders, SITES, datetime.now(UTC).replace(microsecond=0))
        with engine.begin() as connection:
            connection.execute(sa.text(_CUSTOMERS))
        whole = build(server.url, engine, Path(place))
        builds: list[dict[str, Any]] = []
        for number in range(1, (QUICK_ROUNDS if quick else ROUNDS) + 1):
            add_more(engine, orders, number)
            builds.append(build(server.url, engine, Path(place)))
        engine.dispose()
    more = sorted(builds, key=lambda figures: figures["database_cpu_s"])[len(builds) // 2]
    ratios = {
        "build after +1 %": round(more["database_cpu_s"] / whole["database_cpu_s"], 3),
        "memory of dbt": round(more["dbt_mib"] / whole["dbt_mib"], 2),
    }
    reached = {name: ratios[name] <= target for name, target in TARGETS.items()}
    result = {
        "orders": orders,
        "whole": whole,
        "more": more,
        "builds": builds,
        "ratios": ratios,
        "targets": TARGETS,
        "reached": reached,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def add_more(engine: sa.Engine, orders: int, number: int) -> None:
    """1 % more; `number`: how often before, and this time."""
    values = {"rows": orders // SHARE, "after": orders * 10**number, "suffix": f"-more{number}"}
    with engine.begin() as connection:
        for statement in _MORE.split(";\n"):
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(sa.text(statement), used)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))


def build(url: str, engine: sa.Engine, place: Path) -> dict[str, Any]:
    """One build of everything by dbt in a process of its own: seconds of each table, and the most memory that dbt took, in MiB."""
    project = str(dbt_project.PROJECT_DIRECTORY)
    command = [dbt_project.executable(), "run", "--quiet", "--project-dir", project, "--profiles-dir", project]
    command += ["--target-path", str(place / "target"), "--log-path", str(place / "logs")]
    with psutil.Popen(command, env={**os.environ, **dbt_project.environment(url)}) as process:
        watched = Watched(process, engine)
        code = process.wait()
        watched.end()
    if code:
        raise AssertionError(f"dbt ended with {code}")
    with engine.connect() as connection:
        marks = marks_of(connection)
    tables = {
        name: {"seconds": float(mark.seconds), "rows": mark.rows_new, "whole": mark.was_whole}
        for name, mark in marks.items()
    }
    return {
        "seconds": round(sum(float(mark.seconds) for mark in marks.values()), 2),
        "dbt_mib": watched.most_mib,
        "dbt_cpu_s": round(watched.own_cpu_s, 2),
        "database_cpu_s": round(watched.database_cpu_s, 2),
        "tables": tables,
    }


class Watched:
    """The most memory that dbt took, and processor time of dbt and of its connections' servers, looked at all the while: what other programs of the machine
    take does not change them. Up to SAMPLE_S of each connection is missed."""

    def __init__(self, process: psutil.Process, engine: sa.Engine) -> None:
        self._process, self._engine, self._is_over = process, engine, threading.Event()
        self._cpu_s: dict[int, float] = {}
        self.most_mib, self.own_cpu_s = 0, 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    @property
    def database_cpu_s(self) -> float:
        """Of all connections of dbt, in seconds."""
        return sum(self._cpu_s.values())

    def end(self) -> None:
        """Look no more."""
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not self._is_over.wait(SAMPLE_S):
                for pid in connection.execute(_CONNECTIONS).scalars():
                    with suppress(psutil.Error):
                        self._cpu_s[pid] = seconds_of(psutil.Process(pid))
                with suppress(psutil.Error):
                    self.most_mib = max(self.most_mib, round(self._process.memory_info().rss / 2**20))
                    self.own_cpu_s = seconds_of(self._process)


def seconds_of(process: psutil.Process) -> float:
    """Processor time of a process until now, in seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)


def report(result: Mapping[str, Any]) -> str:
    """The figures for people."""
    whole, more = result["whole"], result["more"]
    lines = [f"{result['orders']:,} orders; dbt {whole['dbt_mib']} MiB, after +1 % {more['dbt_mib']} MiB"]
    for name, table in sorted(whole["tables"].items(), key=lambda item: -item[1]["seconds"]):
        lines.append(f"  {name:<30} {table['seconds']:>9.2f} s  {more['tables'][name]['seconds']:>8.2f} s")
    lines.append(f"  {'together':<30} {whole['seconds']:>9.2f} s  {more['seconds']:>8.2f} s")
    for name, key in (("processor time of the database", "database_cpu_s"), ("processor time of dbt", "dbt_cpu_s")):
        each = ", ".join(f"{figures[key]:.2f}" for figures in result["builds"])
        lines.append(f"  {name:<30} {whole[key]:>9.2f} s  {more[key]:>8.2f} s  (of {each})")
    lines.append(f"  build after +1 %: {result['ratios']['build after +1 %']} of the whole one")
    return "\n".join(lines)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports_build", description="Builds of the reports.")
    parser.add_argument("--quick", action="store_true", help="a small world, only to see that everything works")
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders of a year, one event each")
    chosen = parser.parse_args()
    sys.stdout.write(report(run(chosen.quick, orders=chosen.orders)) + "\n")


if __name__ == "__main__":
    main()
