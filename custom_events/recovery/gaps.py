"""Whether all that a store says of an order has landed. Pure.

Only what an order's conversions depend on counts: whether it is there, its status, its totals, its refunds, whether it was shipped. A store changes orders in
many other ways, and our plugin does not tell of those.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from custom_events.platforms.store_orders import FetchedOrder
from custom_events.values.deliveries import Outcome, Understood
from custom_events.values.events import EventType
from custom_events.values.recovery import GapKind

_NO_MONEY: Final = Decimal(0)


class StoredOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an order. `state_at` None: only that it has refunds, or was deleted. `refunds`: ids of those that count;
    `known_refunds`: of all."""

    state_at: datetime | None
    status: str | None
    financial_status: str | None
    total: Decimal | None
    current_total: Decimal | None
    is_deleted: bool = False
    is_fulfilled: bool = False
    refunds: Collection[str] = ()
    known_refunds: Collection[str] = ()


def is_up_to_date(order: FetchedOrder, stored: StoredOrder | None) -> bool:
    """Whether a list already says that all of an order has landed, so that its body need not be read."""
    return (
        order.load is not None
        and order.modified_at is not None
        and stored is not None
        and stored.state_at is not None
        and stored.state_at >= order.modified_at
        and (stored.state_at > order.modified_at or order.financial_status in {None, stored.financial_status})
        and (stored.is_fulfilled or not order.is_fulfilled)
        and set(order.refunds) <= set(stored.known_refunds)
    )


def gap(
    understood: Understood, stored: StoredOrder | None, *, made_since: datetime, paid_by_status: bool = False
) -> GapKind | None:
    """What is missing of an order that the store shows so; None: nothing, or the body is of no use (a draft, a part of another order).

    `understood` is made of the body without the moment at which it was read: so its clock is the store's last change. Stores write that
    in seconds: an order that is made and paid within one has two states of the same moment. `paid_by_status`: whether an order is paid
    follows from its status (WooCommerce), by rules that may differ from the plugin's. `made_since`: an order that the store made before is no
    missing one, as somebody else counted it; where it landed all the same, its changes count.
    """
    order = understood.order
    if understood.outcome is Outcome.PARKED:
        return GapKind.ORDER if stored is None else None  # landed, it is seen and can be tried again
    if order is None:
        return None
    if stored is None or stored.state_at is None:
        return GapKind.ORDER if order.created_at >= made_since else None
    if order.updated_at >= stored.state_at and _is_changed(understood, stored, paid_by_status=paid_by_status):
        return GapKind.CHANGE
    listed = {refund.id for refund in understood.refunds if refund.amount > _NO_MONEY}
    if listed - set(stored.known_refunds):
        return GapKind.REFUND
    if order.lists_refunds and set(stored.refunds) - {refund.id for refund in understood.refunds}:
        return GapKind.REFUND_DELETED
    return None


def _is_changed(understood: Understood, stored: StoredOrder, *, paid_by_status: bool) -> bool:
    order = understood.order
    if order is None:
        return False
    if stored.is_deleted or order.total != stored.total or order.current_total != stored.current_total:
        return True
    if order.status != stored.status:
        return True
    if paid_by_status:
        return False
    is_fulfilled = any(event.type is EventType.ORDER_FULFILLED for event in understood.events)
    return order.financial_status != stored.financial_status or (is_fulfilled and not stored.is_fulfilled)
