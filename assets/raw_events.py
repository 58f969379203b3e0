"""What landed. The receiver makes it, so Dagster only knows of it; its check is the first of the sums."""

import dagster as dg

from assets.sums import check_result
from custom_events.watching.equations import FORMULAS

raw_events = dg.AssetSpec(
    "raw_events",
    group_name="landing",
    kinds={"postgres", "fastapi"},
    description="Deliveries as they were received: exact bytes, headers, verdict. Written by the receiver (`ingest_api`).",
)

configuration = dg.AssetSpec(
    "configuration",
    group_name="landing",
    kinds={"postgres"},
    description="Sites, definitions, assignments and ads accounts. Changed by people through the command line and the console.",
)


@dg.asset_check(asset="raw_events", description=f"{FORMULAS['received']}, against the receiver's own count.")
def received_is_landed_or_refused(database_url: dg.ResourceParam[str]) -> dg.AssetCheckResult:
    """A gap means that something was acknowledged and is not there, or is there and was never acknowledged."""
    return check_result(database_url, "received")
