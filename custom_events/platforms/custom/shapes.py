"""Which leaves of a custom sender's body are essential: read strictly, or the body is parked. Fields without a default are, too.

Everything else that is odd is read by its evident meaning, or counts as missing (`platforms/shapes.py`).
"""

from functools import lru_cache

import msgspec

from custom_events.platforms.custom import bodies
from custom_events.platforms.shapes import Essentials, Shape

_TIMES = ("created_at", "cancelled_at")

# Beside what has no default: what says which thing, what it is worth, in which currency, and since when.
ESSENTIAL: Essentials = {
    bodies.Order: frozenset((*_TIMES, "updated_at", "paid_at")),
    bodies.Refund: frozenset(("order_id", "currency")),
    bodies.Subscription: frozenset((*_TIMES, "order_id", "amount", "currency")),
    bodies.Cart: frozenset(("total", "currency", "created_at")),
}


@lru_cache
def shape_of(kind: type[msgspec.Struct]) -> Shape:
    """The shape of a body of this kind."""
    return Shape(kind, ESSENTIAL)
