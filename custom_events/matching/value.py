"""A conversion's value: source, minus parts, times factor, clamped, rounded to the currency's minor units, never below 0.

Refunds lower it by a share. Of an items total it is the share of those items that was refunded; a refund that names no items
counts in proportion to the order. Of every other source it is refunded / order total. The share applies to the value as it
was sent (after factor and clamps), so a full refund gives 0 also where the rule has a least value.

A part that the store does not know (no tax, no shipping line) counts as 0; a source that is missing gives no value.
"""

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal, DecimalException, InvalidOperation
from functools import lru_cache

import msgspec

from custom_events.conditions.compile import ItemFilter, compile_item_filter
from custom_events.conditions.facts import NO_FACTS, Facts
from custom_events.conditions.interpret import field_reader
from custom_events.conditions.runtime import as_number, items_of, items_total
from custom_events.matching.money import AMOUNT_LIMIT, QUANTA, USUAL_QUANTUM, is_amount, rounded
from custom_events.values.definitions import CurrencyRule, ValueRule, ValueSource
from custom_events.values.events import CommerceEvent, LineItem, Refund

MAX_KEPT_RULES = 4_096  # compiled value rules; they are few, most assignments inherit

_ZERO = Decimal(0)
_SAME = CurrencyRule()
_ORDER_TOTALS = (ValueRule(), ValueRule(refunds_lower_it=False))


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """An amount and its currency, both None when the rule gives none."""

    amount: Decimal | None = None
    currency: str | None = None


Amount = tuple[Decimal | None, str | None]  # and its currency
NO_AMOUNT: Amount = (None, None)


class CompiledRule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A value rule ready to be asked."""

    rule: ValueRule
    is_order_total: bool = False  # and nothing else: what most rules are
    items: ItemFilter | None = None
    read: Callable[[CommerceEvent, Facts], object] | None = None


def compile_rule(rule: ValueRule) -> CompiledRule:
    """The rule with its items tree and its field compiled; equal rules share. Raises nothing: what cannot be read gives no value."""
    return _compiled(msgspec.json.encode(rule, order="deterministic"))


@lru_cache(maxsize=MAX_KEPT_RULES)
def _compiled(encoded: bytes) -> CompiledRule:
    rule = msgspec.json.decode(encoded, type=ValueRule)
    items = compile_item_filter(rule.items) if rule.items is not None else _every_item
    return CompiledRule(
        rule=rule,
        is_order_total=rule in _ORDER_TOTALS,
        items=items,
        read=amount_reader(rule.field) if rule.field else None,
    )


def _every_item(_item: LineItem, _event: CommerceEvent, _facts: Facts) -> bool:
    return True


def amount_reader(name: str) -> Callable[[CommerceEvent, Facts], object] | None:
    """Reads a named amount of events; None for no such field."""
    try:
        return field_reader(name)
    except KeyError:
        return None


def value_of(compiled: CompiledRule, event: CommerceEvent, facts: Facts = NO_FACTS) -> Value:
    """The value of this event under the rule. Never raises; what is no amount of money gives no value."""
    amount, currency = amount_of(compiled, event, facts)
    return Value(amount=amount, currency=currency)


def amount_of(compiled: CompiledRule, event: CommerceEvent, facts: Facts) -> Amount:
    """`value_of` as a pair. What most rules are, the order's total, without a call that can be spared: every match asks."""
    if compiled.is_order_total and (order := event.order) is not None and (total := order.total) is not None:
        currency = order.currency if event.refund is None and order.currency is not None else event.currency
        try:
            if _ZERO <= total < AMOUNT_LIMIT:
                unit = QUANTA.get(currency, USUAL_QUANTUM)
                return total if total.same_quantum(unit) else total.quantize(unit, ROUND_HALF_UP), currency
        except InvalidOperation:  # NaN compares with nothing
            return NO_AMOUNT
    return _amount_of(compiled, event, facts)


def _amount_of(compiled: CompiledRule, event: CommerceEvent, facts: Facts) -> Amount:
    rule = compiled.rule
    if rule.source is ValueSource.NONE:
        return NO_AMOUNT
    currency = event.currency
    here = rule.by_currency.get(currency or "", _SAME)
    try:
        base = _base(compiled, here, event, facts)
        if base is None or not is_amount(base):
            return NO_AMOUNT
        if rule.source is ValueSource.FIXED and here.fixed is None and rule.currency is not None:
            currency = rule.currency
        return _finished(rule, here, base, currency), currency
    except (DecimalException, TypeError, ValueError):
        return NO_AMOUNT


def value_now(
    compiled: CompiledRule, event: CommerceEvent, value: Decimal, total: Decimal | None, refunds: Iterable[Refund]
) -> Decimal:
    """What a conversion of this `value` is worth now that its order's total is `total` and these refunds are known.

    A store tells an edited order's total, not which part of it grew: its parts are taken to have grown alike, and the rule is asked
    again with factor and clamps. A rule that gives nothing then (it asked for facts) keeps the value.
    """
    try:
        edited = _edited(event, total)
        if edited is not event:
            again = value_of(compiled, edited).amount
            value = value if again is None else again
        return rounded(value * share_left(compiled, edited, refunds), event.currency)
    except DecimalException:
        return value


def _edited(event: CommerceEvent, total: Decimal | None) -> CommerceEvent:
    """The event as if its order had been worth `total` from the beginning."""
    order = event.order
    if order is None or not order.total or total is None or total == order.total or not is_amount(total) or total < 0:
        return event
    ratio = total / order.total

    def grown(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else amount * ratio

    items = tuple(
        msgspec.structs.replace(item, price=grown(item.price), total=grown(item.total), discount=grown(item.discount))
        for item in order.items
    )
    changed = msgspec.structs.replace(
        order,
        total=total,
        subtotal=grown(order.subtotal),
        tax=grown(order.tax),
        shipping=grown(order.shipping),
        discount=grown(order.discount),
        items=items,
    )
    return msgspec.structs.replace(event, order=changed)


def share_left(
    compiled: CompiledRule, event: CommerceEvent, refunds: Iterable[Refund], facts: Facts = NO_FACTS
) -> Decimal:
    """What is left of the value, 0 to 1. A refund counts once (by id), and only in the order's currency."""
    known = {refund.id: refund for refund in refunds if refund.currency in (None, event.currency)}
    whole = event.order.total if event.order is not None and event.order.total is not None else event.amount
    if compiled.rule.source is ValueSource.ITEMS_TOTAL:
        base = _items_total(compiled, items_of(event) or (), event, facts)
        gone = sum((_gone(compiled, refund, whole, base, event, facts) for refund in known.values()), Decimal(0))
    else:
        base = whole
        gone = sum((refund.amount for refund in known.values()), Decimal(0))
    if not base or base < 0:
        return Decimal(1)
    return min(max(1 - gone / base, Decimal(0)), Decimal(1))


def _base(compiled: CompiledRule, here: CurrencyRule, event: CommerceEvent, facts: Facts) -> Decimal | None:
    """The amount that the rule starts from."""
    rule = compiled.rule
    match rule.source:
        case ValueSource.FIXED:
            return rule.fixed if here.fixed is None else here.fixed
        case ValueSource.FIELD:
            return None if compiled.read is None else as_number(compiled.read(event, facts))
        case ValueSource.ITEMS_TOTAL:
            items = items_of(event)
            return None if items is None else _items_total(compiled, items, event, facts)
        case ValueSource.ORDER_TOTAL:
            return _order_total(rule, event)
        case ValueSource.NONE:
            return None


def _order_total(rule: ValueRule, event: CommerceEvent) -> Decimal | None:
    order = event.order
    if order is None or order.total is None:
        whole = event.subscription.amount if event.subscription is not None else None
        return event.cart.total if whole is None and event.cart is not None else whole
    total = order.total
    if rule.without_tax:
        total -= order.tax or 0
    if rule.without_shipping:
        total -= order.shipping or 0
    if rule.without_discounts:
        total += order.discount or 0
    return total


def _items_total(
    compiled: CompiledRule, items: Iterable[LineItem], event: CommerceEvent, facts: Facts
) -> Decimal | None:
    wanted = compiled.items
    if wanted is None:  # a tree that cannot be read
        return None
    return items_total(item for item in items if wanted(item, event, facts))


def _gone(
    compiled: CompiledRule,
    refund: Refund,
    whole: Decimal | None,
    base: Decimal | None,
    event: CommerceEvent,
    facts: Facts,
) -> Decimal:
    """What one refund takes from the items total."""
    named = _items_total(compiled, refund.items, event, facts) if refund.items else None
    if named is not None:
        return named
    return refund.amount / whole * base if whole and base else Decimal(0)


def _finished(rule: ValueRule, here: CurrencyRule, base: Decimal, currency: str | None) -> Decimal:
    """Times factor, clamped, rounded."""
    amount = base * (rule.factor if here.factor is None else here.factor)
    least = rule.at_least if here.at_least is None else here.at_least
    most = rule.at_most if here.at_most is None else here.at_most
    if least is not None:
        amount = max(amount, least)
    if most is not None:
        amount = min(amount, most)
    return max(rounded(amount, currency), Decimal(0))
