"""Codes that concern one field of a row: format, length, number. Every name of the installed package."""

from typing import Final

from custom_events.destinations.rules import Rule, fix, never, there
from custom_events.values.conversions import Scope

_NO_REASON = fix("Google gave no reason: look at the request id in Google's support tools", Scope.ROW)
_FIELD = never("A field of the row has a value that Google refuses; the code says which kind")
_DATE = never("A time is not one that Google reads: yyyy-mm-dd hh:mm:ss+hh:mm")
_LIST = fix("The row was built wrongly: report it with what `custom-events explain` shows", Scope.ROW)


def _table(rule: Rule, names: str) -> dict[str, Rule]:
    """The same rule for each of the names, and the two that every enum has."""
    return {"UNSPECIFIED": _NO_REASON, "UNKNOWN": _NO_REASON} | dict.fromkeys(names.split(), rule)


FIELD: Final = _table(
    _FIELD, "IMMUTABLE_FIELD INVALID_VALUE FIELD_CANNOT_BE_CLEARED BLOCKED_VALUE FIELD_CAN_ONLY_BE_CLEARED"
) | {
    "REQUIRED": never("A field that Google needs is missing: a click id, or a hashed e-mail or phone"),
    "REQUIRED_NONEMPTY_LIST": never("A list that Google needs is empty"),
    "VALUE_MUST_BE_UNSET": never("A field is set that may not go with the others, such as hashes beside a gbraid"),
}

DATE: Final = _table(
    _DATE,
    "INVALID_FIELD_VALUES_IN_DATE INVALID_FIELD_VALUES_IN_DATE_TIME INVALID_STRING_DATE INVALID_STRING_DATE_TIME_MICROS "
    "INVALID_STRING_DATE_TIME_SECONDS INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET "
    "DATE_RANGE_MINIMUM_DATE_LATER_THAN_MAXIMUM_DATE DATE_RANGE_MINIMUM_AND_MAXIMUM_DATES_BOTH_NULL "
    "DATE_RANGE_ERROR_START_TIME_MUST_BE_THE_START_OF_A_DAY DATE_RANGE_ERROR_END_TIME_MUST_BE_THE_END_OF_A_DAY",
) | {
    "EARLIER_THAN_MINIMUM_DATE": never("The time is too far in the past"),
    "LATER_THAN_MAXIMUM_DATE": never("The time lies in the future: check the clock of the store"),
}

STRING_FORMAT: Final = _table(_FIELD, "ILLEGAL_CHARS INVALID_FORMAT")

STRING_LENGTH: Final = _table(_FIELD, "EMPTY TOO_SHORT") | {
    "TOO_LONG": never("A text is too long; an order id may have 64 characters"),
}

COLLECTION_SIZE: Final = _table(_LIST, "TOO_FEW TOO_MANY")

DISTINCT: Final = _table(_LIST, "DUPLICATE_ELEMENT DUPLICATE_TYPE")

MUTATE: Final = _table(
    _LIST,
    "RESOURCE_NOT_FOUND ID_EXISTS_IN_MULTIPLE_MUTATES INCONSISTENT_FIELD_VALUES MUTATE_NOT_ALLOWED "
    "RESOURCE_NOT_IN_GOOGLE_ADS RESOURCE_DOES_NOT_SUPPORT_VALIDATE_ONLY OPERATION_DOES_NOT_SUPPORT_PARTIAL_FAILURE "
    "RESOURCE_READ_ONLY",
) | {
    "RESOURCE_ALREADY_EXISTS": there("Google already has this"),
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": fix(
        "The account must declare whether it runs political advertising in the EU"
    ),
}

RANGE: Final = _table(_FIELD, "TOO_LOW TOO_HIGH")
SIZE_LIMIT: Final = _table(_LIST, "RESPONSE_SIZE_LIMIT_EXCEEDED REQUEST_SIZE_LIMIT_EXCEEDED")
