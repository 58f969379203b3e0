"""What the ledger has to know of the toy lane; `custom_events/destinations/toy/traits.py` in the copy."""

from custom_events.destinations.base import Calls, LaneTraits
from custom_events.values.conversions import Lane

TRAITS = LaneTraits(
    lane=Lane("toy"),
    restates_retracted=True,
    adjusts_with_click=False,
    keeps_summaries=False,
    quota_page="the toy's box",
    project_calls=lambda _: Calls(per_minute=600),
)
