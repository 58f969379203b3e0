"""The check beside `custom_events`; the asset itself is made with `commerce_events`, in the same transaction."""

import dagster as dg

from assets.sums import check_result
from custom_events.watching.equations import FORMULAS


@dg.asset_check(
    asset="custom_events", description=f"{FORMULAS['matched']}, and custom events say what their conversions say."
)
def matched_is_queued_or_withheld(database_url: dg.ResourceParam[str]) -> dg.AssetCheckResult:
    """A gap means that a custom event has no row in the ledger, or one that contradicts it."""
    return check_result(database_url, "matched")
