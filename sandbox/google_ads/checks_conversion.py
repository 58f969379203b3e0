"""Checks of one conversion row, in Google's order of precedence: the first error found is the row's error.

S-numbers are those of docs/reference/google-ads.md 4.
"""

import math
from collections.abc import Callable

from sandbox.google_ads import formats
from sandbox.google_ads.checks_click import check_click
from sandbox.google_ads.checks_identifiers import check_identifiers, check_user_identifiers
from sandbox.google_ads.error_names import (
    ConversionUpload,
    Date,
    ErrorName,
    Field,
    NotAllowlisted,
    StringLength,
)
from sandbox.google_ads.failures import Fail
from sandbox.google_ads.query_rows import ConversionRow, Uploads
from sandbox.google_ads.seed import Action, Customer
from sandbox.google_ads.state import State

SECONDS_PER_HOUR = 3600
TOO_RECENT_ACTION_S = 6 * SECONDS_PER_HOUR  # ConversionUploadError.TOO_RECENT_CONVERSION_ACTION
_UPLOAD_TYPE = "UPLOAD_CLICKS"


def find_action(state: State, customer: Customer, action_id: str | None) -> Action | None:
    """The action with this id when it belongs to the account (or its conversion account) and is not removed."""
    action = state.actions.get(action_id or "")
    if action is None or action.status == "REMOVED":
        return None
    return action if action.customer_id in (customer.customer_id, customer.conversion_customer_id) else None


def check_action(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S11: the action exists, takes uploads, and is six hours old."""
    action = find_action(uploads.state, uploads.customer, row.action_id)
    if action is None:
        return _at(ConversionUpload.NO_CONVERSION_ACTION_FOUND, "conversion_action", row.message.conversion_action)
    if action.type != _UPLOAD_TYPE:
        return _at(ConversionUpload.INVALID_CONVERSION_ACTION_TYPE, "conversion_action", row.message.conversion_action)
    if uploads.now - action.created_at.timestamp() < TOO_RECENT_ACTION_S:
        return _at(ConversionUpload.TOO_RECENT_CONVERSION_ACTION, "conversion_action", row.message.conversion_action)
    if row.message.HasField("external_attribution_data"):
        name = ConversionUpload.EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION
        return _at(name, "external_attribution_data")
    return None


def check_time(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S12: the exact format, and not in the future."""
    if row.instant is None:
        name = Date.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET
        return _at(name, "conversion_date_time", row.date_time)
    if row.instant > uploads.now and uploads.switches.future_conversion_refused:
        return _at(Date.LATER_THAN_MAXIMUM_DATE, "conversion_date_time", row.date_time)
    return None


def check_order_id(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S16: length, nothing personal, once in the request, once ever for the action."""
    order_id = row.order_id
    if order_id is None:
        return None
    if not order_id:
        return _at(StringLength.TOO_SHORT, "order_id")
    if len(order_id) > formats.ORDER_ID_MAX_CHARACTERS:
        return _at(StringLength.TOO_LONG, "order_id", order_id)
    if formats.looks_personal(order_id):
        return _at(ConversionUpload.ORDER_ID_CONTAINS_PII, "order_id")
    key = (row.action_id, order_id)
    if key in uploads.order_ids:
        return _at(ConversionUpload.DUPLICATE_ORDER_ID, "order_id", order_id)
    if uploads.state.known(row.action_id or "", order_id, "google_ads") is not None:
        return _at(ConversionUpload.ORDER_ID_ALREADY_IN_USE, "order_id", order_id)
    return None


def check_same_click(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S17: one conversion per click, action and instant, unless order ids tell them apart."""
    if row.click_id is None:
        return None
    key = (row.action_id or "", row.click_id, row.instant or 0)
    apart = uploads.switches.order_id_separates_same_click_and_time and row.order_id is not None
    if key in uploads.clicks and not (apart and key not in uploads.clicks_without_order_id):
        return _at(ConversionUpload.DUPLICATE_CLICK_CONVERSION_IN_REQUEST, "conversion_date_time", row.date_time)
    stored = uploads.state.by_click_time.get(key)
    if stored and not (apart and all(conversion.order_id is not None for conversion in stored)):
        return _at(ConversionUpload.CLICK_CONVERSION_ALREADY_EXISTS, "conversion_date_time", row.date_time)
    return None


def check_value(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S20: a finite value that is not negative."""
    value = row.message.conversion_value
    if uploads.switches.negative_value_refused and not (0 <= value < math.inf):
        return _at(Field.INVALID_VALUE, "conversion_value", str(value))
    return None


def check_extras(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S21: consent, features for allowlisted accounts, cart, custom variables. S4 when answered per row."""
    message, switches = row.message, uploads.switches
    if switches.ad_personalization_refused and message.consent.ad_personalization:
        return Fail(Field.VALUE_MUST_BE_UNSET, (("consent", None), ("ad_personalization", None)))
    if not uploads.customer.session_attributes_allowlisted:
        for field in ("user_ip_address", "session_attributes_encoded", "session_attributes_key_value_pairs"):
            if message.HasField(field):
                return _at(NotAllowlisted.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE, field)
    if switches.cart_quantity_checked and message.HasField("cart_data"):
        for index, item in enumerate(message.cart_data.items):
            if item.quantity < 1:
                return Fail(
                    Field.INVALID_VALUE, (("cart_data", None), ("items", index), ("quantity", None)), str(item.quantity)
                )
    if message.custom_variables:
        return Fail.at(ConversionUpload.CUSTOM_VARIABLE_NOT_ENABLED, "custom_variables", 0)
    return None


def check_allowlisted_row(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S4, when the switch says that Google answers per row."""
    del row
    return None if uploads.customer.allowlisted else Fail(NotAllowlisted.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE)


Check = Callable[[ConversionRow, Uploads], Fail | None]
CHECKS: tuple[Check, ...] = (
    check_allowlisted_row,
    check_action,
    check_time,
    check_identifiers,
    check_user_identifiers,
    check_order_id,
    check_same_click,
    check_click,
    check_value,
    check_extras,
)


def check_conversion(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """The row's error, or None."""
    for check in CHECKS:
        error = check(row, uploads)
        if error is not None:
            return error
    return None


def _at(name: ErrorName, field: str, trigger: str | None = None) -> Fail:
    return Fail(name, ((field, None),), trigger)
