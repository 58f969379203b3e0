"""What a conversion's rows need so that Google ends with the value it should have now. Pure.

Refunds, edits and cancellations change a desired value; a custom event that was withdrawn desires nothing; the ledger compares it with what was sent, or is going to be sent, and adds,
changes or withdraws one row. So a burst of refunds is one adjustment, and history that was sent is never rewritten.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from custom_events.ledger import states
from custom_events.values.conversions import Lane, UploadKind, UploadState

STEP: Final = timedelta(seconds=1)  # Google reads whole seconds; a second adjustment needs a later time
_UNSENT: Final = frozenset({UploadState.NEW, UploadState.HELD, UploadState.QUEUED})
_NEVER_THERE: Final = frozenset({UploadState.WITHHELD, UploadState.REJECTED, UploadState.EXPIRED})


class Desired(NamedTuple):
    """What Google should have: a value, or nothing (None) and why."""

    value: Decimal | None
    reason: str | None = None


class LedgerRow(NamedTuple):
    """One row of a conversion: itself (sequence 0) or an adjustment."""

    created_at: datetime
    id: int
    kind: UploadKind
    sequence: int
    state: UploadState
    reason: str | None
    attempts: int
    value: Decimal | None
    conversion_at: datetime
    adjusted_at: datetime | None

    @property
    def unsent(self) -> bool:
        """Nobody has tried to send it yet."""
        return self.state in _UNSENT and self.attempts == 0

    @property
    def stands_for(self) -> Decimal:
        """The value that Google has once this row is accepted."""
        return Decimal(0) if self.kind is UploadKind.RETRACTION else self.value or Decimal(0)


class SetValue(NamedTuple):
    """Change a row that nobody has sent."""

    row: LedgerRow
    kind: UploadKind
    value: Decimal
    adjusted_at: datetime | None


class Withhold(NamedTuple):
    """A row that nobody has sent need not be."""

    row: LedgerRow
    reason: str
    sentence: str


class Append(NamedTuple):
    """A new adjustment; withheld from the start when it has a reason."""

    kind: UploadKind
    value: Decimal
    sequence: int
    adjusted_at: datetime
    reason: str | None = None
    sentence: str | None = None


Change = SetValue | Withhold | Append


def change(
    conversion: LedgerRow, adjustments: Sequence[LedgerRow], desired: Desired, lane: Lane, now: datetime
) -> Change | None:
    """The one change that brings the conversion to `desired`; None: nothing to do. `adjustments` by rising sequence."""
    if conversion.unsent:
        return _before_sending(conversion, desired)
    value = desired.value or Decimal(0)
    sequence = adjustments[-1].sequence + 1 if adjustments else 1
    at = _next_time(conversion, adjustments, now)
    kind = UploadKind.RESTATEMENT if value else UploadKind.RETRACTION
    if conversion.state in _NEVER_THERE:
        if desired.value is None:
            return None
        return _for_the_record(conversion, adjustments, Append(kind, value, sequence, at))
    pending = adjustments[-1] if adjustments and adjustments[-1].unsent else None
    told = [row for row in adjustments if row is not pending and row.state not in _NEVER_THERE]
    last = told[-1] if told else conversion
    # A conversion without a value is there all the same: only its retraction takes it away.
    if value == last.stands_for and (desired.value is not None or last.kind is UploadKind.RETRACTION):
        if pending is None:
            return None
        return Withhold(pending, states.SUPERSEDED, "Google already has the value that is right now")
    if last.kind is UploadKind.RETRACTION and lane is Lane.GOOGLE_ADS:
        sentence = "The conversion was retracted, and Google does not restate a retracted one"
        return _once(adjustments, Append(kind, value, sequence, at, states.ALREADY_RETRACTED, sentence))
    if pending is not None:
        return None if (pending.kind, pending.stands_for) == (kind, value) else SetValue(pending, kind, value, at)
    return Append(kind, value, sequence, at)


def _before_sending(conversion: LedgerRow, desired: Desired) -> Change | None:
    if desired.value is None:
        reason = desired.reason or states.UNMADE
        return Withhold(conversion, reason, "Its custom event was withdrawn before it was sent")
    if desired.value == conversion.stands_for:
        return None
    if not desired.value:
        return Withhold(conversion, states.FULLY_REFUNDED, "The order was refunded or cancelled before it was sent")
    return SetValue(conversion, UploadKind.CONVERSION, desired.value, None)


def _for_the_record(conversion: LedgerRow, adjustments: Sequence[LedgerRow], row: Append) -> Change | None:
    """A conversion that is not at Google needs no adjustment; that one would have been due is kept."""
    if conversion.reason == states.FULLY_REFUNDED or row.value == conversion.stands_for:
        return None
    sentence = "Its conversion was not accepted by Google, so there is nothing to adjust"
    return _once(adjustments, row._replace(reason=states.ORIGINAL_NOT_SENT, sentence=sentence))


def _once(adjustments: Sequence[LedgerRow], row: Append) -> Append | None:
    """The same thing is recorded once."""
    last = adjustments[-1] if adjustments else None
    if last is not None and last.reason == row.reason and last.stands_for == row.value:
        return None
    return row


def _next_time(conversion: LedgerRow, adjustments: Sequence[LedgerRow], now: datetime) -> datetime:
    """Later than the conversion and than every adjustment before; whole seconds."""
    earlier = [conversion.conversion_at, *(row.adjusted_at for row in adjustments if row.adjusted_at is not None)]
    return max(now.replace(microsecond=0), max(earlier).replace(microsecond=0) + STEP)
