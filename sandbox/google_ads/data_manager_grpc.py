"""The Data Manager API on gRPC, on the same TLS port as the Google Ads API."""

from collections.abc import Callable
from typing import Any

import grpc

from sandbox.google_ads.data_manager import INGEST, RETRIEVE, DataManager
from sandbox.google_ads.data_manager_answers import DataManagerRefused, rich_status
from sandbox.google_ads.failures import Refused, Status
from sandbox.google_ads.fault_answers import GrpcFaults
from sandbox.google_ads.state import State

SERVICE = "/google.ads.datamanager.v1.IngestionService/"
_CODES = {status: getattr(grpc.StatusCode, status.name) for status in Status}


class DataManagerService(grpc.GenericRpcHandler):
    """IngestEvents and RetrieveRequestStatus."""

    def __init__(self, state: State, faults: GrpcFaults) -> None:
        self._state = state
        self._faults = faults
        api = DataManager(state)
        self._handlers = {
            SERVICE + INGEST: self._handler(INGEST, api.ingest, api.ingest_request, api.ingest_response),
            SERVICE + RETRIEVE: self._handler(RETRIEVE, api.retrieve, api.retrieve_request, api.retrieve_response),
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of a path; None for a path that is not ours."""
        return self._handlers.get(handler_call_details.method)

    def _handler(self, method: str, answer: Callable[..., Any], request: Any, response: Any) -> Any:
        def handle(message: Any, context: grpc.ServicerContext) -> Any:
            return self._answer(method, answer, message, context)

        return grpc.unary_unary_rpc_method_handler(handle, request.FromString, response.SerializeToString)

    def _answer(self, method: str, answer: Callable[..., Any], request: Any, context: grpc.ServicerContext) -> Any:
        request_id = self._state.new_request_id()
        headers = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        try:
            fault = self._faults.before(method, "", context)
            response = answer(headers, request, request_id)
            self._faults.after(fault, context)
        except Refused as fault_refused:
            _abort(DataManagerRefused.of_fault(fault_refused), request_id, context)
        except DataManagerRefused as refused:
            _abort(refused, request_id, context)
        else:
            return response


def _abort(refused: DataManagerRefused, request_id: str, context: grpc.ServicerContext) -> None:
    status = rich_status(refused, request_id)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(_CODES[refused.status], refused.message)
