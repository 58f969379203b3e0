"""The sender: one batch at a time, from whoever was served longest ago, until nothing is due.

The order within a batch keeps promise 7 (docs/architecture.md 5): claim and intent are committed, then Google is called, then the
answer is committed. A worker that dies anywhere leaves rows that are sent again under the same order ids, and Google's
duplicate answer is read as delivered. Several workers may run.
"""

import gc
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from custom_events.destinations.registry import destinations
from custom_events.ledger.send_pipeline import SendPipeline
from custom_events.ledger.sender import Clock, Lanes, Sender
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.settings import Settings
from custom_events.values.conversions import Verdict

MAINTENANCE_S: Final = 1.0  # leases, deadlines and orphans are looked at this often while batches follow each other
# How long a thread of Python runs while another waits for it. With the usual 5 ms a claim of eight statements, each of which waits
# for its answer and then for the thread that makes messages, takes 100 ms; with this 85 (benchmarks/uploads.py).
SWITCH_S: Final = 0.0005
# Objects between two looks for garbage. A batch's live until it is answered, and looking at them with Python's 700 costs 2 ms of its 50.
GC_ALLOCATIONS: Final = 100_000


def utc_now() -> datetime:
    """The clock of everything here, unless a test brings its own."""
    return datetime.now(UTC)


def must_stop_claims(asked: UploadFigures) -> bool:
    """Whether a later verdict may have stopped an account: nothing that was claimed before it goes on."""
    return any(verdict in asked.verdicts for verdict in (Verdict.FIX, Verdict.RETRY, Verdict.UNKNOWN))


@contextmanager
def _at_work() -> Generator[None]:
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(GC_ALLOCATIONS, *thresholds[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)


def run_once(
    engine: sa.Engine, settings: Settings, *, lanes: Lanes | None = None, clock: Clock = utc_now
) -> UploadFigures:
    """Run maintenance, ask for one verdict, send one batch. Idle figures mean that nothing is due now."""
    sender = Sender(engine, settings, lanes if lanes is not None else destinations(settings), clock)
    figures = sender.run_maintenance_and_recheck()
    figures.add(sender.ask())
    figures.add(sender.batch())
    return figures


def drain(
    engine: sa.Engine,
    settings: Settings,
    *,
    until_idle_s: float,
    limit_s: float,
    on_batch: Callable[[UploadFigures], None] | None = None,
    lanes: Lanes | None = None,
    clock: Clock = utc_now,
) -> UploadFigures:
    """Send until nothing was due for `until_idle_s` seconds, or `limit_s` seconds have passed. The sum of it all.

    While requests are at Google, answers of those before are written and the next are claimed. `on_batch` is told of every
    step that did something. When the limit comes, what is under way is finished and nothing new is begun.
    """
    sender = Sender(engine, settings, lanes if lanes is not None else destinations(settings), clock)
    total = UploadFigures()
    began = busy_at = time.monotonic()
    maintained_at = -MAINTENANCE_S
    asking = False
    with _at_work(), SendPipeline(sender) as pipeline:
        while True:
            step, step_at = UploadFigures(), time.monotonic()
            if time.monotonic() - maintained_at >= MAINTENANCE_S:
                if pipeline.empty:
                    step.add(sender.run_maintenance_and_recheck())
                else:
                    pipeline.run_maintenance()
                maintained_at = time.monotonic()
                asking = True
            if asking:  # one between two batches, as long as one is due: many small accounts have many verdicts
                asked = sender.ask()
                asking = not asked.idle
                if must_stop_claims(asked):
                    pipeline.put_back(lambda _: True)
                step.add(asked)
            step.add(pipeline.step())
            total.add(step)
            moment = time.monotonic()
            if not (step.idle and pipeline.empty):
                busy_at = moment
                total.busy_s += moment - step_at
            if on_batch is not None and not step.idle:
                on_batch(step)
            if moment - began >= limit_s or (step.idle and pipeline.empty and moment - busy_at >= until_idle_s):
                total.add(pipeline.finish())
                total.seconds = time.monotonic() - began
                return total
            if step.idle and pipeline.empty:
                time.sleep(min(settings.drain_poll_s, max(until_idle_s - (moment - busy_at), 0.01)))
