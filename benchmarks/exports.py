"""Files of a million rows beside files of ten thousand: memory, time, bytes, of each format that is streamed.

    python -m benchmarks.exports [--quick] [--rows N] [--rounds N]

Every file is written by a process of its own, whose peak memory is taken; the rows are made as they are written, in batches as a list
is read. The median of the rounds counts. No database: what reading costs is `reading`'s.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from custom_events.report_files.table import FileFormat, ReportColumn, ReportTable
from custom_events.report_files.writing import write

FORMATS: tuple[FileFormat, ...] = ("csv", "xlsx", "parquet")
TARGETS = {f"{name}_memory_of_a_hundred_times": 1.3 for name in FORMATS}  # issue 16, "Reports"
ROWS, QUICK_ROWS, ROUNDS = 1_000_000, 20_000, 1
TIMES = 100  # as many rows as the small file has
BATCH = 500  # as lists are read
RESULT = Path(".local/bench/exports.json")
COLUMNS = (
    ReportColumn("id", "Id", "id"),
    ReportColumn("site_id", "Site", "id"),
    ReportColumn("definition", "Definition", "text"),
    ReportColumn("state", "State", "text"),
    ReportColumn("attempts", "Attempts", "count"),
    ReportColumn("value", "Value", "amount"),
    ReportColumn("day", "Day", "day"),
    ReportColumn("created_at", "Created at", "time"),
)
_BEGIN = datetime(2026, 10, 25, tzinfo=UTC)


def batches(count: int) -> Iterator[list[tuple[Any, ...]]]:
    """So many rows, as a list has them."""
    for start in range(0, count, BATCH):
        yield [_row(number) for number in range(start, min(start + BATCH, count))]


def _row(number: int) -> tuple[Any, ...]:
    return (
        10**12 + number,
        number % 40,
        f"Purchase of at least {number % 900}",
        "accepted" if number % 9 else None,
        number % 4,
        Decimal(number % 100_000) / 100,
        date(2026, 11, 1) + timedelta(days=number % 400),
        _BEGIN + timedelta(seconds=number),
    )


def run(quick: bool = False, *, rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: one small round, only to see that everything works."""
    if quick:
        rows, rounds = QUICK_ROWS, 1
    ratios: dict[str, float] = {}
    figures: dict[str, Any] = {}
    for name in FORMATS:
        pairs = [(_in_a_process(name, rows // TIMES), _in_a_process(name, rows)) for _ in range(rounds)]
        ratio = statistics.median(large["megabytes"] / small["megabytes"] for small, large in pairs)
        ratios[f"{name}_memory_of_a_hundred_times"] = round(ratio, 2)
        figures[name] = {"small": pairs[0][0], "large": pairs[0][1]}
        print(f"{name}: {json.dumps(figures[name])}", file=sys.stderr, flush=True)
    result = {
        "rows": rows,
        "rounds": rounds,
        "ratios": ratios,
        "targets": TARGETS,
        "reached": {name: ratios[name] <= target for name, target in TARGETS.items()},
        "figures": figures,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def _in_a_process(name: FileFormat, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.exports", "--write", name, "--rows", str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _write(name: FileFormat, rows: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-exports-") as place:
        began = time.perf_counter()
        table = ReportTable(title="Uploads", columns=COLUMNS, batches=batches(rows), zone="Europe/Berlin")
        written = write(table, name, Path(place) / "file")
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"megabytes": round(peak, 1), "seconds": round(seconds, 2), "rows": written.rows, "bytes": written.bytes}


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="Files of many rows.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", choices=FORMATS)
    chosen = parser.parse_args()
    if chosen.write:
        print(json.dumps(_write(chosen.write, chosen.rows)))
    else:
        print(json.dumps(run(chosen.quick, rows=chosen.rows, rounds=chosen.rounds)["ratios"], indent=2))


if __name__ == "__main__":
    main()
