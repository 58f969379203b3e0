"""Every error name the sandbox answers with, by family, and the sentence it comes with.

A member's name is Google's name, its value is our sentence. `installed_numbers` looks each one up in the installed
google-ads package, so that an upgrade which drops or renames one stops the sandbox at start instead of letting it answer
with something Google no longer says.
"""

import re
from dataclasses import dataclass
from enum import Enum, unique
from typing import cast


class ErrorName(Enum):
    """Base of the families. The family's field in Google's ErrorCode follows from the class's name."""

    @property
    def family(self) -> str:
        """The field in ErrorCode, such as conversion_upload_error."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower() + "_error"

    @property
    def sentence(self) -> str:
        """The message of the error."""
        return cast("str", self.value)


@unique
class Authentication(ErrorName):
    CUSTOMER_NOT_FOUND = "No customer was found for the given customer id."
    NOT_ADS_USER = "The signed-in person is not a user of any Google Ads account."
    OAUTH_TOKEN_INVALID = "The OAuth access token in the header is missing or not valid."
    OAUTH_TOKEN_EXPIRED = "The OAuth access token has expired."
    OAUTH_TOKEN_DISABLED = "The OAuth access token has been disabled."
    OAUTH_TOKEN_REVOKED = "The OAuth access token has been revoked."


@unique
class Authorization(ErrorName):
    USER_PERMISSION_DENIED = "The caller may not use this customer. A customer reached through a manager needs the manager's id in login-customer-id."
    PROJECT_DISABLED = "The Cloud project is disabled."
    CUSTOMER_NOT_ENABLED = "The customer account is not enabled or has been deactivated."
    ACTION_NOT_PERMITTED = "The Cloud project may not do this on a production account."
    ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT = "The account is suspended."
    CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION = "The Cloud project is approved for test accounts only."
    DEVELOPER_TOKEN_NOT_APPROVED = "A developer token is required (switch legacy_developer_token_required)."


@unique
class Request(ErrorName):
    INVALID_CUSTOMER_ID = "The customer id is not made of ten digits."
    REQUIRED_FIELD_MISSING = "The required field is missing from the request."
    UNSUPPORTED_VERSION = "This version of the API is no longer served."
    PAGE_SIZE_NOT_SUPPORTED = "page_size cannot be set."
    INVALID_PAGE_TOKEN = "The page token is not valid."


@unique
class Quota(ErrorName):
    RESOURCE_EXHAUSTED = "Too many operations: the quota of the last 24 hours is used up."
    RESOURCE_TEMPORARILY_EXHAUSTED = "Too many requests at the moment: retry later."


@unique
class Internal(ErrorName):
    INTERNAL_ERROR = "An internal error has occurred."
    TRANSIENT_ERROR = "A transient internal error has occurred."
    DEADLINE_EXCEEDED = "The request was not finished in time."


@unique
class PartialFailure(ErrorName):
    PARTIAL_FAILURE_MODE_REQUIRED = "The request must set partial_failure."


@unique
class NotAllowlisted(ErrorName):
    CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE = "The customer is not allowlisted for this feature."


@unique
class Date(ErrorName):
    INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET = "The date and time must look like yyyy-mm-dd hh:mm:ss+|-hh:mm."
    LATER_THAN_MAXIMUM_DATE = "The date and time lie in the future."


@unique
class Field(ErrorName):
    REQUIRED = "The required field was not present."
    INVALID_VALUE = "The value of the field is not valid."
    VALUE_MUST_BE_UNSET = "The field must not be set here."


@unique
class StringLength(ErrorName):
    TOO_SHORT = "Too short."
    TOO_LONG = "Too long."


@unique
class CollectionSize(ErrorName):
    TOO_MANY = "Too many."


@unique
class Query(ErrorName):
    BAD_RESOURCE_TYPE_IN_FROM_CLAUSE = "The FROM clause names no resource that can be queried."
    UNRECOGNIZED_FIELD = "The query names a field that does not exist in this version."
    PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE = "The field's resource cannot be selected with this FROM clause."
    EXPECTED_SELECT = "The query does not begin with SELECT."
    EXPECTED_FROM = "The query has no FROM clause."
    UNEXPECTED_INPUT = "The query has something where nothing is expected."
    UNEXPECTED_END_OF_QUERY = "The query ends too early."
    BAD_OPERATOR = "The condition's operator is not known."
    BAD_VALUE = "The condition's value cannot be compared with the field."
    BAD_ENUM_CONSTANT = "The value is no constant of the field's enum."
    PROHIBITED_EMPTY_LIST_IN_CONDITION = "The list of a condition is empty."
    BAD_LIMIT_VALUE = "LIMIT takes a positive whole number."


@unique
class ConversionUpload(ErrorName):
    TOO_MANY_CONVERSIONS_IN_REQUEST = "A request takes at most 2,000 conversions."
    UNPARSEABLE_GCLID = "The gclid cannot be decoded."
    UNPARSEABLE_GBRAID = "The gbraid cannot be decoded."
    UNPARSEABLE_WBRAID = "The wbraid cannot be decoded."
    UNAUTHORIZED_CUSTOMER = "The click belongs to an account that the caller may not use."
    TOO_RECENT_CONVERSION_ACTION = "The conversion action is less than 6 hours old."
    CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME = "Conversion tracking was off when the click happened."
    EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION = (
        "External attribution data was sent for an action that does not use it."
    )
    ORDER_ID_ALREADY_IN_USE = "A conversion with this order id was recorded before for this conversion action."
    DUPLICATE_ORDER_ID = "Several conversions of the request have this order id."
    CLICK_CONVERSION_ALREADY_EXISTS = "A conversion of this click at this time was recorded before."
    DUPLICATE_CLICK_CONVERSION_IN_REQUEST = "Several conversions of the request have this click and time."
    CUSTOM_VARIABLE_NOT_ENABLED = "The custom variable is not enabled."
    INVALID_CUSTOMER_FOR_CLICK = "The click belongs to another account."
    CLICK_NOT_FOUND = "No click matches the hashed e-mail or phone number; this may be as it should be."
    INVALID_USER_IDENTIFIER = "A user identifier is not a SHA-256 in 64 hexadecimal characters."
    UNSUPPORTED_USER_IDENTIFIER = "Only a hashed e-mail or phone number can be used."
    GBRAID_WBRAID_BOTH_SET = "Only one of gbraid and wbraid can be set."
    CONVERSION_PRECEDES_EVENT = "The conversion happened before the click."
    EXPIRED_EVENT = "The click is older than the click-through window of the conversion action."
    TOO_RECENT_EVENT = "The click is less than 6 hours old."
    EVENT_NOT_FOUND = "No click is known under this click id."
    ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID = (
        "A conversion action that counts one per click takes neither gbraid nor wbraid."
    )
    CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS = (
        "Customer data policies rule out enhanced conversions for this account."
    )
    CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS = "The customer data terms have not been accepted."
    ORDER_ID_CONTAINS_PII = "The order id looks like an e-mail address or a phone number."
    CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS = "Enhanced conversions for leads are off."
    INVALID_JOB_ID = "A job id lies between 1 and 2^31 - 1."
    NO_CONVERSION_ACTION_FOUND = "The conversion action was not found in this account."
    INVALID_CONVERSION_ACTION_TYPE = "The conversion action is not of the type UPLOAD_CLICKS."


@unique
class ConversionAdjustmentUpload(ErrorName):
    TOO_RECENT_CONVERSION_ACTION = "The conversion action is less than 6 hours old."
    CONVERSION_ALREADY_RETRACTED = "The conversion was retracted before."
    CONVERSION_NOT_FOUND = "No conversion of this action is known under this identifier."
    CONVERSION_EXPIRED = "The conversion is more than 54 days old."
    ADJUSTMENT_PRECEDES_CONVERSION = "The adjustment is not later than its conversion."
    MORE_RECENT_RESTATEMENT_FOUND = "A more recent restatement was recorded before."
    CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE = (
        "The conversion action always uses its default value."
    )
    TOO_MANY_ADJUSTMENTS_IN_REQUEST = "A request takes at most 2,000 adjustments."
    RESTATEMENT_ALREADY_EXISTS = "A restatement with this adjustment time was recorded before."
    DUPLICATE_ADJUSTMENT_IN_REQUEST = "Several adjustments of the request have this conversion and adjustment time."
    CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS = "The customer data terms have not been accepted."
    INVALID_USER_IDENTIFIER = "A user identifier is not a SHA-256 in 64 hexadecimal characters."
    UNSUPPORTED_USER_IDENTIFIER = "Only a hashed e-mail, phone number or address can be used."
    GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET = "Only one of gclid_date_time_pair and order_id can be set."
    CONVERSION_ALREADY_ENHANCED = "The conversion was enhanced before."
    DUPLICATE_ENHANCEMENT_IN_REQUEST = "Several enhancements of the request have this order id."
    MISSING_ORDER_ID_FOR_WEBPAGE = "An adjustment of a website conversion needs its order id."
    ORDER_ID_CONTAINS_PII = "The order id looks like an e-mail address or a phone number."
    INVALID_JOB_ID = "A job id lies between 1 and 2^31 - 1."
    NO_CONVERSION_ACTION_FOUND = "The conversion action was not found in this account."
    INVALID_CONVERSION_ACTION_TYPE = "The conversion action's type does not take this kind of adjustment."


@dataclass(frozen=True)
class NewName:
    """A name that a newer Google says and the installed package does not have: only its number goes over gRPC."""

    family: str
    number: int
    sentence: str
    name: str = "NEW"


# What the faults UNKNOWN_REASON and ROW_UNKNOWN_REASON answer with.
BRAND_NEW = NewName("conversion_upload_error", 9_999, "A reason that came after the installed package.")

AnyName = ErrorName | NewName

FAMILIES: tuple[type[ErrorName], ...] = (
    Authentication,
    Authorization,
    Request,
    Quota,
    Internal,
    PartialFailure,
    NotAllowlisted,
    Date,
    Field,
    StringLength,
    CollectionSize,
    Query,
    ConversionUpload,
    ConversionAdjustmentUpload,
)


def installed_numbers() -> dict[ErrorName, int]:
    """The number of every name in the installed package. Raises LookupError that names what is missing."""
    from google.ads.googleads.v26.errors.types import errors

    fields = errors.ErrorCode.pb().DESCRIPTOR.fields_by_name
    numbers: dict[ErrorName, int] = {}
    for family in FAMILIES:
        for name in family:
            field = fields.get(name.family)
            value = None if field is None else field.enum_type.values_by_name.get(name.name)
            if value is None:
                raise LookupError(
                    f"the installed google-ads has no {name.family}.{name.name}: teach the sandbox its new name"
                )
            numbers[name] = value.number
    return numbers
