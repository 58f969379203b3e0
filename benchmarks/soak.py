"""The whole stack for an hour under a steady trickle: what grows? `make soak MINUTES=60 RATE=3`.

One embedded PostgreSQL with fsync, and receiver, console, Dagster and the sandbox's Google as the product starts them. Signed posts of three
stores, drawn from the demo's scenarios, come at RATE a second from this process, which looks once a minute at processes and tables
(soak_samples.py). Dagster's own records are pruned by the product's functions every few minutes, with a retention of minutes for days, so that
an hour shows what weeks show. At the end everything is drained, and every body that was answered 2xx must be stored, and the sums agree.
What is flat is judged by soak_verdict.py; soak_page.py writes docs/proof/soak.md with its picture.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import sqlalchemy as sa

from benchmarks import soak_page, soak_samples, soak_verdict
from benchmarks.stored_bodies import compare
from custom_events.ledger import waiting
from custom_events.postgres import embedded, migrate
from custom_events.postgres.connect import engine
from custom_events.queries import backlog
from custom_events.settings import Settings
from custom_events.watching import sums
from orchestration import instance, run_retention
from sandbox.demo.google import google_environment, google_program, wait_for_google
from sandbox.demo.ready import wait_until_ready
from sandbox.demo.sites import Stores, prepare
from sandbox.stores.posts import Post
from sandbox.stores.traffic import traffic
from supervisor import programs
from supervisor.processes import Supervisor

MINUTES, RATE_PER_S = 60.0, 3.0
MIX: Final = {"shopify": 2.0, "woocommerce": 1.0, "woocommerce_plugin": 1.0, "custom": 1.0}
SAMPLE_EVERY_S = 60.0
FEWEST_SAMPLES = 12  # of a shorter soak, which looks more often
PRUNE_EVERY_S = 180.0
DAGSTER_KEPT = timedelta(minutes=12)  # in place of days
ANSWER_LIMIT_S = 60.0  # of a post: a busy machine answers late, and that is no loss
SETTLE_LIMIT_S = 300.0
TEND_EVERY_S = 1.0
SEED: Final = 1  # of the first posts
FRESH_S: Final = 200.0  # posts are drawn anew after this time: less than `replay_window_s`
RESULT: Final = Path(".local/bench/soak.json")


class Traffic:
    """Posts at a steady rate, whatever the answers take; remembers the digest of each body that was answered 2xx."""

    def __init__(self, base: str, posts: Iterator[Post], rate_per_s: float) -> None:
        self._base, self._posts, self._rate = base, posts, rate_per_s
        self.answers: Counter[str] = Counter()
        self.stored: set[bytes] = set()
        self.accepted = 0

    async def run(self, until_s: float) -> None:
        """Posts until this moment of the monotonic clock, and waits for the last answers."""
        began, sending = time.monotonic(), set[asyncio.Task[None]]()
        async with httpx.AsyncClient(base_url=self._base, timeout=ANSWER_LIMIT_S, trust_env=False) as client:
            for number, post in enumerate(self._posts):
                await asyncio.sleep(began + number / self._rate - time.monotonic())
                if time.monotonic() >= until_s:
                    break
                task = asyncio.create_task(self._post(client, post))
                sending.add(task)
                task.add_done_callback(sending.discard)
            await asyncio.gather(*sending)

    async def _post(self, client: httpx.AsyncClient, post: Post) -> None:
        try:
            answer = await client.post(post.path, content=post.body, headers=post.headers)
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1
            return
        self.answers[str(answer.status_code)] += 1
        if answer.is_success:
            self.accepted += 1
            self.stored.add(sha256(post.body).digest())


@contextmanager
def whole_stack(url: str, settings: Settings) -> Generator[tuple[Supervisor, Stores]]:
    """Every program of the product and the sandbox's Google on this database, ready; ended with the block."""
    environment = {**programs.environment(settings, url), **google_environment(settings)}
    # Verdicts of the Data Manager are asked for when the real Google would have them, which is what the sandbox keeps to.
    environment["CUSTOM_EVENTS_UPLOAD_VERDICT_S"] = str(settings.upload_verdict_s)
    writer = engine(url)
    with writer.begin() as connection:
        stores = prepare(connection, settings)
        connection.execute(sa.text("UPDATE app.site_custom_events SET is_active = true"))
    writer.dispose()
    supervisor = Supervisor(settings.local_directory / "logs", environment)
    try:
        for program in (google_program(settings), *programs.product(settings)):
            supervisor.start(program)
        wait_for_google(settings, supervisor)
        wait_until_ready(f"http://127.0.0.1:{settings.receiver_port}/readyz", supervisor)
        yield supervisor, stores
    finally:
        instance.cancel_runs(instance.home(settings), url)
        supervisor.stop()


def fresh_posts(stores: Stores) -> Iterator[Post]:
    """Posts without end. Those of our own signature carry their time, and are refused when it is old: so they are drawn anew while they are fresh."""
    for seed in count(SEED):
        began = time.monotonic()
        for post in traffic([stores.shopify, stores.woocommerce, stores.custom], MIX, seed=seed, now=datetime.now(UTC)):
            yield post
            if time.monotonic() - began > FRESH_S:
                break


class Pruner:
    """The product's own pruning of Dagster's records, with minutes for days. Keep it open while it is used."""

    def __init__(self, settings: Settings, url: str) -> None:
        import dagster as dg

        os.environ[instance.STORAGE_VARIABLE] = instance.storage_url(url)
        self._instance = dg.DagsterInstance.from_config(str(instance.home(settings)))
        self._engine = engine(url, name="soak pruner")

    def prune(self) -> dict[str, int]:
        """Delete runs, what they leave, and ticks that are older than DAGSTER_KEPT. How many runs, results of checks and events."""
        before = datetime.now(UTC) - DAGSTER_KEPT
        runs = run_retention.delete_old_runs(self._instance, before)
        with self._engine.begin() as connection:
            leftovers = run_retention.delete_leftovers(connection, before)
        for state in self._instance.all_instigator_state():  # as Dagster's daemon does after each tick, by days
            self._instance.purge_ticks(state.instigator_origin_id, state.selector_id, before.timestamp())
        return {"runs": runs, "checks": leftovers.checks, "events": leftovers.events}

    def close(self) -> None:
        """Give its connections back."""
        self._instance.dispose()
        self._engine.dispose()


async def soak(url: str, server: Path, settings: Settings, minutes: float, rate_per_s: float) -> dict[str, Any]:
    """The whole of it on this database, whose embedded server has its files in `server`; what was measured."""
    every_s = min(SAMPLE_EVERY_S, minutes * 60 / FEWEST_SAMPLES)
    with whole_stack(url, settings) as (supervisor, stores):
        began = time.monotonic()
        load = Traffic(f"http://127.0.0.1:{settings.receiver_port}", fresh_posts(stores), rate_per_s)
        result: dict[str, Any] = {
            "began_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "minutes": minutes,
            "rate_per_s": rate_per_s,
            "samples": [],
            "events": [],
            "pruned": Counter[str](),
        }
        sending = asyncio.create_task(load.run(began + minutes * 60))
        tending = asyncio.create_task(_tend(supervisor, result["events"]))
        pruning = asyncio.create_task(_prune(settings, url, result["pruned"]))
        sampler = soak_samples.Sampler(url, server)
        try:
            while not sending.done():
                await asyncio.sleep(every_s)
                sample = await asyncio.to_thread(sampler.sample, time.monotonic() - began, load.accepted)
                result["samples"].append(msgspec.to_builtins(sample))
                result["answers"] = dict(load.answers)
                _write(result)
                print(soak_samples.line(sample), file=sys.stderr, flush=True)
            await sending
            result["settle_s"] = await _settle(url)
        finally:
            for task in (tending, pruning):
                task.cancel()
            await asyncio.gather(tending, pruning, return_exceptions=True)
            sampler.close()
    reader = engine(url)
    with reader.connect() as connection:
        result["gaps"] = list(sums.sums(connection).gaps)
    reader.dispose()
    result["bodies"] = msgspec.to_builtins(compare(url, load.stored))
    result["answers"] = dict(load.answers)
    return result


async def _tend(supervisor: Supervisor, sentences: list[str]) -> None:
    while True:
        sentences += await asyncio.to_thread(supervisor.tend)
        await asyncio.sleep(TEND_EVERY_S)


async def _prune(settings: Settings, url: str, pruned: Counter[str]) -> None:
    await asyncio.sleep(PRUNE_EVERY_S)  # Dagster has made its tables by then
    pruner = await asyncio.to_thread(Pruner, settings, url)
    try:
        while True:
            pruned.update(await asyncio.to_thread(pruner.prune))
            await asyncio.sleep(PRUNE_EVERY_S)
    finally:
        pruner.close()


async def _settle(url: str) -> float:
    """Seconds until no delivery waits and nothing is due; SETTLE_LIMIT_S where that does not come."""
    began, reader = time.monotonic(), engine(url, name="soak")
    try:
        while time.monotonic() - began < SETTLE_LIMIT_S:
            with reader.connect() as connection:
                if not backlog.raw_events_wait(connection) and not waiting.has_work(connection, datetime.now(UTC)):
                    break
            await asyncio.sleep(1)
    finally:
        reader.dispose()
    return round(time.monotonic() - began, 1)


def _write(result: dict[str, Any]) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_bytes(msgspec.json.format(msgspec.json.encode(result)))


def main() -> int:
    """From the command line: 1 when something grew, was lost or is doubled."""
    parser = argparse.ArgumentParser(prog="make soak", description="The whole stack under a steady trickle.")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--rate", type=float, default=RATE_PER_S, help="webhooks a second")
    parser.add_argument("--page", type=Path, default=soak_page.PAGE, help="where the report is written")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as place,
        embedded.start(Path(place) / "pg") as server,
    ):
        migrate.upgrade(server.url)
        settings = soak_samples.settings_of(Path(place))
        result = asyncio.run(soak(server.url, Path(place) / "pg", settings, chosen.minutes, chosen.rate))
    _write(result)
    soak_page.write(chosen.page, result)
    verdicts = soak_verdict.judge(result)
    print(soak_verdict.table(verdicts))
    return 0 if all(verdict.is_kept for verdict in verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
