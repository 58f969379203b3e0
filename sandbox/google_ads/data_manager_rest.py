"""The Data Manager API as REST with JSON, over plain HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from google.protobuf import json_format

from sandbox.google_ads.data_manager import INGEST, RETRIEVE, DataManager
from sandbox.google_ads.data_manager_answers import HTTP_STATUS, DataManagerRefused, http_body
from sandbox.google_ads.data_manager_reasons import (
    BRAND_NEW_PROCESSING_NUMBER,
    BRAND_NEW_PROCESSING_REASON,
    Reason,
)
from sandbox.google_ads.failures import Refused, Status
from sandbox.google_ads.fault_answers import suffer

INGEST_PATH = "/v1/events:ingest"
RETRIEVE_PATH = "/v1/requestStatus:retrieve"


@dataclass(frozen=True)
class Connection:
    """What a fault can do to an HTTP connection."""

    wait: Callable[[float], object]
    reset: Callable[[], object]


class DataManagerRest:
    """Turns HTTP requests into the API's messages and back."""

    def __init__(self, api: DataManager) -> None:
        self._api = api

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, connection: Connection
    ) -> tuple[int, dict[str, object]] | None:
        """Status and JSON body; None for a path that is not the API's."""
        url = urlsplit(target)
        if (method, url.path) == ("POST", INGEST_PATH):
            name, answer, message = INGEST, self._api.ingest, self._api.ingest_request()
        elif (method, url.path) == ("GET", RETRIEVE_PATH):
            name, answer, message = RETRIEVE, self._api.retrieve, self._api.retrieve_request()
        else:
            return None
        request_id = self._api.state.new_request_id()
        query = parse_qs(url.query)
        try:
            fault = self._api.state.faults.draw(name)
            if fault is None or not fault.after_apply:
                suffer(fault, self._api.state, connection.wait, connection.reset)
            if name == INGEST:
                _parse(body, message)
            else:
                message.request_id = query.get("requestId", [""])[0]
            response = answer(headers, message, request_id)
            if fault is not None and fault.after_apply:
                suffer(fault, self._api.state, connection.wait, connection.reset)
        except Refused as fault_refused:
            refused = DataManagerRefused.of_fault(fault_refused)
            return HTTP_STATUS[refused.status], http_body(refused, request_id)
        except DataManagerRefused as refused:
            return HTTP_STATUS[refused.status], http_body(refused, request_id)
        integers = "json;enum-encoding=int" in query.get("$alt", [])
        return 200, _worded(json_format.MessageToDict(response, use_integers_for_enums=integers))


def _worded(answer: dict[str, Any]) -> dict[str, object]:
    """The answer with the word of what the client's package does not know: over REST Google sends it, and the parser drops it."""
    for part in answer.get("requestStatusPerDestination", ()):
        for count in part.get("errorInfo", {}).get("errorCounts", ()):
            if count.get("reason") == BRAND_NEW_PROCESSING_NUMBER:
                count["reason"] = BRAND_NEW_PROCESSING_REASON
    return answer


def _parse(body: bytes, message: Any) -> None:
    try:
        json_format.Parse(body, message)
    except json_format.ParseError as error:
        text = f"The body is no request in JSON: {error}"
        raise DataManagerRefused(Status.INVALID_ARGUMENT, Reason.INVALID_ARGUMENT, text) from error
