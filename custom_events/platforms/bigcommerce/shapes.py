"""Which leaves of BigCommerce's orders are essential: read strictly, or the body is parked. Fields without a default are, too."""

from functools import lru_cache

import msgspec

from custom_events.platforms.bigcommerce import bodies
from custom_events.platforms.shapes import Essentials, Shape

# Beside what has no default: in which currency, and whether, when and how it was paid.
ESSENTIAL: Essentials = {
    bodies.Order: frozenset(("default_currency_code", "currency_code", "payment_status")),
    bodies.Transaction: frozenset(("event", "status", "date_created", "test")),
    bodies.RefundPayment: frozenset(("is_declined",)),
}


@lru_cache
def shape_of(kind: type[msgspec.Struct]) -> Shape:
    """The shape of a body of this kind."""
    return Shape(kind, ESSENTIAL)
