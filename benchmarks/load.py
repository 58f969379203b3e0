"""What one machine holds end to end, from a store's post to Google's acceptance; what happens at twice that, and when a receiver has no room.

    python -m benchmarks.load [--quick]

One receiver, one drain and one sender (as Dagster's runs work, without Dagster) on an embedded PostgreSQL with fsync, the sandbox's Google, and the
stores, all on this machine. The rate rises step by step until work waits at a step's end that the programs do not do in BEHIND_S; the last rate
before is held. Then twice that rate for a while: every body that is answered 2xx must be stored, matched and accepted, and the time until
nothing waits is the recovery. Then a receiver with room for few waiting deliveries meets many stores at once: 503 with Retry-After, and
every store that keeps to it gets its 2xx.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks import fleet_world
from benchmarks.fleet import UNPACED, Fleet, fleet, wait_until_done
from benchmarks.machines import verified
from benchmarks.posting import Delivery, Posted, post_all

SITES: Final = 16
RATES, QUICK_RATES = (25, 50, 100, 150, 200, 300, 400, 600, 800, 1_200), (5,)
STEP_S, QUICK_STEP_S = 12.0, 2.0
TWICE_S, QUICK_TWICE_S = 20.0, 2.0
BEHIND_S: Final = 3.0  # of a rate's work that may wait at the end of its step
CONVERSIONS: Final = 2.0  # of a delivery, at most
CONNECTIONS: Final = 64
ROOM: Final = 16  # of the receiver that has little: deliveries that may wait in it (`queue_limit`)
CROWD, QUICK_CROWD = 256, 64  # stores at once that meet it
CROWD_DELIVERIES, QUICK_CROWD_DELIVERIES = 4_000, 200
LIMIT_S: Final = 900.0
TARGETS: Final = {"lost": 0, "doubled": 0, "gaps": 0, "503 without Retry-After": 0}
RESULT: Final = Path(".local/bench/load.json")


def run(quick: bool = False) -> dict[str, Any]:
    """Measure and write RESULT; its content."""
    load_before = os.getloadavg()[0]
    with fleet(SITES, None, UNPACED) as machines:
        machines.start(0)
        everything = Posted()
        numbers = _Numbers()
        _post(machines, 0, everything, numbers.take(2 * SITES), CONNECTIONS, None)  # plans, caches, Google's channels
        wait_until_done(machines, LIMIT_S)
        steps = list(_ramp(machines, everything, numbers, quick=quick))
        held = max((step["rate"] for step in steps if step["is_held"]), default=0)
        twice = _at_twice(machines, everything, numbers, 2 * (held or RATES[0]), QUICK_TWICE_S if quick else TWICE_S)
        crowd = _crowded(machines, everything, numbers, quick=quick)
        end = verified(machines, everything)
    ratios = {
        "lost": end["lost"],
        "doubled": end["doubled"],
        "gaps": len(end["gaps"]),
        "503 without Retry-After": everything.without_retry_after,
    }
    result = {
        "cores": os.cpu_count(),
        "load_before": round(load_before, 1),
        "steps": steps,
        "held_a_second": held,
        "twice": twice,
        "crowd": crowd,
        "end": end,
        "ratios": ratios,
        "targets": TARGETS,
        "reached": {name: figure <= TARGETS[name] for name, figure in ratios.items()},
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


class _Numbers:
    """Deliveries that were not there before."""

    def __init__(self) -> None:
        self._next = 0

    def take(self, count: int) -> Iterator[Delivery]:
        """So many, made before the first is posted."""
        first, self._next = self._next, self._next + count
        return iter(list(fleet_world.deliveries(count, SITES, first)))


def _post(
    machines: Fleet, machine: int, everything: Posted, deliveries: Iterator[Delivery], stores: int, rate: float | None
) -> Posted:
    posted = asyncio.run(post_all([machines.receiver(machine)], deliveries, connections=stores, rate_per_s=rate))
    everything.digests |= posted.digests
    everything.without_retry_after += posted.without_retry_after
    return posted


def _ramp(machines: Fleet, everything: Posted, numbers: _Numbers, *, quick: bool) -> Iterator[dict[str, Any]]:
    """Step by step, until one is not held."""
    step_s = QUICK_STEP_S if quick else STEP_S
    for rate in QUICK_RATES if quick else RATES:
        before = machines.processor_s()
        posted = _post(machines, 0, everything, numbers.take(round(rate * step_s)), CONNECTIONS, rate)
        raw, due, _ = fleet_world.waiting(machines.url)
        recovery_s = wait_until_done(machines, LIMIT_S)
        used = machines.processor_s()
        count = round(rate * step_s)
        held = is_held(rate, raw, due) and posted.seconds < step_s + BEHIND_S
        yield {
            "rate": rate,
            "answered_a_second": round(count / posted.seconds, 1),
            "p99_ms": percentile_ms(posted.answer_s, 0.99),
            "waiting": raw,
            "due": due,
            "done_after_s": round(recovery_s, 1),
            "processor_us": {
                program: round(1e6 * (used[program] - before[program]) / count) for program in sorted(used)
            },
            "is_held": held,
        }
        if not held:
            return


def is_held(rate: float, waiting: int, due: int) -> bool:
    """Whether what waits at the end of a step is work of BEHIND_S at most."""
    return waiting <= rate * BEHIND_S and due <= rate * CONVERSIONS * BEHIND_S


def percentile_ms(seconds: list[float], share: float) -> float:
    """A percentile of these times, in milliseconds; 0 of none."""
    ordered = sorted(seconds) or [0.0]
    return round(1_000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


def _at_twice(machines: Fleet, everything: Posted, numbers: _Numbers, rate: float, for_s: float) -> dict[str, Any]:
    posted = _post(machines, 0, everything, numbers.take(round(rate * for_s)), CONNECTIONS, rate)
    raw, due, _ = fleet_world.waiting(machines.url)
    return {
        "rate": rate,
        "for_s": for_s,
        "answers": {str(status): count for status, count in posted.answers.items()},
        "answered_a_second": round(rate * for_s / posted.seconds, 1),
        "p99_ms": percentile_ms(posted.answer_s, 0.99),
        "waiting": raw,
        "due": due,
        "recovery_s": round(wait_until_done(machines, LIMIT_S), 1),
    }


def _crowded(machines: Fleet, everything: Posted, numbers: _Numbers, *, quick: bool) -> dict[str, Any]:
    """A second receiver, with room for ROOM, meets more stores at once."""
    stores, count = (QUICK_CROWD, QUICK_CROWD_DELIVERIES) if quick else (CROWD, CROWD_DELIVERIES)
    machines.start(1, ("receiver",), {"CUSTOM_EVENTS_QUEUE_LIMIT": str(ROOM), "CUSTOM_EVENTS_RETRY_AFTER_S": "1"})
    posted = _post(machines, 1, everything, numbers.take(count), stores, None)
    return {
        "room": ROOM,
        "stores": stores,
        "deliveries": count,
        "answers": {str(status): number for status, number in posted.answers.items()},
        "silences": posted.silences,
        "longest_retry_after_s": posted.longest_wait_s,
        "all_stored_after_s": round(posted.seconds, 1),
        "recovery_s": round(wait_until_done(machines, LIMIT_S), 1),
    }


def table(result: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [
        f"{result['cores']} cores, load before {result['load_before']}; held: {result['held_a_second']} deliveries a second"
    ]
    lines += [
        f"  {step['rate']:>5}/s: answered {step['answered_a_second']}/s, p99 {step['p99_ms']} ms, {step['waiting']} wait and {step['due']} are due at its "
        f"end, done {step['done_after_s']} s later, processor us {step['processor_us']}"
        for step in result["steps"]
    ]
    lines += [f"  twice: {result['twice']}", f"  little room: {result['crowd']}", f"  end: {result['end']}"]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run(quick="--quick" in sys.argv)))
