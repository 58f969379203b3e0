"""The equations between the stages, in words: what a store sent is somewhere at every stage (promise 6, docs/architecture.md 5). Pure.

    received = landed + refused
    landed   = understood + parked(reason) + ignored(reason) + what waits to be understood
    matched  = queued + withheld(reason); those that were withdrawn since are among them, withheld or to be retracted
    queued   = accepted + unmatched + rejected + waiting + expired + unknown

Received is the receiver's own count of what it answered; landed are acknowledged deliveries, repeated ones included, which
count as ignored (duplicate_delivery).
"""

from datetime import datetime
from typing import Final, NamedTuple

import msgspec


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Figures since `since` (None: all that is kept), of one site or of all. `gaps` has a sentence for each sum that is off."""

    since: datetime | None = None
    site_id: int | None = None
    received: int = 0
    refused: int = 0
    refused_by_reason: dict[str, int] = {}  # as far as they were kept
    landed: int = 0
    to_understand: int = 0
    understood: int = 0
    paused: int = 0  # of the understood: of sites that were paused, so that nothing could match
    parked: dict[str, int] = {}
    ignored: dict[str, int] = {}
    matched: int = 0
    withdrawn: dict[str, int] = {}  # of the matched: stand no longer
    queued: int = 0
    withheld: dict[str, int] = {}
    accepted: int = 0
    unmatched: int = 0  # Google took the call and has no such click: nothing came of it
    rejected: int = 0
    waiting: int = 0
    expired: int = 0
    unknown: int = 0
    contradictions: dict[str, int] = {}  # custom events that their conversions deny, by what
    gaps: list[str] = []

    @property
    def agree(self) -> bool:
        """Whether every sum holds."""
        return not self.gaps


class Line(NamedTuple):
    """One sum in the words that people see everywhere: at the terminal, in the API's page, on Dagster's."""

    name: str
    total: int
    parts: dict[str, int]

    def __str__(self) -> str:
        return f"{self.name} {self.total:,} = " + " + ".join(f"{part} {count:,}" for part, count in self.parts.items())

    @property
    def gap(self) -> int:
        """What is missing on the right side; 0 where the sum holds."""
        return self.total - sum(self.parts.values())


def lines(sums: Sums) -> tuple[Line, ...]:
    """The sums from the store to Google."""
    parked, ignored, withheld = (sum(words.values()) for words in (sums.parked, sums.ignored, sums.withheld))
    return (
        Line("received", sums.received, {"landed": sums.landed, "refused": sums.refused}),
        Line(
            "landed",
            sums.landed,
            {"understood": sums.understood, "parked": parked, "ignored": ignored, "waiting": sums.to_understand},
        ),
        Line("matched", sums.matched, {"queued": sums.queued, "withheld": withheld}),
        Line(
            "queued",
            sums.queued,
            {
                "accepted": sums.accepted,
                "unmatched": sums.unmatched,
                "rejected": sums.rejected,
                "expired": sums.expired,
                "unknown": sums.unknown,
                "waiting": sums.waiting,
            },
        ),
    )


# Each sum in words: "received = landed + refused".
FORMULAS: Final = {line.name: f"{line.name} = {' + '.join(line.parts)}" for line in lines(Sums())}


def gaps(sums: Sums) -> list[str]:
    """A sentence for each sum that does not hold; it begins with the left side of the sum."""
    return [
        f"{line.name} {line.total} is {line.gap:+d} away from "
        + " + ".join(f"{part} {count}" for part, count in line.parts.items())
        for line in lines(sums)
        if line.gap
    ]
