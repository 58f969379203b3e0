"""What the ledger has to know of Google's Data Manager API (docs/reference/google-ads.md 2.7): an adjustment is the event once more."""

from custom_events.destinations.base import Calls, LaneTraits
from custom_events.settings import Settings
from custom_events.values.conversions import Lane


def _project_calls(settings: Settings) -> Calls:
    return Calls(per_minute=settings.data_manager_requests_per_minute, per_day=settings.data_manager_requests_per_day)


TRAITS = LaneTraits(
    lane=Lane.DATA_MANAGER,
    restates_retracted=True,
    adjusts_with_click=True,
    keeps_summaries=False,
    quota_page="the quotas of the Cloud project",
    project_calls=_project_calls,
)
