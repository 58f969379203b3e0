"""Looking back: a draft against a million stored events, beside only reading them; memory; and one explanation.

    python -m benchmarks.backtest [--quick] [--events N] [--rounds N]

One embedded PostgreSQL. Every look back is a process of its own, whose peak memory is taken; those of a round follow each other,
and the median of each ratio counts. `of_reading` compares with a pass that fetches and decodes the same events and does nothing
else. Memory is measured on a tenth of the events and on all of them.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.backtest_world import DAYS, UNTIL, fill
from custom_events.backtest.backtest import backtest
from custom_events.explain.find import explain_sync, trace_of
from custom_events.history.drafts import Draft
from custom_events.history.reading import reading, stored_events
from custom_events.postgres import embedded, migrate
from custom_events.values.definitions import DefinitionConfig
from custom_events.values.events import EventType

TARGETS = {"explain_ms": 20.0, "memory_of_ten_times": 1.3}  # issue 3, "Speed"; memory: bounded, so about the same
EVENTS, QUICK_EVENTS, ROUNDS = 1_000_000, 10_000, 2
EXPLAINED = 100
RESULT = Path(".local/bench/backtest.json")

_LARGE = {"field": "order.total", "op": ">=", "value": "200"}
# Of these a tenth of the period: each order asks for its customer's others, so they take several times as long.
SHORT = ("third_of_a_customer",)
DRAFTS: dict[str, dict[str, Any]] = {
    "as_published": {},
    "conditions": {"conditions": {"all": [_LARGE, {"any_item": {"field": "item.sku", "op": "starts_with", "value": "SKU-"}}]}},
    "third_of_a_customer": {"threshold": {"at_least": "3", "fires": "every_nth"}},
    "every_100th_of_the_site": {"threshold": {"at_least": "100", "fires": "every_nth", "scope": "site"}},
}  # fmt: skip


def run(quick: bool = False, *, events: int = EVENTS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: one small round, only to see that everything works."""
    if quick:
        events, rounds = QUICK_EVENTS, 1
    measured: dict[str, list[dict[str, float]]] = {}
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-backtest-", ignore_cleanup_errors=True))
        server = stack.enter_context(embedded.start(Path(place) / "postgres"))
        migrate.upgrade(server.url)
        sites = fill(server.url, events)
        _say(f"{events:,} events of {sites} sites are stored")
        for number in range(rounds):
            for name in ("reading", *DRAFTS):
                days = DAYS // 10 if name in SHORT else DAYS + 1
                measured.setdefault(name, []).append(_in_a_process(server.url, name, days))
            measured.setdefault("a_tenth", []).append(_in_a_process(server.url, "conditions", DAYS // 10))
            _say(f"round {number + 1} of {rounds}")
        explained = _explain(server.url, events)
    result = summary(measured, explained, events)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def summary(
    measured: dict[str, list[dict[str, float]]], explained: dict[str, list[float]], events: int
) -> dict[str, Any]:
    """Medians, and ratios of runs that stood side by side."""

    def ratio(name: str, other: str, figure: str) -> float:
        pairs = zip(measured[name], measured[other], strict=True)
        return round(statistics.median(own[figure] / others[figure] for own, others in pairs), 2)

    ratios = {
        **{f"{name}_of_reading": ratio(name, "reading", "per_second") for name in DRAFTS},
        "memory_of_ten_times": ratio("conditions", "a_tenth", "megabytes"),
        **{f"{name}_ms": round(statistics.median(taken), 1) for name, taken in explained.items()},
        **{f"{name}_p95_ms": round(statistics.quantiles(taken, n=20)[-1], 1) for name, taken in explained.items()},
    }
    rows = {
        name: {figure: round(statistics.median(figures[figure] for figures in runs), 1) for figure in runs[0]}
        for name, runs in measured.items()
    }
    reached = {name: ratios[name] <= target for name, target in TARGETS.items()}
    return {"events": events, "measured": rows, "ratios": ratios, "targets": TARGETS, "reached": reached}


def _in_a_process(url: str, name: str, days: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.backtest", "--look", name, "--url", url, "--days", str(days)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def look(url: str, name: str, days: int) -> dict[str, float]:
    """One look back over the newest days; its figures."""
    cpu = time.process_time()
    began = time.monotonic()
    events = asyncio.run(_read(url, days) if name == "reading" else _backtest(url, name, days))
    seconds = time.monotonic() - began
    return {
        "events": events,
        "per_second": round(events / seconds, 1),
        "cpu_us": round((time.process_time() - cpu) / events * 1e6, 1),
        "megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


async def _read(url: str, days: int) -> int:
    events = 0
    async with reading(url) as connection:
        for (site_id,) in await connection.fetch("SELECT id FROM app.sites ORDER BY id"):
            kinds = {EventType.ORDER_PAID}
            async for page in stored_events(connection, site_id, kinds, UNTIL - timedelta(days=days), UNTIL):
                events += len(page)
    return events


async def _backtest(url: str, name: str, days: int) -> int:
    config = msgspec.convert({"trigger": ["order.paid"], **DRAFTS[name]}, DefinitionConfig)
    async with reading(url) as connection:
        draft = Draft(definition="bought", config=config)
        result = await backtest(connection, draft, since=UNTIL - timedelta(days=days), until=UNTIL)
    if name == "as_published" and result.counts.differs:
        raise AssertionError(f"the published rule would change what it has made: {result.counts}")
    return result.events


def _explain(url: str, events: int) -> dict[str, list[float]]:
    """Milliseconds to explain a stored event: on an open connection, as a server asks, and on a new one, as the
    command does."""
    keys = [f"order.paid:{number}" for number in range(0, events, max(events // EXPLAINED, 1))]
    new = [_clocked(lambda key=key: explain_sync(url, key)) for key in keys]
    return {"explain": asyncio.run(_explain_on_one(url, keys)), "explain_new_connection": new}


async def _explain_on_one(url: str, keys: list[str]) -> list[float]:
    taken: list[float] = []
    async with reading(url, once=True) as connection:
        await trace_of(connection, keys[0])  # the first one tells the connection what there is
        for key in keys:
            began = time.perf_counter()
            await trace_of(connection, key)
            taken.append((time.perf_counter() - began) * 1_000)
    return taken


def _clocked(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1_000


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _table(result: dict[str, Any]) -> str:
    lines = [f"{'':<26}{'events':>10}{'per second':>12}{'CPU us':>8}{'MB':>7}"]
    for name, row in result["measured"].items():
        lines.append(
            f"{name:<26}{row['events']:>10,}{row['per_second']:>12,.0f}{row['cpu_us']:>8.1f}{row['megabytes']:>7.0f}"
        )
    for name, ratio in result["ratios"].items():
        target = TARGETS.get(name)
        verdict = "" if target is None else f"  (target {target}, {'reached' if result['reached'][name] else 'missed'})"
        lines.append(f"{name:<42}{ratio:>6}{verdict}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--look", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--days", type=int, default=DAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look:
        print(json.dumps(look(options.url, options.look, options.days)))
        return
    print(_table(run(options.quick, events=options.events, rounds=options.rounds)))


if __name__ == "__main__":
    main()
