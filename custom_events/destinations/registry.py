"""The lanes, by name: each word of `values.conversions.Lane` has a folder beside this file.

A new one is that folder and that line. Its `traits.py` holds TRAITS, what the ledger and its statements have to know (`traits.py`); its `lane.py`
holds `from_settings`, which makes its `Destination`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from custom_events.destinations.base import Destination
from custom_events.destinations.traits import FOLDERS
from custom_events.settings import Settings
from custom_events.values.conversions import Lane


def _maker(folder: str) -> Callable[[Settings], Destination]:
    maker: Callable[[Settings], Destination] = import_module(f"{__package__}.{folder}.lane").from_settings
    return maker


DESTINATIONS: Final[dict[Lane, Callable[[Settings], Destination]]] = {
    lane: _maker(folder) for lane, folder in FOLDERS.items()
}


def destinations(settings: Settings) -> dict[Lane, Destination]:
    """Every lane, made from the settings; clients are opened when something is sent."""
    return {lane: make(settings) for lane, make in DESTINATIONS.items()}
