"""Figures as Dagster's pages show them."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import dagster as dg

LOG_EVERY_S: Final = 30.0  # a row of Dagster's event log for each batch were a thousand a run


class RunLog:
    """What a draining run writes into Dagster's log: counts of all batches since the last line, one line in LOG_EVERY_S at most."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._counts: Counter[str] = Counter()
        self._written_at: float | None = None

    def add(self, counts: Mapping[str, int]) -> None:
        """Count a batch; the first one is written at once. What comes after the last line is in the run's figures."""
        self._counts.update(counts)
        now = self._clock()
        if self._written_at is None or now - self._written_at >= LOG_EVERY_S:
            self._write(", ".join(f"{count:,} {name}" for name, count in self._counts.items()))
            self._counts.clear()
            self._written_at = now


def rate(count: int, seconds: float) -> str:
    """`1,234/s`, or a dash when nothing took any time."""
    return f"{count / seconds:,.0f}/s" if count and seconds > 0 else "-"


def of_run(figures: Mapping[str, dg.MetadataValue]) -> dict[str, dg.MetadataValue]:
    """Figures of one run, named so that nobody takes them for those of `status`, which are of all that is kept."""
    return {f"this run: {name}": value for name, value in figures.items()}


def table_of(counted: str, counts: Mapping[str, int]) -> dg.MetadataValue:
    """A table of counts, largest first."""
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"| {counted} | rows |", "|---|---:|", *(f"| {name} | {count:,} |" for name, count in rows)]
    return dg.MetadataValue.md("\n".join(lines))
