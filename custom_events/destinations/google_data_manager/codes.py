"""Codes of the Data Manager API: refusals at once (ErrorReason) and verdicts that come later (ProcessingErrorReason)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from custom_events.destinations.rules import (
    LATER_S,
    RATE_PAUSE_S,
    Rule,
    fix,
    hold,
    never,
    retry,
    taken,
    there,
    unreadable,
)
from custom_events.destinations.rules import expired as too_late
from custom_events.values import reasons
from custom_events.values.conversions import Scope, Verdict

PROCESSING_PREFIXES: Final = ("PROCESSING_ERROR_REASON_", "PROCESSING_ERROR_")
WARNING_PREFIX: Final = "WARNING_REASON_"

_NO_REASON = fix("Google gave no reason: look at the request id in Google's support tools", Scope.ROW)
_OURS = fix("The event was built wrongly: report it with what `custom-events explain` shows", Scope.ROW)
_ELSEWHERE = fix("This does not concern conversions: report it with what `custom-events explain` shows", Scope.ROW)
_TERMS = fix("Accept the terms that Google asks of this account: Google Ads, Goals, Conversions, Settings")
_DATA_TERMS = fix("Accept the customer data terms: Google Ads, Goals, Conversions, Settings", Scope.USER_DATA)
_OWNER = fix("The account is not the one that owns the conversion action: set the ads account to the action's owner")

# Audiences, partner licences, insights, Analytics, store sales: nothing that a conversion of a shop can meet.
_ELSEWHERE_NAMES: Final = """
INVALID_POSTAL_CODE INVALID_COUNTRY_CODE INVALID_USER_LIST_TYPE INVALID_AUDIENCE_MEMBER TOO_MANY_AUDIENCE_MEMBERS
DATA_PARTNER_USER_LIST_MUTATE_NOT_ALLOWED INVALID_MOBILE_ID_FORMAT INVALID_USER_LIST_ID
DIFFERENT_LOGIN_ACCOUNTS_NOT_ALLOWED_FOR_DATA_PARTNER UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER
UNSUPPORTED_LINKED_ACCOUNT_FOR_DATA_PARTNER INVALID_PROPERTY_TYPE INVALID_STREAM_TYPE
LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT RESERVED_NAME_USED INVALID_EVENT_NAME
MULTIPLE_DESTINATIONS_FOR_GOOGLE_ANALYTICS_EVENT IMMUTABLE_FIELD_FOR_UPDATE INVALID_RESOURCE_NAME INVALID_FILTER
INVALID_UPDATE_MASK INVALID_PAGE_TOKEN CANNOT_UPDATE_DISABLED_LICENSE CANNOT_CREATE_LICENSE_FOR_SENSITIVE_USERLIST
INSUFFICIENT_COST CANNOT_DISABLE_LICENSE INVALID_CLIENT_ACCOUNT_ID PRICING_ONLY_ZERO_COST_ALLOWED PRICE_TOO_HIGH
CUSTOMER_NOT_ALLOWED_TO_CREATE_LICENSE INVALID_PRICING_END_DATE
CANNOT_LICENSE_LOGICAL_LIST_WITH_LICENSED_OR_SHARED_SEGMENT MISMATCHED_ACCOUNT_TYPE
MEDIA_SHARE_COST_NOT_ALLOWED_FOR_LICENSE_TYPE MEDIA_SHARE_COST_NOT_ALLOWED_FOR_CLIENT_CUSTOMER
INVALID_MEDIA_SHARE_COST INVALID_COST_TYPE MEDIA_SHARE_COST_NOT_ALLOWED_FOR_NON_COMMERCE_USER_LIST
MAX_COST_NOT_ALLOWED COMMERCE_AUDIENCE_CAN_ONLY_BE_DIRECTLY_LICENSED INVALID_DESCRIPTION INVALID_DISPLAY_NAME
DISPLAY_NAME_ALREADY_USED OWNERSHIP_REQUIRED_FOR_UPDATE USER_LIST_MUTATION_NOT_SUPPORTED SENSITIVE_USER_LIST_IMMUTABLE
BILLABLE_RECORD_COUNT_IMMUTABLE USER_LIST_NAME_RESERVED ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA
UNSUPPORTED_PARTNER_AUDIENCE_SOURCE COMMERCE_PARTNER_NOT_ALLOWED UNSUPPORTED_PARTNER_AUDIENCE_INFO
PARTNER_MATCH_FOR_MANAGER_ACCOUNT_DISALLOWED DATA_PARTNER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA
ADVERTISER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT
INVALID_COMMERCE_PARTNER CUSTOMER_NOT_ALLOWLISTED_FOR_COMMERCE_AUDIENCE UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES
UNSUPPORTED_INGESTED_USER_LIST_INFO_CONFIG UNSUPPORTED_ACCOUNT_TYPES_FOR_USER_LIST_TYPE
UNSUPPORTED_ACCOUNT_TYPE_FOR_PARTNER_LINK MEMBERSHIP_DURATION_TOO_LONG INVALID_MERCHANT_ID
ACCOUNT_INELIGIBLE_FOR_STORE_SALES INVALID_MERCHANT_FEED_LANGUAGE_CODE INVALID_REGION_CODE INVALID_SUBDIVISION_CODE
INVALID_SUBCONTINENT_CODE INVALID_CONTINENT_CODE INVALID_DEVICE_CATEGORY BOTH_CLIENT_ID_AND_APP_INSTANCE_ID_NOT_ALLOWED
GOOGLE_ANALYTICS_SUBPROPERTY_OR_ROLLUP_PROPERTY_NOT_ALLOWED THIRD_PARTY_USER_DATA_NOT_ALLOWED INVALID_COUPON_CODE
TOO_MANY_USERS BASELINE_LOCATION_AUTO_DETECTION_FAILED INSIGHTS_MISSING_FOR_DIMENSION REQUIRED_PREREQUISITE_LINK_MISSING
INVALID_REMOVE_AS_OF_TIME REQUEST_TOO_OLD
"""

_OURS_NAMES: Final = """
REQUIRED_FIELD_MISSING INVALID_ENUM_VALUE TOO_MANY_DESTINATIONS MULTIPLE_DATA_TYPES_NOT_ALLOWED
DUPLICATE_DESTINATION_REFERENCE INVALID_REQUEST_ID TOO_MANY_ELEMENTS TOO_FEW_ELEMENTS
EVENT_SOURCE_AND_DESTINATION_MISMATCH CUSTOM_VARIABLE_NOT_FOUND
"""

_VALUE_NAMES: Final = """
INVALID_FORMAT INVALID_HEX_ENCODING INVALID_BASE64_ENCODING INVALID_NUMBER_FORMAT INVALID_ARGUMENT FIELD_VALUE_TOO_LONG
FIELD_VALUE_TOO_SHORT TOO_MANY_USER_IDENTIFIERS INVALID_CUSTOM_VARIABLE_VALUE
"""

ERROR_REASONS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        **dict.fromkeys(_ELSEWHERE_NAMES.split(), _ELSEWHERE),
        **dict.fromkeys(_OURS_NAMES.split(), _OURS),
        **dict.fromkeys(
            _VALUE_NAMES.split(), never("A field has a value that Google refuses; the code says which kind")
        ),
        "ERROR_REASON_UNSPECIFIED": _NO_REASON,
        "INTERNAL_ERROR": Rule(Verdict.UNKNOWN, "An error inside Google; it may have been applied"),
        "DEADLINE_EXCEEDED": Rule(Verdict.UNKNOWN, "Google did not finish in time; it may have been applied"),
        "RESOURCE_EXHAUSTED": retry("The Cloud project sends too many requests", RATE_PAUSE_S, Scope.PROJECT),
        "NOT_FOUND": fix("Google knows no such account or action: correct the ads account"),
        "PERMISSION_DENIED": fix("Our user may not use this account: invite it there, or set the manager account"),
        "INVALID_SHA256_FORMAT": never("An e-mail or phone hash is not a SHA-256 of 64 hexadecimal characters"),
        "INVALID_DESTINATION": _OWNER,
        "TERMS_AND_CONDITIONS_NOT_SIGNED": _TERMS,
        "ADVERTISER_TOS_NOT_ACCEPTED": _TERMS,
        "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": _DATA_TERMS,
        "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": fix(
            "Turn on enhanced conversions for leads: Google Ads, Goals, Conversions, Settings", Scope.USER_DATA
        ),
        "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS": fix(
            "Google's customer data policy bars this account from enhanced conversions: stop sending hashes for it",
            Scope.USER_DATA,
        ),
        "INVALID_CONVERSION_ACTION_ID": fix(
            "The conversion action does not exist in this account, or was removed: choose another", Scope.ACTION
        ),
        "INVALID_CONVERSION_ACTION_TYPE": fix(
            "The conversion action is not of the type import from clicks (UPLOAD_CLICKS): choose another", Scope.ACTION
        ),
        "CONVERSION_ACTION_TOO_RECENTLY_CREATED": hold(reasons.WAITS[reasons.ACTION_TOO_RECENT]),
        "INVALID_CURRENCY_CODE": never("The currency is not an ISO 4217 code"),
        "INVALID_EVENT": never("Google finds the event invalid"),
        "TOO_MANY_EVENTS": Rule(Verdict.SPLIT, "Google takes fewer events in one request"),
        "NO_IDENTIFIERS_PROVIDED": never(reasons.WITHHELD[reasons.NO_IDENTIFIER]),
        "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH": fix("The manager account does not manage this account: correct it"),
        "DESTINATION_ACCOUNT_TYPE_MISMATCH": _OWNER,
        "EVENT_TIME_INVALID": never("The event's time is too old or lies in the future"),
        "NOT_ALLOWLISTED": fix("Google does not let this account use what was sent: ask Google"),
        "ALREADY_EXISTS": there("Google already has this"),
        "CUSTOM_VARIABLE_VALUE_CONTAINS_PII": never("A custom variable holds an e-mail address or a phone number"),
        "CUSTOM_VARIABLE_NOT_ENABLED": fix("Enable the conversion custom variable in the account"),
        "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": fix(
            "The account must declare whether it runs political advertising in the EU"
        ),
        "INVALID_AD_IDENTIFIER_FOR_ACCOUNT": fix(
            "The click belongs to another account: check which account the site has", Scope.ROW
        ),
    }
)

_ENCRYPTION_NAMES: Final = """
DECRYPTION_ERROR DEK_DECRYPTION_ERROR INVALID_WIP INVALID_KEK WIP_AUTH_FAILED KEK_PERMISSION_DENIED AWS_AUTH_FAILED
USER_IDENTIFIER_DECRYPTION_ERROR
"""
_OTHER_IDENTIFIER_NAMES: Final = """
MATCH_ID_NOT_FOUND USER_ID_NOT_FOUND_FOR_MATCH_ID USER_ID_NOT_FOUND_FOR_GCLID USER_ID_NOT_FOUND_FOR_DCLID
USER_ID_NOT_FOUND_FOR_IMPRESSION_ID USER_ID_NOT_FOUND EVENT_ID_DECODE_ERROR INVALID_MOBILE_ID_FORMAT
INSUFFICIENT_MATCHED_TRANSACTIONS INSUFFICIENT_TRANSACTIONS EXTERNAL_ATTRIBUTION_DATA_MISSING
"""

PROCESSING_REASONS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        **dict.fromkeys(_ENCRYPTION_NAMES.split(), _ELSEWHERE),
        **dict.fromkeys(_OTHER_IDENTIFIER_NAMES.split(), never("Google cannot attribute the event by what it carries")),
        "UNSPECIFIED": _NO_REASON,
        "INVALID_CUSTOM_VARIABLE": _OURS,
        "CUSTOM_VARIABLE_NOT_ENABLED": fix("Enable the conversion custom variable in the account"),
        "EVENT_TOO_OLD": too_late("The event is too old for Google"),
        "DENIED_CONSENT": never("The customer denied the use of personal data for ads"),
        "NO_CONSENT": never("Google wants a consent that the order does not have"),
        "UNKNOWN_CONSENT": never("Google wants a consent, and the order's is unknown"),
        "DUPLICATE_GCLID": there("Google already has a conversion of this click at this time"),
        "DUPLICATE_TRANSACTION_ID": there("Google already has a conversion of this action under this order id"),
        "INVALID_GCLID": unreadable("The gclid is not one: it was cut, changed in case, or invented on its way"),
        "INVALID_GBRAID": unreadable("The gbraid is not one: it was cut, changed in case, or invented on its way"),
        "INVALID_WBRAID": unreadable("The wbraid is not one: it was cut, changed in case, or invented on its way"),
        "INVALID_AD_IDENTIFIERS": never("The click ids cannot be used together"),
        "INVALID_CLICK": never("Google does not count this click as a valid one"),
        "INVALID_MERCHANT_ID": _ELSEWHERE,
        "INTERNAL_ERROR": retry("An error inside Google"),
        "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": _DATA_TERMS,
        "INVALID_EVENT": never("Google finds the event invalid"),
        "INVALID_FORMAT": _OURS,
        "OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER": fix(
            "The click belongs to another account: check which account the site has", Scope.ROW
        ),
        "INVALID_OPERATING_ACCOUNT_FOR_CLICK": fix(
            "The click belongs to another account: check which account the site has", Scope.ROW
        ),
        "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": fix(
            "The action counts one conversion a click, which excludes gbraid and wbraid: set its counting to every",
            Scope.ROW,
        ),
        "ORIGINAL_CONVERSIONS_NOT_FOUND": hold(
            "Google does not know the conversion yet; asked again", LATER_S, Verdict.REJECTED
        ),
        "CONVERSION_PRECEDES_CLICK": never(
            f"{reasons.WITHHELD[reasons.CONVERSION_BEFORE_CLICK]}: check the clock of the store"
        ),
        "TOO_RECENT_CLICK": hold(reasons.WAITS[reasons.CLICK_TOO_RECENT]),
        "CLICK_NOT_FOUND": taken("Nobody who clicked an ad fits: not attributable, as expected"),
    }
)

WARNING_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "UNSPECIFIED": "Google took it with a remark, and gave no reason that this client knows",
        "CUSTOM_VARIABLE_NOT_ENABLED": "Taken without a custom variable: it is not enabled in the account",
        "CUSTOM_VARIABLE_NOT_PREDEFINED": "Taken without a custom variable: the account does not allow its value",
        "CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID": "Taken without its cart: beside gbraid or wbraid Google ignores it",
        "CART_DATA_ITEM_MERCHANT_PRODUCT_ID_MISSING": "Taken, and an item of its cart has no product id of the merchant centre",
        "CART_DATA_ITEM_UNIT_PRICE_MISSING": "Taken, and an item of its cart has no price",
        "GENERIC": "Taken with a remark of Google's: `custom-events explain` has its words",
        "INVALID_MERCHANT_ID": "Taken, and the merchant id of its cart is invalid: correct it in the definition",
        **dict.fromkeys(
            (
                "INVALID_CLIENT_ID",
                "INVALID_SUBDIVISION_CODE",
                "INVALID_REGION_CODE",
                "INVALID_SUBCONTINENT_CODE",
                "INVALID_CONTINENT_CODE",
                "INVALID_DEVICE_CATEGORY",
                "INVALID_DEVICE_SCREEN_RESOLUTION",
            ),
            "Taken, and a field that is not sent from here has no valid value: report it with what `custom-events explain` shows",
        ),
    }
)
"""What was ignored in an event that Google took all the same (`field_warnings`, Data Manager v1.8), in words."""

WARNINGS: Final[Mapping[str, str]] = MappingProxyType(
    {f"WarningReason.{name}": sentence for name, sentence in WARNING_REASONS.items()}
)
"""Code (`WarningReason.GENERIC`) -> sentence."""

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {f"ErrorReason.{name}": rule for name, rule in ERROR_REASONS.items()}
    | {f"ProcessingErrorReason.{name}": rule for name, rule in PROCESSING_REASONS.items()}
)
"""Code (`ProcessingErrorReason.DUPLICATE_GCLID`) -> rule."""


def warning_name(name: str) -> str:
    """Google's name without the prefix of its enum."""
    return name.removeprefix(WARNING_PREFIX)


def processing_name(name: str) -> str:
    """Google's name without the prefix of its enum."""
    for prefix in PROCESSING_PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name
