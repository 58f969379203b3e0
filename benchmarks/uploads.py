"""Conversions per second through each lane, ledger writes included, against the bare client with the same batches.

    python -m benchmarks.uploads [--quick] [--rows N] [--rounds N]

Server: the sandbox's Google in a process of its own, which both send into. Database: the embedded PostgreSQL, durable. The bare
client (uploads_bare.py says what it does) and the ledger take turns, and the median of the rounds counts, so that a busy machine
slows both alike. Neither has its first batch measured: channels and plans are made in it.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import uploads_bare
from benchmarks.uploads_bare import BATCH_ROWS
from benchmarks.uploads_world import Google, clicks, queue, sandbox
from custom_events.destinations.base import Destination
from custom_events.ledger import send
from custom_events.postgres import connect, embedded, migrate
from custom_events.settings import Settings
from custom_events.values.conversions import Lane

WANTED_RATIO = 0.7  # issue 4, "Proof"
ROWS, ROUNDS = 100_000, 3
QUICK_ROWS = 4_000
NO_QUOTA = 10**9  # calls a minute: what is measured is the work, not the waiting; the buckets are asked all the same
RESULT = Path(".local/bench/uploads.json")

Figures = dict[str, float]


def run(quick: bool = False, *, rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: one small round, only to see that everything works."""
    if quick:
        rows, rounds = QUICK_ROWS, 1
    with tempfile.TemporaryDirectory(prefix="bench-uploads-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        with sandbox(place) as google, embedded.start(place / "postgres") as server:
            migrate.upgrade(server.url)
            engine = connect.engine(server.url, name="bench")
            measured = {lane.value: measure(lane, engine, google, rows, rounds) for lane in Lane}
            engine.dispose()
    result = summary(measured, rows)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def summary(measured: dict[str, list[Figures]], rows: int) -> dict[str, Any]:
    """Medians, and the median of each round's ratio."""
    ratios = {
        lane: round(statistics.median(figures["ledger"] / figures["bare"] for figures in rounds), 2)
        for lane, rounds in measured.items()
    }
    medians = {
        lane: {key: round(statistics.median(figures[key] for figures in rounds), 1) for key in rounds[0]}
        for lane, rounds in measured.items()
    }
    return {
        "rows": rows,
        "rounds": len(next(iter(measured.values()))),
        "cores": os.cpu_count(),
        "per_second": medians,
        "ratios": ratios,
        "targets": dict.fromkeys(ratios, WANTED_RATIO),
        "reached": {lane: ratio >= WANTED_RATIO for lane, ratio in ratios.items()},
    }


def measure(lane: Lane, engine: sa.Engine, google: Google, rows: int, rounds: int) -> list[Figures]:
    """Conversions per second of the bare client and of the ledger, round by round, and how busy the machine was."""
    made = clicks(lane, rows)
    bare = uploads_bare.client(lane, google)
    finished = uploads_bare.finished(made)
    destinations = _lanes(google)
    google.forget()
    bare(finished[:BATCH_ROWS])
    queue(engine, lane, made[:BATCH_ROWS], "warm-")
    google.forget()
    drained(engine, destinations, min(BATCH_ROWS, rows))
    rounds_done: list[Figures] = []
    for number in range(rounds):
        google.forget()
        per_second = {"bare": rows / uploads_bare.run(bare, finished)}
        google.forget()
        queue(engine, lane, made, f"r{number}-")
        per_second["ledger"] = rows / drained(engine, destinations, rows)
        rounds_done.append(per_second | {"load": os.getloadavg()[0]})
        _say(f"{lane.value}: round {number + 1} of {rounds}: {per_second['ledger'] / per_second['bare']:.2f}")
    return rounds_done


def drained(engine: sa.Engine, destinations: dict[Lane, Destination], rows: int) -> float:
    """Seconds until every conversion was sent and its answer is in the ledger."""
    settings = Settings(  # pyright: ignore[reportCallIssue]  (the other fields have defaults)
        upload_batch_size=BATCH_ROWS,
        upload_lease_s=600,
        google_ads_operations_per_minute=NO_QUOTA,
        google_ads_operations_per_day=None,
        data_manager_requests_per_minute=NO_QUOTA,
        data_manager_requests_per_day=None,
        upload_account_calls_per_minute=NO_QUOTA,
    )
    began = time.perf_counter()
    figures = send.drain(engine, settings, until_idle_s=0, limit_s=600, lanes=destinations)
    took = time.perf_counter() - began
    if figures.rows != rows:
        raise RuntimeError(f"{figures.rows} of {rows} were sent: {figures.verdicts}")
    return took


def _lanes(google: Google) -> dict[Lane, Destination]:
    """Both lanes with the real clients."""
    from google.oauth2.credentials import Credentials

    from custom_events.destinations.google_ads.client import Services
    from custom_events.destinations.google_ads.lane import GoogleAdsLane
    from custom_events.destinations.google_data_manager.client import connect as connect_ingestion
    from custom_events.destinations.google_data_manager.lane import DataManagerLane

    services = Services(Credentials(token="bench"), google.endpoint, None)
    ingestion = connect_ingestion(Credentials(token="bench"), google.endpoint)
    return {Lane.GOOGLE_ADS: GoogleAdsLane(lambda _: services), Lane.DATA_MANAGER: DataManagerLane(lambda: ingestion)}


def _table(result: dict[str, Any]) -> str:
    lines = [f"{'lane':<14}{'bare client':>14}{'with ledger':>14}{'ratio':>8}{'wanted':>8}"]
    for lane, figures in result["per_second"].items():
        ratio = result["ratios"][lane]
        lines.append(f"{lane:<14}{figures['bare']:>14,.0f}{figures['ledger']:>14,.0f}{ratio:>8.2f}{WANTED_RATIO:>8.2f}")
    return "\n".join([*lines, f"conversions per second, medians of {result['rounds']} rounds of {result['rows']:,}"])


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def main() -> None:
    """From the command line: the table."""
    parser = argparse.ArgumentParser(description="Sending with the ledger beside the bare client.")
    parser.add_argument("--quick", action="store_true", help="one small round, only to see that everything works")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    print(_table(run(chosen.quick, rows=chosen.rows, rounds=chosen.rounds)))


if __name__ == "__main__":
    main()
