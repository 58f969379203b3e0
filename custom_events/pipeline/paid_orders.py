"""What a customer had bought before each of many events: their paid orders once, in order, instead of once for each event."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.queries import matching as sql

_NOTHING: Final = Decimal(0)

# When an order begins to count, and at that moment for whom: (moment, no event excepted) where it was ordered after it was paid, else
# (when it was paid, for orders with a larger id).
Rank = tuple[datetime, int, str]


class Before(NamedTuple):
    """Orders before an event; `spent` None: some were in another currency."""

    orders: int
    spent: Decimal | None
    first_seen: datetime | None


class _Paid(NamedTuple):
    """One paid order."""

    rank: Rank
    order_id: str
    currency: str | None
    total: Decimal


class AskedOften(NamedTuple):
    """A customer who is asked about often: the first and the last moment, and the orders that events are about."""

    site_id: int
    customer: str
    first: datetime
    last: datetime
    own_orders: Sequence[str]


class PaidOrders:
    """The paid orders of one customer, as far as any event asks."""

    def __init__(self, first_seen: datetime | None) -> None:
        self._first_seen = first_seen
        self._early: dict[str | None, tuple[int, Decimal]] = {}
        self._late: list[_Paid] = []
        self._ranks: dict[str | None, list[Rank]] = {}
        self._spent: dict[str | None, list[Decimal]] = {}
        self._own: dict[str, _Paid] = {}

    def add_early(self, currency: str | None, orders: int, spent: Decimal) -> None:
        """Orders before every event that asks."""
        self._early[currency] = orders, spent

    def add(self, order: _Paid) -> None:
        """An order that may lie between the events."""
        self._late.append(order)

    def complete(self) -> None:
        """Sum up what was added."""
        for order in sorted(self._late):
            self._own[order.order_id] = order
            spent = self._spent.setdefault(order.currency, [_NOTHING])
            self._ranks.setdefault(order.currency, []).append(order.rank)
            spent.append(spent[-1] + order.total)

    def before(self, at: datetime, order_id: str, currency: str | None) -> Before:
        """What was bought before an event of this moment, about this order (empty: none), in its currency."""
        rank = at, 1, order_id
        orders, others, total = 0, 0, _NOTHING
        own = self._own.get(order_id)
        for name in self._early.keys() | self._ranks.keys():
            number, spent = self._early.get(name, (0, _NOTHING))
            place = bisect_left(self._ranks.get(name, []), rank)
            number, spent = number + place, spent + self._spent.get(name, [_NOTHING])[place]
            if own is not None and own.currency == name and own.rank < rank:
                number, spent = number - 1, spent - own.total
            orders += number
            if name == currency:
                total = spent
            else:
                others += number
        return Before(orders, None if others else total, self._first_seen)


async def paid_orders(connection: Connection, asked: Iterable[AskedOften]) -> list[PaidOrders]:
    """The paid orders of each of these customers."""
    rows = [
        (place, often.site_id, often.customer, often.first, often.last, sorted(set(often.own_orders)))
        for place, often in enumerate(asked)
    ]
    by_place: dict[int, PaidOrders] = {}
    for place, first_seen, currency, orders, spent, at, was_paid, order_id in await connection.fetch(
        sql.CUSTOMER_ORDERS, *columns_of(rows)
    ):
        history = by_place.setdefault(place, PaidOrders(first_seen))
        if order_id is not None:
            history.add(_Paid((at, was_paid, order_id if was_paid else ""), order_id, currency, spent))
        elif orders:
            history.add_early(currency, orders, spent)
    for history in by_place.values():
        history.complete()
    return [by_place[place] for place in range(len(rows))]
