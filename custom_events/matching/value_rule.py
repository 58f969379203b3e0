"""A value rule compiled: the amount it starts from, of an event or of a single line, and in which currency that is."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache

import msgspec

from custom_events.conditions.compile import ItemFilter, compile_item_filter
from custom_events.conditions.facts import Facts
from custom_events.conditions.interpret import currency_reader, field_reader
from custom_events.conditions.runtime import as_number, items_of
from custom_events.matching.money import rounded
from custom_events.values import net
from custom_events.values.definitions import CurrencyRule, ValueRule, ValueSource
from custom_events.values.events import CommerceEvent, LineItem

MAX_KEPT_RULES = 4_096  # compiled value rules; they are few, most assignments inherit

_ZERO = Decimal(0)
_SAME = CurrencyRule()
_ORDER_TOTALS = (ValueRule(), ValueRule(refunds_lower_it=False))
Reader = Callable[[CommerceEvent, Facts], object]


class CompiledValueRule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A value rule ready to be asked."""

    rule: ValueRule
    is_order_total: bool = False  # and nothing else: what most rules are
    items: ItemFilter | None = None
    read: Reader | None = None
    read_currency: Reader | None = None  # of what `read` gives; None: nobody says

    def here(self, currency: str | None) -> CurrencyRule:
        """What the rule says of this currency alone."""
        return self.rule.by_currency.get(currency or "", _SAME)


def compile_rule(rule: ValueRule) -> CompiledValueRule:
    """The rule with its items tree and its field compiled; equal rules share. Raises nothing: what cannot be read gives no value."""
    return _compiled(msgspec.json.encode(rule, order="deterministic"))


@lru_cache(maxsize=MAX_KEPT_RULES)
def _compiled(encoded: bytes) -> CompiledValueRule:
    rule = msgspec.json.decode(encoded, type=ValueRule)
    items = compile_item_filter(rule.items) if rule.items is not None else _every_item
    return CompiledValueRule(
        rule=rule,
        is_order_total=rule in _ORDER_TOTALS,
        items=items,
        read=amount_reader(rule.field) if rule.field else None,
        read_currency=currency_reader(rule.field) if rule.field else None,
    )


def _every_item(_item: LineItem, _event: CommerceEvent, _facts: Facts) -> bool:
    return True


def amount_reader(name: str) -> Reader | None:
    """Reads a named amount of events; None for no such field."""
    try:
        return field_reader(name)
    except KeyError:
        return None


def base_currency(compiled: CompiledValueRule, event: CommerceEvent, facts: Facts) -> str | None:
    """The currency of what the rule starts from. That a refund names another one makes the order's money no other money."""
    match compiled.rule.source:
        case ValueSource.ORDER_TOTAL if event.order is not None and event.order.total is not None:
            return event.order_currency
        case ValueSource.ITEMS_TOTAL:
            return event.items_currency
        case ValueSource.FIELD if compiled.read_currency is not None:
            currency = compiled.read_currency(event, facts)
            return currency if isinstance(currency, str) else event.currency
        case _:
            return event.currency


def value_currency(compiled: CompiledValueRule, base_in: str | None) -> str | None:
    """The currency of the value, of a base in `base_in`: a fixed amount may have one of its own."""
    rule = compiled.rule
    if rule.source is ValueSource.FIXED and rule.currency is not None and compiled.here(base_in).fixed is None:
        return rule.currency
    return base_in


def base_of(compiled: CompiledValueRule, event: CommerceEvent, facts: Facts) -> Decimal | None:
    """The amount that the rule starts from, before factor and clamps."""
    rule = compiled.rule
    match rule.source:
        case ValueSource.FIXED:
            here = compiled.here(event.currency)
            return rule.fixed if here.fixed is None else here.fixed
        case ValueSource.FIELD:
            return None if compiled.read is None else as_number(compiled.read(event, facts))
        case ValueSource.ITEMS_TOTAL:
            items = items_of(event)
            return None if items is None or compiled.items is None else _items_total(compiled, items, event, facts)
        case ValueSource.ORDER_TOTAL:
            return _order_total(rule, event)
        case ValueSource.NONE:
            return None


def _order_total(rule: ValueRule, event: CommerceEvent) -> Decimal | None:
    order = event.order
    if order is None or order.total is None:
        whole = event.subscription.amount if event.subscription is not None else None
        return event.cart.total if whole is None and event.cart is not None else whole
    total = net.total(order, without_tax=rule.without_tax) or _ZERO
    if rule.without_shipping:
        total -= net.shipping(order, without_tax=rule.without_tax)
    if rule.without_discounts:
        total += net.discount(order, without_tax=rule.without_tax, without_shipping=rule.without_shipping)
    return total


def _items_total(
    compiled: CompiledValueRule, items: Iterable[LineItem], event: CommerceEvent, facts: Facts
) -> Decimal | None:
    """The sum of what the rule counts of the lines; None as soon as one of them is unknown."""
    total = _ZERO
    for item in items:
        amount = counted_of(compiled, item, event, facts)
        if amount is None:
            return None
        total += amount
    return total


def counted_of(compiled: CompiledValueRule, item: LineItem, event: CommerceEvent, facts: Facts) -> Decimal | None:
    """What the rule counts of a line, of the order or given back; None where that is unknown."""
    rule, order = compiled.rule, event.order
    if rule.source is ValueSource.ITEMS_TOTAL:
        if compiled.items is None or not compiled.items(item, event, facts):
            return _ZERO
        return net.item_total(item, order, without_tax=True) if rule.without_tax else net.line_total(item)
    amount = net.item_total(item, order, without_tax=rule.without_tax)
    if amount is None or not rule.without_discounts or not item.discount:
        return amount
    listed = net.line_total(item)
    return amount + (item.discount * amount / listed if listed else item.discount)


def finished(compiled: CompiledValueRule, base: Decimal, base_in: str | None, currency: str | None) -> Decimal:
    """The base, of the currency `base_in`, times factor, clamped, rounded as `currency` is."""
    rule, here = compiled.rule, compiled.here(base_in)
    amount = base * (rule.factor if here.factor is None else here.factor)
    least = rule.at_least if here.at_least is None else here.at_least
    most = rule.at_most if here.at_most is None else here.at_most
    if least is not None:
        amount = max(amount, least)
    if most is not None:
        amount = min(amount, most)
    return max(rounded(amount, currency), _ZERO)
