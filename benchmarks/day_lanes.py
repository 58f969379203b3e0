"""Lanes that raise now and then, before or after they have done what they were asked: a defect of ours, or of a client's."""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from google.api_core.exceptions import PermissionDenied

from custom_events.destinations.base import Destination
from custom_events.values.conversions import Lane

SHARE: Final = 0.01  # of the calls of each method
METHODS: Final = ("prepare", "send", "rehearse", "probe", "poll")
ERRORS: Final = (NotImplementedError("no such thing"), KeyError("lane"), PermissionDenied("no"), RecursionError("deep"))


class Raising:
    """A lane that raises in a share of the calls of each method, as long as `armed`."""

    def __init__(self, real: Destination, seed: int) -> None:
        self._real = real
        self._chance = random.Random(seed)
        self.armed = True
        self.fired: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        return self._raising(name, real) if name in METHODS else real

    def _raising(self, name: str, real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            raises = self.armed and self._chance.random() < SHARE
            error, after = self._chance.choice(ERRORS), self._chance.random() < 0.5
            if raises and not after:
                self.fired[name] += 1
                raise error
            answer = real(*arguments, **options)
            if raises:
                self.fired[name] += 1
                raise error
            return answer

        return call


def raising(lanes: Mapping[Lane, Destination]) -> dict[Lane, Any]:
    """The same lanes, raising."""
    return {lane: Raising(real, seed) for seed, (lane, real) in enumerate(lanes.items())}
