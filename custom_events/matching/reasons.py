"""Why a match does not leave, or an event gave none: stable words for tables, each with its sentence for people."""

from enum import StrEnum


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
    UNMADE_BY_LATE_EVENT = "unmade_by_late_event"
    UNMADE_BY_CORRECTION = "unmade_by_correction"
    UNMADE_BY_REPLAY = "unmade_by_replay"
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
        Reason.UNMADE_BY_LATE_EVENT,
        Reason.UNMADE_BY_CORRECTION,
        Reason.UNMADE_BY_REPLAY,
    }
)

SENTENCES: dict[Reason, str] = {
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
    Reason.UNMADE_BY_LATE_EVENT: "An event that arrived late happened before this one, so this is no longer the one that counts.",
    Reason.UNMADE_BY_CORRECTION: "The store corrected what it had said, and by that the event no longer counts.",
    Reason.UNMADE_BY_REPLAY: "A replay by today's rules found that the event does not count.",
    Reason.TEST_ORDER: "It is a test order.",
    Reason.OTHER_TRIGGER: "The assignment waits for other types of events.",
    Reason.NOT_VALID_AT_THAT_TIME: "The event happened outside the assignment's dates.",
    Reason.CONDITIONS_NOT_READABLE: "The stored conditions cannot be read, so they hold for nothing. See their problems.",
    Reason.CONDITIONS_NOT_MET: "The conditions do not hold.",
    Reason.THRESHOLD_NOT_REACHED: "The threshold is not reached by this event.",
    Reason.CUSTOMER_UNKNOWN: "The threshold counts per customer, and nobody knows who this customer is.",
    Reason.GROUP_LOST: "Another assignment of the same group has the higher priority and fired.",
}
