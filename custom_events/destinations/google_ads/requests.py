"""Conversions and adjustments as raw protobuf messages of the Google Ads API.

Raw messages and `add()` cost a twenty-fifth of the wrapped ones (docs/reference/google-ads.md 0.10). A field is set only where
there is something to say: an empty order id, for one, counts as set and is refused (docs/reference/google-ads.md 5.13).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Any, Final

from custom_events.destinations.google_ads.limits import API_VERSION
from custom_events.values.clicks import ClickKind, ConsentStatus
from custom_events.values.conversions import AdsAccount, Cart, Conversion, UploadKind

# Numbers of google.ads.googleads.v26.enums; a test compares them with the installed package.
CONSENT: Final = {ConsentStatus.GRANTED: 2, ConsentStatus.DENIED: 3}
ENVIRONMENT_APP: Final = 2
ENVIRONMENT_WEB: Final = 3
CUSTOMER_NEW: Final = 2
CUSTOMER_RETURNING: Final = 3
FIRST_PARTY: Final = 2
ADJUSTMENT_TYPES: Final = {UploadKind.RETRACTION: 2, UploadKind.RESTATEMENT: 3}


@cache
def message_class(module: str, name: str) -> Any:
    """The raw protobuf class of a message, for example ("services.types.google_ads_service", "SearchGoogleAdsRequest")."""
    return getattr(import_module(f"google.ads.googleads.{API_VERSION}.{module}"), name).pb()


def conversions_request(
    account: AdsAccount, rows: Sequence[Conversion], job_id: int, *, validate_only: bool = False
) -> Any:
    """UploadClickConversionsRequest with one message per row, in their order."""
    request = message_class("services.types.conversion_upload_service", "UploadClickConversionsRequest")(
        customer_id=account.customer_id, partial_failure=True, validate_only=validate_only, job_id=job_id
    )
    prefix = f"customers/{account.customer_id}/conversionActions/"
    add = request.conversions.add
    for row in rows:
        _fill_conversion(add(), row, prefix)
    return request


def adjustments_request(
    account: AdsAccount, rows: Sequence[Conversion], job_id: int, *, validate_only: bool = False
) -> Any:
    """UploadConversionAdjustmentsRequest. Every row names its conversion by order id, as it was uploaded with one."""
    request = message_class(
        "services.types.conversion_adjustment_upload_service", "UploadConversionAdjustmentsRequest"
    )(customer_id=account.customer_id, partial_failure=True, validate_only=validate_only, job_id=job_id)
    prefix = f"customers/{account.customer_id}/conversionActions/"
    for row in rows:
        message = request.conversion_adjustments.add()
        message.conversion_action = prefix + row.action_id
        message.order_id = row.transaction_id
        message.adjustment_type = ADJUSTMENT_TYPES[row.kind]
        message.adjustment_date_time = time_text(row.adjusted_at or row.occurred_at)
        if row.kind is UploadKind.RESTATEMENT and row.value is not None:
            message.restatement_value.adjusted_value = float(row.value)
            if row.currency is not None:
                message.restatement_value.currency_code = row.currency
    return request


def time_text(moment: datetime) -> str:
    """`yyyy-mm-dd hh:mm:ss+00:00`: converted to UTC, not relabelled; the colon in the offset is required."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(" ", "seconds")


def _fill_conversion(message: Any, row: Conversion, prefix: str) -> None:
    message.conversion_action = prefix + row.action_id
    message.conversion_date_time = time_text(row.occurred_at)
    message.order_id = row.transaction_id
    message.conversion_environment = ENVIRONMENT_APP if row.from_app else ENVIRONMENT_WEB
    if row.value is not None:
        message.conversion_value = float(row.value)
    if row.currency is not None:
        message.currency_code = row.currency
    click = row.click
    if click is not None:
        setattr(message, click.kind, click.id)
    if row.ad_user_data is not ConsentStatus.UNKNOWN:
        message.consent.ad_user_data = CONSENT[row.ad_user_data]  # ad_personalization may not be set here (1.2)
    if row.new_customer is not None:
        message.customer_type = CUSTOMER_NEW if row.new_customer else CUSTOMER_RETURNING
    if row.cart is not None:
        _fill_cart(message.cart_data, row.cart)
    if carries_user_data(row):
        _add_identifiers(message, row)


def _fill_cart(message: Any, cart: Cart) -> None:
    message.merchant_id = int(cart.merchant_id)
    if cart.country is not None:
        message.feed_country_code = cart.country
    if cart.language is not None:
        message.feed_language_code = cart.language
    if cart.discount is not None:
        message.local_transaction_cost = float(cart.discount)
    for line in cart.items:
        item = message.items.add(product_id=line.id, quantity=line.quantity)
        if line.unit_price is not None:
            item.unit_price = float(line.unit_price)


def carries_user_data(row: Conversion) -> bool:
    """Whether hashed e-mail or phone goes with the row: not where their use was denied, nor beside a braid, where Google refuses
    them (2.3), nor with adjustments, which name their conversion by order id."""
    if row.kind is not UploadKind.CONVERSION or not row.has_user_data:
        return False
    return row.click is None or row.click.kind is ClickKind.GCLID


def _add_identifiers(message: Any, row: Conversion) -> None:
    """One message per identifier: a second one set in the same message erases the first (1.2)."""
    if row.email_sha256 is not None:
        identifier = message.user_identifiers.add()
        identifier.hashed_email = row.email_sha256
        identifier.user_identifier_source = FIRST_PARTY
    if row.phone_sha256 is not None:
        identifier = message.user_identifiers.add()
        identifier.hashed_phone_number = row.phone_sha256
        identifier.user_identifier_source = FIRST_PARTY
