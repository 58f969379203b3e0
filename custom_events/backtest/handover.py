"""Conversions that pass from one assignment to another one with the same ads action.

A group decides otherwise, or a rule is narrowed that another one covers. Google knows the conversion by the order, so it hears of
another value at most, and what waits goes under the other rule (`ledger/adjustments.py`, `_successors`). Who takes it is a match without a
custom event yet, or a custom event that stands and is withheld only because the first one has the transaction.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from custom_events.backtest.findings import Finding
from custom_events.matching.money import rounded
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.queries import history as sql

Transaction = tuple[int, str]  # ads action and transaction id


class Left(NamedTuple):
    """A conversion that is in the ledger and whose custom event would go."""

    transaction: Transaction
    site_id: int
    order_id: str | None
    action: str
    currency: str | None
    worth: Decimal  # by its rule, when it was made
    at_google: Decimal | None  # None: it was not sent
    share: Decimal  # of that worth that its order's refunds have left; of who takes it they leave as much


class TransferIn(NamedTuple):
    """What becomes of it at Google: retracted when nobody takes it, else another value by `difference`, which may be 0."""

    left: Left
    difference: Decimal | None


class Handover:
    """Grows page by page. By the hash of a transaction, 64 bits, so nothing collides."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending: set[int] = set()  # adds have taken it
        self._freed: set[int] = set()  # drops have it no more, and it was not sent
        self._left: dict[int, Left] = {}  # drops whose conversion is at Google
        self._successors: dict[int, tuple[str | None, Decimal]] = {}  # currency and value of who takes it

    async def leave(self, drops: Sequence[Left], findings: Sequence[Finding]) -> list[tuple[Left, str | None, Decimal]]:
        """Conversions that drops of this page give up. Returns those that were not sent and that another custom event sends now,
        with its currency and value."""
        standing = await self._standing(drops, findings)
        transfers: list[tuple[Left, str | None, Decimal]] = []
        for drop in drops:
            place = hash(drop.transaction)
            successor = standing.get(drop.transaction)
            if drop.at_google is not None:
                self._left[place] = drop
                if successor is not None:
                    self._successors.setdefault(place, successor)
            elif successor is None:
                self._freed.add(place)
            else:
                self._sending.add(place)
                transfers.append((drop, successor[0], rounded(successor[1] * drop.share, successor[0])))
        return transfers

    def claim(self, finding: Finding, transaction: Transaction, is_known: bool) -> bool:
        """Whether an add's conversion would be sent: the transaction is new, or free again."""
        place, made = hash(transaction), finding.match
        if place not in self._sending and (not is_known or place in self._freed):
            self._sending.add(place)
            return True
        if made is not None and made.value is not None and finding.site_event.event.order_id is not None:
            self._successors.setdefault(place, (made.currency, made.value))
        return False

    def taken(self) -> Iterator[TransferIn]:
        """What becomes of the conversions at Google that drops gave up."""
        for place, left in self._left.items():
            currency, worth = self._successors.get(place, (None, None))
            is_taken = worth is not None and currency == left.currency
            yield TransferIn(
                left, rounded((worth - left.worth) * left.share, currency) if is_taken and worth is not None else None
            )

    async def _standing(
        self, drops: Sequence[Left], findings: Sequence[Finding]
    ) -> dict[Transaction, tuple[str | None, Decimal]]:
        """Custom events that wait behind these drops, as they would be worth. One that would go itself is none."""
        asked = [(drop.site_id, drop.order_id, *drop.transaction) for drop in drops if drop.order_id is not None]
        if not asked:
            return {}
        judged = {finding.standing.custom_event_id: finding for finding in findings if finding.standing is not None}
        successors: dict[Transaction, tuple[str | None, Decimal]] = {}
        for action_id, transaction_id, event_id, value, currency in await self._connection.fetch(
            sql.SUCCESSORS, *columns_of(asked)
        ):
            own = judged.get(event_id)
            if own is None:
                successors.setdefault((action_id, transaction_id), (currency, value))
            elif own.match is not None and own.match.value is not None:  # a drop has none
                successors.setdefault((action_id, transaction_id), (own.match.currency, own.match.value))
        return successors
