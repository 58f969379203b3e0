"""Whether and when an order of BigCommerce's was paid, and whether by a gateway in test mode.

Its status says that it was paid, its transactions when. Where no transaction tells (an offline way of paying, a token that sees none) it
counts from the order's creation: in every body, so that the time never changes."""

from datetime import datetime
from typing import Final

from custom_events.platforms.bigcommerce import bodies
from custom_events.platforms.parse import utc

# Status ids: 0 Incomplete, 1 Pending, 2 Shipped, 3 Partially Shipped, 4 Refunded, 5 Cancelled, 6 Declined, 7 Awaiting Payment,
# 8 Awaiting Pickup, 9 Awaiting Shipment, 10 Completed, 11 Awaiting Fulfillment, 12 Manual Verification Required, 13 Disputed,
# 14 Partially Refunded. Shops rename them; the numbers stay.
REFUNDED: Final = 4
CANCELLED: Final = frozenset((5, 6))
FULFILLED: Final = frozenset((2, 10))
PARTLY_SHIPPED: Final = 3
DISPUTED: Final = 13
_PAID: Final = frozenset((2, 3, 8, 9, 10, 11, DISPUTED, 14))  # Refunded may be set on an order that never was
_PAID_WORDS: Final = frozenset(("captured", "paid", "partially refunded", "refunded"))  # of `payment_status`
_PAYS: Final = frozenset(("purchase", "capture", "settled"))  # events of transactions that bring money
_TEST_GATEWAY: Final = "testgateway"
_TEST_METHOD: Final = "Test Payment Gateway"


def paid_at(read: bodies.Read, created_at: datetime) -> datetime | None:
    """When the order was paid; None: it was not."""
    payments = [part for part in read.transactions or () if part.event in _PAYS and part.status == "ok"]
    order = read.order
    if not payments and order.status_id not in _PAID and _word(order.payment_status) not in _PAID_WORDS:
        return None
    moments = [utc(part.date_created) for part in payments if part.date_created is not None]
    return min(moments, default=created_at)


def financial_status(order: bodies.Order, *, is_paid: bool) -> str:
    """In Shopify's words, so that one condition fits all: pending, authorized, voided, paid, partially_refunded, refunded."""
    word = _word(order.payment_status)
    if order.status_id == REFUNDED:
        return "refunded"
    if word in {"refunded", "partially refunded"}:
        return word.replace(" ", "_")
    if is_paid:
        return "paid"
    return {"authorized": "authorized", "void": "voided", "void pending": "voided"}.get(word, "pending")


def is_in_test_mode(read: bodies.Read) -> bool:
    """Whether a transaction was a test, or the way of paying is the store's own for tests."""
    return read.order.payment_method == _TEST_METHOD or any(
        bool(part.test) or part.gateway == _TEST_GATEWAY for part in read.transactions or ()
    )


def _word(status: str | None) -> str:
    return (status or "").strip().lower()
