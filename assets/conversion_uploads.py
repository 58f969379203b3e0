"""What goes to Google, and its answers."""

from typing import Any

import dagster as dg

from assets.database import opened
from assets.figures import RunLog, of_run, rate, table_of
from assets.sums import as_status, check_result
from custom_events.ledger import send
from custom_events.settings import settings
from custom_events.watching.equations import FORMULAS


@dg.asset(
    deps=["custom_events", "configuration"],
    group_name="sent",
    kinds={"postgres", "googlecloud"},
    description="The ledger: conversions and adjustments on their way to Google Ads, each with its answer.",
)
def conversion_uploads(
    context: dg.AssetExecutionContext, database_url: dg.ResourceParam[str]
) -> dg.MaterializeResult[Any]:
    """Sends what is due, polls what is pending, adjusts what was refunded; lives on while there is work, within bounds."""
    configured = settings()
    log = RunLog(context.log.info)

    def tell(batch: send.UploadFigures) -> None:
        log.add({"rows": batch.rows, "requests": batch.requests, **batch.verdicts})

    with opened(database_url) as engine:
        figures = send.drain(
            engine,
            configured,
            until_idle_s=configured.drain_idle_s,
            limit_s=configured.drain_limit_s,
            on_batch=tell,
        )
    return dg.MaterializeResult(
        metadata=of_run(
            {
                "conversions and adjustments sent": dg.MetadataValue.int(figures.rows),
                "requests": dg.MetadataValue.int(figures.requests),
                "seconds of work": dg.MetadataValue.float(round(figures.busy_s, 3)),
                "sent in a second of work": dg.MetadataValue.text(rate(figures.rows, figures.busy_s)),
                "answers": table_of("answer", figures.verdicts),
            }
        )
        | as_status(database_url, "queued")
    )


@dg.asset_check(asset="conversion_uploads", description=f"{FORMULAS['queued']}, over all that is kept.")
def queued_has_a_standing(database_url: dg.ResourceParam[str]) -> dg.AssetCheckResult:
    """A gap means that a row of the ledger stands nowhere."""
    return check_result(database_url, "queued")
