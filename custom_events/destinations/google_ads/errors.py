"""Every code of the Google Ads API that an upload can meet, and its rule. docs/reference/google-errors.md is made from this."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from custom_events.destinations.google_ads import codes_adjustments, codes_conversions, codes_fields, codes_requests
from custom_events.destinations.rules import Rule, split

# Family as the client names it in `error_code` -> (name of its enum, its table).
FAMILIES: Final[Mapping[str, tuple[str, Mapping[str, Rule]]]] = MappingProxyType(
    {
        "conversion_upload_error": ("ConversionUploadError", codes_conversions.CONVERSION_UPLOAD),
        "conversion_adjustment_upload_error": ("ConversionAdjustmentUploadError", codes_adjustments.ADJUSTMENT_UPLOAD),
        "authentication_error": ("AuthenticationError", codes_requests.AUTHENTICATION),
        "authorization_error": ("AuthorizationError", codes_requests.AUTHORIZATION),
        "quota_error": ("QuotaError", codes_requests.QUOTA),
        "internal_error": ("InternalError", codes_requests.INTERNAL),
        "not_allowlisted_error": ("NotAllowlistedError", codes_requests.NOT_ALLOWLISTED),
        "partial_failure_error": ("PartialFailureError", codes_requests.PARTIAL_FAILURE),
        "header_error": ("HeaderError", codes_requests.HEADER),
        "request_error": ("RequestError", codes_requests.REQUEST),
        "field_error": ("FieldError", codes_fields.FIELD),
        "date_error": ("DateError", codes_fields.DATE),
        "string_format_error": ("StringFormatError", codes_fields.STRING_FORMAT),
        "string_length_error": ("StringLengthError", codes_fields.STRING_LENGTH),
        "collection_size_error": ("CollectionSizeError", codes_fields.COLLECTION_SIZE),
        "distinct_error": ("DistinctError", codes_fields.DISTINCT),
        "mutate_error": ("MutateError", codes_fields.MUTATE),
        "range_error": ("RangeError", codes_fields.RANGE),
        "size_limit_error": ("SizeLimitError", codes_fields.SIZE_LIMIT),
    }
)


def _by_code() -> dict[str, Rule]:
    rules = {f"{enum}.{name}": rule for enum, table in FAMILIES.values() for name, rule in table.items()}
    too_large = split("The request is larger than Google takes")
    return rules | {"SizeLimitError.REQUEST_SIZE_LIMIT_EXCEEDED": too_large}


RULES: Final[Mapping[str, Rule]] = MappingProxyType(_by_code())
"""Code (`ConversionUploadError.EXPIRED_EVENT`) -> rule."""


def code_of(family: str, name: str) -> str:
    """Our spelling of a code; families without a table keep Google's name in camel case."""
    known = FAMILIES.get(family)
    enum = known[0] if known is not None else "".join(part.capitalize() for part in family.split("_"))
    return f"{enum}.{name}"
