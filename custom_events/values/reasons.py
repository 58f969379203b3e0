"""Why a conversion waits, is withheld or expires, and why an event gave none: stable words for tables, each with its sentence. Pure.

These are our own reasons. What Google's codes mean stands beside each lane (`destinations/*/errors.py`, `codes.py`). A sentence with a
place for a moment, a number or a name has it in braces; `sentence` fills it in. Where one word is said in several circumstances, the
further sentences have names of their own below, and are listed in `VARIANTS`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Reason(StrEnum):
    """The first half withholds a match (it is recorded, with its reason); the second half means there is none."""

    NO_ADS_ACTION = "no_ads_action"
    CONSENT_DENIED = "consent_denied"
    CONSENT_UNKNOWN = "consent_unknown"
    NO_CLICK_OR_IDENTIFIER = "no_click_or_identifier"
    CLICK_TOO_OLD = "click_too_old"
    CLICK_AFTER_EVENT = "click_after_event"
    VALUE_UNKNOWN = "value_unknown"
    UNKNOWN_ADS_ACTION = "unknown_ads_action"
    CLICK_NOT_TAKEN = "click_not_taken"
    NO_CURRENCY = "no_currency"
    # decided against the ledger, by those who write it
    DUPLICATE = "duplicate"
    INVALIDATED_BY_LATE_EVENT = "invalidated_by_late_event"
    INVALIDATED_BY_CORRECTION = "invalidated_by_correction"
    INVALIDATED_BY_REPLAY = "invalidated_by_replay"
    TAKEN_BACK = "taken_back_by_store"
    # no match at all
    TEST_ORDER = "test_order"
    OTHER_TRIGGER = "other_trigger"
    NOT_VALID_AT_THAT_TIME = "not_valid_at_that_time"
    CONDITIONS_NOT_READABLE = "conditions_not_readable"
    CONDITIONS_NOT_MET = "conditions_not_met"
    THRESHOLD_NOT_REACHED = "threshold_not_reached"
    CUSTOMER_UNKNOWN = "customer_unknown"
    GROUP_LOST = "group_lost"


WITHHOLDING = frozenset(
    {
        Reason.NO_ADS_ACTION,
        Reason.CONSENT_DENIED,
        Reason.CONSENT_UNKNOWN,
        Reason.NO_CLICK_OR_IDENTIFIER,
        Reason.CLICK_TOO_OLD,
        Reason.CLICK_AFTER_EVENT,
        Reason.VALUE_UNKNOWN,
        Reason.UNKNOWN_ADS_ACTION,
        Reason.CLICK_NOT_TAKEN,
        Reason.NO_CURRENCY,
        Reason.DUPLICATE,
        Reason.INVALIDATED_BY_LATE_EVENT,
        Reason.INVALIDATED_BY_CORRECTION,
        Reason.INVALIDATED_BY_REPLAY,
        Reason.TAKEN_BACK,
    }
)

# ---------------------------------------------------------------- decided when a conversion enters the ledger
SAME_TRANSACTION: Final = "same_transaction_other_assignment"
TOO_LATE: Final = "too_late"
DELAY: Final = "delay"
CLICK_TOO_RECENT: Final = "click_too_recent"
ACTION_TOO_RECENT: Final = "action_too_recent"
TIME_IN_FUTURE: Final = "time_in_future"
CONSENT_UNKNOWN_IN_EUROPE: Final = "consent_unknown_in_europe"
WAITING_REASONS: Final = frozenset(
    (DELAY, CLICK_TOO_RECENT, ACTION_TOO_RECENT, TIME_IN_FUTURE, CONSENT_UNKNOWN_IN_EUROPE)
)

# ---------------------------------------------------------------- decided by the ledger
# Withheld as worth nothing before it was sent: it goes after all when its order is worth something again.
FULLY_REFUNDED: Final = "fully_refunded_before_sending"
PAYMENT_LOST: Final = "payment_lost"
WORTH_NOTHING: Final = (FULLY_REFUNDED, PAYMENT_LOST)
INVALIDATED: Final = "invalidated"  # its custom event was withdrawn before it was sent
SUPERSEDED: Final = "superseded"
ORIGINAL_NOT_SENT: Final = "original_not_sent"
ALREADY_RETRACTED: Final = "already_retracted"
OTHER_CURRENCY: Final = "other_currency"  # a refund or an edit that cannot be counted, noted for the record
NO_SUCH_CLICK: Final = "no_such_click"  # of an adjustment: Google has no click of its conversion
# A retraction that waits, as Google takes none back: what it follows from may be undone in the store.
CANCELLATION_MAY_BE_UNDONE: Final = "cancellation_may_be_undone"
DELETION_MAY_BE_UNDONE: Final = "deletion_may_be_undone"
PAYMENT_MAY_COME_BACK: Final = "payment_may_come_back"
OWN_HOLDS: Final = (CANCELLATION_MAY_BE_UNDONE, DELETION_MAY_BE_UNDONE, PAYMENT_MAY_COME_BACK, PAYMENT_LOST)
HELD_BY_HAND: Final = "held_by_hand"
WITHHELD_BY_HAND: Final = "withheld_by_hand"  # only a person sends it after all
NO_ANSWER: Final = "no_answer"  # the last call may have been applied; kept until Google has answered
SPLIT: Final = "split"  # it goes again in a smaller request
SAME_CLICK_AND_SECOND: Final = "same_click_and_second"
OUR_ERROR: Final = "our_error"
CONFIGURATION: Final = "configuration"
PROBE_UNANSWERED: Final = "probe_unanswered"
DEADLINE_PASSED: Final = "deadline_passed"

# ---------------------------------------------------------------- found by the checks before a call (destinations/conversion_rules.py)
TRANSACTION_ID_LENGTH: Final = "transaction_id_length"
TRANSACTION_ID_PERSONAL: Final = "transaction_id_personal"
ACTION_ID: Final = "action_id"
TIME_WITHOUT_ZONE: Final = "time_without_zone"
VALUE_MISSING: Final = "value_missing"
VALUE_NEGATIVE: Final = "value_negative"
CURRENCY_UNKNOWN: Final = "currency_unknown"
CURRENCY_MISSING: Final = "currency_missing"
BRAID_ONE_PER_CLICK: Final = "braid_one_per_click"
CLICK_ID_MALFORMED: Final = "click_id_malformed"
HASH_MALFORMED: Final = "hash_malformed"
NO_IDENTIFIER: Final = "no_identifier"
CONVERSION_BEFORE_CLICK: Final = "conversion_before_click"
ADJUSTMENT_BEFORE_CONVERSION: Final = "adjustment_before_conversion"
USER_DATA_TOO_OLD: Final = "user_data_too_old"
OUTSIDE_CLICK_WINDOW: Final = "outside_click_window"
CONVERSION_TOO_OLD: Final = "conversion_too_old"
NO_RETRACTION: Final = "no_retraction"
NO_VERDICT: Final = "no_verdict"

# ---------------------------------------------------------------- decided by the carrying out of a request (custom_events/redaction)
PERSON_FORGOTTEN: Final = "person_forgotten"

NO_MATCH: Final[Mapping[str, str]] = MappingProxyType(
    {
        Reason.TEST_ORDER: "It is a test order.",
        Reason.OTHER_TRIGGER: "The assignment waits for other types of events.",
        Reason.NOT_VALID_AT_THAT_TIME: "The event happened outside the assignment's dates.",
        Reason.CONDITIONS_NOT_READABLE: "The stored conditions cannot be read, so they hold for nothing. See their problems.",
        Reason.CONDITIONS_NOT_MET: "The conditions do not hold.",
        Reason.THRESHOLD_NOT_REACHED: "The threshold is not reached by this event.",
        Reason.CUSTOMER_UNKNOWN: "The threshold counts per customer, and nobody knows who this customer is.",
        Reason.GROUP_LOST: "Another assignment of the same group has the higher priority and fired.",
    }
)

# In state `withheld`: it is not sent.
WITHHELD: Final[Mapping[str, str]] = MappingProxyType(
    {
        Reason.NO_ADS_ACTION: "The assignment names no ads action, so the event is recorded and not sent. Choose an action to send such events from then on.",
        Reason.CONSENT_DENIED: "The customer refused that their data is used for ads.",
        Reason.CONSENT_UNKNOWN: "Nobody said whether the customer allows the use of their data for ads, and the assignment asks for a yes.",
        Reason.NO_CLICK_OR_IDENTIFIER: "The event carries neither a click id nor a hashed e-mail or phone number, so Google could not tell whose it is.",
        Reason.CLICK_TOO_OLD: "The click is older than the assignment's click window, and there is no other identifier.",
        Reason.CLICK_AFTER_EVENT: "The click came after the event, so it did not lead to it, and there is no other identifier.",
        Reason.VALUE_UNKNOWN: "The value rule found no amount in the event. Give a fixed amount, or choose no value.",
        Reason.UNKNOWN_ADS_ACTION: "The assignment names an ads action that is not registered here. Register it, or choose another.",
        Reason.CLICK_NOT_TAKEN: "The ads action takes none of the click ids, and there is no hashed e-mail or phone number.",
        Reason.NO_CURRENCY: "The value has no currency.",
        Reason.DUPLICATE: "An earlier event took the same deduplication key.",
        Reason.INVALIDATED_BY_LATE_EVENT: "An event that arrived late happened before this one, so this is no longer the one that counts.",
        Reason.INVALIDATED_BY_CORRECTION: "The store corrected what it had said, and by that the event no longer counts.",
        Reason.INVALIDATED_BY_REPLAY: "A replay by today's rules found that the event does not count.",
        Reason.TAKEN_BACK: "The store took it back: by the newest state it was not paid, is not cancelled any more, or the refund is gone.",
        TOO_LATE: "Google took this conversion until {until}",
        SAME_TRANSACTION: "Another assignment sends this transaction to the same ads action: Google counts it once",
        WITHHELD_BY_HAND: "Withheld by hand: {why} ({actor})",
        FULLY_REFUNDED: "The order was refunded or cancelled before it was sent",
        PAYMENT_LOST: "The payment was lost before it was sent",
        INVALIDATED: "Its custom event was withdrawn before it was sent",
        SUPERSEDED: "A later adjustment goes in its place",
        ORIGINAL_NOT_SENT: "Its conversion was not accepted by Google, so there is nothing to adjust",
        ALREADY_RETRACTED: "The conversion was retracted, and Google does not restate a retracted one",
        OTHER_CURRENCY: "Refunds in another currency than the order's {own} do not lower it: {refunds}",
        NO_SUCH_CLICK: "Google has no click of its conversion, so there is nothing to adjust",
        TRANSACTION_ID_LENGTH: "The order id has {characters} characters; Google takes 1 to {limit}",
        TRANSACTION_ID_PERSONAL: "The order id looks like an e-mail address or a phone number",
        ACTION_ID: "The conversion action {action!r} is not a number",
        TIME_WITHOUT_ZONE: "The conversion's time has no time zone",
        VALUE_MISSING: "A restatement needs the new value",
        VALUE_NEGATIVE: "The value {value} is negative or not a number",
        CURRENCY_UNKNOWN: "{currency!r} is not an ISO 4217 currency code",
        CURRENCY_MISSING: "The value has no currency",
        TIME_IN_FUTURE: "The conversion's time {at} lies in the future",
        BRAID_ONE_PER_CLICK: "The action counts one per click, which excludes gbraid and wbraid",
        CLICK_ID_MALFORMED: "The {kind} holds characters that no click id has",
        HASH_MALFORMED: "An e-mail or phone hash is not a SHA-256 of 64 lower-case hexadecimal characters",
        NO_IDENTIFIER: "There is neither a click id nor a hashed e-mail or phone: nothing to attribute it by",
        CONVERSION_BEFORE_CLICK: "The conversion happened before the click",
        ADJUSTMENT_BEFORE_CONVERSION: "The adjustment's time is not after the conversion's",
        PERSON_FORGOTTEN: "Whoever it is about asked to be forgotten: nothing more of them is sent",
        NO_RETRACTION: "The Data Manager API takes nothing back but by the value 0, which this installation does not send",
    }
)

# In states `held`, `queued` and `unknown`: it waits, or goes again.
WAITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        DELAY: "The assignment's delay ends",
        CLICK_TOO_RECENT: "Google accepts this click 6 hours after it happened",
        ACTION_TOO_RECENT: "Google takes conversions for an action 6 hours after it was made",
        TIME_IN_FUTURE: "The store's clock says this is still to come",
        CONSENT_UNKNOWN_IN_EUROPE: "Nobody said whether this customer, who may be in the EEA, the UK or Switzerland, allows the use of their data for ads: held by the assignment's policy until somebody says, or lets it go",
        CANCELLATION_MAY_BE_UNDONE: "The order was cancelled. Google takes no retraction back, so it waits in case the cancellation is undone, until",
        DELETION_MAY_BE_UNDONE: "The order was deleted. Google takes no retraction back, so it waits in case the order is restored, until",
        PAYMENT_MAY_COME_BACK: "The payment was lost. Google takes no retraction back, so it waits in case the order is paid again, until",
        PAYMENT_LOST: "The order was paid, and the payment was lost (failed, voided, disputed): the site's setting has a person decide. Release it and it is sent; leave it, and nothing is",
        HELD_BY_HAND: "Held by hand: {why} ({actor})",
        NO_ANSWER: "No answer came; it is sent again under the same order id",
        NO_VERDICT: "Google's answer does not say what became of this row",
        SPLIT: "It goes again in a smaller request, to find the row that is to blame",
        SAME_CLICK_AND_SECOND: "Another conversion of this click and second goes first",
        OUR_ERROR: "An error of our own keeps it back: update; the log has it, and the account is tried again once a minute",
        CONFIGURATION: "Something of ours is missing, as credentials are: `custom-events doctor` names it",
        PROBE_UNANSWERED: "Google did not say what the account allows; it is asked again",
    }
)

# In state `expired`: Google takes it no more.
EXPIRED: Final[Mapping[str, str]] = MappingProxyType(
    {
        DEADLINE_PASSED: "Google took it until {until}",
        Reason.CLICK_TOO_OLD: "The click is older than 90 days, which is as long as Google keeps it",
        USER_DATA_TOO_OLD: "Google takes hashed user data for 63 days",
        OUTSIDE_CLICK_WINDOW: "The click was more than {days} days before the conversion",
        CONVERSION_TOO_OLD: "Google adjusts conversions for 54 days",
        PERSON_FORGOTTEN: "Whoever it is about asked to be forgotten; whether Google has it was not known, and it is not sent again",
    }
)

# ---------------------------------------------------------------- further sentences of the same words
SUPERSEDED_AS_RIGHT: Final = "Google already has the value that is right now"
SUPERSEDED_WHILE_WAITING: Final = "A later change of its conversion goes instead"
ORDER_IN_OTHER_CURRENCY: Final = (
    "The order is in {order} by now, its conversion in {own}: what the order is worth now changes nothing"
)
CONSENT_DENIED_SINCE: Final = "The customer refused the use of their data since the conversion was sent, and the Data Manager API changes one without a click id by hashed e-mail or phone only: its value at Google stays"
CLICK_TOO_OLD_TO_ADJUST: Final = "The click is older than 90 days, and this API takes an adjustment only with its click"
WORKER_WENT_AWAY: Final = "The worker that was sending it went away; it is sent again under the same order id"
REQUEST_FORGOTTEN: Final = "Google no longer knows the request; it is sent again under the same order id"
NO_LATER_VERDICT: Final = "The Google Ads API has no later verdict; it is sent again under the same order id"
FAULT: Final = "An error of our own keeps it back ({error}): update; it is tried again once a minute"
UNREADABLE: Final = (
    "An error of our own keeps it back ({error}): report it with what the log has under upload_id {upload_id}"
)
VARIANTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        SUPERSEDED: (SUPERSEDED_AS_RIGHT, SUPERSEDED_WHILE_WAITING),
        OTHER_CURRENCY: (ORDER_IN_OTHER_CURRENCY,),
        Reason.CONSENT_DENIED: (CONSENT_DENIED_SINCE,),
        Reason.CLICK_TOO_OLD: (CLICK_TOO_OLD_TO_ADJUST,),
        NO_ANSWER: (WORKER_WENT_AWAY, REQUEST_FORGOTTEN),
        NO_VERDICT: (NO_LATER_VERDICT,),
        OUR_ERROR: (FAULT, UNREADABLE),
    }
)

# What matching says of one event: a sentence for each `Reason`.
SENTENCES: Final[Mapping[Reason, str]] = MappingProxyType(
    {reason: NO_MATCH[reason] if reason in NO_MATCH else WITHHELD[reason] for reason in Reason}
)


def moment(at: datetime) -> str:
    """A moment as sentences say it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def waits_until(reason: str, until: datetime) -> str:
    """What a conversion waits for, and until when."""
    return f"{WAITS[reason]}: {moment(until)}"


def meaning(reason: str) -> str | None:
    """What a word of ours means, whatever it does; None where the sentence needs a row's own figures, or the word is none of ours."""
    for table in (NO_MATCH, WITHHELD, WAITS, EXPIRED):
        sentence = table.get(reason)
        if sentence is not None and "{" not in sentence:
            return sentence
    return None
