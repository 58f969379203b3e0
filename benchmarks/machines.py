"""Several machines on one database: receivers, drains and senders in network namespaces, 1, 2 and 4 of each; one is cut off, one killed.

    python -m benchmarks.machines [--quick]

Needs Linux and root (`ip netns`); elsewhere it says so and measures nothing. First the same deliveries are posted to 1, 2 and 4 machines as
fast as they are answered: time until the sandbox has accepted everything, and the processor's time of each kind of program. Then, in
mid-flight, the link of one machine goes down for good and another machine is killed: every body that was answered 2xx must be stored once,
every order matched, and every accepted conversion at Google once. All machines share this one's cores: how far throughput rises with them says
how many cores there were; the processor's time for one delivery says what sharing costs.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from benchmarks import fleet_world
from benchmarks.fleet import LOOK_EVERY_S, UNPACED, Fleet, fleet, wait_until_done
from benchmarks.namespaces import Network, obstacle
from benchmarks.posting import Posted, post_all
from benchmarks.stored_bodies import compare
from custom_events.postgres.connect import LOST_AFTER_S, engine
from custom_events.watching import sums

COUNTS, QUICK_COUNTS = (1, 2, 4), (1, 2)
SITES: Final = 16
DELIVERIES, QUICK_DELIVERIES = 2_000, 200
WARM_UP: Final = 200  # deliveries for each machine before what is measured
CONNECTIONS: Final = 8  # of stores, to each machine
CUT_AFTER: Final = 0.25  # of the deliveries answered
LIMIT_S: Final = 900.0
TARGETS: Final = {"lost": 0, "doubled": 0, "gaps": 0}
RESULT: Final = Path(".local/bench/machines.json")


def run(quick: bool = False) -> dict[str, Any]:
    """Measure and write RESULT; its content."""
    if (reason := obstacle()) is not None:
        result: dict[str, Any] = {"skipped": reason, "ratios": {}, "targets": {}, "reached": {}}
    else:
        count = QUICK_DELIVERIES if quick else DELIVERIES
        load_before = os.getloadavg()[0]
        rounds = [measured(machines, count) for machines in (QUICK_COUNTS if quick else COUNTS)]
        cut = cut_off(count)
        ratios = {"lost": cut["lost"], "doubled": cut["doubled"], "gaps": len(cut["gaps"])}
        result = {
            "cores": os.cpu_count(),
            "load_before": round(load_before, 1),
            "deliveries": count,
            "rounds": rounds,
            "cut_off": cut,
            "ratios": ratios,
            "targets": TARGETS,
            "reached": {name: figure <= TARGETS[name] for name, figure in ratios.items()},
        }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def measured(count: int, deliveries: int) -> dict[str, Any]:
    """Throughput and costs of so many machines, from the first post to the last accepted conversion."""
    with Network(count) as network, fleet(SITES, network, UNPACED) as machines:
        for machine in range(count):
            machines.start(machine)
        # Imports, plans, caches and channels to Google of every program come first, and are not measured.
        warm = post(machines, range(count), WARM_UP * count)
        wait_until_done(machines, LIMIT_S)
        before, began = machines.processor_s(), time.monotonic()
        posted = post(machines, range(count), deliveries, first=WARM_UP * count)
        posted_s = time.monotonic() - began
        wait_until_done(machines, LIMIT_S)
        took = time.monotonic() - began
        used = machines.processor_s()
        return {
            "machines": count,
            "posted_a_second": round(deliveries / posted_s, 1),
            "done_a_second": round(deliveries / took, 1),
            "processor_us": {
                program: round(1e6 * (used[program] - before.get(program, 0.0)) / deliveries)
                for program in sorted(used)
            },
            **verified(machines, warm, posted),
        }


def cut_off(deliveries: int) -> dict[str, Any]:
    """Four machines in mid-flight: the last one's link goes down for good, the one before it is killed; the others finish everything."""
    count = max(COUNTS)
    with Network(count) as network, fleet(SITES, network, UNPACED) as machines:
        for machine in range(count):
            machines.start(machine)

        async def go() -> tuple[Posted, bool]:
            posted = Posted()
            posting = asyncio.create_task(_post(machines, range(count), deliveries, posted))
            while not posting.done() and len(posted.digests) < deliveries * CUT_AFTER:
                await asyncio.wait([posting], timeout=LOOK_EVERY_S)
            network.cut(count - 1)
            machines.kill(count - 2)
            was_early = not posting.done()
            return await posting, was_early

        posted, was_early = asyncio.run(go())
        began = time.monotonic()
        wait_until_done(machines, LIMIT_S + LOST_AFTER_S)
        return {
            "in_flight": was_early,
            "silences": posted.silences,
            "until_done_s": round(time.monotonic() - began, 1),
            **verified(machines, posted),
        }


def post(machines: Fleet, numbers: range, deliveries: int, first: int = 0) -> Posted:
    """Post so many deliveries, numbered from `first`, to these machines, as fast as they are answered."""
    return asyncio.run(_post(machines, numbers, deliveries, first=first))


async def _post(
    machines: Fleet, numbers: range, deliveries: int, posted: Posted | None = None, first: int = 0
) -> Posted:
    receivers = [machines.receiver(machine) for machine in numbers]
    prepared = list(fleet_world.deliveries(deliveries, SITES, first))  # before the first is posted
    return await post_all(receivers, iter(prepared), connections=CONNECTIONS * len(receivers), posted=posted)


def verified(machines: Fleet, *posts: Posted) -> dict[str, Any]:
    """What is lost and what is doubled of all that was posted, from the landed bodies to what the sandbox has; and the gaps of the sums."""
    bodies = compare(machines.url, set[bytes]().union(*(posted.digests for posted in posts)))
    google = fleet_world.at_google(machines.url, machines.google)
    reader = engine(machines.url)
    with reader.connect() as connection:
        gaps = list(sums.sums(connection).gaps)
        orders = connection.execute(sa.text("SELECT count(*) FROM app.orders")).scalar_one()
    reader.dispose()
    return {
        "bodies": msgspec.to_builtins(bodies),
        "orders": orders,
        "google": google,
        "lost": bodies.missing + (bodies.answered - orders) + google["not_at_google"],
        "doubled": bodies.doubled + google["twice_at_google"],
        "gaps": gaps,
    }


def table(result: dict[str, Any]) -> str:
    """The figures for people."""
    if "skipped" in result:
        return f"Not measured: {result['skipped']}"
    lines = [f"{result['deliveries']:,} deliveries, {result['cores']} cores, load before {result['load_before']}"]
    lines += [
        f"  {figures['machines']} machines: answered {figures['posted_a_second']:,}/s, all accepted {figures['done_a_second']:,}/s, "
        f"processor us a delivery {figures['processor_us']}, lost {figures['lost']}, doubled {figures['doubled']}"
        for figures in result["rounds"]
    ]
    cut = result["cut_off"]
    lines.append(
        f"  one cut off, one killed (in flight: {cut['in_flight']}): {cut['silences']} posts met silence, done {cut['until_done_s']} s "
        f"after the last answer, lost {cut['lost']}, doubled {cut['doubled']}, gaps {cut['gaps']}; {cut['google']['states']}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run(quick="--quick" in sys.argv)))
