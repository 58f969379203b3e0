"""Faults, one after the other and some at once, drawn by a seed; and afterwards calm."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec

from chaos.faults import Fault
from chaos.stage import NotNow, Stage

AT_ONCE: Final = 3  # unless a run says otherwise
LOOK_S: Final = 0.05
SHOWN_EVERY_S: Final = 10.0
# The next fault waits for its share of the traffic, so that faults and load last equally long on any machine; but no longer than this,
# since whatever is down may stay so for a while.
LONGEST_WAIT_S: Final = 20.0


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that happened: its name, from when to when (seconds since 1970)."""

    name: str
    began: float
    ended: float


class Conductor:
    """`pause_s`: the longest wait between two faults; `at_once`: how many may last together; `lasts`: how long, in parts of
    their own time. `share`: of the traffic that is through. Each of the faults that fit comes once
    before any comes again."""

    def __init__(
        self,
        stage: Stage,
        faults: Sequence[Fault],
        seed: int,
        *,
        pause_s: float,
        at_once: int,
        lasts: float = 1.0,
        share: Callable[[], float],
    ) -> None:
        self._stage = stage
        self._dice = Random(seed)
        self._faults = [fault for fault in faults if fault.fits(stage)]
        self._pause_s = pause_s
        self._at_once = at_once
        self._lasts = lasts
        self._share = share
        self._deck: list[Fault] = []
        self._missed: set[str] = set()
        self._now: list[tuple[Fault, float, float]] = []  # with when it began, and when it is to end
        self.played: list[Played] = []
        self.not_now: Counter[str] = Counter()

    def run(self, count: int, show: Callable[[str], None]) -> None:
        """Let `count` faults happen, and undo all of them."""
        next_at, shown_at = time.time(), 0.0
        while len(self.played) + len(self._now) < count or self._now:
            now = time.time()
            self._undo([entry for entry in self._now if entry[2] <= now])
            started = len(self.played) + len(self._now)
            is_due = now >= next_at and (self._share() >= started / count or now >= next_at + LONGEST_WAIT_S)
            if started < count and len(self._now) < self._at_once and is_due:
                self._begin_one(now)
                next_at = now + self._dice.uniform(0, self._pause_s)
            if now - shown_at >= SHOWN_EVERY_S:
                shown_at = now
                show(f"fault {started} of {count}: {', '.join(entry[0].name for entry in self._now) or 'between two'}")
            time.sleep(LOOK_S)

    def _begin_one(self, now: float) -> None:
        if not self._deck:  # what could not be played the last time is tried first
            drawn = self._dice.sample(self._faults, len(self._faults))
            self._deck = sorted(drawn, key=lambda fault: fault.name not in self._missed)
            self._missed.clear()
        touched = {entry[0].touches for entry in self._now}
        fault = next((fault for fault in self._deck if fault.touches not in touched), None)
        if fault is None:
            return
        self._deck.remove(fault)
        lasts_s = self._dice.uniform(*fault.lasts_s) * self._lasts
        try:
            fault.does(self._stage, self._dice)
        except NotNow:
            self.not_now[fault.name] += 1
            self._missed.add(fault.name)
            return
        self._now.append((fault, now, now + lasts_s))

    def _undo(self, entries: Sequence[tuple[Fault, float, float]]) -> None:
        for entry in entries:
            fault, began, _ = entry
            fault.undoes(self._stage)
            self._now.remove(entry)
            self.played.append(Played(name=fault.name, began=began, ended=time.time()))
