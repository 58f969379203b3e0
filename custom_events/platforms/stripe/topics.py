"""Every type of event that an endpoint for orders is subscribed to, and what is done with it (docs.stripe.com/api/events/types)."""

from typing import Final

import msgspec

from custom_events.platforms.parking import Handler
from custom_events.platforms.stripe import bodies
from custom_events.platforms.stripe.customers import understand_customer
from custom_events.platforms.stripe.invoices import PAYMENT_FAILED, understand_invoice
from custom_events.platforms.stripe.refunds import understand_charge, understand_credit_note, understand_refund
from custom_events.platforms.stripe.sessions import understand_session
from custom_events.platforms.stripe.subscriptions import understand_subscription

_SESSIONS: Final = ("completed", "async_payment_succeeded", "async_payment_failed", "expired")
_INVOICES: Final = ("finalized", "paid", "payment_succeeded", "voided", "marked_uncollectible")
_SUBSCRIPTIONS: Final = ("created", "updated", "deleted", "paused", "resumed")

HANDLERS: Final[dict[str, Handler]] = {
    **{f"checkout.session.{word}": understand_session for word in _SESSIONS},
    **{f"invoice.{word}": understand_invoice for word in _INVOICES},
    PAYMENT_FAILED: understand_invoice,
    **{f"customer.subscription.{word}": understand_subscription for word in _SUBSCRIPTIONS},
    "customer.created": understand_customer,
    "charge.refunded": understand_charge,
    **dict.fromkeys(("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"), understand_refund),
    **{f"credit_note.{word}": understand_credit_note for word in ("created", "updated", "voided")},
}

# What each handler's body is, for reading one that has an odd leaf.
BODIES: Final[dict[Handler, type[msgspec.Struct]]] = {
    understand_session: bodies.SessionEvent,
    understand_invoice: bodies.InvoiceEvent,
    understand_subscription: bodies.SubscriptionEvent,
    understand_customer: bodies.CustomerEvent,
    understand_charge: bodies.ChargeEvent,
    understand_refund: bodies.RefundEvent,
    understand_credit_note: bodies.CreditNoteEvent,
}

# Which ones to choose when the endpoint is made.
SUBSCRIBED: Final = tuple(HANDLERS)

# The first word of a type -> why the rest of its kind is of no use to us.
IGNORED_FAMILIES: Final = {
    **dict.fromkeys(("payment_intent", "setup_intent", "payment_method", "charge", "invoice_payment"), "payment_topic"),
    **dict.fromkeys(("product", "price", "plan", "coupon", "promotion_code", "tax_rate"), "product_topic"),
    **dict.fromkeys(("invoiceitem", "quote", "payment_link", "subscription_schedule", "test_helpers"), "no_conversion"),
    **dict.fromkeys(("invoice", "customer", "checkout", "payout", "balance", "account", "radar"), "no_conversion"),
}
