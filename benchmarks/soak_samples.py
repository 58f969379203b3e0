"""One look at everything that could grow: processes by role, connections, tables and what Dagster keeps."""

import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
import sqlalchemy as sa

from benchmarks.stack import role_of
from custom_events.postgres.connect import engine
from custom_events.settings import Settings

Figures = dict[str, float]
KIB_PER_MIB: Final = 1024
BYTES_PER_MIB: Final = 2**20
FIRST_PORT: Final = 8_860  # of eight, apart from those of the demo and of latency.py
HELPER: Final = "run"
POSTMASTER: Final = "data/postmaster.pid"
_ROLLUP: Final = re.compile(r"^(Pss|Pss_Shmem): +(\d+) kB$", re.MULTILINE)

# Tables that hold what is under way, and nothing for long: whatever comes in, they must not grow.
WORKING: Final = (
    *("landing.raw_queue", "app.tally_changes", "app.quota_buckets"),
    *("dagster.job_ticks", "dagster.runs", "dagster.run_tags", "dagster.event_logs", "dagster.asset_check_executions"),
)

# Live connections of clients but ours.
_CONNECTIONS: Final = sa.text("""
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname = current_database() AND application_name NOT LIKE 'soak%'
""")
# Each table with its partitions as one: bytes of rows and of indexes, rows that live and rows that are dead.
_TABLES: Final = sa.text("""
SELECT n.nspname || '.' || coalesce(parent.relname, c.relname) AS name, sum(pg_table_size(c.oid))::float8 AS heap,
  sum(pg_indexes_size(c.oid))::float8 AS indexes, sum(s.n_live_tup)::float8 AS live, sum(s.n_dead_tup)::float8 AS dead
FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class parent ON parent.oid = i.inhparent
WHERE n.nspname IN ('app', 'landing', 'dagster', 'reporting') GROUP BY 1
""")
_WORK: Final = sa.text("""
SELECT (SELECT count(*) FROM landing.raw_queue)::float8 AS deliveries,
  (SELECT count(*) FROM app.conversion_uploads WHERE waits)::float8 AS uploads,
  (SELECT count(*) FROM app.conversion_uploads WHERE state = 'accepted')::float8 AS accepted,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS wal
""")
_DAGSTER_ROWS: Final = ("runs", "event_logs", "job_ticks", "asset_check_executions")


class Sample(msgspec.Struct, kw_only=True):
    """What was seen at a moment: `at_s` seconds after the beginning, figures by name ("memory/receiver", in MiB)."""

    at_s: float
    load: float
    figures: Figures


def settings_of(directory: Path) -> Settings:
    """Of a whole stack whose files are in `directory`, on ports of its own."""
    names = ("receiver", "receiver_figures", "console", "dagster", "sandbox_grpc", "sandbox_http")
    ports = {f"{name}_port": FIRST_PORT + place for place, name in enumerate(names)}
    return Settings.model_validate({"local_directory": directory, **ports})


class Sampler:
    """Looks at the stack that this process has started and at its database. Close it."""

    def __init__(self, url: str, server: Path) -> None:
        self._engine = engine(url, name="soak sampler")
        self._parents = [psutil.Process(), psutil.Process(int((server / POSTMASTER).read_text().split()[0]))]
        self._first_wal: float | None = None

    def sample(self, at_s: float, deliveries: int) -> Sample:
        """A look now; `deliveries` were accepted so far."""
        return Sample(
            at_s=round(at_s, 1),
            load=round(os.getloadavg()[0], 2),
            figures={**self._of_processes(), **self._of_database(deliveries)},
        )

    def _of_processes(self) -> Figures:
        figures: defaultdict[str, float] = defaultdict(float)
        for process in self._processes():
            try:
                role = _role(process)
                private, shared = _memory_mib(process.pid)
                figures[f"memory/{role}"] += private
                figures[f"files/{role}"] += process.num_fds()
                figures["processes"] += 1
                if role == "postgres":
                    figures["shared memory/postgres"] += shared
            except (psutil.Error, OSError):
                continue  # it has just ended
        return {name: round(value, 2) for name, value in figures.items()}

    def _processes(self) -> Iterator[psutil.Process]:
        """What this process has started, and the embedded server, which is a daemon of its own."""
        this, postmaster = self._parents
        yield from this.children(recursive=True)
        yield postmaster
        yield from postmaster.children()

    def _of_database(self, deliveries: int) -> Figures:
        with self._engine.connect() as connection:
            tables = connection.execute(_TABLES).all()
            connections = connection.execute(_CONNECTIONS).scalar_one()
            work = connection.execute(_WORK).one()
            rows = {
                f"rows/dagster.{name}": float(
                    connection.execute(sa.text(f"SELECT count(*) FROM dagster.{name}")).scalar_one()
                )
                for name in _DAGSTER_ROWS
                if any(table.name == f"dagster.{name}" for table in tables)
            }
        if self._first_wal is None:
            self._first_wal = work.wal
        working = {table.name: table for table in tables if table.name in WORKING}
        kept = [table for table in tables if table.name not in working and table.name.startswith(("app.", "landing."))]
        dead, live = (sum(getattr(table, name) for table in tables) for name in ("dead", "live"))
        return {
            "connections": float(connections),
            "deliveries": float(deliveries),
            "waiting/deliveries": work.deliveries,
            "waiting/uploads": work.uploads,
            "accepted": work.accepted,
            "wal MiB": round((work.wal - self._first_wal) / BYTES_PER_MIB, 1),
            "kept MiB": round(_mib(kept), 2),
            "reports MiB": round(_mib(table for table in tables if table.name.startswith("reporting.")), 2),
            "dead rows": dead,
            "dead share": round(dead / max(1.0, dead + live), 4),
            "dagster MiB": round(_mib(table for table in tables if table.name.startswith("dagster.")), 2),
            **{f"working/{name}": round(_mib([table]), 3) for name, table in working.items()},
            **rows,
        }

    def close(self) -> None:
        """Give the connection back."""
        self._engine.dispose()


def line(sample: Sample) -> str:
    """A look in one line."""
    figures = sample.figures
    memory = sum(value for name, value in figures.items() if name.startswith("memory/"))
    return (
        f"{time.strftime('%H:%M:%S')} {sample.at_s / 60:5.1f} min  {figures['deliveries']:8,.0f} deliveries  "
        f"{figures['waiting/deliveries']:5,.0f} wait  {figures['accepted']:7,.0f} accepted  {memory:6,.0f} MiB  "
        f"{figures['connections']:3.0f} connections  load {sample.load}"
    )


def _role(process: psutil.Process) -> str:
    """As stack.py names it. What only a path names belongs to a run: the helpers that Dagster starts beside it."""
    role = role_of(process)
    return HELPER if "/" in role else role


def _mib(tables: Iterable[Any]) -> float:
    return float(sum(table.heap + table.indexes for table in tables) / BYTES_PER_MIB)


def _memory_mib(pid: int) -> tuple[float, float]:
    """Proportional set size without and of shared memory segments: PostgreSQL's buffers count once, and as their own figure."""
    sizes = {
        name: int(kib) / KIB_PER_MIB for name, kib in _ROLLUP.findall(Path(f"/proc/{pid}/smaps_rollup").read_text())
    }
    shared = sizes.get("Pss_Shmem", 0.0)
    return sizes["Pss"] - shared, shared
