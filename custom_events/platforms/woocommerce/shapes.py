"""Which leaves of WooCommerce's bodies are essential: read strictly, or the body is parked. Fields without a default are, too.

Everything else that is odd is read by its evident meaning, or counts as missing (`platforms/shapes.py`).
"""

import re
from functools import lru_cache

import msgspec

from custom_events.platforms.shapes import Essentials, Shape
from custom_events.platforms.woocommerce import bodies

# Beside what has no default: what says in which currency, and since when. Of each time the one in UTC: its twin in the site's zone is
# read where that is missing. `date_completed_gmt` decides nothing but the time of a fulfilment.
ESSENTIAL: Essentials = {
    bodies.Order: frozenset(("currency", "date_created_gmt", "date_modified_gmt", "date_paid_gmt")),
    bodies.GiftCard: frozenset(("amount",)),  # a part of what the order is worth
    bodies.Subscription: frozenset(
        ("total", "currency", "date_created_gmt", "date_modified_gmt", "date_paid_gmt", "cancelled_date_gmt")
    ),
    bodies.Customer: frozenset(("date_created_gmt",)),
    bodies.Refund: frozenset(("date_created_gmt", "parent_id")),
    bodies.Moment: frozenset(("at", "paid_at")),
    bodies.Cart: frozenset(("currency", "total")),
}

_TIME = re.compile(
    r"(?:date_|[a-z_]+_date_)[a-z_]+\Z"
)  # date_paid, date_paid_gmt, cancelled_date_gmt: texts that are times


def is_time(field: str) -> bool:
    """Whether a text field holds a time."""
    return _TIME.match(field) is not None


@lru_cache
def shape_of(kind: type[msgspec.Struct]) -> Shape:
    """The shape of a body of this kind."""
    return Shape(kind, ESSENTIAL, is_time)
