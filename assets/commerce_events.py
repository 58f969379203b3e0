"""What happened, and what of it matched: one transaction takes a batch from landed to queued (decision 0003)."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.figures import rate, table_of
from assets.sums import check_result
from custom_events.pipeline.drain import drain_sync
from custom_events.pipeline.figures import BatchFigures, DrainFigures
from custom_events.settings import settings


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

    def tell(batch: BatchFigures) -> None:
        nonlocal busy_s
        busy_s += batch.seconds
        context.log.info("%s raw events in %.2f s (%s)", batch.raw, batch.seconds, rate(batch.raw, batch.seconds))

    figures = drain_sync(
        database_url,
        configured,
        until_idle_s=configured.drain_idle_s,
        limit_s=configured.drain_limit_s,
        on_batch=tell,
    )
    yield dg.MaterializeResult(asset_key="commerce_events", metadata=understood_metadata(figures, busy_s))
    yield dg.MaterializeResult(asset_key="custom_events", metadata=matched_metadata(figures, busy_s))


def understood_metadata(figures: DrainFigures, busy_s: float) -> dict[str, dg.MetadataValue]:
    """Counts, seconds, rate and a small table for the run's page."""
    return {
        "raw_events": dg.MetadataValue.int(figures.raw),
        "seconds": dg.MetadataValue.float(round(busy_s, 3)),
        "events_per_second": dg.MetadataValue.text(rate(figures.raw, busy_s)),
        "events": table_of("commerce event", figures.events),
        "not_understood": table_of("reason", {**figures.parked, **figures.ignored}),
    }


def matched_metadata(figures: DrainFigures, busy_s: float) -> dict[str, dg.MetadataValue]:
    """Counts and a small table for the run's page."""
    return {
        "queued": dg.MetadataValue.int(figures.queued),
        "withheld": dg.MetadataValue.int(sum(figures.withheld.values())),
        "seconds": dg.MetadataValue.float(round(busy_s, 3)),
        "custom_events": table_of("definition", figures.custom_events),
        "withheld_by_reason": table_of("reason", figures.withheld),
    }


@dg.asset_check(asset="commerce_events", description="landed = understood + parked + ignored + still queued.")
def landed_is_understood_parked_or_ignored(database_url: dg.ResourceParam[str]) -> dg.AssetCheckResult:
    """A gap means that a raw event left the queue without an outcome."""
    return check_result(database_url, "landed")
