"""Which leaves of Shopify's bodies are essential: read strictly, or the body is parked. Fields without a default are, too.

Everything else that is odd is read by its evident meaning, or counts as missing (`platforms/shapes.py`).
"""

from functools import lru_cache

import msgspec

from custom_events.platforms.shapes import Essentials, Shape
from custom_events.platforms.shopify import bodies

# Beside what has no default: what says which order, how it stands, what it is worth, in which currency, and since when.
# `processed_at`, the time of a payment, is none: an order without it was paid when it was made.
ESSENTIAL: Essentials = {
    bodies.Order: frozenset(("cancelled_at", "currency", "current_total_price", "financial_status")),
    bodies.Refund: frozenset(("order_id",)),
    bodies.Transaction: frozenset(("currency",)),
    bodies.Checkout: frozenset(("currency",)),
    bodies.Cart: frozenset(("token", "id")),
    bodies.Contract: frozenset(("status", "currency_code")),
    bodies.BillingAttempt: frozenset(("order_id", "idempotency_key")),  # they name the renewal
}


@lru_cache
def shape_of(kind: type[msgspec.Struct]) -> Shape:
    """The shape of a body of this kind."""
    return Shape(kind, ESSENTIAL)
