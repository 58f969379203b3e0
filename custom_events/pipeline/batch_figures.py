"""What a batch and a draining run did, in numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from custom_events.pipeline.rematch.changes import Changes
from custom_events.pipeline.understanding import CandidateEvent, Delivered
from custom_events.pipeline.uploads import Occurrence
from custom_events.values.conversions import UploadState
from custom_events.values.deliveries import Outcome

NO_REASON = "unspecified"


class BatchFigures(msgspec.Struct, kw_only=True):
    """One batch. Counts by reason, event type and definition; `seconds` from claim to commit."""

    raw: int = 0
    understood: int = 0
    parked: dict[str, int] = {}
    ignored: dict[str, int] = {}
    events: dict[str, int] = {}  # new ones, by type
    revised: int = 0  # known ones whose content older evidence corrected
    custom_events: dict[str, int] = {}  # by definition
    queued: int = 0
    held: dict[str, int] = {}
    withheld: dict[str, int] = {}
    corrected: int = 0  # custom events that stand for something else now
    withdrawn: dict[str, int] = {}  # custom events that stand no longer, by reason
    seconds: float = 0.0


class DrainFigures(BatchFigures, kw_only=True):
    """All batches of a run. `seconds` is the time from its start to the end of its last batch."""

    batches: int = 0

    @property
    def new_events(self) -> int:
        """New commerce events of all types."""
        return sum(self.events.values())

    @property
    def events_per_s(self) -> float:
        """Raw events per second."""
        return self.raw / self.seconds if self.seconds else 0.0

    def add(self, batch: BatchFigures) -> None:
        """Count one more batch."""
        self.batches += 1
        add(self, batch)


def add(total: BatchFigures, part: BatchFigures) -> None:
    """Add `part` to `total`, seconds left out."""
    total.raw += part.raw
    total.understood += part.understood
    total.revised += part.revised
    total.queued += part.queued
    total.corrected += part.corrected
    for name in ("parked", "ignored", "events", "custom_events", "held", "withheld", "withdrawn"):
        setattr(total, name, _sum(getattr(total, name), getattr(part, name)))


def _sum(counts: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(counts) + Counter(other))


def count(
    delivered: Iterable[Delivered],
    new: Iterable[CandidateEvent],
    revised: int,
    occurrences: Iterable[Occurrence],
    changes: Changes | None = None,
) -> BatchFigures:
    """The figures of a batch that was written. `changes`: what it changed of what was there before."""
    outcomes = Counter((row.understood.outcome, row.understood.reason or NO_REASON) for row in delivered)
    again = changes or Changes()
    made = [(occurrence.match, occurrence.draft) for occurrence in occurrences] + [
        (row.matched.match, row.draft) for row in again.added
    ]
    states = Counter((draft.state, draft.reason or NO_REASON) for _, draft in made)
    return BatchFigures(
        raw=sum(outcomes.values()),
        understood=sum(number for (outcome, _), number in outcomes.items() if outcome is Outcome.UNDERSTOOD),
        parked={reason: number for (outcome, reason), number in outcomes.items() if outcome is Outcome.PARKED},
        ignored={reason: number for (outcome, reason), number in outcomes.items() if outcome is Outcome.IGNORED},
        events=dict(Counter(str(candidate.event.type) for candidate in new)),
        revised=revised,
        custom_events=dict(Counter(match.assignment.definition_key for match, _ in made)),
        queued=sum(number for (state, _), number in states.items() if state is UploadState.QUEUED),
        held={reason: number for (state, reason), number in states.items() if state is UploadState.HELD},
        withheld={reason: number for (state, reason), number in states.items() if state is UploadState.WITHHELD},
        corrected=len(again.corrected),
        withdrawn=dict(Counter(str(withdrawn.cause.reason) for withdrawn in again.withdrawn)),
    )
