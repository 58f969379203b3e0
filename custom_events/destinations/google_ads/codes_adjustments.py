"""ConversionAdjustmentUploadError: every name of the installed package, and what it means for a restatement or retraction."""

from typing import Final

from custom_events.destinations.rules import LATER_S, Rule, fix, hold, never, there
from custom_events.destinations.rules import expired as too_late
from custom_events.values import reasons
from custom_events.values.conversions import Scope, Verdict

_ENHANCEMENT = (
    "This concerns enhancements, which are not sent from here: report it with what `custom-events explain` shows"
)

ADJUSTMENT_UPLOAD: Final[dict[str, Rule]] = {
    "UNSPECIFIED": fix("Google gave no reason: look at the request id in Google's support tools", Scope.ROW),
    "UNKNOWN": fix("Google's reason is newer than the installed client: update google-ads, then release", Scope.ROW),
    "TOO_RECENT_CONVERSION_ACTION": hold("Google takes adjustments for an action 6 hours after it was made"),
    "TOO_RECENT_CONVERSION": hold("Google takes adjustments of a conversion up to 24 hours after it", LATER_S),
    "CONVERSION_ALREADY_RETRACTED": there("The conversion is retracted at Google already"),
    "RESTATEMENT_ALREADY_EXISTS": there("Google already has the restatement with this time"),
    "CONVERSION_ALREADY_ENHANCED": there(_ENHANCEMENT),
    "CONVERSION_NOT_FOUND": hold("Google does not know the conversion yet; asked again", LATER_S, Verdict.REJECTED),
    "CONVERSION_EXPIRED": too_late("The conversion is older than 54 days; Google adjusts it no more"),
    "ADJUSTMENT_PRECEDES_CONVERSION": never(reasons.WITHHELD[reasons.ADJUSTMENT_BEFORE_CONVERSION]),
    "MORE_RECENT_RESTATEMENT_FOUND": never("Google already has a more recent restatement of this conversion"),
    "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE": never(
        "The action always uses its default value, so no refund lowers it; what is refunded whole is retracted all the same. Let the "
        "action use the sent values, then send it again: `uploads retry`"
    ),
    "TOO_MANY_ADJUSTMENTS_IN_REQUEST": Rule(Verdict.SPLIT, "Google takes fewer adjustments in one request"),
    "TOO_MANY_ADJUSTMENTS": never("Google takes no further adjustment of this conversion"),
    "DUPLICATE_ADJUSTMENT_IN_REQUEST": fix(
        "The request held this adjustment twice: report it with what `custom-events explain` shows", Scope.ROW
    ),
    "DUPLICATE_ENHANCEMENT_IN_REQUEST": never(_ENHANCEMENT),
    "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": fix(
        "Accept the customer data terms: Google Ads, Goals, Conversions, Settings", Scope.ADJUSTMENTS
    ),
    "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT": never(_ENHANCEMENT),
    "CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT": never(_ENHANCEMENT),
    "INVALID_USER_IDENTIFIER": never("An e-mail or phone hash is not a SHA-256 of 64 hexadecimal characters"),
    "UNSUPPORTED_USER_IDENTIFIER": never("Only hashed e-mail addresses and phone numbers can be sent"),
    "GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET": fix(
        "The adjustment named its conversion twice: report it with what `custom-events explain` shows", Scope.ROW
    ),
    "MISSING_ORDER_ID_FOR_WEBPAGE": fix(
        "The conversion has no order id: report it with what `custom-events explain` shows", Scope.ROW
    ),
    "ORDER_ID_CONTAINS_PII": never(reasons.WITHHELD[reasons.TRANSACTION_ID_PERSONAL]),
    "INVALID_JOB_ID": fix(
        "The job id is not between 1 and 2^31 - 1: report it with what `custom-events explain` shows", Scope.ROW
    ),
    "NO_CONVERSION_ACTION_FOUND": fix(
        "The conversion action does not exist in this account, or was removed: choose another", Scope.ACTION
    ),
    "INVALID_CONVERSION_ACTION_TYPE": fix(
        "The conversion action takes no adjustments: choose one of the type import from clicks", Scope.ACTION
    ),
}
