"""Checks of one adjustment row (S24-S26): first what the row says itself, then what its conversion allows."""

import math
from typing import Any

import msgspec

from sandbox.google_ads import formats
from sandbox.google_ads.checks_conversion import TOO_RECENT_ACTION_S, find_action
from sandbox.google_ads.error_names import (
    CollectionSize,
    ConversionAdjustmentUpload,
    Date,
    ErrorName,
    Field,
    StringLength,
)
from sandbox.google_ads.failures import Fail
from sandbox.google_ads.installed import ads_enums
from sandbox.google_ads.seed import Action, Customer
from sandbox.google_ads.state import Adjustment, Conversion, State

SECONDS_PER_DAY = 86_400
CONVERSION_LIFE_S = 54 * SECONDS_PER_DAY  # ConversionAdjustmentUploadError.CONVERSION_EXPIRED
MAX_USER_IDENTIFIERS = 5
_TYPES = {"RETRACTION", "RESTATEMENT", "ENHANCEMENT"}
_ADJUSTABLE = {"SALESFORCE", "UPLOAD_CLICKS", "WEBPAGE"}
_SUPPORTED = {"hashed_email", "hashed_phone_number", "address_info"}


class AdjustmentRow(msgspec.Struct):
    """A ConversionAdjustment as sent, and as it would be recorded. `request_key` is equal for duplicates."""

    message: Any
    adjustment: Adjustment
    instant: int | None
    request_key: tuple[object, ...]


def read_adjustment(message: Any) -> AdjustmentRow:
    """Read a raw ConversionAdjustment. What only the whole request knows (account, job, day) is filled in later."""
    pair = message.gclid_date_time_pair if message.HasField("gclid_date_time_pair") else None
    order_id = message.order_id if message.HasField("order_id") else None
    instant = formats.instant(message.adjustment_date_time)
    kind = ads_enums().adjustment_type.name(message.adjustment_type)
    action_id = formats.action_id(message.conversion_action) or ""
    conversion_at = None if pair is None else formats.instant(pair.conversion_date_time)
    click_id = None if pair is None else pair.gclid
    restated = message.HasField("restatement_value")
    adjustment = Adjustment(
        customer_id="",
        action_id=action_id,
        order_id=order_id,
        click_id=click_id,
        conversion_at=conversion_at,
        type=kind,
        adjusted_value=message.restatement_value.adjusted_value if restated else None,
        currency=message.restatement_value.currency_code if restated else "",
        adjustment_date_time=message.adjustment_date_time,
        adjusted_at=instant or 0,
        uploaded_at=0.0,
        day="",
        job_id=0,
    )
    when = None if kind == "ENHANCEMENT" else instant
    return AdjustmentRow(message, adjustment, instant, (action_id, order_id, click_id, conversion_at, kind, when))


def check_adjustment(
    state: State, customer: Customer, row: AdjustmentRow, twice: set[tuple[object, ...]]
) -> Fail | None:
    """What the row says itself: action, type, keys, times, value, identifiers, and that it comes once in the request."""
    row.adjustment.customer_id = customer.customer_id
    action = find_action(state, customer, row.adjustment.action_id)
    if action is None:
        return Fail.at(
            ConversionAdjustmentUpload.NO_CONVERSION_ACTION_FOUND,
            "conversion_action",
            trigger=row.message.conversion_action,
        )
    error = (
        _check_action(state, row, action)
        or _check_keys(row, action)
        or _check_times(state, row)
        or _check_value(row, action)
        or _check_user_identifiers(customer, row)
    )
    if error is None and row.request_key in twice:
        enhancement = row.adjustment.type == "ENHANCEMENT"
        name = (
            ConversionAdjustmentUpload.DUPLICATE_ENHANCEMENT_IN_REQUEST
            if enhancement
            else ConversionAdjustmentUpload.DUPLICATE_ADJUSTMENT_IN_REQUEST
        )
        return Fail(name)
    return error


def check_against(adjustment: Adjustment, conversion: Conversion, now: float) -> Fail | None:
    """What the conversion allows at `now`: it is older than the adjustment, not expired, not retracted, not restated later."""
    if adjustment.adjusted_at <= conversion.conversion_at:
        return Fail.at(ConversionAdjustmentUpload.ADJUSTMENT_PRECEDES_CONVERSION, "adjustment_date_time")
    if now - conversion.conversion_at > CONVERSION_LIFE_S:
        return Fail(ConversionAdjustmentUpload.CONVERSION_EXPIRED)
    if adjustment.type == "ENHANCEMENT":
        return Fail(ConversionAdjustmentUpload.CONVERSION_ALREADY_ENHANCED) if conversion.enhanced else None
    if conversion.retracted:
        return Fail(ConversionAdjustmentUpload.CONVERSION_ALREADY_RETRACTED)
    if adjustment.type == "RESTATEMENT" and conversion.restatement_times:
        if adjustment.adjusted_at in conversion.restatement_times:
            return Fail.at(ConversionAdjustmentUpload.RESTATEMENT_ALREADY_EXISTS, "adjustment_date_time")
        if adjustment.adjusted_at < max(conversion.restatement_times):
            return Fail.at(ConversionAdjustmentUpload.MORE_RECENT_RESTATEMENT_FOUND, "adjustment_date_time")
    return None


def _check_action(state: State, row: AdjustmentRow, action: Action) -> Fail | None:
    kind = row.adjustment.type
    if kind not in _TYPES:
        return Fail.at(Field.REQUIRED, "adjustment_type")
    takes_it = action.type == "WEBPAGE" if kind == "ENHANCEMENT" else action.type in _ADJUSTABLE
    if not takes_it:
        return Fail.at(
            ConversionAdjustmentUpload.INVALID_CONVERSION_ACTION_TYPE,
            "conversion_action",
            trigger=row.message.conversion_action,
        )
    if state.clock.epoch() - action.created_at.timestamp() < TOO_RECENT_ACTION_S:
        return Fail.at(
            ConversionAdjustmentUpload.TOO_RECENT_CONVERSION_ACTION,
            "conversion_action",
            trigger=row.message.conversion_action,
        )
    return None


def _check_keys(row: AdjustmentRow, action: Action) -> Fail | None:
    order_id, pair = row.adjustment.order_id, row.message.HasField("gclid_date_time_pair")
    enhancement = row.adjustment.type == "ENHANCEMENT"
    if pair and order_id is not None and not enhancement:
        return Fail(ConversionAdjustmentUpload.GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET)
    if order_id is None:
        if action.type == "WEBPAGE":
            return Fail.at(ConversionAdjustmentUpload.MISSING_ORDER_ID_FOR_WEBPAGE, "order_id")
        return None if pair else Fail.at(Field.REQUIRED, "order_id")
    if not order_id:
        return Fail.at(StringLength.TOO_SHORT, "order_id")
    if len(order_id) > formats.ORDER_ID_MAX_CHARACTERS:
        return Fail.at(StringLength.TOO_LONG, "order_id", trigger=order_id)
    if formats.looks_personal(order_id):
        return Fail.at(ConversionAdjustmentUpload.ORDER_ID_CONTAINS_PII, "order_id")
    return None


def _check_times(state: State, row: AdjustmentRow) -> Fail | None:
    name: ErrorName = Date.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET
    if row.instant is None:
        return Fail.at(name, "adjustment_date_time", trigger=row.message.adjustment_date_time)
    if row.instant > state.clock.epoch() and state.switches.future_conversion_refused:
        return Fail.at(Date.LATER_THAN_MAXIMUM_DATE, "adjustment_date_time", trigger=row.message.adjustment_date_time)
    if row.message.HasField("gclid_date_time_pair") and row.adjustment.conversion_at is None:
        sent = row.message.gclid_date_time_pair.conversion_date_time
        return Fail(name, (("gclid_date_time_pair", None), ("conversion_date_time", None)), sent)
    return None


def _check_value(row: AdjustmentRow, action: Action) -> Fail | None:
    kind, value = row.adjustment.type, row.adjustment.adjusted_value
    if kind != "RESTATEMENT":
        return None if value is None else Fail.at(Field.VALUE_MUST_BE_UNSET, "restatement_value")
    if value is None or not row.message.restatement_value.HasField("adjusted_value"):
        return Fail.at(Field.REQUIRED, "restatement_value")
    if not 0 <= value < math.inf:
        return Fail(Field.INVALID_VALUE, (("restatement_value", None), ("adjusted_value", None)), str(value))
    if action.always_use_default_value:
        return Fail(
            ConversionAdjustmentUpload.CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE
        )
    return None


def _check_user_identifiers(customer: Customer, row: AdjustmentRow) -> Fail | None:
    identifiers = row.message.user_identifiers
    if not identifiers:
        return Fail.at(Field.REQUIRED, "user_identifiers") if row.adjustment.type == "ENHANCEMENT" else None
    if row.adjustment.type != "ENHANCEMENT":
        return Fail.at(Field.VALUE_MUST_BE_UNSET, "user_identifiers")
    if len(identifiers) > MAX_USER_IDENTIFIERS:
        return Fail.at(CollectionSize.TOO_MANY, "user_identifiers")
    for index, identifier in enumerate(identifiers):
        which = identifier.WhichOneof("identifier")
        if which not in _SUPPORTED:
            return Fail.at(ConversionAdjustmentUpload.UNSUPPORTED_USER_IDENTIFIER, "user_identifiers", index)
        if which != "address_info" and not formats.is_sha256_hex(getattr(identifier, which)):
            return Fail.at(ConversionAdjustmentUpload.INVALID_USER_IDENTIFIER, "user_identifiers", index)
    if not customer.terms_accepted:
        return Fail.at(ConversionAdjustmentUpload.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS, "user_identifiers")
    return None
