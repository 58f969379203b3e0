"""The chaos run from the command line.

    python -m chaos [--events 6000] [--faults 200] [--seed N] [--rate POSTS_A_SECOND] [--pause SECONDS] [--at-once N] [--lasts FACTOR] [--runs N] [--without-dagster] [--page docs/proof/chaos.md]

Fails, and names the rows, when anything was lost, doubled or is wrong. About ten minutes on two idle cores with the defaults.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from typing import Final

import msgspec

from chaos import series
from chaos.conduct import AT_ONCE
from chaos.faults import FAULTS
from chaos.report import ROWS_NAMED, write
from chaos.run import Result, Size, run
from cli.signals import Terminated, terminable
from custom_events.errors import CustomEventsError
from custom_events.logs import configure

HOME: Final = Path(".local/chaos")
EVENTS: Final = 6_000
COUNT: Final = 200
PAUSE_S: Final = 1.0
FAULT_TAKES_S: Final = 1.7  # of the disturbed run, three at once: so that the load lasts as long as the faults
SEEDS: Final = 1_000_000


def main() -> int:
    """0 when nothing was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Everything fails: is anything lost?")
    parser.add_argument("--events", type=int, default=EVENTS, help="posts of the stores")
    parser.add_argument("--faults", type=int, default=COUNT, help="how many happen")
    parser.add_argument("--seed", type=int, help="draws the traffic and the faults; a new one unless it is given")
    parser.add_argument(
        "--rate", type=float, help="posts a second; unless it is given, so that the load lasts as long as the faults"
    )
    parser.add_argument("--pause", type=float, default=PAUSE_S, help="seconds between two faults, at most")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="how many faults may last together")
    parser.add_argument("--lasts", type=float, default=1.0, help="how long faults last, in parts of their own time")
    parser.add_argument("--runs", type=int, help=f"so many such runs, each of the next seed, added to {series.PAGE}")
    parser.add_argument("--without-dagster", action="store_true", help="the receiver, workers and senders alone")
    parser.add_argument(
        "--page", type=Path, default=Path("docs/proof/chaos.md"), help="where the report goes, with JSON beside it"
    )
    chosen = parser.parse_args()
    seed = SystemRandom().randrange(SEEDS) if chosen.seed is None else chosen.seed
    rate = chosen.rate or max(1.0, chosen.events / (FAULT_TAKES_S * chosen.lasts * max(chosen.faults, 1)))
    size = Size(
        events=chosen.events,
        faults=chosen.faults,
        seed=seed,
        pause_s=chosen.pause,
        at_once=chosen.at_once,
        lasts=chosen.lasts,
        rate=rate,
        is_whole=not chosen.without_dagster,
    )
    configure("chaos", level="WARNING")
    HOME.mkdir(parents=True, exist_ok=True)
    if chosen.runs is None:
        return 0 if played(size, lambda result: write(result, chosen.page)) else 1
    sizes = [msgspec.structs.replace(size, seed=seed + number) for number in range(chosen.runs)]
    verdicts = [played(size, lambda result: series.add(result, series.PAGE)) for size in sizes]
    return 0 if all(verdicts) else 1


def played(size: Size, keep: Callable[[Result], None]) -> bool:
    """One run, whose result is kept; whether nothing was lost, doubled or wrong."""
    print(
        f"Seed {size.seed}: {size.events:,} posts at {size.rate:.1f} a second, {size.faults:,} faults of {len(FAULTS)} kinds",
        flush=True,
    )
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=HOME.resolve()))
    began = time.monotonic()
    try:
        with terminable():
            result = run(directory, size, FAULTS, lambda sentence: print(f"  {sentence}", flush=True))
    except (KeyboardInterrupt, Terminated):
        raise SystemExit("Ended; every process is stopped.") from None
    except CustomEventsError as error:
        print(f"Seed {size.seed}: {error}\nLogs: {directory}", file=sys.stderr, flush=True)
        return False
    keep(result)
    verdict = result.verdict
    print(
        f"Seed {size.seed}: lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, wrong {len(verdict.wrong)}, in {time.monotonic() - began:.0f} s",
        flush=True,
    )
    for row in (*verdict.lost, *verdict.doubled, *verdict.wrong)[:ROWS_NAMED]:
        print(f"  {row}", file=sys.stderr, flush=True)
    if not verdict.is_clean:
        print(f"Logs: {directory}", file=sys.stderr, flush=True)
        return False
    shutil.rmtree(directory)
    return True


if __name__ == "__main__":
    raise SystemExit(main())
