"""What happened, and what of it matched: one transaction takes a batch from landed to queued (decision 0003)."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.figures import RunLog, of_run, rate, table_of
from assets.sums import as_status, check_result
from custom_events.errors import Transient
from custom_events.pipeline.batch_figures import BatchFigures, DrainFigures
from custom_events.pipeline.drain import drain_sync
from custom_events.settings import settings
from custom_events.watching.equations import FORMULAS

DATABASE_RETRIES = 5  # of a run while the database fails; then it has failed, and the sensor starts another one


@dg.multi_asset(
    name="drain_raw_events",
    specs=[
        dg.AssetSpec(
            "commerce_events",
            deps=["raw_events", "configuration"],
            group_name="understood",
            kinds={"postgres", "python"},
            description="What happened in the stores, one row per natural key; orders and refunds with their state.",
        ),
        dg.AssetSpec(
            "custom_events",
            deps=["commerce_events", "configuration"],
            group_name="matched",
            kinds={"postgres", "python"},
            description="Commerce events that satisfied an assignment, with the revisions that decided.",
        ),
    ],
)
def understand_and_match(
    context: dg.AssetExecutionContext, database_url: dg.ResourceParam[str]
) -> Iterator[dg.MaterializeResult[Any]]:
    """Drains the backlog in batches and lives on while there is traffic, within bounds (a run costs seconds to start)."""
    configured = settings()

    busy_s = 0.0
    log = RunLog(context.log.info)

    def tell(batch: BatchFigures) -> None:
        nonlocal busy_s
        busy_s += batch.seconds
        log.add({"raw events": batch.raw, "batches": 1})

    try:
        figures = drain_sync(
            database_url,
            configured,
            until_idle_s=configured.drain_idle_s,
            limit_s=configured.drain_limit_s,
            on_batch=tell,
        )
    except Transient as error:  # again in this process: another run would import for seconds first
        raise dg.RetryRequested(DATABASE_RETRIES, error.retry_after_s) from error
    understood, matched = understood_metadata(figures, busy_s), matched_metadata(figures, busy_s)
    yield dg.MaterializeResult(asset_key="commerce_events", metadata=understood | as_status(database_url, "landed"))
    yield dg.MaterializeResult(asset_key="custom_events", metadata=matched | as_status(database_url, "matched"))


def understood_metadata(figures: DrainFigures, busy_s: float) -> dict[str, dg.MetadataValue]:
    """What this run did, replayed deliveries among it: counts, seconds of work, rate and a small table."""
    return of_run(
        {
            "deliveries": dg.MetadataValue.int(figures.raw),
            "understood": dg.MetadataValue.int(figures.understood),
            "parked": dg.MetadataValue.int(sum(figures.parked.values())),
            "ignored": dg.MetadataValue.int(sum(figures.ignored.values())),
            "seconds of work": dg.MetadataValue.float(round(busy_s, 3)),
            "deliveries in a second of work": dg.MetadataValue.text(rate(figures.raw, busy_s)),
            "new commerce events": table_of("commerce event", figures.events),
            "parked or ignored, by reason": table_of("reason", {**figures.parked, **figures.ignored}),
        }
    )


def matched_metadata(figures: DrainFigures, busy_s: float) -> dict[str, dg.MetadataValue]:
    """What this run did. Queued as it stood then: what was refunded before it was sent is among the withheld of `status` later."""
    held = sum(figures.held.values())
    return of_run(
        {
            "matched": dg.MetadataValue.int(figures.queued + held + sum(figures.withheld.values())),
            "queued": dg.MetadataValue.int(figures.queued + held),
            "withheld": dg.MetadataValue.int(sum(figures.withheld.values())),
            "withdrawn": dg.MetadataValue.int(sum(figures.withdrawn.values())),
            "seconds of work": dg.MetadataValue.float(round(busy_s, 3)),
            "custom events": table_of("definition", figures.custom_events),
            "withheld, by reason": table_of("reason", figures.withheld),
        }
    )


@dg.asset_check(asset="commerce_events", description=f"{FORMULAS['landed']}, over all that is kept.")
def landed_is_understood_parked_or_ignored(database_url: dg.ResourceParam[str]) -> dg.AssetCheckResult:
    """A gap means that a raw event left the queue without an outcome."""
    return check_result(database_url, "landed")
