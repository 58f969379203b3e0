"""What the ledger has to know of the Google Ads API (docs/reference/google-ads.md 1.4, 2.6)."""

from custom_events.destinations.base import Calls, LaneTraits
from custom_events.settings import Settings
from custom_events.values.conversions import Lane


def _project_calls(settings: Settings) -> Calls:
    return Calls(per_minute=settings.google_ads_operations_per_minute, per_day=settings.google_ads_operations_per_day)


TRAITS = LaneTraits(
    lane=Lane.GOOGLE_ADS,
    restates_retracted=False,
    adjusts_with_click=False,
    keeps_summaries=True,
    quota_page="the API centre of the manager account",
    project_calls=_project_calls,
)
