"""What rules cost every run that drains: memory and processor time to load them, from 10 assignments to 100,000.

    python -m benchmarks.rules_memory [--quick]

Each size has a database of its own and is loaded by a process of its own, as a draining run loads it. The figures per site and per
assignment that `custom-events sizing` multiplies (cli/measured_costs.py) come from here.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks.pipeline_world import DEFINITIONS, configure
from cli.measured_costs import ASSIGNMENT_BYTES, SITE_BYTES
from custom_events.pipeline.configuration import ConfigurationCache
from custom_events.postgres import connect, embedded, migrate

SITES: Final = (2, 200, 2_000, 20_000)
QUICK_SITES: Final = (2, 40)
BYTES_PER_MIB: Final = 2**20
TARGETS: Final = {"of_the_sizing_page": 1.0}  # of what cli/measured_costs.py says, at the largest size
RESULT: Final = Path(".local/bench/rules_memory.json")


def run(quick: bool = False) -> dict[str, Any]:
    """Measure and write RESULT; its content."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-rules-", ignore_cleanup_errors=True) as place,
        embedded.start(Path(place) / "pg", fast=True) as server,
    ):
        measured = [_of(server.url, sites) for sites in (QUICK_SITES if quick else SITES)]
    first, last = measured[0], measured[-1]
    grown = (last["mib"] - first["mib"]) * BYTES_PER_MIB
    promised = SITE_BYTES * (last["sites"] - first["sites"]) + ASSIGNMENT_BYTES * (
        last["assignments"] - first["assignments"]
    )
    ratios = {"of_the_sizing_page": round(grown / promised, 2)}
    result = {
        "measured": measured,
        "bytes_an_assignment": round(grown / (last["assignments"] - first["assignments"])),
        "ratios": ratios,
        "targets": TARGETS,
        "reached": {name: ratio <= TARGETS[name] for name, ratio in ratios.items()},
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def _of(url: str, sites: int) -> dict[str, Any]:
    migrate.upgrade(url)
    configure(url, sites)
    command = [sys.executable, "-m", "benchmarks.rules_memory", "--load", url]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True)
    with psycopg.connect(url, autocommit=True) as connection:  # the next size begins with nothing
        for schema in ("app", "landing", "reporting"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        connection.execute("DROP TABLE IF EXISTS public.alembic_version")
    return {"sites": sites, "assignments": sites * len(DEFINITIONS), **json.loads(loaded.stdout)}


async def load(url: str) -> dict[str, float]:
    """Memory of this process once it has all rules of this database, and the processor time that loading took."""
    connection = await connect.asyncpg_connect(url)
    before, began = _memory_mib(), time.process_time()
    configuration = await ConfigurationCache().current(connection)
    loaded = {
        "mib": round(_memory_mib(), 1),
        "before_mib": round(before, 1),
        "cpu_s": round(time.process_time() - began, 2),
    }
    await connection.close()
    return loaded | {"loaded_sites": len(configuration.sites)}


def _memory_mib() -> float:
    sizes = re.search(r"^Pss: +(\d+) kB$", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    return int(sizes[1]) / 1024 if sizes else 0.0


def table(result: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{'sites':>8}{'assignments':>13}{'MiB before':>12}{'MiB':>8}{'processor s':>13}"]
    lines += [
        f"{row['sites']:>8,}{row['assignments']:>13,}{row['before_mib']:>12}{row['mib']:>8}{row['cpu_s']:>13}"
        for row in result["measured"]
    ]
    lines.append(f"{result['bytes_an_assignment']:,} bytes an assignment; {result['ratios']}")
    return "\n".join(lines)


if __name__ == "__main__":
    if "--load" in sys.argv:
        print(json.dumps(asyncio.run(load(sys.argv[-1]))))
    else:
        print(table(run(quick="--quick" in sys.argv)))
