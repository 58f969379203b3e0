"""What deliveries are known by: keys as they are stored, numbers of orders by the site's settings, reasons with their details."""

import hashlib
from datetime import UTC, datetime, timedelta

from custom_events.platforms.base import Delivery
from custom_events.platforms.dedup_keys import dedup_key
from custom_events.values.deliveries import (
    Outcome,
    Platform,
    SiteContext,
    TransactionIds,
    beacon_of,
    ignored,
    key_of_id,
    parked,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_keys_are_spelt_as_those_that_are_stored() -> None:
    """Another spelling would take every delivery that a store repeats after an update for a new one."""
    assert key_of_id("1") == hashlib.sha256(b"id\0" + b"1").digest()[:16]
    assert dedup_key(Delivery(delivery_id="1"), b"x") == key_of_id("1").hex()
    for topic in ("a", None):
        spelt = b"body\0" + (topic or "").encode() + b"\0" + b"x"
        assert dedup_key(Delivery(topic=topic), b"x") == hashlib.sha256(spelt).hexdigest()[:32]


def test_orders_before_a_change_keep_what_they_are_known_by() -> None:
    changed = SiteContext(
        site_id=1,
        platform=Platform.SHOPIFY,
        transaction_ids=TransactionIds.ORDER_NUMBER,
        transaction_ids_before=TransactionIds.BARE_ID,
        transaction_ids_since=NOW,
    )
    assert changed.transaction_ids_of(NOW) is TransactionIds.ORDER_NUMBER
    assert changed.transaction_ids_of(NOW - timedelta(seconds=1)) is TransactionIds.BARE_ID
    always = SiteContext(site_id=1, platform=Platform.SHOPIFY, transaction_ids=TransactionIds.ORDER_NUMBER)
    assert always.transaction_ids_of(NOW) is TransactionIds.ORDER_NUMBER


def test_a_reason_goes_with_its_detail_and_is_no_beacon() -> None:
    for understood, outcome in ((parked("a", "b"), Outcome.PARKED), (ignored("a", "b"), Outcome.IGNORED)):
        assert (understood.outcome, understood.reason, understood.detail) == (outcome, "a", "b")
        assert beacon_of(understood) is None
