"""What a conversion is worth by what its order is worth now: one reckoning for the ledger, a backtest's effects and an explanation.
Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from custom_events.ledger.undoing import OrderNow
from custom_events.matching.refunded import refunds_in_other_currencies
from custom_events.matching.value import compile_rule, value_now
from custom_events.values import reasons
from custom_events.values.definitions import ValueRule
from custom_events.values.events import CommerceEvent, EventType, Refund

# Conversions whose value is the order's: a refund lowers it. Conversions made by a refund itself are not among them.
LOWERED_BY_REFUNDS: Final = frozenset(
    {
        EventType.ORDER_CREATED,
        EventType.ORDER_PAID,
        EventType.ORDER_FULFILLED,
        EventType.SUBSCRIPTION_STARTED,
        EventType.SUBSCRIPTION_RENEWED,
    }
)


def follows_order(event: CommerceEvent, rule: ValueRule) -> bool:
    """Whether a conversion of this event changes its value with the order's."""
    return event.type in LOWERED_BY_REFUNDS and rule.refunds_lower_it


def worth_now(
    event: CommerceEvent, rule: ValueRule, value: Decimal, order: OrderNow, refunds: Sequence[Refund]
) -> Decimal:
    """What a conversion that was made with `value` is worth after edits and refunds of its order; whether the order was undone is
    another matter (`undoing.undone_value`)."""
    given_back = [*refunds, *_unlisted(event, order, refunds)]
    return value_now(compile_rule(rule), event, value, order.total, given_back, current_total=order.current_total)


def not_counted(event: CommerceEvent, order_currency: str | None, refunds: Iterable[Refund]) -> str | None:
    """What of the order cannot be counted as it is in another currency, in a sentence; None: nothing. What an amount is worth in
    another currency nobody says."""
    own = event.order_currency
    if own is None:
        return None
    if order_currency is not None and order_currency != own:
        return reasons.ORDER_IN_OTHER_CURRENCY.format(order=order_currency, own=own)
    foreign = refunds_in_other_currencies(own, refunds)
    if not foreign:
        return None
    listed = ", ".join(f"{refund.id} ({refund.currency})" for refund in foreign)
    return reasons.WITHHELD[reasons.OTHER_CURRENCY].format(own=own, refunds=listed)


def _unlisted(event: CommerceEvent, order: OrderNow, refunds: Iterable[Refund]) -> list[Refund]:
    """What the store says was given back, beyond the refunds that it lists."""
    rest = order.refunded - sum((refund.amount for refund in refunds), Decimal(0))
    order_id = event.order_id
    return [Refund(id="", order_id=order_id, amount=rest)] if rest > 0 and order_id is not None else []
