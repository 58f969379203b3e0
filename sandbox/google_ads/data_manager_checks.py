"""What the Data Manager API checks before it takes a request (S29). One bad event refuses them all."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.google_ads import access, formats
from sandbox.google_ads.checks_conversion import TOO_RECENT_ACTION_S
from sandbox.google_ads.click_ids import parse_click_id
from sandbox.google_ads.data_manager_answers import DataManagerRefused, Violation
from sandbox.google_ads.data_manager_reasons import Reason
from sandbox.google_ads.failures import Status
from sandbox.google_ads.installed import data_manager_enums
from sandbox.google_ads.seed import Action, Customer, Token
from sandbox.google_ads.sha256 import encoding_problem
from sandbox.google_ads.state import State

MAX_EVENTS = 2_000  # IngestEventsRequest.events and the limits page; the ErrorReason's text says 10,000
MAX_DESTINATIONS = 10
MAX_USER_IDENTIFIERS = 10
_UPLOAD_TYPE = "UPLOAD_CLICKS"


@dataclass(frozen=True)
class Destination:
    """A destination of a request, found in state. `message` is the raw Destination."""

    message: Any
    caller: access.Caller
    action: Action


def check_sizes(request: Any) -> Iterator[Violation]:
    """Counts of events and destinations, and references that are used twice."""
    if not request.destinations:
        yield Violation("destinations", Reason.REQUIRED_FIELD_MISSING, "At least one destination is required.")
    if len(request.destinations) > MAX_DESTINATIONS:
        yield Violation("destinations", Reason.TOO_MANY_DESTINATIONS, "A request takes at most 10 destinations.")
    if not request.events:
        yield Violation("events.events", Reason.REQUIRED_FIELD_MISSING, "At least one event is required.")
    if len(request.events) > MAX_EVENTS:
        yield Violation("events.events", Reason.TOO_MANY_EVENTS, "A request takes at most 2,000 events.")
    references = [destination.reference for destination in request.destinations if destination.reference]
    if len(set(references)) < len(references):
        text = "Two destinations have the same reference."
        yield Violation("destinations", Reason.DUPLICATE_DESTINATION_REFERENCE, text)


def find_destination(state: State, token: Token, message: Any, path: str) -> Destination | Violation:
    """The account and action of a destination. Raises `DataManagerRefused` when the caller may not use the account."""
    account = message.operating_account
    if data_manager_enums().account_type.name(account.account_type) != "GOOGLE_ADS":
        text = "The account type must be GOOGLE_ADS."
        return Violation(f"{path}.operating_account.account_type", Reason.INVALID_DESTINATION, text)
    customer = state.customers.get(account.account_id)
    login = message.login_account.account_id or None
    if customer is None or not access.may_use(state, token, customer, login):
        text = "The caller may not use the operating account, or it does not exist."
        raise DataManagerRefused(Status.PERMISSION_DENIED, Reason.PERMISSION_DENIED, text)
    field = f"{path}.product_destination_id"
    action = state.actions.get(message.product_destination_id)
    if action is None or action.status == "REMOVED":
        return Violation(field, Reason.INVALID_CONVERSION_ACTION_ID, "The conversion action does not exist.")
    if action.customer_id != customer.customer_id:
        text = "The operating account must be the account that owns the conversion action."
        return Violation(f"{path}.operating_account", Reason.INVALID_DESTINATION, text)
    if action.type != _UPLOAD_TYPE:
        return Violation(field, Reason.INVALID_CONVERSION_ACTION_TYPE, "The action does not take uploads.")
    if state.clock.epoch() - action.created_at.timestamp() < TOO_RECENT_ACTION_S:
        text = "The conversion action is less than 6 hours old."
        return Violation(field, Reason.CONVERSION_ACTION_TOO_RECENTLY_CREATED, text)
    return Destination(message, access.Caller(token, customer), action)


class EventChecks:
    """Checks of single events; `check` gives the first thing wrong with one."""

    def __init__(self, state: State, request: Any, destinations: list[Destination]) -> None:
        self._state = state
        self._now = state.clock.epoch()
        self._encoding = data_manager_enums().encoding.name(request.encoding)
        self._destinations = destinations
        self._references = {destination.message.reference for destination in destinations}

    def check(self, event: Any, path: str) -> Violation | None:
        """The first violation of an event, or None."""
        return (
            self._references_and_source(event, path)
            or self._time(event, path)
            or self._value(event, path)
            or self._identifiers(event, path)
        )

    def _references_and_source(self, event: Any, path: str) -> Violation | None:
        for index, reference in enumerate(event.destination_references):
            if reference not in self._references:
                text = "No destination of the request has this reference."
                return Violation(f"{path}.destination_references[{index}]", Reason.INVALID_DESTINATION, text)
        if not event.event_source:
            return Violation(f"{path}.event_source", Reason.REQUIRED_FIELD_MISSING, "The event source is required.")
        if len(event.transaction_id) > formats.ORDER_ID_MAX_CHARACTERS:
            return Violation(f"{path}.transaction_id", Reason.FIELD_VALUE_TOO_LONG, "The transaction id is too long.")
        return None

    def _time(self, event: Any, path: str) -> Violation | None:
        if not event.HasField("event_timestamp"):
            return Violation(f"{path}.event_timestamp", Reason.REQUIRED_FIELD_MISSING, "The event's time is required.")
        seconds = event.event_timestamp.seconds
        if seconds <= 0 or seconds > self._now:
            return Violation(f"{path}.event_timestamp", Reason.EVENT_TIME_INVALID, "The event's time is not possible.")
        return None

    def _value(self, event: Any, path: str) -> Violation | None:
        if event.currency and event.currency not in formats.CURRENCIES:
            return Violation(f"{path}.currency", Reason.INVALID_CURRENCY_CODE, "The currency is not known.")
        value = event.conversion_value
        if self._state.switches.negative_value_refused and not 0 <= value < math.inf:
            return Violation(f"{path}.conversion_value", Reason.INVALID_NUMBER_FORMAT, "The value is not possible.")
        zero = value == 0 and event.HasField("conversion_value")
        if zero and not self._state.switches.data_manager_accepts_zero_value:
            return Violation(f"{path}.conversion_value", Reason.INVALID_EVENT, "The value must be greater than 0.")
        return None

    def _identifiers(self, event: Any, path: str) -> Violation | None:
        ids, users = event.ad_identifiers, event.user_data.user_identifiers
        if not (ids.gclid or ids.gbraid or ids.wbraid or users):
            text = "The event has neither ad identifiers nor user data."
            return Violation(path, Reason.NO_IDENTIFIERS_PROVIDED, text)
        if users:
            violation = self._users(users, f"{path}.user_data.user_identifiers") or self._account(path)
            if violation is not None:
                return violation
        if self._state.switches.data_manager_checks_click_account_at_once:
            return self._click_account(ids, f"{path}.ad_identifiers")
        return None

    def _users(self, users: Any, path: str) -> Violation | None:
        if len(users) > MAX_USER_IDENTIFIERS:
            return Violation(path, Reason.TOO_MANY_USER_IDENTIFIERS, "An event takes at most 10 user identifiers.")
        if self._encoding == "ENCODING_UNSPECIFIED":
            return Violation("encoding", Reason.REQUIRED_FIELD_MISSING, "User data needs the encoding of its hashes.")
        for index, user in enumerate(users):
            which = user.WhichOneof("identifier")
            if which is None:
                return Violation(f"{path}[{index}]", Reason.REQUIRED_FIELD_MISSING, "The identifier is empty.")
            if which != "address":
                problem = encoding_problem(getattr(user, which), self._encoding)
                if problem is not None:
                    return Violation(f"{path}[{index}].{which}", problem, "The hash is not a SHA-256 in this encoding.")
        return None

    def _account(self, path: str) -> Violation | None:
        for destination in self._destinations:
            reason = _account_refusal(destination.caller.customer)
            if reason is not None:
                return Violation(f"{path}.user_data", reason, "The account may not use user data.")
        return None

    def _click_account(self, ids: Any, path: str) -> Violation | None:
        for kind in ("gclid", "gbraid", "wbraid"):
            click = parse_click_id(kind, getattr(ids, kind))
            for destination in self._destinations:
                if click is not None and click.customer_id != destination.caller.customer.customer_id:
                    text = "The click belongs to another account."
                    return Violation(f"{path}.{kind}", Reason.INVALID_AD_IDENTIFIER_FOR_ACCOUNT, text)
        return None


def _account_refusal(customer: Customer) -> Reason | None:
    if not customer.terms_accepted:
        return Reason.TERMS_NOT_SIGNED
    if not customer.enhanced_conversions:
        return Reason.ENHANCED_CONVERSIONS_OFF
    return Reason.DATA_POLICY_PROHIBITS if customer.data_policy_prohibits else None
