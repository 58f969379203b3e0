"""Which leaves of Stripe's bodies are essential: read strictly, or the body is parked. Fields without a default are, too."""

from functools import lru_cache

import msgspec

from custom_events.platforms.shapes import Essentials, Shape
from custom_events.platforms.stripe import bodies

# Beside what has no default: what says which order, what it is worth, in which currency, and whether it is paid.
ESSENTIAL: Essentials = {
    **dict.fromkeys(
        (
            *(bodies.SessionEvent, bodies.InvoiceEvent, bodies.ChargeEvent, bodies.RefundEvent),
            *(bodies.CreditNoteEvent, bodies.SubscriptionEvent, bodies.CustomerEvent),
        ),
        frozenset(("livemode",)),
    ),
    bodies.Session: frozenset(("currency", "amount_total", "payment_status", "status", "payment_intent", "invoice")),
    bodies.Invoice: frozenset(("status", "billing_reason")),
    bodies.Transitions: frozenset(("finalized_at", "paid_at", "voided_at", "marked_uncollectible_at")),
    bodies.Refund: frozenset(("payment_intent", "charge", "status")),
    bodies.Charge: frozenset(("payment_intent", "invoice")),
    bodies.CreditNote: frozenset(("status", "voided_at", "pre_payment_amount")),
    bodies.Subscription: frozenset(("currency", "start_date", "canceled_at", "ended_at")),
}


@lru_cache
def shape_of(kind: type[msgspec.Struct]) -> Shape:
    """The shape of a body of this kind."""
    return Shape(kind, ESSENTIAL)
