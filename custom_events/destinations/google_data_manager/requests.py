"""Conversions as events of the Data Manager API, as raw protobuf.

Refunds are the same event sent again with the new value: Google overwrites value and currency of a transaction id it knows
(docs/reference/google-ads.md 2.7). A retraction is the value 0, as there is no message for it.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

from custom_events.destinations.google_data_manager.limits import MAX_DESTINATIONS
from custom_events.values.clicks import ConsentStatus
from custom_events.values.conversions import AdsAccount, Cart, Conversion, UploadKind

# Numbers of google.ads.datamanager_v1 enums; a test compares them with the installed package.
CONSENT: Final = {ConsentStatus.GRANTED: 1, ConsentStatus.DENIED: 2}
SOURCE_WEB: Final = 1
SOURCE_APP: Final = 2
ENCODING_HEX: Final = 1
ACCOUNT_GOOGLE_ADS: Final = 1
CUSTOMER_NEW: Final = 1
CUSTOMER_RETURNING: Final = 2


@cache
def message_class(name: str) -> Any:
    """The wrapped class of a message; `.pb()` is the raw one."""
    return getattr(import_module("google.ads.datamanager_v1"), name)


def actions_of(rows: Sequence[Conversion]) -> list[str]:
    """The conversion actions of the rows, in order of appearance, as many as one request may name."""
    return list(dict.fromkeys(row.action_id for row in rows))[:MAX_DESTINATIONS]


def events_request(account: AdsAccount, rows: Sequence[Conversion], *, validate_only: bool = False) -> Any:
    """Raw IngestEventsRequest: one destination per conversion action, one event per row, in their order."""
    request = message_class("IngestEventsRequest").pb()(validate_only=validate_only, encoding=ENCODING_HEX)
    for action_id in actions_of(rows):
        destination = request.destinations.add(reference=action_id, product_destination_id=action_id)
        destination.operating_account.account_type = ACCOUNT_GOOGLE_ADS
        destination.operating_account.account_id = account.customer_id
        if account.login_customer_id is not None:
            destination.login_account.account_type = ACCOUNT_GOOGLE_ADS
            destination.login_account.account_id = account.login_customer_id
    add = request.events.add
    for row in rows:
        _fill(add(), row)
    return request


def _fill(event: Any, row: Conversion) -> None:
    """Seconds are set, not `FromDatetime`, and branches compare by identity: this runs for every row of every request."""
    event.destination_references.append(row.action_id)
    event.transaction_id = row.transaction_id
    event.event_timestamp.seconds = int(row.occurred_at.timestamp())
    event.event_source = SOURCE_APP if row.from_app else SOURCE_WEB
    if row.kind is not UploadKind.CONVERSION and row.adjusted_at is not None:
        event.last_updated_timestamp.seconds = int(row.adjusted_at.timestamp())
    if row.kind is UploadKind.RETRACTION:
        event.conversion_value = 0.0
    elif row.value is not None:
        event.conversion_value = float(row.value)
    if row.currency is not None:
        event.currency = row.currency
    if row.click is not None:
        setattr(event.ad_identifiers, row.click.kind, row.click.id)
    if row.ad_user_data is not ConsentStatus.UNKNOWN:
        event.consent.ad_user_data = CONSENT[row.ad_user_data]
    if row.ad_personalization is not ConsentStatus.UNKNOWN:
        event.consent.ad_personalization = CONSENT[row.ad_personalization]
    if row.new_customer is not None:
        event.user_properties.customer_type = CUSTOMER_NEW if row.new_customer else CUSTOMER_RETURNING
    if row.cart is not None and row.kind is UploadKind.CONVERSION:
        _fill_cart(event.cart_data, row.cart)
    if row.ad_user_data is not ConsentStatus.DENIED:
        _add_identifiers(event, row)


def _fill_cart(message: Any, cart: Cart) -> None:
    message.merchant_id = cart.merchant_id
    if cart.country is not None:
        message.merchant_feed_label = cart.country
    if cart.language is not None:
        message.merchant_feed_language_code = cart.language
    if cart.discount is not None:
        message.transaction_discount = float(cart.discount)
    for line in cart.items:
        item = message.items.add(merchant_product_id=line.id, quantity=line.quantity)
        if line.unit_price is not None:
            item.unit_price = float(line.unit_price)


def _add_identifiers(event: Any, row: Conversion) -> None:
    if row.email_sha256 is not None:
        event.user_data.user_identifiers.add().email_address = row.email_sha256
    if row.phone_sha256 is not None:
        event.user_data.user_identifiers.add().phone_number = row.phone_sha256
