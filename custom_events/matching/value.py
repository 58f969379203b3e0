"""A conversion's value: source, minus parts, times factor, clamped, rounded to the currency's minor units, never below 0.

What becomes of the order later changes it (`worth.py`): refunds, edits, exchanges. Of an items total, and of a total without tax, shipping or
discounts, only what the rule counts is taken away; of every other source it is the share that the order lost. What is gone is a share
of the value as it was sent (after factor and clamps), so a full refund gives 0 also where the rule has a least value.

A part that the store does not know (no tax, no shipping line) counts as 0; a source that is missing gives no value.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal, DecimalException, InvalidOperation
from typing import Final

import msgspec

from custom_events.conditions.facts import NO_FACTS, Facts
from custom_events.matching import worth
from custom_events.matching.money import AMOUNT_LIMIT, QUANTA, USUAL_QUANTUM, is_amount, rounded
from custom_events.matching.refunded import back_of, refunds_that_count
from custom_events.matching.value_rule import (
    CompiledValueRule,
    amount_reader,
    base_currency,
    base_of,
    compile_rule,
    finished,
    value_currency,
)
from custom_events.values.definitions import ValueSource
from custom_events.values.events import CommerceEvent, Refund

__all__ = ["CompiledValueRule", "amount_of", "amount_reader", "compile_rule", "share_left", "value_now", "value_of"]

_ZERO = Decimal(0)
_ONE = Decimal(1)
_AMOUNTS: Final = (
    "total",
    "subtotal",
    "tax",
    "shipping",
    "shipping_tax",
    "discount",
    "discount_tax",
    "shipping_discount",
    "gift_card",
    "tip",
)


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """An amount and its currency, both None when the rule gives none."""

    amount: Decimal | None = None
    currency: str | None = None


Amount = tuple[Decimal | None, str | None]  # and its currency
NO_AMOUNT: Amount = (None, None)


def value_of(compiled: CompiledValueRule, event: CommerceEvent, facts: Facts = NO_FACTS) -> Value:
    """The value of this event under the rule. Never raises; what is no amount of money gives no value."""
    amount, currency = amount_of(compiled, event, facts)
    return Value(amount=amount, currency=currency)


def amount_of(compiled: CompiledValueRule, event: CommerceEvent, facts: Facts) -> Amount:
    """`value_of` as a pair. What most rules are, the order's total, without a call that can be spared: every match asks."""
    if compiled.is_order_total and (order := event.order) is not None and (total := order.total) is not None:
        currency = order.currency if order.currency is not None else event.currency
        try:
            if _ZERO <= total < AMOUNT_LIMIT:
                unit = QUANTA.get(currency, USUAL_QUANTUM)
                return total if total.same_quantum(unit) else total.quantize(unit, ROUND_HALF_UP), currency
        except InvalidOperation:  # NaN compares with nothing
            return NO_AMOUNT
    return _amount_of(compiled, event, facts)


def _amount_of(compiled: CompiledValueRule, event: CommerceEvent, facts: Facts) -> Amount:
    if compiled.rule.source is ValueSource.NONE:
        return NO_AMOUNT
    try:
        base = base_of(compiled, event, facts)
        if base is None or not is_amount(base):
            return NO_AMOUNT
        base_in = base_currency(compiled, event, facts)
        currency = value_currency(compiled, base_in)
        return finished(compiled, base, base_in, currency), currency
    except (DecimalException, TypeError, ValueError):
        return NO_AMOUNT


def value_now(
    compiled: CompiledValueRule,
    event: CommerceEvent,
    value: Decimal,
    total: Decimal | None,
    refunds: Iterable[Refund],
    current_total: Decimal | None = None,
) -> Decimal:
    """What a conversion of this `value` is worth now that its order's total is `total`, the store says that the order is worth
    `current_total` (None: it does not say), and these refunds are known. The ledger and everything that looks ahead ask this.

    A store tells an edited order's total, not which part of it grew: its parts are taken to have grown alike, and the rule is asked
    again with factor and clamps. A rule that gives nothing then (it asked for facts) keeps the value.
    """
    base_in = base_currency(compiled, event, NO_FACTS)
    currency = value_currency(compiled, base_in)
    try:
        base = _taken_item_by_item(compiled, event)
        left = _left(compiled, event, base, _totals(event, total, current_total), refunds)
        if left is None:
            return rounded(value, currency)
        if base is not None:
            if left.base_sold != base:
                value = finished(compiled, left.base_sold, base_in, currency)
            return rounded(value * left.base_left / left.base_sold if left.base_sold else value, currency)
        edited = _edited(event, left.sold)
        again = None if edited is event else value_of(compiled, edited).amount
        value = value if again is None else again
        return rounded(value * left.left / left.sold if left.sold else _ZERO, currency)
    except DecimalException:
        return value


def share_left(compiled: CompiledValueRule, event: CommerceEvent, refunds: Iterable[Refund]) -> Decimal:
    """What refunds alone leave of the value, 0 to 1."""
    base = _taken_item_by_item(compiled, event)
    left = _left(compiled, event, base, _totals(event, None, None), refunds)
    if left is None:
        return _ONE
    sold, rest = (left.sold, left.left) if base is None else (left.base_sold, left.base_left)
    return rest / sold if sold else _ONE


def _taken_item_by_item(compiled: CompiledValueRule, event: CommerceEvent) -> Decimal | None:
    """The base of a rule from which what comes back is taken item by item; None for the others, which lose what the order loses."""
    source, order = compiled.rule.source, event.order
    if source is ValueSource.ITEMS_TOTAL or (
        source is ValueSource.ORDER_TOTAL and order is not None and order.total is not None
    ):
        return base_of(compiled, event, NO_FACTS)
    return None


def _totals(event: CommerceEvent, total: Decimal | None, current_total: Decimal | None) -> worth.Order | None:
    """The order's totals; None where it was worth nothing, or nobody knows what."""
    order = event.order
    if order is None or order.total is None:  # a subscription's own amount: nobody says what edits made of it
        return None if not event.amount or event.amount < 0 else worth.Order(event.amount, event.amount)
    if not order.total or order.total < 0:
        return None
    total = order.total if total is None or not is_amount(total) or total < 0 else total
    if current_total is not None and (not is_amount(current_total) or current_total < 0):
        current_total = None
    return worth.Order(order.total, total, current_total)


def _left(
    compiled: CompiledValueRule,
    event: CommerceEvent,
    base: Decimal | None,
    order: worth.Order | None,
    refunds: Iterable[Refund],
) -> worth.Left | None:
    """What is left of the order and of the rule's base; None where there was nothing that could be lost."""
    if order is None:
        return None
    counting = refunds_that_count(event, refunds)
    if base is None:
        backs: Sequence[worth.Back] = [worth.Back(refund.amount) for refund in counting]
        return worth.left_of(order, backs, _ZERO, picks_items=False)
    backs = [back_of(compiled, refund, event, NO_FACTS) for refund in counting]
    return worth.left_of(order, backs, base, picks_items=compiled.rule.items is not None)


def _edited(event: CommerceEvent, total: Decimal) -> CommerceEvent:
    """The event as if its order had been worth `total` from the beginning. Its items stay: rules that start from them are not asked this way."""
    order = event.order
    if order is None or not order.total or total == order.total:
        return event
    ratio = total / order.total

    def grown(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else amount * ratio

    changed = msgspec.structs.replace(order, **{name: grown(getattr(order, name)) for name in _AMOUNTS})
    return msgspec.structs.replace(event, order=changed)
