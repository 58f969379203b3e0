"""What a conversion's rows need so that Google ends with the value it should have now. Pure.

Refunds, edits, cancellations and what undoes them change a desired value; a custom event that was withdrawn desires nothing. The
ledger compares it with what was sent, or is going to be sent. Of the rows that wait one at most goes: it is changed, the others are
superseded, and history that was sent is never rewritten. So a burst of refunds is one adjustment, and what is undone before it was
sent is not sent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from custom_events.destinations.conversion_rules import ADJUSTABLE
from custom_events.destinations.traits import TRAITS
from custom_events.ledger import states
from custom_events.values import reasons
from custom_events.values.conversions import Lane, UploadKind, UploadState

STEP: Final = timedelta(seconds=1)  # Google reads whole seconds; a second adjustment needs a later time
LAST_CALL: Final = timedelta(hours=24)  # before Google's deadline: what waits longer by a setting goes then
_UNSENT: Final = frozenset({UploadState.NEW, UploadState.HELD, UploadState.QUEUED})
_NEVER_THERE: Final = frozenset({UploadState.WITHHELD, UploadState.REJECTED, UploadState.EXPIRED})
_NOTHING: Final = Decimal(0)


class Hold(NamedTuple):
    """Why something waits: until a moment, or (None) until a person lets it go."""

    reason: str
    sentence: str
    until: datetime | None


class Desired(NamedTuple):
    """What Google should have: a value, or nothing (None) and why. `hold`: its retraction waits. `undecided`: what the conversion is
    worth should the person who is asked not let the retraction go. `whole`: what it was worth before anything was taken from it."""

    value: Decimal | None
    reason: str | None = None
    hold: Hold | None = None
    undecided: Decimal | None = None
    whole: Decimal | None = None


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
    def is_not_there(self) -> bool:
        """It waits, and Google does not have it: nobody has sent it, or every call was refused."""
        return self.state in _UNSENT and not (self.attempts and (self.reason or "").startswith(states.MAYBE_APPLIED))

    @property
    def was_worth_nothing(self) -> bool:
        """It was withheld by us before it was sent, and goes after all when its order is worth something again."""
        return self.state is UploadState.WITHHELD and self.attempts == 0 and self.reason in reasons.WORTH_NOTHING

    @property
    def stands_for(self) -> Decimal:
        """The value that Google has once this row is accepted."""
        return _NOTHING if self.kind is UploadKind.RETRACTION else self.value or _NOTHING

    def is_held_as(self, hold: Hold | None) -> bool:
        """Whether it waits for this, or, without a hold of ours, for nothing of ours. What a person holds stays held."""
        if self.reason == reasons.HELD_BY_HAND:
            return True
        own = self.reason if self.state is UploadState.HELD and self.reason in reasons.OWN_HOLDS else None
        return own == (None if hold is None else hold.reason)


class SetValue(NamedTuple):
    """Another value for a row that nobody has sent."""

    row: LedgerRow
    kind: UploadKind
    value: Decimal
    adjusted_at: datetime | None


class Place(NamedTuple):
    """Have a row that waits go now, or wait for something of ours (`hold`)."""

    row: LedgerRow
    hold: Hold | None


class Withhold(NamedTuple):
    """A row that Google does not have need not be sent, or is not for another reason than before."""

    row: LedgerRow
    reason: str
    sentence: str


class Release(NamedTuple):
    """A conversion that was withheld before it was sent goes after all, with this value; or waits for something of ours."""

    row: LedgerRow
    value: Decimal
    hold: Hold | None


class Append(NamedTuple):
    """A new adjustment; withheld from the start when it has a reason, held with a hold."""

    kind: UploadKind
    value: Decimal
    sequence: int
    adjusted_at: datetime
    reason: str | None = None
    sentence: str | None = None
    hold: Hold | None = None


Change = SetValue | Place | Withhold | Release | Append


def changes(
    conversion: LedgerRow, adjustments: Sequence[LedgerRow], desired: Desired, lane: Lane, now: datetime
) -> list[Change]:
    """What brings the conversion to `desired`, nothing when it is there. `adjustments` by rising sequence."""
    if conversion.unsent or conversion.was_worth_nothing:
        return _before_sending(conversion, desired)
    value = desired.value or _NOTHING
    kind = UploadKind.RESTATEMENT if value else UploadKind.RETRACTION
    sequence = adjustments[-1].sequence + 1 if adjustments else 1
    row = Append(kind, value, sequence, _next_time(conversion, adjustments, now))
    if conversion.state in _NEVER_THERE:
        return [] if desired.value is None else _for_the_record(conversion, adjustments, row)
    waiting = [ledger_row for ledger_row in adjustments if ledger_row.is_not_there]
    rows = [
        ledger_row for ledger_row in adjustments if not ledger_row.is_not_there and ledger_row.state not in _NEVER_THERE
    ]
    last = rows[-1] if rows else conversion
    # A conversion without a value is there all the same: only its retraction takes it away.
    if value == last.stands_for and (desired.value is not None or last.kind is UploadKind.RETRACTION):
        return _superseded(waiting, reasons.SUPERSEDED_AS_RIGHT)
    if last.kind is UploadKind.RETRACTION and not TRAITS[lane].restates_retracted:
        sentence = reasons.WITHHELD[reasons.ALREADY_RETRACTED]
        recorded = row._replace(reason=reasons.ALREADY_RETRACTED, sentence=sentence)
        return [*_superseded(waiting, sentence), *_once(adjustments, recorded)]
    return _adjusted(waiting, row, _hold(conversion, row, desired.hold, lane, now))


def _adjusted(waiting: Sequence[LedgerRow], row: Append, hold: Hold | None) -> list[Change]:
    """The last row that waits stands for what is desired, or is changed to it if nobody has sent it, or another one follows; all
    others are superseded."""
    if not waiting:
        return [row._replace(hold=hold)]
    newest = waiting[-1]
    older = _superseded(waiting[:-1])
    is_right = (newest.kind, newest.stands_for) == (row.kind, row.value)
    if not (is_right or newest.unsent):
        return [*_superseded(waiting), row._replace(hold=hold)]
    wanted_changes: list[Change] = [*older]
    if not is_right:
        wanted_changes.append(SetValue(newest, row.kind, row.value, row.adjusted_at))
    if not newest.is_held_as(hold):
        wanted_changes.append(Place(newest, hold))
    return wanted_changes


def _hold(conversion: LedgerRow, row: Append, hold: Hold | None, lane: Lane, now: datetime) -> Hold | None:
    """What a retraction waits for: for a person on either lane, for a moment where Google takes no retraction back, and never so long
    that Google would not take it any more."""
    if hold is None or row.kind is not UploadKind.RETRACTION:
        return None
    deadline = conversion.conversion_at + ADJUSTABLE
    if hold.until is None:
        return hold._replace(until=deadline)
    if TRAITS[lane].restates_retracted:
        return None
    until = min(hold.until, deadline - LAST_CALL)
    return hold._replace(until=until, sentence=f"{hold.sentence}: {reasons.moment(until)}") if until > now else None


def _before_sending(conversion: LedgerRow, desired: Desired) -> list[Change]:
    """Of a conversion that nobody has tried to send: it goes with its value, or is withheld while that is nothing."""
    if desired.value is None:
        if not conversion.unsent:
            return []
        return [Withhold(conversion, desired.reason or reasons.INVALIDATED, reasons.WITHHELD[reasons.INVALIDATED])]
    hold = desired.hold if desired.undecided is not None else None
    value = desired.value if desired.undecided is None else desired.undecided
    if not value and (value != conversion.stands_for or not conversion.unsent):
        return _withheld(conversion, desired)
    if not conversion.unsent:
        return [Release(conversion, value, hold)]
    wanted_changes: list[Change] = []
    if value != conversion.stands_for:
        wanted_changes.append(SetValue(conversion, UploadKind.CONVERSION, value, None))
    if not conversion.is_held_as(hold):
        wanted_changes.append(Place(conversion, hold))
    return wanted_changes


def _withheld(conversion: LedgerRow, desired: Desired) -> list[Change]:
    """Worth nothing now. The row says what it would have been worth."""
    wanted_changes: list[Change] = []
    reason = reasons.PAYMENT_LOST if desired.reason == reasons.PAYMENT_LOST else reasons.FULLY_REFUNDED
    if conversion.unsent or conversion.reason != reason:
        wanted_changes.append(Withhold(conversion, reason, reasons.WITHHELD[reason]))
    if desired.whole is not None and desired.whole != conversion.value:
        wanted_changes.append(SetValue(conversion, UploadKind.CONVERSION, desired.whole, None))
    return wanted_changes


def _for_the_record(conversion: LedgerRow, adjustments: Sequence[LedgerRow], row: Append) -> list[Change]:
    """A conversion that is not at Google needs no adjustment; that one would have been due is kept."""
    if row.value == conversion.stands_for:
        return []
    reason = reasons.ORIGINAL_NOT_SENT
    return _once(adjustments, row._replace(reason=reason, sentence=reasons.WITHHELD[reason]))


def uncounted(
    conversion: LedgerRow,
    adjustments: Sequence[LedgerRow],
    made_changes: Sequence[Change],
    sentence: str | None,
    now: datetime,
) -> list[Change]:
    """A record, once, that something of the order cannot be counted. `found`: what is written of the conversion beside it."""
    if sentence is None or conversion.state in _NEVER_THERE:
        return []
    if any(row.reason == reasons.OTHER_CURRENCY for row in adjustments):
        return []
    sequence = max((change.sequence for change in made_changes if isinstance(change, Append)), default=0)
    sequence = max(sequence, adjustments[-1].sequence if adjustments else 0) + 1
    at = _next_time(conversion, adjustments, now)
    value = conversion.stands_for
    return [Append(UploadKind.RESTATEMENT, value, sequence, at, reasons.OTHER_CURRENCY, sentence)]


def _superseded(waiting: Sequence[LedgerRow], sentence: str = reasons.WITHHELD[reasons.SUPERSEDED]) -> list[Change]:
    return [Withhold(row, reasons.SUPERSEDED, sentence) for row in waiting]


def _once(adjustments: Sequence[LedgerRow], row: Append) -> list[Change]:
    """The same thing is recorded once."""
    last = adjustments[-1] if adjustments else None
    if last is not None and last.reason == row.reason and last.stands_for == row.value:
        return []
    return [row]


def _next_time(conversion: LedgerRow, adjustments: Sequence[LedgerRow], now: datetime) -> datetime:
    """Later than the conversion and than every adjustment before; whole seconds."""
    earlier = [conversion.conversion_at, *(row.adjusted_at for row in adjustments if row.adjusted_at is not None)]
    return max(now.replace(microsecond=0), max(earlier).replace(microsecond=0) + STEP)
