"""ConversionUploadError: every name of the installed package, and what it means for a conversion."""

from typing import Final

from custom_events.destinations.rules import LATER_S, Rule, fix, hold, never, taken, there, unreadable
from custom_events.destinations.rules import expired as too_late
from custom_events.values import reasons
from custom_events.values.conversions import Scope, Verdict

_CALLS = "This concerns phone calls, which are not sent from here: report it with what `custom-events explain` shows"
_ATTRIBUTED = "This concerns externally attributed actions: name an action with Google's own attribution"

CONVERSION_UPLOAD: Final[dict[str, Rule]] = {
    "UNSPECIFIED": fix("Google gave no reason: look at the request id in Google's support tools", Scope.ROW),
    "UNKNOWN": fix("Google's reason is newer than the installed client: update google-ads, then release", Scope.ROW),
    "TOO_MANY_CONVERSIONS_IN_REQUEST": Rule(Verdict.SPLIT, "Google takes fewer rows in one request"),
    "UNPARSEABLE_GCLID": unreadable("The gclid is not one: it was cut, changed in case, or invented on its way"),
    "UNPARSEABLE_WBRAID": unreadable("The wbraid is not one: it was cut, changed in case, or invented on its way"),
    "UNPARSEABLE_GBRAID": unreadable("The gbraid is not one: it was cut, changed in case, or invented on its way"),
    "UNAUTHORIZED_CUSTOMER": fix(
        "The click belongs to an account that we may not use: check the site's account", Scope.ROW
    ),
    "INVALID_CUSTOMER_FOR_CLICK": fix(
        "The click belongs to another account: check which account the site has", Scope.ROW
    ),
    "INVALID_CUSTOMER_FOR_CALL": never(_CALLS),
    "TOO_RECENT_CONVERSION_ACTION": hold(reasons.WAITS[reasons.ACTION_TOO_RECENT]),
    "TOO_RECENT_EVENT": hold(reasons.WAITS[reasons.CLICK_TOO_RECENT]),
    "EXPIRED_EVENT": too_late("The click is older than the conversion action's click-through window"),
    "EVENT_NOT_FOUND": hold("Google does not know this click yet; asked again", LATER_S, Verdict.REJECTED),
    "CLICK_NOT_FOUND": taken("Nobody who clicked an ad has this e-mail or phone: not attributable, as expected"),
    "CONVERSION_PRECEDES_EVENT": never(
        f"{reasons.WITHHELD[reasons.CONVERSION_BEFORE_CLICK]}: check the clock of the store"
    ),
    "CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME": never("Conversion tracking was off when the ad was clicked"),
    "EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": fix(_ATTRIBUTED, Scope.ACTION),
    "EXTERNAL_ATTRIBUTION_DATA_NOT_SET_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": fix(_ATTRIBUTED, Scope.ACTION),
    "ORDER_ID_NOT_PERMITTED_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION": fix(_ATTRIBUTED, Scope.ACTION),
    "EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION_NOT_PERMITTED_WITH_USER_IDENTIFIER": fix(_ATTRIBUTED, Scope.ACTION),
    "ORDER_ID_ALREADY_IN_USE": there("Google already has a conversion of this action under this order id"),
    "CLICK_CONVERSION_ALREADY_EXISTS": there("Google already has a conversion of this click at this second"),
    "DUPLICATE_ORDER_ID": fix(
        "The request held this order id twice: report it with what `custom-events explain` shows", Scope.ROW
    ),
    "DUPLICATE_CLICK_CONVERSION_IN_REQUEST": fix(
        "The request held this click and time twice: report it with what `custom-events explain` shows", Scope.ROW
    ),
    "DUPLICATE_CALL_CONVERSION_IN_REQUEST": never(_CALLS),
    "CALL_CONVERSION_ALREADY_EXISTS": never(_CALLS),
    "TOO_RECENT_CALL": never(_CALLS),
    "EXPIRED_CALL": never(_CALLS),
    "CALL_NOT_FOUND": never(_CALLS),
    "CONVERSION_PRECEDES_CALL": never(_CALLS),
    "CONVERSION_TRACKING_NOT_ENABLED_AT_CALL_TIME": never(_CALLS),
    "UNPARSEABLE_CALLERS_PHONE_NUMBER": never(_CALLS),
    "CUSTOM_VARIABLE_NOT_ENABLED": fix("Enable the conversion custom variable in the account", Scope.ACCOUNT),
    "CUSTOM_VARIABLE_VALUE_CONTAINS_PII": never("A custom variable holds an e-mail address or a phone number"),
    "CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY": never("Apple's tracking policy rules out these identifiers together"),
    "INVALID_USER_IDENTIFIER": never("An e-mail or phone hash is not a SHA-256 of 64 hexadecimal characters"),
    "UNSUPPORTED_USER_IDENTIFIER": never("Only hashed e-mail addresses and phone numbers can be sent"),
    "GBRAID_WBRAID_BOTH_SET": never("A conversion can have one of gbraid and wbraid, not both"),
    "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": fix(
        "The action counts one conversion a click, which excludes gbraid and wbraid: set its counting to every",
        Scope.ROW,
    ),
    "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS": fix(
        "Google's customer data policy bars this account from enhanced conversions: stop sending hashes for it",
        Scope.USER_DATA,
    ),
    "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": fix(
        "Accept the customer data terms: Google Ads, Goals, Conversions, Settings", Scope.USER_DATA
    ),
    "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": fix(
        "Turn on enhanced conversions for leads: Google Ads, Goals, Conversions, Settings", Scope.USER_DATA
    ),
    "ORDER_ID_CONTAINS_PII": never(reasons.WITHHELD[reasons.TRANSACTION_ID_PERSONAL]),
    "INVALID_JOB_ID": fix(
        "The job id is not between 1 and 2^31 - 1: report it with what `custom-events explain` shows", Scope.ROW
    ),
    "NO_CONVERSION_ACTION_FOUND": fix(
        "The conversion action does not exist in this account, or was removed: choose another", Scope.ACTION
    ),
    "INVALID_CONVERSION_ACTION_TYPE": fix(
        "The conversion action is not of the type import from clicks (UPLOAD_CLICKS): choose another", Scope.ACTION
    ),
}
