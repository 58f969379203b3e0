"""A webhook delivery and what became of it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from custom_events.values.beacons import Beacon
from custom_events.values.events import CommerceEvent, Order, Refund, Subscription
from custom_events.values.platforms import Platform

DEDUP_KEY_BYTES: Final = 16
APP_UNINSTALLED: Final = "app_uninstalled"  # reason of ignored deliveries: the store removed our app
APP_SCOPES_CHANGED: Final = "app_scopes_changed"  # and: it lets our app do something else than before
ORDER_TO_BE_READ: Final = (
    "order_to_be_read"  # reason of ignored deliveries that only name an order: it is read from the store's API
)
ORDER_READ: Final = "order_read"  # and of the same, when it was
SITE_PAUSED: Final = "site_paused"  # reason of understood deliveries whose site was paused: their events match nothing


def key_of_id(delivery_id: str) -> bytes:
    """What makes two deliveries with this id of the sender's the same: the first 16 bytes of a digest."""
    return hashlib.sha256(b"id\0" + delivery_id.encode()).digest()[:DEDUP_KEY_BYTES]


def key_of_id_and_body(delivery_id: str, body: bytes) -> bytes:
    """What makes two deliveries the same where id and body decide: half of it is that of the id, so that the id finds all of them."""
    half = DEDUP_KEY_BYTES // 2
    return key_of_id(delivery_id)[:half] + hashlib.sha256(body).digest()[:half]


def keys_of_id(delivery_id: str) -> tuple[bytes, bytes]:
    """The first and the last key that a delivery with this id may have, whichever of the two made it."""
    half = DEDUP_KEY_BYTES // 2
    first = key_of_id(delivery_id)[:half]
    return first + bytes(half), first + b"\xff" * half


class Refusal(StrEnum):
    """Why a delivery was refused. The sentence for people stands in `ingest_api`."""

    NO_SUCH_SITE = "no_such_site"
    NO_SIGNATURE = "no_signature"
    MALFORMED_SIGNATURE = "malformed_signature"
    WRONG_SIGNATURE = "wrong_signature"
    TOO_OLD = "too_old"
    TOO_LARGE = "too_large"
    SITE_REMOVED = "site_removed"
    BUSY = "busy"


class Outcome(StrEnum):
    """What understanding made of a raw event."""

    UNDERSTOOD = "understood"  # gave events or state, new or already known
    PARKED = "parked"  # cannot be understood now; kept with its bytes, replayable
    IGNORED = "ignored"  # known and of no use to us (a product topic, a test order ...)


class PrivacyRequest(StrEnum):
    """What a person asks about their own data, by way of the store. A body that asks is parked for this reason."""

    REDACT_CUSTOMER = "redact_customer"
    REDACT_SHOP = "redact_shop"
    DATA_REQUEST = "data_request"


class TransactionIds(StrEnum):
    """By what a site's conversions are known at Google, so that a tag on its thank-you page may use the same."""

    SITE_AND_ID = "site_and_id"  # our number of the site and the order's id: never the same for two sites
    ORDER_NUMBER = "order_number"  # what people call the order, without a leading #
    BARE_ID = "bare_id"  # the store's own id


class SiteContext(msgspec.Struct, frozen=True, kw_only=True):
    """What understanding may know of a site besides the body. Filled from `sites.settings`."""

    site_id: int
    platform: Platform
    is_active: bool = True  # False: understood, and matched with nothing
    shop_domain: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"
    default_country: str | None = None  # ISO 3166 alpha-2, for national phone numbers without an address
    # WooCommerce cash on delivery counts as paid on: processing | completed | one of these statuses of the shop's own
    cod_paid_when: str | tuple[str, ...] = "processing"
    subscription_sources: tuple[str, ...] = (
        "subscription_contract",
    )  # Shopify order.source_name prefixes that mean a renewal
    take_test_orders: bool = False  # as if they were real
    take_sub_orders: bool = False  # WooCommerce: parts of another order, as marketplaces make them for their vendors
    payment_lost_statuses: tuple[str, ...] = ()  # WooCommerce statuses of plugins that mean a dispute or a chargeback
    transaction_ids: TransactionIds = TransactionIds.SITE_AND_ID
    transaction_ids_before: TransactionIds = TransactionIds.SITE_AND_ID  # of orders made before `transaction_ids_since`
    transaction_ids_since: datetime | None = None

    def transaction_ids_of(self, ordered_at: datetime) -> TransactionIds:
        """By what an order that was made then is known at Google: a change of the setting leaves older orders as they were."""
        since = self.transaction_ids_since
        return self.transaction_ids if since is None or ordered_at >= since else self.transaction_ids_before


class RawDelivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One landed delivery, for understanding. Header names are lower-case."""

    topic: str | None
    body: bytes
    headers: Mapping[str, str] = {}


class Understood(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a body says: the events it is evidence of (deduplicated later by key) and the states it shows."""

    outcome: Outcome = Outcome.UNDERSTOOD
    reason: str | None = None  # stable word, for parked and ignored
    detail: str | None = None  # for people; no personal data
    events: tuple[CommerceEvent, ...] = ()
    order: Order | None = None  # newest wins, by updated_at
    refunds: tuple[Refund, ...] = ()
    subscription: Subscription | None = None
    subscription_at: datetime | None = None  # the store's clock of that state; None: that of the events
    deleted_order_id: str | None = None
    is_snapshot: bool = (
        False  # the order body was built when it was sent: the order was there then, whatever was deleted before
    )
    shown_at: datetime | None = None  # when the body was built, by the store's clock; None: when it was sent
    odd_leaves: tuple[str, ...] = ()  # paths (`$.line_items[].sku`) whose values had another type than theirs


class UnderstoodBeacon(Understood, frozen=True, kw_only=True, gc=False):
    """What a browser told: it adds to orders, and is none."""

    beacon: Beacon


def beacon_of(understood: Understood) -> Beacon | None:
    """What a browser told; None of a delivery of a store."""
    return understood.beacon if isinstance(understood, UnderstoodBeacon) else None


def parked(reason: str, detail: str | None = None) -> Understood:
    """The body cannot be understood now."""
    return Understood(outcome=Outcome.PARKED, reason=reason, detail=detail)


def ignored(reason: str, detail: str | None = None) -> Understood:
    """The body is known to be of no use to us."""
    return Understood(outcome=Outcome.IGNORED, reason=reason, detail=detail)
