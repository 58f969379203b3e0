"""Which identifiers a conversion row brings, and whether they can be read (S13-S15)."""

from typing import Any

from sandbox.google_ads import formats
from sandbox.google_ads.click_ids import parse_click_id
from sandbox.google_ads.error_names import CollectionSize, ConversionUpload, ErrorName, Field
from sandbox.google_ads.failures import Fail
from sandbox.google_ads.query_rows import ConversionRow, Uploads
from sandbox.google_ads.seed import Customer

MAX_USER_IDENTIFIERS = 5
_UNPARSEABLE: dict[str, ErrorName] = {
    "gclid": ConversionUpload.UNPARSEABLE_GCLID,
    "gbraid": ConversionUpload.UNPARSEABLE_GBRAID,
    "wbraid": ConversionUpload.UNPARSEABLE_WBRAID,
}
_HASHED = ("hashed_email", "hashed_phone_number")


def check_identifiers(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S13 and S14: at least one identifier, a combination that Google takes, and click ids that decode."""
    message = row.message
    if row.kind == "gclid" and not message.gbraid and not message.wbraid:
        return None if row.click is not None else _unparseable(message, "gclid")
    if row.kind == "user":
        return None if row.user_identifiers else Fail.at(Field.REQUIRED, "gclid")
    if message.gbraid and message.wbraid:
        return Fail.at(ConversionUpload.GBRAID_WBRAID_BOTH_SET, "gbraid")
    if row.user_identifiers and uploads.switches.braid_with_user_identifiers_refused:
        return Fail.at(Field.VALUE_MUST_BE_UNSET, "user_identifiers")
    action = uploads.state.actions[row.action_id or ""]
    if action.counting_type == "ONE_PER_CLICK":
        braid = "gbraid" if message.gbraid else "wbraid"
        return Fail.at(ConversionUpload.ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID, braid)
    for kind in _UNPARSEABLE:
        error = _unparseable(message, kind)
        if error is not None:
            return error
    return None


def check_user_identifiers(row: ConversionRow, uploads: Uploads) -> Fail | None:
    """S15: at most five hashed e-mails or phone numbers, and an account that may use them."""
    if not row.user_identifiers:
        return None
    if row.user_identifiers > MAX_USER_IDENTIFIERS:
        return Fail.at(CollectionSize.TOO_MANY, "user_identifiers")
    for index, identifier in enumerate(row.message.user_identifiers):
        if not formats.is_sha256_hex(identifier.hashed_email or identifier.hashed_phone_number):
            return Fail.at(_user_identifier_error(identifier), "user_identifiers", index)
    refusal = _account_refusal(uploads.customer)
    if refusal is not None:
        return Fail.at(refusal, "user_identifiers")
    if row.kind == "user" and uploads.switches.click_not_found_in_row and not matches_somebody(row, uploads):
        return Fail.at(ConversionUpload.CLICK_NOT_FOUND, "user_identifiers")
    return None


def matches_somebody(row: ConversionRow, uploads: Uploads) -> bool:
    """Whether one of the hashes belongs to a person whom Google can tie to a click."""
    known = uploads.state.matched_users
    return any(
        identifier.hashed_email.lower() in known or identifier.hashed_phone_number.lower() in known
        for identifier in row.message.user_identifiers
    )


def _unparseable(message: Any, kind: str) -> Fail | None:
    text = getattr(message, kind)
    if text and parse_click_id(kind, text) is None:
        return Fail.at(_UNPARSEABLE[kind], kind, trigger=text)
    return None


def _user_identifier_error(identifier: Any) -> ErrorName:
    if identifier.WhichOneof("identifier") in _HASHED:
        return ConversionUpload.INVALID_USER_IDENTIFIER
    return ConversionUpload.UNSUPPORTED_USER_IDENTIFIER


def _account_refusal(customer: Customer) -> ErrorName | None:
    if not customer.terms_accepted:
        return ConversionUpload.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS
    if not customer.enhanced_conversions:
        return ConversionUpload.CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS
    if customer.data_policy_prohibits:
        return ConversionUpload.CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS
    return None
