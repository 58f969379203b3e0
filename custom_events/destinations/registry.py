"""The lanes, by name. A new one is a folder, a line here and a word in `values.conversions.Lane`."""

from collections.abc import Callable
from typing import Final

from custom_events.destinations.base import Destination
from custom_events.destinations.google_ads.lane import GoogleAdsLane
from custom_events.destinations.google_data_manager.lane import DataManagerLane
from custom_events.settings import Settings
from custom_events.values.conversions import Lane

DESTINATIONS: Final[dict[Lane, Callable[[Settings], Destination]]] = {
    Lane.GOOGLE_ADS: GoogleAdsLane.from_settings,
    Lane.DATA_MANAGER: DataManagerLane.from_settings,
}


def destinations(settings: Settings) -> dict[Lane, Destination]:
    """Every lane, made from the settings; clients are opened when something is sent."""
    return {lane: make(settings) for lane, make in DESTINATIONS.items()}
