"""What differs from lane to lane and is known without asking anybody: from `traits.py` in each lane's folder, whose imports are light.

The ledger and its statements ask here; what needs a client is a lane's own (`base.Destination`).
"""

import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from custom_events.destinations.base import LaneTraits
from custom_events.values.conversions import Lane


def _folders() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.ispkg)


def _traits(folder: str) -> LaneTraits:
    traits: LaneTraits = import_module(f"{__package__}.{folder}.traits").TRAITS
    return traits


FOLDERS: Final[dict[Lane, str]] = {_traits(folder).lane: folder for folder in _folders()}
TRAITS: Final[dict[Lane, LaneTraits]] = {lane: _traits(folder) for lane, folder in FOLDERS.items()}


def sql_list(lanes: Callable[[LaneTraits], bool]) -> str:
    """The lanes of which this holds, for `IN (...)` of a statement; at least one word, if only one that no lane has."""
    return ", ".join(f"'{traits.lane.value}'" for traits in TRAITS.values() if lanes(traits)) or "''"
