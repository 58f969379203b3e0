"""What an ad platform says it made of our uploads, in counts: it names no row. Read to be laid beside the ledger."""

from datetime import date

import msgspec


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Uploaded events by what became of them. Every call counts, so a row that was sent twice is two events."""

    successful: int = 0
    failed: int = 0
    pending: int = 0

    @property
    def total(self) -> int:
        """All events."""
        return self.successful + self.failed + self.pending


class RequestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one request for one conversion action. `reasons`: code -> failed events, where the platform tells."""

    action_id: str
    counts: Counts
    reasons: dict[str, int] = {}

    @property
    def figures(self) -> dict[str, int | dict[str, int]]:
        """As `upload_requests.counts` holds them under the action's id."""
        plain: dict[str, int | dict[str, int]] = {**msgspec.structs.asdict(self.counts)}
        return plain | {"reasons": self.reasons} if self.reasons else plain


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of error and its share (0 to 1) of all events that a summary covers."""

    code: str
    share: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All that came to one conversion action, or to the whole account (`action_id` ""), through one kind of client.

    Days are dates in the account's time zone. `last_upload_at` is Google's own text, in that zone.
    """

    action_id: str
    client: str
    status: str
    counts: Counts
    last_upload_at: str | None = None
    days: dict[date, Counts] = {}
    jobs: dict[int, Counts] = {}
    alerts: tuple[Alert, ...] = ()


class Summaries(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one account's summaries say. `time_zone` is the account's, an IANA name."""

    time_zone: str | None = None
    summaries: tuple[Summary, ...] = ()
