"""Benchmarks one after the other, then one table of what was to be reached and what was.

    python -m benchmarks [--quick] [NAME ...]

Each runs in a process of its own, as `python -m benchmarks.NAME`, prints its own figures and leaves `.local/bench/NAME.json`, whose
`ratios`, `targets` and `reached` the table shows. A target that is missed is a finding, and no failure; a benchmark that broke off,
or met something wrong, is one: the others run all the same.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

NAMES = (
    "receiver",
    "pipeline",
    "filled",
    "landing",
    "latency",
    "matching",
    "backtest",
    "uploads",
    "day",
    "stack",
    "reading",
    "reports_build",
    "beside_builds",
    "api",
    "pages",
    "exports",
    "shop_requests",
    "one_customer",
    "rules_memory",
    "load",
    "machines",
)
RESULTS = Path(".local/bench")


def rows(name: str, result: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """Benchmark, what was measured, its figure, the target, and the verdict."""
    for measured, reached in result["reached"].items():
        figure, target = result["ratios"][measured], result["targets"][measured]
        yield name, measured, f"{figure:,}", f"{target:,}", "reached" if reached else "MISSED"


def table(measurements: Iterable[tuple[str, ...]]) -> str:
    """The rows under a head, in columns."""
    lines = [("benchmark", "measured", "figure", "target", ""), *measurements]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    name, measured, figure, target, _ = widths
    return "\n".join(
        f"{line[0]:<{name}}  {line[1]:<{measured}}  {line[2]:>{figure}}  {line[3]:>{target}}  {line[4]}".rstrip()
        for line in lines
    )


def main() -> int:
    """From the command line; 1 when one of them failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Benchmarks, and what they were to reach."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all unless named")
    parser.add_argument("--quick", action="store_true", help="small rounds, only to see that everything works")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))} (there are {', '.join(NAMES)})")
    names, failed = chosen.names or NAMES, list[str]()
    lines: list[tuple[str, ...]] = []
    for place, name in enumerate(names, start=1):
        print(f"\n[{place}/{len(names)}] {name}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if chosen.quick else [])]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
        else:
            lines += rows(name, json.loads((RESULTS / f"{name}.json").read_text()))
    print("\n" + table(lines))
    for name in failed:
        print(f"{name} failed: its message is above.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
