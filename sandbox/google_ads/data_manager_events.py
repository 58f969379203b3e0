"""What becomes of the events of an accepted Data Manager request (S30): one outcome per event and destination."""

from datetime import UTC, datetime
from typing import Any

from sandbox.google_ads.adjustments import apply_waiting
from sandbox.google_ads.checks_click import CLICK_ID_LIFE_S, ClickProblem, click_problem
from sandbox.google_ads.click_ids import Click, ClickFlag, parse_click_id
from sandbox.google_ads.conversions import counts, usable, value_and_currency
from sandbox.google_ads.data_manager_checks import Destination
from sandbox.google_ads.data_manager_reasons import ProcessingReason
from sandbox.google_ads.installed import data_manager_enums
from sandbox.google_ads.sha256 import as_hex
from sandbox.google_ads.state import Conversion, State

_UNREADABLE = {
    "gclid": ProcessingReason.INVALID_GCLID,
    "gbraid": ProcessingReason.INVALID_GBRAID,
    "wbraid": ProcessingReason.INVALID_WBRAID,
}
_PROBLEMS = {
    ClickProblem.OTHER_ACCOUNT: ProcessingReason.INVALID_OPERATING_ACCOUNT_FOR_CLICK,
    ClickProblem.NO_ACCESS: ProcessingReason.INVALID_OPERATING_ACCOUNT_FOR_CLICK,
    ClickProblem.NOT_FOUND: ProcessingReason.INVALID_CLICK,
    ClickProblem.TOO_RECENT: ProcessingReason.TOO_RECENT_CLICK,
    ClickProblem.AFTER_CONVERSION: ProcessingReason.CONVERSION_PRECEDES_CLICK,
    ClickProblem.TOO_OLD: ProcessingReason.EVENT_TOO_OLD,
    ClickProblem.TRACKING_OFF: ProcessingReason.INVALID_CLICK,
}
_EEA = int(ClickFlag.EEA)


class EventRecorder:
    """Records the events of one request for one destination."""

    def __init__(self, state: State, request: Any, destination: Destination, request_id: str) -> None:
        self._state = state
        self._now = state.clock.epoch()
        self._customer = destination.caller.customer
        self._caller = destination.caller
        self._action = destination.action
        self._request_id = request_id
        self._request_consent = request.consent.ad_user_data
        self._enums = data_manager_enums()
        self._encoding = self._enums.encoding.name(request.encoding)
        self._seen: set[str] = set()

    def record(self, event: Any) -> ProcessingReason | None:
        """Record an event, or overwrite the value of the conversion with its transaction id. The reason when it failed."""
        consent = self._enums.consent.name(event.consent.ad_user_data or self._request_consent)
        if consent == "CONSENT_DENIED":
            return ProcessingReason.DENIED_CONSENT
        kind, click_id, click = _click(event.ad_identifiers)
        if click is not None and click.flags & _EEA and consent != "CONSENT_GRANTED":
            return ProcessingReason.UNKNOWN_CONSENT
        transaction_id = event.transaction_id
        if transaction_id:
            if transaction_id in self._seen and self._state.switches.data_manager_repeated_id_in_request_refused:
                return ProcessingReason.DUPLICATE_TRANSACTION_ID
            self._seen.add(transaction_id)
            earlier = self._state.known(self._action.action_id, transaction_id, "data_manager")
            if earlier is not None:
                self._state.set_value(earlier, *self._value(event))
                unmatched = earlier.kind == "user" and not earlier.counted
                return ProcessingReason.CLICK_NOT_FOUND if unmatched else None
        problem = self._problem(event, kind, click_id, click)
        if problem is not None:
            return problem
        return self._create(event, kind, click_id, click, consent.removeprefix("CONSENT_"))

    def _problem(self, event: Any, kind: str, click_id: str | None, click: Click | None) -> ProcessingReason | None:
        instant = event.event_timestamp.seconds
        if self._now - instant > CLICK_ID_LIFE_S:
            return ProcessingReason.EVENT_TOO_OLD
        if click_id is None:
            return None
        if click is None:
            return _UNREADABLE[kind]
        if kind != "gclid" and self._action.counting_type == "ONE_PER_CLICK":
            return ProcessingReason.ONE_PER_CLICK_WITH_BRAID
        problem = click_problem(self._state, self._caller, self._action, click, instant, self._now)
        if problem is not None:
            return _PROBLEMS[problem]
        stored = self._state.by_click_time.get((self._action.action_id, click_id, instant))
        apart = self._state.switches.order_id_separates_same_click_and_time and event.transaction_id
        if stored and not (apart and all(conversion.order_id is not None for conversion in stored)):
            return ProcessingReason.DUPLICATE_GCLID
        return None

    def _create(
        self, event: Any, kind: str, click_id: str | None, click: Click | None, consent: str
    ) -> ProcessingReason | None:
        matched = click is not None or self._matches_somebody(event)
        value, currency = self._value(event)
        instant = event.event_timestamp.seconds
        conversion = Conversion(
            customer_id=self._customer.customer_id,
            action_id=self._action.action_id,
            order_id=event.transaction_id or None,
            click_id=click_id,
            kind=kind,
            value=value,
            original_value=value,
            currency=currency,
            conversion_date_time=datetime.fromtimestamp(instant, UTC).isoformat(sep=" "),
            conversion_at=instant,
            uploaded_at=self._now,
            counted=matched and counts(self._state, self._action, click_id),
            via="data_manager",
            user_identifiers=len(event.user_data.user_identifiers),
            consent="UNSPECIFIED" if consent == "STATUS_UNSPECIFIED" else consent,
            user_data_usable=usable(consent, click),
            request_id=self._request_id,
            customer_type=self._customer_type(event),
            environment=self._enums.event_source.name(event.event_source),
            cart=_cart(event) if event.HasField("cart_data") else None,
        )
        self._state.remember(conversion)
        if self._state.waiting:
            apply_waiting(self._state, conversion)
        return None if matched else ProcessingReason.CLICK_NOT_FOUND

    def _customer_type(self, event: Any) -> str:
        return self._enums.customer_type.name(event.user_properties.customer_type).removeprefix("CUSTOMER_TYPE_")

    def _value(self, event: Any) -> tuple[float, str]:
        sent = event.conversion_value if event.HasField("conversion_value") else None
        return value_and_currency(self._action, self._customer, sent, event.currency)

    def _matches_somebody(self, event: Any) -> bool:
        known = self._state.matched_users
        return any(
            as_hex(getattr(user, which), self._encoding) in known
            for user in event.user_data.user_identifiers
            if (which := user.WhichOneof("identifier")) != "address"
        )


def _click(ids: Any) -> tuple[str, str | None, Click | None]:
    for kind in ("gclid", "gbraid", "wbraid"):
        text = getattr(ids, kind)
        if text:
            return kind, text, parse_click_id(kind, text)
    return "user", None, None


def _cart(event: Any) -> dict[str, object]:
    cart = event.cart_data
    return {
        "merchant_id": cart.merchant_id,
        "transaction_discount": cart.transaction_discount,
        "items": [
            {"product_id": item.merchant_product_id, "quantity": item.quantity, "unit_price": item.unit_price}
            for item in cart.items
        ],
    }
