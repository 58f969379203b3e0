"""The chaos run from the command line.

    python -m chaos [--events 6000] [--faults 200] [--seed N] [--rate POSTS_A_SECOND] [--without-dagster] [--page docs/proof/chaos.md]

Fails, and names the rows, when anything was lost, doubled or is wrong. About ten minutes on two idle cores with the defaults.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom
from typing import Final

from chaos.faults import FAULTS
from chaos.report import ROWS_NAMED, write
from chaos.run import Size, run
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
    parser.add_argument("--without-dagster", action="store_true", help="the receiver, workers and senders alone")
    parser.add_argument(
        "--page", type=Path, default=Path("docs/proof/chaos.md"), help="where the report goes, with JSON beside it"
    )
    chosen = parser.parse_args()
    seed = SystemRandom().randrange(SEEDS) if chosen.seed is None else chosen.seed
    rate = chosen.rate or max(1.0, chosen.events / (FAULT_TAKES_S * max(chosen.faults, 1)))
    size = Size(
        events=chosen.events,
        faults=chosen.faults,
        seed=seed,
        pause_s=PAUSE_S,
        rate=rate,
        is_whole=not chosen.without_dagster,
    )
    print(
        f"Seed {seed}: {size.events:,} posts at {rate:.1f} a second, {size.faults:,} faults of {len(FAULTS)} kinds",
        flush=True,
    )
    configure("chaos", level="WARNING")
    HOME.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=HOME.resolve()))
    began = time.monotonic()
    try:
        with terminable():
            result = run(directory, size, FAULTS, lambda sentence: print(f"  {sentence}", flush=True))
    except (KeyboardInterrupt, Terminated):
        print("Ended; every process is stopped.", file=sys.stderr)
        return 1
    except CustomEventsError as error:
        print(f"Seed {seed}: {error}\nLogs: {directory}", file=sys.stderr)
        return 1
    write(result, chosen.page)
    verdict = result.verdict
    print(
        f"Seed {seed}: lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, wrong {len(verdict.wrong)}, in {time.monotonic() - began:.0f} s; {chosen.page}"
    )
    for row in (*verdict.lost, *verdict.doubled, *verdict.wrong)[:ROWS_NAMED]:
        print(f"  {row}", file=sys.stderr)
    if not verdict.is_clean:
        print(f"Logs: {directory}", file=sys.stderr)
        return 1
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
