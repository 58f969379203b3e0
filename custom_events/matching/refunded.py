"""What refunds took: their money, and what they name of their order."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.matching.value_rule import CompiledValueRule, counted_of
from custom_events.matching.worth import Back
from custom_events.values import net
from custom_events.values.definitions import ValueSource
from custom_events.values.events import CommerceEvent, LineItem, Order, Refund

_ZERO = Decimal(0)


def refunds_that_count(event: CommerceEvent, refunds: Iterable[Refund]) -> Sequence[Refund]:
    """Each once (by id), and only in the currency of the event's order: what another one is worth in it nobody says. None that failed."""
    own = (None, event.order_currency)
    known = {refund.id: refund for refund in refunds if refund.currency in own and not refund.has_failed}
    return tuple(known.values())


def refunds_in_other_currencies(currency: str | None, refunds: Iterable[Refund]) -> Sequence[Refund]:
    """Refunds that gave something back and do not lower what is in this currency."""
    return tuple(
        [refund for refund in refunds if refund.amount and refund.currency is not None and refund.currency != currency]
    )


def back_of(compiled: CompiledValueRule, refund: Refund, event: CommerceEvent, facts: Facts) -> Back:
    """What one refund gave back, and how much of what it names the rule counts. The rule starts from items or from the order's total."""
    order = event.order
    if not refund.items and not refund.shipping:
        return Back(refund.amount)
    named, counted = _shipping(compiled, refund, order)
    for item in refund.items:
        whole = completed(item, order)
        worth = net.item_total(whole, order, without_tax=False)
        own = counted_of(compiled, whole, event, facts)
        if worth is None or own is None:
            return Back(refund.amount)
        named += worth
        counted += own
    return Back(refund.amount, named, counted)


def _shipping(compiled: CompiledValueRule, refund: Refund, order: Order | None) -> tuple[Decimal, Decimal]:
    """What it gave back for shipping, and how much of that the rule counts."""
    rule, shipping = compiled.rule, refund.shipping or _ZERO
    if rule.source is not ValueSource.ORDER_TOTAL or rule.without_shipping or not shipping:
        return shipping, _ZERO
    if not rule.without_tax or order is None:
        return shipping, shipping
    paid = net.shipping(order, without_tax=False)
    return shipping, shipping * net.shipping(order, without_tax=True) / paid if paid else shipping


def completed(item: LineItem, order: Order | None) -> LineItem:
    """A line of a refund with what it does not say, by its order's line: a refund need not repeat vendor and categories."""
    line = _line_of(item, order.items) if order is not None else None
    if line is None:
        return item
    said = {name: getattr(item, name) for name in item.__struct_fields__}
    missing = {
        name: getattr(line, name)
        for name, value in said.items()
        if value in (None, (), {}) and name not in _OF_THE_REFUND
    }
    if item.total is None and item.price is None and line.quantity:
        whole = net.line_total(line)
        missing["total"] = None if whole is None else whole * item.quantity / line.quantity
    return msgspec.structs.replace(item, **missing)


_OF_THE_REFUND = frozenset(("quantity", "total", "discount", "tax"))


def _line_of(item: LineItem, lines: Sequence[LineItem]) -> LineItem | None:
    """The order's line of the same variant, else product, else stock keeping unit: the first of them."""
    for name in ("variant_id", "product_id", "sku"):
        own = getattr(item, name)
        if own is not None:
            line_item = next((line for line in lines if getattr(line, name) == own), None)
            if line_item is not None:
                return line_item
    return None
