"""A webhook delivery and what became of it."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from custom_events.values.events import CommerceEvent, Order, Refund, Subscription


class Platform(StrEnum):
    """The store platforms that have a folder in `platforms/`."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    CUSTOM = "custom"


class Refusal(StrEnum):
    """Why a delivery was refused. The sentence for people stands in `ingest_api`."""

    NO_SUCH_SITE = "no_such_site"
    NO_SIGNATURE = "no_signature"
    MALFORMED_SIGNATURE = "malformed_signature"
    WRONG_SIGNATURE = "wrong_signature"
    TOO_OLD = "too_old"
    TOO_LARGE = "too_large"
    SITE_PAUSED = "site_paused"
    BUSY = "busy"


class Outcome(StrEnum):
    """What understanding made of a raw event."""

    UNDERSTOOD = "understood"  # gave events or state, new or already known
    PARKED = "parked"  # cannot be understood now; kept with its bytes, replayable
    IGNORED = "ignored"  # known and of no use to us (a product topic, a test order ...)


class SiteContext(msgspec.Struct, frozen=True, kw_only=True):
    """What understanding may know of a site besides the body. Filled from `sites.settings`."""

    site_id: int
    platform: Platform
    shop_domain: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"
    default_country: str | None = None  # ISO 3166 alpha-2, for national phone numbers without an address
    cod_paid_when: str = "processing"  # WooCommerce cash on delivery counts as paid on: processing | completed
    subscription_sources: tuple[str, ...] = (
        "subscription_contract",
    )  # Shopify order.source_name prefixes that mean a renewal
    take_test_orders: bool = False


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
    deleted_order_id: str | None = None
    redact: bool = False  # a compliance topic: somebody must be forgotten


def parked(reason: str, detail: str | None = None) -> Understood:
    """The body cannot be understood now."""
    return Understood(outcome=Outcome.PARKED, reason=reason, detail=detail)


def ignored(reason: str, detail: str | None = None) -> Understood:
    """The body is known to be of no use to us."""
    return Understood(outcome=Outcome.IGNORED, reason=reason, detail=detail)
