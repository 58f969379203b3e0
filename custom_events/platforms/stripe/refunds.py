"""Money given back. A refund names its payment, which is the order's id where a session of mode payment made it. Of invoices it is the credit note
that names the invoice; before API version 2025-03-31 the charge does as well. A refund of an invoice by itself, without a credit note, names no
order that we know: it waits, visible, and lowers nothing (docs/how-to/connect-stripe.md says how to refund)."""

from decimal import Decimal

import msgspec

from custom_events.platforms import natural_keys
from custom_events.platforms.parse import required_id, text, wrong_shape
from custom_events.platforms.stripe import bodies
from custom_events.platforms.stripe.facts import time_of
from custom_events.platforms.stripe.money import currency_of, money
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, EventType, Refund

REFUND = msgspec.json.Decoder(bodies.RefundEvent)
CHARGE = msgspec.json.Decoder(bodies.ChargeEvent)
CREDIT_NOTE = msgspec.json.Decoder(bodies.CreditNoteEvent)
_FAILED = frozenset(("failed", "canceled"))
_WAITS = frozenset(("pending", "requires_action"))


def understand_refund(delivery: RawDelivery, site: SiteContext) -> Understood:
    """refund.created, refund.updated, refund.failed, charge.refund.updated."""
    del site
    event = REFUND.decode(delivery.body)
    refund = event.data.object
    order_id = refund.payment_intent or refund.charge
    return _understood(event, (_refund(event, refund, required_id(order_id, "$.data.object.payment_intent")),))


def understand_charge(delivery: RawDelivery, site: SiteContext) -> Understood:
    """charge.refunded: each refund that it lists, where its API version lists them; else refund.created tells of them."""
    del site
    event = CHARGE.decode(delivery.body)
    charge = event.data.object
    if charge.refunds is None or not charge.refunds.data:
        return ignored("no_conversion", "The charge lists no refunds; refund.created tells of them")
    order_id = required_id(charge.invoice or charge.payment_intent or charge.id, "$.data.object.id")
    return _understood(event, tuple([_refund(event, refund, order_id) for refund in charge.refunds.data]))


def understand_credit_note(delivery: RawDelivery, site: SiteContext) -> Understood:
    """credit_note.created, updated, voided: what an invoice was lowered by once it was paid."""
    del site
    event = CREDIT_NOTE.decode(delivery.body)
    note = event.data.object
    currency = currency_of(note.currency, "$.data.object.currency")
    given_back = money(note.total - (note.pre_payment_amount or Decimal(0)), currency, "$.data.object.total")
    if given_back is None or given_back < 0:
        raise wrong_shape("$.data.object.total", "Expected an amount of money, not below nothing")
    refund = Refund(
        # Where the charge names the invoice as well (`understand_charge`), both tell of one refund.
        id=required_id(note.refund or note.id, "$.data.object.id"),
        order_id=required_id(note.invoice, "$.data.object.invoice"),
        amount=given_back,
        currency=currency,
        reason=text(note.reason),
        created_at=time_of(note.created),
        seen_at=time_of(event.created),
        has_failed=note.status == "void" or note.voided_at is not None,
    )
    return _understood(event, (refund,))


def _refund(event: bodies.Event, refund: bodies.Refund, order_id: str) -> Refund:
    currency = currency_of(refund.currency, "$.data.object.currency")
    amount = money(refund.amount, currency, "$.data.object.amount")
    if amount is None or amount < 0:
        raise wrong_shape("$.data.object.amount", "Expected an amount of money, not below nothing")
    return Refund(
        id=required_id(refund.id, "$.data.object.id"),
        order_id=order_id,
        amount=amount,
        currency=currency,
        reason=text(refund.reason),
        created_at=time_of(refund.created),
        seen_at=time_of(event.created),
        is_pending=refund.status in _WAITS,
        has_failed=refund.status in _FAILED,
    )


def _understood(event: bodies.Event, refunds: tuple[Refund, ...]) -> Understood:
    at = time_of(event.created)
    return Understood(
        events=tuple(
            [
                CommerceEvent(
                    type=EventType.ORDER_REFUNDED,
                    key=natural_keys.of_refund(refund.order_id, refund.id),
                    occurred_at=refund.created_at or at,
                    evidence_at=at,
                    is_test=not event.livemode,
                    refund=refund,
                )
                for refund in refunds
                if not refund.has_failed
            ]
        ),
        refunds=refunds,
    )
