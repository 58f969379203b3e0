"""How much a Shopify refund gave back, in which currency (reference: platforms 1.2, refunds/create).

A refund is "independent from the movement of money": its successful refund transactions say the amount; without any, the
lines and adjustments do; it can be nothing at all (goods put back in stock, or a payment provider that refused).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from custom_events.platforms import natural_keys
from custom_events.platforms.headers import rfc3339
from custom_events.platforms.leaves import amount, currency_code, required_id, text, utc
from custom_events.platforms.shopify.bodies import REFUND, Money, Refund, Transaction
from custom_events.platforms.shopify.delivery import TRIGGERED_AT, triggered_at
from custom_events.platforms.shopify.lines import line_item
from custom_events.platforms.shopify.origin import check_kind
from custom_events.values import events
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, EventType

_ZERO = Decimal(0)
_MOVES_BACK = "refund"
_FAILED = ("failure", "error")


def refund_value(body: Refund, order_id: str, order_currency: str | None, fallback: datetime | None) -> events.Refund:
    """One refund. `fallback` is the time of a refund that has none of its own. `amount` may be 0."""
    currency = order_currency or _shop_currency(body)
    given_back, paid_currency = _amount(body, currency)
    created_at = body.created_at or body.processed_at or fallback
    return events.Refund(
        id=required_id(body.id, "$.refunds[].id"),
        order_id=order_id,
        amount=given_back,
        currency=currency or paid_currency,
        reason=text(body.note),
        items=tuple(
            [line_item(line.line_item, line.quantity) for line in body.refund_line_items or () if line.line_item]
        ),
        created_at=None if created_at is None else utc(created_at),
    )


def understand_refund(delivery: RawDelivery, _site: SiteContext) -> Understood:
    """refunds/create: the refund alone, without customer; the order it belongs to is known by its id."""
    body = REFUND.decode(delivery.body)
    check_kind(body.admin_graphql_api_id, "Refund")
    order_id = required_id(body.order_id, "$.order_id")
    own_time = body.created_at or body.processed_at
    triggered = rfc3339(delivery.headers.get(TRIGGERED_AT))
    evidence_at = triggered or (utc(own_time) if own_time else triggered_at(delivery.headers))
    refund = refund_value(body, order_id, None, evidence_at)
    if not refund.amount:
        return ignored("no_money_back", "Goods put back in stock, or a payment that failed")
    event = CommerceEvent(
        type=EventType.ORDER_REFUNDED,
        key=natural_keys.of_refund(order_id, refund.id),
        occurred_at=refund.created_at or evidence_at,
        evidence_at=evidence_at,
        is_test=any(found.test for found in body.transactions or ()),
        refund=refund,
    )
    return Understood(events=(event,), refunds=(refund,))


def _amount(body: Refund, shop_currency: str | None) -> tuple[Decimal, str | None]:
    """What went back to the customer, and the currency that the transactions name."""
    transactions = [found for found in body.transactions or () if found.kind == _MOVES_BACK]
    moved = [found for found in transactions if found.status == "success"]
    amounts = [_in_shop_currency(found, shop_currency) for found in moved]
    if moved and None not in amounts:
        return _total([found for found in amounts if found is not None]), currency_code(moved[0].currency)
    if transactions and not moved and all(found.status in _FAILED for found in transactions):
        return _ZERO, None
    return _from_lines(body), None


def _in_shop_currency(found: Transaction, shop_currency: str | None) -> Decimal | None:
    """The transaction's amount in the shop's currency; None when it is only known in the shopper's."""
    shop_money = found.amount_set.shop_money if found.amount_set else None
    if shop_money is not None and shop_money.amount is not None:
        return amount(shop_money.amount, "$.transactions[].amount_set.shop_money.amount")
    own = currency_code(found.currency)
    if shop_currency is None or own is None or own == shop_currency:
        return amount(found.amount, "$.transactions[].amount")
    return None


def _from_lines(body: Refund) -> Decimal:
    """Lines with their tax, less adjustments: those are negative where shipping is given back."""
    lines = [part for line in body.refund_line_items or () for part in (line.subtotal, line.total_tax)]
    adjustments = [part for found in body.order_adjustments or () for part in (found.amount, found.tax_amount)]
    back = _total([amount(part, "$.refund_line_items[].subtotal") for part in lines if part])
    less = _total([amount(part, "$.order_adjustments[].amount") for part in adjustments if part])
    return max(back - less, _ZERO)


def _total(amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, _ZERO)


def _shop_currency(body: Refund) -> str | None:
    """The shop's currency from any `*_set`; the body has none at its top level."""
    sets = [line.subtotal_set for line in body.refund_line_items or ()] + [body.total_duties_set]
    money: list[Money | None] = [found.shop_money if found else None for found in sets]
    return next((code for found in money if found and (code := currency_code(found.currency_code))), None)
