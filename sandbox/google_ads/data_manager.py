"""The Data Manager API's IngestEvents and RetrieveRequestStatus, without transport."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.google_ads import access
from sandbox.google_ads.adjustments import settle_waiting
from sandbox.google_ads.data_manager_answers import DataManagerRefused, Violation
from sandbox.google_ads.data_manager_checks import Destination, EventChecks, check_sizes, find_destination
from sandbox.google_ads.data_manager_events import EventRecorder
from sandbox.google_ads.data_manager_reasons import (
    BRAND_NEW_PROCESSING_NUMBER,
    BRAND_NEW_PROCESSING_REASON,
    ProcessingReason,
    Reason,
    Warned,
)
from sandbox.google_ads.error_names import Authentication, ErrorName, NewName
from sandbox.google_ads.failures import Status
from sandbox.google_ads.installed import data_manager_enums
from sandbox.google_ads.seed import Token
from sandbox.google_ads.state import State

INGEST = "IngestEvents"
RETRIEVE = "RetrieveRequestStatus"
SCOPE = "https://www.googleapis.com/auth/datamanager"
PROCESSING_S = 30 * 60  # "wait 30 minutes before the first poll" of the diagnostics guide
STATUS_KEPT_S = 50 * 86_400  # ErrorReason.REQUEST_TOO_OLD: about 50 days
_TOKEN_REASONS: dict[ErrorName, str] = {
    Authentication.OAUTH_TOKEN_EXPIRED: "ACCESS_TOKEN_EXPIRED",
    Authentication.OAUTH_TOKEN_INVALID: "ACCESS_TOKEN_TYPE_UNSUPPORTED",
}


@dataclass
class RequestRecord:
    """An accepted request: when it came, and for each destination the events and failures by reason."""

    received_at: float
    destinations: list[tuple[Any, int, Counter[str]]]


class DataManager:
    """Answers raw requests with raw responses. Refuses by raising `DataManagerRefused`."""

    def __init__(self, state: State) -> None:
        import google.ads.datamanager_v1 as data_manager

        self.state = state
        self.ingest_request = data_manager.IngestEventsRequest.pb()
        self.ingest_response = data_manager.IngestEventsResponse.pb()
        self.retrieve_request = data_manager.RetrieveRequestStatusRequest.pb()
        self.retrieve_response = data_manager.RetrieveRequestStatusResponse.pb()
        self._enums = data_manager_enums()

    def ingest(self, headers: Mapping[str, str], request: Any, request_id: str) -> Any:
        """Take events, all or none; what becomes of each is told later, by reason and count."""
        with self.state.changing():
            token = self._enter(INGEST, headers)
            settle_waiting(self.state)
            destinations = self._check(token, request)
            response = self.ingest_response(request_id=request_id)
            self._warn(response, request)
            if not request.validate_only:
                record = RequestRecord(self.state.clock.epoch(), [])
                for destination in destinations:
                    record.destinations.append(self._record(request, destination, request_id))
                self.state.status_requests[request_id] = record
                parts = [(message.SerializeToString(), *counts) for message, *counts in record.destinations]
                self.state.note("request", (request_id, record.received_at, parts))
        return response

    def retrieve(self, headers: Mapping[str, str], request: Any, request_id: str) -> Any:
        """The status of a request per destination: PROCESSING for half an hour, then its counts."""
        del request_id
        with self.state.changing():
            self._enter(RETRIEVE, headers)
            record = self.state.status_requests.get(request.request_id)
            if not isinstance(record, RequestRecord):
                text = "No accepted request has this id (validate_only leaves none)."
                raise _refused(Reason.INVALID_REQUEST_ID, [Violation("request_id", Reason.INVALID_REQUEST_ID, text)])
            age_s = self.state.clock.epoch() - record.received_at
            if age_s > STATUS_KEPT_S:
                text = "The status of a request is kept for about 50 days."
                raise _refused(Reason.REQUEST_TOO_OLD, [Violation("request_id", Reason.REQUEST_TOO_OLD, text)])
            response = self.retrieve_response()
            for message, events, failures in record.destinations:
                entry = response.request_status_per_destination.add()
                entry.destination.CopyFrom(message)
                entry.events_ingestion_status.record_count = events
                self._fill_status(entry, events, failures, processing=age_s < PROCESSING_S)
        return response

    def _enter(self, method: str, headers: Mapping[str, str]) -> Token:
        self.state.requests[method] += 1
        token = access.find_token(self.state, headers.get("authorization"))
        if isinstance(token, ErrorName):
            raise DataManagerRefused(Status.UNAUTHENTICATED, _TOKEN_REASONS.get(token, token.name), token.sentence)
        if token.scopes is not None and SCOPE not in token.scopes:
            text = "Request had insufficient authentication scopes."
            raise DataManagerRefused(Status.PERMISSION_DENIED, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", text)
        now, quotas, switches = self.state.clock.epoch(), self.state.quotas, self.state.switches
        for window, limit in (
            (quotas.data_manager_day, switches.data_manager_requests_per_day),
            (quotas.data_manager_minute, switches.data_manager_requests_per_minute),
        ):
            delay_s = window.take(token.project_id, limit, now)
            if delay_s is not None:
                text = "Quota of IngestionService requests used up."
                raise DataManagerRefused(Status.RESOURCE_EXHAUSTED, Reason.RESOURCE_EXHAUSTED, text, (), delay_s)
        return token

    def _check(self, token: Token, request: Any) -> list[Destination]:
        violations = list(check_sizes(request))
        destinations: list[Destination] = []
        if not violations:
            for index, message in enumerate(request.destinations):
                destination = find_destination(self.state, token, message, f"destinations[{index}]")
                if isinstance(destination, Violation):
                    violations.append(destination)
                else:
                    destinations.append(destination)
        if violations:
            raise _refused(violations[0].reason, violations)
        check = EventChecks(self.state, request, destinations).check
        for index, event in enumerate(request.events):
            violation = check(event, f"events.events[{index}]")
            if violation is not None:
                violations.append(violation)
        if violations:
            named = violations if self.state.switches.data_manager_names_bad_rows else []
            raise _refused(violations[0].reason, named)
        return destinations

    def _record(self, request: Any, destination: Destination, request_id: str) -> tuple[Any, int, Counter[str]]:
        recorder = EventRecorder(self.state, request, destination, request_id)
        draw = self.state.faults.rows(INGEST)
        reference = destination.message.reference
        failures: Counter[str] = Counter()
        events = 0
        for event in request.events:
            if event.destination_references and reference not in event.destination_references:
                continue
            events += 1
            drawn = None if draw is None else draw()
            reason: str | None = None if drawn is not None and not drawn.after_apply else recorder.record(event)
            if drawn is not None:
                new = isinstance(drawn.name, NewName)
                reason = BRAND_NEW_PROCESSING_REASON if new else ProcessingReason.INTERNAL_ERROR
            if reason is not None:
                failures[reason] += 1
        return destination.message, events, failures

    def _fill_status(self, entry: Any, events: int, failures: Counter[str], *, processing: bool) -> None:
        failed = failures.total()
        if processing:
            name = "PROCESSING"
        elif not failed:
            name = "SUCCESS"
        else:
            name = "FAILED" if failed == events else "PARTIAL_SUCCESS"
        entry.request_status = self._enums.request_status.number(name)
        if not processing:
            for reason, count in failures.items():
                number = BRAND_NEW_PROCESSING_NUMBER
                if reason != BRAND_NEW_PROCESSING_REASON:
                    number = self._enums.processing_error_reason.number(reason)
                entry.error_info.error_counts.add(record_count=count, reason=number)

    def _warn(self, response: Any, request: Any) -> None:
        for index, event in enumerate(request.events):
            if not event.HasField("cart_data"):
                continue
            ids, path = event.ad_identifiers, f"events.events[{index}].cart_data"
            if ids.gbraid or ids.wbraid:
                text = "Cart data beside gbraid or wbraid is ignored."
                self._remark(response, Warned.CART_DATA_WITH_BRAID, path, text)
            for place, item in enumerate(event.cart_data.items):
                if not item.unit_price:  # 0.0 cannot be told from unset
                    field, text = f"{path}.items[{place}].unit_price", "The item has no price."
                    self._remark(response, Warned.CART_ITEM_WITHOUT_PRICE, field, text)

    def _remark(self, response: Any, reason: Warned, field: str, text: str) -> None:
        number = self._enums.warning_reason.number(reason)
        response.field_warnings.add(reason=number, field=field, description=text)


def _refused(reason: Reason, violations: list[Violation]) -> DataManagerRefused:
    return DataManagerRefused(Status.INVALID_ARGUMENT, reason, "There was a problem with the request.", violations)
