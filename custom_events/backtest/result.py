"""The answer of a backtest: numbers, value by day, effect on what was uploaded, samples that explain themselves."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from custom_events.backtest.effects import Effect
from custom_events.history.drafts import Draft
from custom_events.matching.explain import Explanation
from custom_events.values.definitions import Assignment


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Occurrences by verdict. `already_sent` of those to add, another assignment has sent to the same ads action, so Google gets
    nothing new; `withheld` of them, by reason, would be recorded and not sent."""

    would_add: int = 0
    would_drop: int = 0
    would_change: int = 0
    unchanged: int = 0
    already_sent: int = 0
    withheld: dict[str, int] = {}

    @property
    def differs(self) -> bool:
        """Whether anything would be otherwise."""
        return bool(self.would_add or self.would_drop or self.would_change)


class AssignmentCounts(msgspec.Struct, frozen=True, kw_only=True):
    """One assignment's share. A negative `assignment_id` is a site that does not have the definition yet."""

    assignment_id: int
    site_id: int
    label: str
    definition: str
    counts: Counts


def counts_of(assignment: Assignment, counts: Counts) -> AssignmentCounts:
    """The share of one assignment."""
    return AssignmentCounts(
        assignment_id=assignment.assignment_id,
        site_id=assignment.site_id,
        label=assignment.label,
        definition=assignment.definition_key,
        counts=counts,
    )


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """Custom events and their value on one day of the site's calendar, as it is and as it would be."""

    day: date
    currency: str | None
    number_now: int = 0
    value_now: Decimal = Decimal(0)
    number_then: int = 0
    value_then: Decimal = Decimal(0)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One occurrence of a verdict, with why: the explanation is under the rules asked about."""

    verdict: str
    assignment_id: int
    site_id: int
    event_key: str
    occurred_at: datetime
    order_id: str | None
    value_now: Decimal | None
    value_then: Decimal | None
    currency: str | None
    upload: str | None  # state of the conversion that stands for it, or why an added one would not be sent
    explanation: Explanation


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft would have made of stored history. `is_complete` is False when it was stopped; then it is about what was read
    until then. `notes` say what limits the answer."""

    draft: Draft
    since: datetime
    until: datetime
    sites: tuple[int, ...]
    events: int
    seconds: float
    is_complete: bool
    counts: Counts
    assignments: tuple[AssignmentCounts, ...]
    days: tuple[Day, ...]
    effects: tuple[Effect, ...]
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()

    @property
    def events_per_s(self) -> float:
        """Rate of the look back."""
        return self.events / self.seconds if self.seconds else 0.0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is: `share` of the sites' periods, 0 to 1."""

    events: int
    site_id: int
    sites_done: int
    sites: int
    reached: datetime
    share: float


def to_json(backtest: Backtest) -> bytes:
    """The answer as JSON; amounts as text, times in ISO 8601."""
    return msgspec.json.encode(backtest)
