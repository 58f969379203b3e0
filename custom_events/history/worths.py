"""What conversions are worth now by what became of their orders, asked as the ledger asks it (`ledger/order_worth.py`)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from custom_events.ledger.order_worth import follows_order, worth_now
from custom_events.ledger.undoing import RETRACT, OrderNow, Waits, undone_value
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.queries import history as sql
from custom_events.values.definitions import ValueRule
from custom_events.values.events import CommerceEvent, LineItem, Refund

_ITEMS: Final = msgspec.json.Decoder(tuple[LineItem, ...])
_AT_ONCE: Final = Waits(timedelta(0), timedelta(0), timedelta(0))  # how long a retraction waits changes no value
_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
OrderKey = tuple[int, str]


class Worths:
    """Orders as they stand now. Make with `of`."""

    def __init__(self) -> None:
        self._orders: dict[OrderKey, tuple[str | None, OrderNow]] = {}
        self._refunds: defaultdict[OrderKey, list[Refund]] = defaultdict(list)

    @classmethod
    async def of(cls, connection: Connection, orders: Iterable[tuple[int, str | None]]) -> "Worths":
        """The orders of these sites and ids; None is no order."""
        worths = cls()
        asked = sorted({(site_id, order_id) for site_id, order_id in orders if order_id is not None})
        if not asked:
            return worths
        for site_id, order_id, currency, *state in await connection.fetch(sql.ORDERS_NOW, *columns_of(asked)):
            total, current_total, refunded, state_at, cancelled_at, gone_at, lost_at, payment_lost = state
            worths._orders[site_id, order_id] = (
                currency,
                OrderNow(
                    total, current_total, refunded, state_at, cancelled_at, gone_at, lost_at, payment_lost or RETRACT
                ),
            )
        for row in await connection.fetch(sql.REFUNDS_NOW, *columns_of(asked)):
            worths._refunds[row[0], row[1]].append(_refund(row))
        return worths

    def now(self, site_id: int, event: CommerceEvent, rule: ValueRule, value: Decimal | None) -> Decimal | None:
        """What a conversion of the event that was made with `value` is worth now. None has none."""
        order_id = event.order_id
        if value is None or order_id is None or not follows_order(event, rule):
            return value
        currency, order = self._orders.get((site_id, order_id), (None, OrderNow()))
        if currency != event.order_currency:
            order = order._replace(total=None, current_total=None)
        worth = worth_now(event, rule, value, order, self._refunds.get((site_id, order_id), []))
        return undone_value(order, worth, _AT_ONCE, _LONG_AGO).value


def _refund(row: Any) -> Refund:
    _, order_id, refund_id, amount, currency, items, shipping = row
    return Refund(
        id=refund_id,
        order_id=order_id,
        amount=amount,
        currency=currency,
        items=() if items is None else _ITEMS.decode(items),
        shipping=shipping,
    )
