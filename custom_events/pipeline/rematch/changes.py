"""What matching again changes, worked out as a whole before `write.py` writes it.

The ledger's part: a conversion that nobody has tried to send is withheld, corrected or let go here; one that was sent keeps
its row, and the order is marked, so that the adjuster brings Google to the value that is right now (`ledger/desired.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from custom_events.pipeline import comparison
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.comparison import Comparison, Kept, Transaction, TransactionRank
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.consents import OrderConsent, stored_consents, with_order_consent, with_what_was_said
from custom_events.pipeline.conversion import Draft, draft
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.rematch.stored import (
    UNSENT,
    Cause,
    StoredCustomEvent,
    StoredUpload,
    differs,
    with_what_was_sent,
)
from custom_events.pipeline.understanding import Key
from custom_events.pipeline.uploads import (
    data_of,
    same_transaction,
)
from custom_events.queries import rematch as sql
from custom_events.values.conversions import UploadState
from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE, WAITING_REASONS, Reason


class Added(NamedTuple):
    """A custom event that was not there."""

    matched: Matched
    draft: Draft


class Corrected(NamedTuple):
    """A custom event that stands otherwise than it is stored: another value, time, key or click, or it was withdrawn."""

    row: StoredCustomEvent
    matched: Matched
    draft: Draft
    redecided: bool  # its conversion may go now, or no longer


Revisions = tuple[int, int]  # of definition and assignment


class Withdrawn(NamedTuple):
    """A custom event that no longer stands. `revisions`: by which a replay found that; what comes later about its event is judged
    by them."""

    row: StoredCustomEvent
    cause: Cause
    revisions: Revisions | None = None


class Reattributed(NamedTuple):
    """A custom event that stands as it is stored, by other revisions than those that made it: a replay says so."""

    row: StoredCustomEvent
    revisions: Revisions


class Displaced(NamedTuple):
    """A conversion that gives its transaction to an earlier one."""

    upload_id: int
    created_at: datetime
    custom_event_id: int
    occurred_at: datetime
    transaction: Transaction


class Changes(msgspec.Struct, kw_only=True):
    """What differs between what is stored and what stands. `judged`: events that were matched again."""

    judged: int = 0
    unchanged: int = 0
    added: list[Added] = []
    corrected: list[Corrected] = []
    withdrawn: list[Withdrawn] = []
    displaced: list[Displaced] = []
    reattributed: list[Reattributed] = []  # among those unchanged

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.corrected or self.withdrawn or self.displaced)


class _Contender(NamedTuple):
    """A conversion that stands and wants its transaction."""

    matched: Matched
    row: StoredCustomEvent | None
    draft: Draft

    @property
    def transaction(self) -> Transaction | None:
        """What it wants; None: it is not sent at all."""
        action_id = self.matched.match.assignment.ads_action_id
        goes = action_id is not None and self.draft.state is not UploadState.WITHHELD
        return (action_id, self.draft.transaction_id) if action_id is not None and goes else None

    @property
    def site_id(self) -> int:
        """The site of its event."""
        return self.matched.site_event.site_id

    @property
    def rank(self) -> TransactionRank:
        """Its place among those who want it."""
        upload = self.row.upload if self.row is not None else None
        was_sent = upload is not None and not upload.is_ours
        match = self.matched.match
        return not was_sent, match.occurred_at, match.event_key, match.assignment.assignment_id


class _Holder(NamedTuple):
    """A conversion that has a transaction; a row of TRANSACTION_HOLDERS."""

    ads_action_id: int
    transaction_id: str
    upload_id: int
    created_at: datetime
    custom_event_id: int
    occurred_at: datetime
    site_id: int
    assignment_id: int
    state: str
    attempts: int
    event_key: str

    @property
    def transaction(self) -> Transaction:
        """What it has."""
        return self.ads_action_id, self.transaction_id

    @property
    def displaced(self) -> Displaced:
        """The same as one that gives it up."""
        return Displaced(self.upload_id, self.created_at, self.custom_event_id, self.occurred_at, self.transaction)

    @property
    def rank(self) -> TransactionRank:
        """As that of those who want it."""
        is_ours = self.attempts == 0 and (self.state in UNSENT or self.state == UploadState.WITHHELD)
        return is_ours, self.occurred_at, self.event_key, self.assignment_id


async def decide_changes(
    connection: Connection,
    configuration: Configuration,
    compared: Comparison[StoredCustomEvent],
    cause_of: Callable[[StoredCustomEvent], Cause],
    now: datetime,
) -> Changes:
    """Decide for every conversion that stands whether it goes, one for each transaction, and say what that changes."""
    consents = await stored_consents(connection, [*compared.added, *(kept.matched for kept in compared.kept)])
    standing = [(with_order_consent(matched, consents), None) for matched in compared.added]
    standing += [_as_it_stands(kept, consents) for kept in compared.kept]
    contenders = [_Contender(matched, row, _draft(configuration, matched, now)) for matched, row in standing]
    contenders.sort(key=lambda contender: contender.rank)
    holders = await _holders(connection, contenders, compared.withdrawn)
    goes, displaced = comparison.decide_transactions(contenders, holders)
    changes = Changes(
        withdrawn=[Withdrawn(row, cause_of(row)) for row in compared.withdrawn],
        displaced=[holder.displaced for holder in displaced],
    )
    for contender, is_sent in zip(contenders, goes, strict=True):
        _collect(changes, contender if is_sent else contender._replace(draft=same_transaction(contender.draft)))
    return changes


def _collect(changes: Changes, contender: _Contender) -> None:
    """What has to be written of one conversion that stands."""
    matched, row, drafted = contender
    if row is None:
        changes.added.append(Added(matched, drafted))
        return
    redecided = _is_redecided(row.upload, drafted)
    if redecided or differs(row, matched) or _data_differs(row.upload, contender) or _is_silent(row, drafted):
        changes.corrected.append(Corrected(row, matched, drafted, redecided))
        return
    changes.unchanged += 1
    assignment = matched.match.assignment
    revisions = assignment.definition_revision_id, assignment.assignment_revision_id
    if revisions != (row.definition_revision_id, row.assignment_revision_id):
        changes.reattributed.append(Reattributed(row, revisions))


def _as_it_stands(
    kept: Kept[StoredCustomEvent], consents: Mapping[Key, OrderConsent]
) -> tuple[Matched, StoredCustomEvent]:
    """The match of a custom event that stands, with what its customer said since and what was sent of it."""
    matched = with_what_was_said(kept.matched, kept.row.upload, consents)
    return with_what_was_sent(matched, kept.row), kept.row


def _draft(configuration: Configuration, matched: Matched, now: datetime) -> Draft:
    action_id = matched.match.assignment.ads_action_id
    action = None if action_id is None else configuration.actions.get(action_id)
    site = configuration.sites.get(matched.match.assignment.site_id)
    return draft(matched.match, matched.site_event.event, action, now, site)


async def _holders(
    connection: Connection, contenders: Sequence[_Contender], withdrawn: Iterable[StoredCustomEvent]
) -> list[_Holder]:
    """The conversions of other events that have the transactions wanted here, and do not leave anyway."""
    wanted = list({transaction for contender in contenders if (transaction := contender.transaction) is not None})
    if not wanted:
        return []
    here = {contender.row.upload.id for contender in contenders if contender.row and contender.row.upload}
    here |= {row.upload.id for row in withdrawn if row.upload is not None and row.upload.is_ours}
    holders = [_Holder(*row) for row in await connection.fetch(sql.TRANSACTION_HOLDERS, *columns_of(wanted))]
    return [holder for holder in holders if holder.upload_id not in here]


def _is_redecided(upload: StoredUpload | None, drafted: Draft) -> bool:
    """Whether a conversion that is still ours may go now and could not, or the other way round, or has another reason."""
    if upload is None or not upload.is_ours:
        return False
    before = upload.reason if upload.state == UploadState.WITHHELD else None
    after = drafted.reason if drafted.state is UploadState.WITHHELD else None
    return comparison.is_redecided(before, after) or (after is None and _waits_otherwise(upload, drafted))


def _is_silent(row: StoredCustomEvent, drafted: Draft) -> bool:
    """Whether the custom event does not say why matching withholds its conversion. Consent may be refused to that alone."""
    return (
        row.withheld_reason is None
        and row.upload is not None
        and row.upload.state == UploadState.WITHHELD
        and drafted.state is UploadState.WITHHELD
        and row.upload.reason == drafted.reason
        and drafted.reason not in {Reason.CONSENT_DENIED, Reason.CONSENT_UNKNOWN}
    )


def _waits_otherwise(upload: StoredUpload, drafted: Draft) -> bool:
    """Whether only one of them waits for the customer's consent: a click that another body shows may go without. What somebody holds
    by hand is theirs."""
    ours = upload.reason is None or upload.reason in WAITING_REASONS
    return ours and (upload.reason == CONSENT_UNKNOWN_IN_EUROPE) != (drafted.reason == CONSENT_UNKNOWN_IN_EUROPE)


def _data_differs(upload: StoredUpload | None, contender: _Contender) -> bool:
    """Whether what would be sent is not what the ledger has. Its value follows refunds, and its deadline the click."""
    if upload is None or not upload.is_ours:
        return False
    wanted = data_of(contender.matched.match, contender.matched.site_event, contender.draft)
    same = {"value": None, "deadline_at": upload.data.deadline_at}
    return upload.data._replace(**same) != wanted._replace(**same)
