"""What is left of an order, and of the part of it that a rule counts. Pure numbers; docs/reference/values.md has it in words.

Three things take from an order: money that went back, items that were taken out of it, and a store that says what it is worth now. They
overlap: an item that is taken out and then repaid was taken once. So nothing is added up; what is left is the smallest of what they say.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

_ZERO = Decimal(0)


class Back(NamedTuple):
    """One refund: the money; what its items and shipping are worth together, with tax (None: it names none, or nobody knows); and how
    much of that the rule counts."""

    amount: Decimal
    named: Decimal | None = None
    counted: Decimal = _ZERO


class Order(NamedTuple):
    """An order's totals: as it was when the value was made, all that was sold by now, and what the store says it is worth now (None: it
    does not say)."""

    then: Decimal
    total: Decimal
    current: Decimal | None = None


class Left(NamedTuple):
    """`sold`: what the order would have been worth if nothing had been taken from it, without what only replaces something else;
    `left` of it. Of the base that the rule starts from the same."""

    sold: Decimal
    left: Decimal
    base_sold: Decimal
    base_left: Decimal


def left_of(order: Order, refunds: Sequence[Back], base: Decimal, *, picks_items: bool) -> Left:
    """What is left. `base` is what the rule starts from, when the value was made; `picks_items`: some of the items only.

    The order's total must be above 0.
    """
    given_back = sum((refund.amount for refund in refunds), _ZERO)
    by_refunds = order.total - given_back
    left = max(by_refunds if order.current is None else min(order.current, by_refunds), _ZERO)
    loss = order.total - left
    named, counted = _named(order, refunds, loss)
    added = order.total - order.then
    sold = order.total
    if order.current is not None:
        # What was added in place of something else is not sold beside it.
        sold = min(sold, left + max(given_back, named - added, _ZERO))
    share = base / order.then
    # Where a store counts for itself, what it added are new items, and nobody knows whether a rule that picks items would pick them.
    grown = _ZERO if picks_items and order.current is not None else added * share
    base_left = max(base + grown - counted - (loss - named) * share, _ZERO)
    base_sold = base if picks_items and order.current is not None else base * sold / order.then
    return Left(sold, left, max(base_sold, base_left), base_left)


def _named(order: Order, refunds: Sequence[Back], loss: Decimal) -> tuple[Decimal, Decimal]:
    """How much of the loss items and shipping explain, and how much of that the rule counts.

    A refund that gave back less than its items are worth takes as much of them as it gave back. Unless the store says what the order is
    worth: then its items are gone whatever they brought, and together they take no more than the order lost.
    """
    named, counted = _ZERO, _ZERO
    for refund in refunds:
        if not refund.named:
            continue
        share = Decimal(1) if order.current is not None else min(refund.amount / refund.named, Decimal(1))
        named += refund.named * share
        counted += refund.counted * share
    if named > loss:
        return loss, counted * loss / named
    return named, counted
