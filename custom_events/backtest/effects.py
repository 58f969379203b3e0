"""What verdicts would do to the ledger: conversions sent anew, retracted, restated, or taken back before they were sent.

Values are those by what became of the orders since, as the ledger reckons them (`worths.py`): of an order that was refunded Google hears
no more than is left. What passes from one assignment to another one with the same ads action is neither new nor retracted (`handover.py`).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from custom_events.backtest.findings import Finding, StandingEvent, Verdict, ledger_rows
from custom_events.backtest.handover import Handover, Left, Transaction
from custom_events.history.rules import DraftedRules
from custom_events.history.worths import Worths
from custom_events.matching.match import Match
from custom_events.matching.money import rounded
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.conversion import Draft, draft
from custom_events.queries import matching as matching_sql
from custom_events.values.conversions import UploadKind, UploadState
from custom_events.values.reasons import FULLY_REFUNDED

NO_ACTION: Final = "(no ads action)"
ALREADY_SENT: Final = "already_sent"
_AT_GOOGLE: Final = frozenset({UploadState.ACCEPTED, UploadState.SENT, UploadState.UNKNOWN, UploadState.CLAIMED})
_UNSENT: Final = frozenset({UploadState.NEW, UploadState.HELD, UploadState.QUEUED})

Sums = dict[tuple[str, str | None], dict[str, Any]]  # numbers and amounts by name, by ads action and currency


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """On one ads action, in one currency. Amounts are sums of values; `restated_by` is the difference, new less old."""

    ads_action: str  # <customer id>/<action id>
    currency: str | None
    sent_new: int = 0
    value_new: Decimal = Decimal(0)
    retracted: int = 0
    value_retracted: Decimal = Decimal(0)
    restated: int = 0
    restated_by: Decimal = Decimal(0)
    withdrawn_unsent: int = 0
    value_withdrawn: Decimal = Decimal(0)
    changed_unsent: int = 0
    changed_by: Decimal = Decimal(0)


class Ledgered(NamedTuple):
    """A finding with what stands in the ledger for its custom event, or what would be written for it."""

    finding: Finding
    action: str
    state: UploadState | None  # of the conversion; None: it has no row
    value: Decimal  # that Google has, or is to have
    draft: Draft | None  # of an add
    reason: str | None  # why an add would not be sent
    redecided: Draft | None = None  # of a change that is about sending it or not

    @property
    def at_google(self) -> bool:
        """Google has the conversion, or may have it."""
        return self.state in _AT_GOOGLE

    @property
    def unsent(self) -> bool:
        """It waits to be sent."""
        return self.state in _UNSENT


class Effects:
    """The sum of effects, page by page."""

    def __init__(self, connection: Connection, book: DraftedRules, now: datetime) -> None:
        self._connection, self._book, self._now = connection, book, now
        self._handover = Handover(connection)
        self._worths = Worths()
        self._sums: Sums = {}

    async def take(self, findings: Sequence[Finding]) -> list[Ledgered]:
        """Count these; each with its place in the ledger. Unchanged ones are left out."""
        adds = [finding for finding in findings if finding.verdict is Verdict.ADD]
        others = [finding for finding in findings if finding.verdict in (Verdict.DROP, Verdict.CHANGE)]
        made = [finding.site_event for finding in (*adds, *others) if finding.match is not None]
        self._worths = await Worths.of(
            self._connection, [(site_event.site_id, site_event.event.order_id) for site_event in made]
        )
        sent, left = await self._sent(others)
        for ledgered, currency, value in await self._handover.leave(left, findings):
            _add(self._sums, ledgered.action, currency, "sent_new", "value_new", value)
        counted = [*await self._to_send(adds), *sent]
        for ledgered in counted:
            self._count(ledgered)
        return counted

    def sums(self) -> tuple[Effect, ...]:
        """By ads action and currency."""
        sums = {key: dict(amounts) for key, amounts in self._sums.items()}
        for left, difference in self._handover.taken():
            if difference is None:
                _add(sums, left.action, left.currency, "retracted", "value_retracted", left.at_google or Decimal(0))
            elif difference:
                _add(sums, left.action, left.currency, "restated", "restated_by", difference)
        ordered = sorted(sums.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        return tuple(Effect(ads_action=action, currency=currency, **own) for (action, currency), own in ordered)

    async def _to_send(self, adds: Sequence[Finding]) -> list[Ledgered]:
        drafts = [self._draft(finding) for finding in adds]
        keys = [
            (finding.assignment.ads_action_id, made.transaction_id)
            for finding, made in zip(adds, drafts, strict=True)
            if finding.assignment.ads_action_id is not None and made.state is not UploadState.WITHHELD
        ]
        known: set[tuple[int, str]] = set()
        if keys:
            rows = await self._connection.fetch(matching_sql.KNOWN_TRANSACTIONS, *columns_of(list(set(keys))))
            known = {(row[0], row[1]) for row in rows}
        counted: list[Ledgered] = []
        for finding, made in zip(adds, drafts, strict=True):
            action = finding.assignment.ads_action_id
            reason = made.reason if made.state is UploadState.WITHHELD else None
            if reason is None and action is not None:
                transaction = action, made.transaction_id
                goes = self._handover.claim(finding, transaction, transaction in known)
                reason = None if goes else ALREADY_SENT
            value = self._worth(finding)
            if reason is None and not value and finding.match is not None and finding.match.value:
                reason = FULLY_REFUNDED
            counted.append(Ledgered(finding, self._name(action), None, value, made, reason))
        return counted

    def _worth(self, finding: Finding) -> Decimal:
        """What the conversion of a match would be worth, by what became of its order since."""
        made, rule = finding.match, finding.assignment.config.value
        value = None if made is None else made.value
        return self._worths.now(finding.site_event.site_id, finding.site_event.event, rule, value) or Decimal(0)

    def _draft(self, finding: Finding) -> Draft:
        assert finding.match is not None  # noqa: S101  adds and changes are matches
        action = self._book.actions.get(finding.assignment.ads_action_id or 0)
        return draft(finding.match, finding.site_event.event, action, self._now)

    async def _sent(self, others: Sequence[Finding]) -> tuple[list[Ledgered], list[Left]]:
        """Each with its place in the ledger, and the conversions that drops among them give up."""
        rows = await ledger_rows(self._connection, others)
        counted: list[Ledgered] = []
        left: list[Left] = []
        for finding in others:
            own = rows.get(finding.standing.custom_event_id if finding.standing is not None else 0, [])
            conversion = next((row for row in own if row["sequence"] == 0), None)
            if conversion is None:
                counted.append(Ledgered(finding, NO_ACTION, None, Decimal(0), None, None))
                continue
            at_google = [row for row in own if row["sequence"] == 0 or row["state"] in _AT_GOOGLE]
            last: Decimal | None = None if at_google[-1]["kind"] == UploadKind.RETRACTION else at_google[-1]["value"]
            value = Decimal(0) if last is None else rounded(last, at_google[-1]["currency"])
            state, action_id = UploadState(conversion["state"]), conversion["ads_action_id"]
            redecided = self._redecided(finding, state)
            if redecided is not None and redecided.state is not UploadState.WITHHELD:
                action_id = finding.assignment.ads_action_id
            counted.append(Ledgered(finding, self._name(action_id), state, value, None, None, redecided))
            if finding.verdict is Verdict.DROP and (counted[-1].unsent or (counted[-1].at_google and value)):
                left.append(_left(counted[-1], (conversion["ads_action_id"], conversion["transaction_id"])))
        return counted, left

    def _redecided(self, finding: Finding, state: UploadState) -> Draft | None:
        """How a conversion would enter the ledger that nobody has tried to send, where that is another decision."""
        if finding.verdict is not Verdict.CHANGE or state in _AT_GOOGLE:
            return None
        decision = self._draft(finding)
        return decision if (decision.state is UploadState.WITHHELD) != (state is UploadState.WITHHELD) else None

    def _name(self, action_id: int | None) -> str:
        return NO_ACTION if action_id is None else self._book.action_names.get(action_id, f"ads action {action_id}")

    def _count(self, ledgered: Ledgered) -> None:
        made, standing = ledgered.finding.match, ledgered.finding.standing
        match ledgered.finding.verdict:
            case Verdict.ADD if ledgered.reason is None and made is not None:
                self._add(ledgered, made.currency, "sent_new", "value_new", ledgered.value)
            case Verdict.DROP if standing is not None and ledgered.unsent:
                self._add(ledgered, standing.currency, "withdrawn_unsent", "value_withdrawn", ledgered.value)
            case Verdict.CHANGE if standing is not None and made is not None:
                worth = self._worth(ledgered.finding)
                is_other = worth != ledgered.value or made.currency != standing.currency
                if ledgered.redecided is not None:
                    self._count_redecided(ledgered, made, standing)
                elif ledgered.at_google and is_other:
                    self._add(ledgered, made.currency, "restated", "restated_by", worth - ledgered.value)
                elif ledgered.unsent and is_other:
                    self._add(ledgered, made.currency, "changed_unsent", "changed_by", worth - ledgered.value)
            case _:
                pass

    def _count_redecided(self, ledgered: Ledgered, made: Match, standing: StandingEvent) -> None:
        if ledgered.redecided is None or ledgered.redecided.state is UploadState.WITHHELD:
            if ledgered.unsent:
                self._add(ledgered, standing.currency, "withdrawn_unsent", "value_withdrawn", ledgered.value)
        else:
            self._add(ledgered, made.currency, "sent_new", "value_new", self._worth(ledgered.finding))

    def _add(self, ledgered: Ledgered, currency: str | None, number: str, amount: str, value: Decimal) -> None:
        _add(self._sums, ledgered.action, currency, number, amount, value)


def _left(ledgered: Ledgered, transaction: Transaction) -> Left:
    standing = ledgered.finding.standing
    assert standing is not None  # noqa: S101  a drop is of a custom event that stands
    at_google = ledgered.value if ledgered.at_google else None
    worth, site_id = standing.value or Decimal(0), ledgered.finding.site_event.site_id
    share = ledgered.value / worth if worth else Decimal(1)
    return Left(transaction, site_id, standing.order_id, ledgered.action, standing.currency, worth, at_google, share)


def _add(sums: Sums, action: str, currency: str | None, number: str, amount: str, value: Decimal) -> None:
    own = sums.setdefault((action, currency), {})
    own[number] = own.get(number, 0) + 1
    own[amount] = own.get(amount, Decimal(0)) + value
