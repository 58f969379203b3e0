"""What Google's upload diagnostics know: totals, days, jobs and errors, per account and per conversion action."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import msgspec

from sandbox.google_ads.error_names import BRAND_NEW, FAMILIES, AnyName

SECONDS_PER_DAY = 86_400
NO_RECENT_UPLOAD_DAYS = 28  # the status's own definition (OfflineConversionDiagnosticStatus)
DAILY_SUMMARIES_DAYS = 28
# Google names no limits for its verdicts; these shares of failed events are ours. [U]
GOOD_FAILURE_SHARE = 0.02
NEEDS_ATTENTION_FAILURE_SHARE = 0.10


def _text_of(name: AnyName) -> str:
    return f"{name.family}.{name.name}"


_NAMES: dict[str, AnyName] = {
    _text_of(name): name for name in (BRAND_NEW, *(name for family in FAMILIES for name in family))
}


@dataclass
class Counts:
    """Events by outcome."""

    successful: int = 0
    failed: int = 0
    pending: int = 0

    def add(self, other: "Counts") -> None:
        """Add the counts of `other`."""
        self.successful += other.successful
        self.failed += other.failed
        self.pending += other.pending

    @property
    def total(self) -> int:
        """All events."""
        return self.successful + self.failed + self.pending


@dataclass
class Summary:
    """One account's or one action's uploads. Days are dates in the account's time zone."""

    counts: Counts = field(default_factory=Counts)
    by_day: defaultdict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    by_job: defaultdict[int, Counts] = field(default_factory=lambda: defaultdict(Counts))
    errors: Counter[AnyName] = field(default_factory=Counter)
    last_upload: float = 0.0

    def status(self, now: float) -> str:
        """EXCELLENT, GOOD, NEEDS_ATTENTION or NO_RECENT_UPLOAD at `now` (seconds since 1970)."""
        if now - self.last_upload > NO_RECENT_UPLOAD_DAYS * SECONDS_PER_DAY:
            return "NO_RECENT_UPLOAD"
        share = self.counts.failed / self.counts.total if self.counts.total else 0.0
        if share >= NEEDS_ATTENTION_FAILURE_SHARE:
            return "NEEDS_ATTENTION"
        return "GOOD" if share >= GOOD_FAILURE_SHARE else "EXCELLENT"


@dataclass
class Batch:
    """What one request did, collected row by row and recorded once."""

    customer_id: str
    day: str
    job_id: int
    at: float
    by_action: defaultdict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    errors: defaultdict[str, Counter[AnyName]] = field(default_factory=lambda: defaultdict(Counter))

    def success(self, action_id: str) -> None:
        """A row was recorded."""
        self.by_action[action_id].successful += 1

    def failure(self, action_id: str, name: AnyName) -> None:
        """A row was refused, or accepted but of no use."""
        self.by_action[action_id].failed += 1
        self.errors[action_id][name] += 1

    def pending(self, action_id: str) -> None:
        """A row waits for its conversion."""
        self.by_action[action_id].pending += 1


class NotedBatch(msgspec.Struct, frozen=True, array_like=True):
    """A batch with names as text, for the journal."""

    customer_id: str
    day: str
    job_id: int
    at: float
    by_action: dict[str, Counts]
    errors: dict[str, dict[str, int]]

    @classmethod
    def of(cls, batch: Batch) -> "NotedBatch":
        """The same batch, to be written."""
        errors = {
            action: {_text_of(name): count for name, count in counts.items()} for action, counts in batch.errors.items()
        }
        return cls(batch.customer_id, batch.day, batch.job_id, batch.at, dict(batch.by_action), errors)

    def batch(self) -> Batch:
        """The batch that was written."""
        batch = Batch(self.customer_id, self.day, self.job_id, self.at)
        batch.by_action.update(self.by_action)
        for action, counts in self.errors.items():
            batch.errors[action].update({_NAMES[text]: count for text, count in counts.items()})
        return batch


class Diagnostics:
    """Summaries by account, and by account and action."""

    def __init__(self) -> None:
        self._summaries: dict[tuple[str, str], Summary] = {}

    def record(self, batch: Batch) -> None:
        """Add a batch to its account and to each known action (an unknown one has the id "")."""
        for action_id, counts in batch.by_action.items():
            for summary in self._of(batch.customer_id, action_id):
                for part in (summary.counts, summary.by_day[batch.day], summary.by_job[batch.job_id]):
                    part.add(counts)
                summary.errors.update(batch.errors[action_id])
                summary.last_upload = max(summary.last_upload, batch.at)

    def settle(self, customer_id: str, action_id: str, day: str, job_id: int, error: AnyName | None) -> None:
        """A pending event of that day and job succeeded (`error` None) or failed."""
        for summary in self._of(customer_id, action_id):
            for part in (summary.counts, summary.by_day[day], summary.by_job[job_id]):
                part.pending -= 1
                if error is None:
                    part.successful += 1
                else:
                    part.failed += 1
            if error is not None:
                summary.errors[error] += 1

    def account(self, customer_id: str) -> Summary | None:
        """The account's summary; None before its first upload."""
        return self._summaries.get((customer_id, ""))

    def actions(self, customer_id: str) -> dict[str, Summary]:
        """The account's summaries by action id."""
        return {
            action: summary for (owner, action), summary in self._summaries.items() if owner == customer_id and action
        }

    def _of(self, customer_id: str, action_id: str) -> list[Summary]:
        keys = [(customer_id, "")] if not action_id else [(customer_id, ""), (customer_id, action_id)]
        return [self._summaries.setdefault(key, Summary()) for key in keys]
