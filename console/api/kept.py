"""Figures that cost more the more sites there are: counted at most once in a while, however many look."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

KEPT_S: Final = 30.0  # of figures that people look at and that change by the hour

_Figure = TypeVar("_Figure")


class KeptFigures:
    """What was counted, by name, for `kept_s` seconds. Of several who ask at once, one counts and the others wait for it."""

    def __init__(self, kept_s: float = KEPT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept_s = kept_s
        self._clock = clock
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._figures: dict[str, tuple[float, Any]] = {}

    def get(self, name: str, count: Callable[[], _Figure]) -> _Figure:
        """The figure of this name as it was counted last, or counted now. Raises what `count` raises, and keeps nothing then."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            known = self._figures.get(name)
            if known is not None and self._clock() - known[0] < self._kept_s:
                return known[1]
            figure = count()
            self._figures[name] = (self._clock(), figure)
            return figure
