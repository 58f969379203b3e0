"""Shopify's refunds as our values, from refunds/create and from an order's own list; how much came back says `refund_amounts.py`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from custom_events.platforms import natural_keys
from custom_events.platforms.headers import rfc3339
from custom_events.platforms.parse import optional_id, required_id, text, utc
from custom_events.platforms.shopify import bodies
from custom_events.platforms.shopify.bodies import REFUND
from custom_events.platforms.shopify.delivery import TRIGGERED_AT, triggered_at
from custom_events.platforms.shopify.lines import refunded_item
from custom_events.platforms.shopify.origin import check_kind
from custom_events.platforms.shopify.refund_amounts import currency_of, given_back, shipping_of
from custom_events.values.deliveries import Outcome, RawDelivery, SiteContext, Understood
from custom_events.values.events import CommerceEvent, EventType, LineItem, Refund

# financial_status of an order that nobody has paid for. One that was paid and grew by an edit is partially_paid: that takes no
# payment back.
NOT_PAID = frozenset(("pending", "authorized", "voided", "expired"))
_NEVER_PAID = frozenset(("voided", "expired"))
_WEAKER = timedelta(microseconds=1)  # what Postgres tells apart
_NOTHING_LESS = timedelta(0)


def refunds_of(order: bodies.Order, order_id: str, currency: str | None, body: bytes) -> tuple[Refund, ...]:
    """Every refund that an order's body lists, those that gave nothing back as well. `body` is the whole delivery."""
    return tuple([_refund(refund, order_id, currency, order.updated_at, body, order) for refund in order.refunds or ()])


def understand_refund(delivery: RawDelivery, _site: SiteContext) -> Understood:
    """refunds/create: the refund alone, without customer; the order it belongs to is known by its id. One that failed or moved no money
    is ignored, and still told of: a body that came before may have seen it on its way."""
    body = REFUND.decode(delivery.body)
    check_kind(body.admin_graphql_api_id, "Refund")
    order_id = required_id(body.order_id, "$.order_id")
    own_time = body.created_at or body.processed_at
    triggered = rfc3339(delivery.headers.get(TRIGGERED_AT))
    evidence_at = triggered or (utc(own_time) if own_time else triggered_at(delivery.headers))
    refund = _refund(body, order_id, None, evidence_at, delivery.body, None)
    if not refund.amount:
        return Understood(
            outcome=Outcome.IGNORED,
            reason="no_money_back",
            detail="Goods put back in stock, a payment that was never taken, or a refund that failed",
            refunds=(refund,),
        )
    event = CommerceEvent(
        type=EventType.ORDER_REFUNDED,
        key=natural_keys.of_refund(order_id, refund.id),
        occurred_at=refund.created_at or evidence_at,
        evidence_at=evidence_at,
        is_test=any(transaction.test for transaction in body.transactions or ()),
        refund=refund,
    )
    return Understood(events=(event,), refunds=(refund,))


def _refund(
    refund: bodies.Refund,
    order_id: str,
    order_currency: str | None,
    seen_at: datetime,
    body: bytes,
    order: bodies.Order | None,
) -> Refund:
    """One refund. `seen_at` is the time of the body, and of a refund that has none of its own. `amount` may be 0."""
    currency = order_currency or currency_of(refund)
    own_time = refund.created_at or refund.processed_at
    has_current_total = order is not None and order.current_total_price is not None
    back = given_back(
        refund,
        currency,
        body,
        has_current_total=has_current_total,
        never_was_paid=order is not None and _was_never_paid(order),
    )
    seen = seen_at
    if order is None:
        # Of a refund's own body only the moment of its making is known, which no body of the order comes before that lists it.
        # Where it shows no money that moved, the order's bodies know better, those of that very second as well.
        seen = (own_time or seen_at) - (_WEAKER if back.from_parts else _NOTHING_LESS)
    return Refund(
        id=required_id(refund.id, "$.refunds[].id"),
        order_id=order_id,
        amount=back.amount,
        currency=back.currency or currency,
        reason=text(refund.note),
        items=_items(refund.refund_line_items or (), order),
        shipping=shipping_of(refund),
        created_at=utc(own_time or seen_at),
        seen_at=utc(seen),
        is_pending=back.is_pending,
        has_failed=back.has_failed,
    )


def _was_never_paid(order: bodies.Order) -> bool:
    """Whether an order was never paid, nor will be: what lies in its refunds went back into stock. Of one that is still waited for,
    they may be items that an edit took out, which lower it."""
    is_over = order.financial_status in _NEVER_PAID or order.cancelled_at is not None
    return is_over and order.financial_status in NOT_PAID


def _items(lines: Sequence[bodies.RefundLine], order: bodies.Order | None) -> tuple[LineItem, ...]:
    """What came back. A line that does not say what it was is looked up in the order."""
    if not lines:
        return ()
    of_order = {}
    if order is not None and any(line.line_item is None for line in lines):
        of_order = {optional_id(line.id): line for line in order.line_items or ()}
    included = order.taxes_included if order is not None else None
    return tuple(
        [
            refunded_item(line, line.line_item or of_order.get(optional_id(line.line_item_id)), included)
            for line in lines
        ]
    )
