"""One gRPC server with TLS for every shipped version of the Google Ads API, and for the Data Manager API."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc

from sandbox.google_ads.ads_requests import AdsRequests
from sandbox.google_ads.certificates import Certificates
from sandbox.google_ads.data_manager_grpc import DataManagerService
from sandbox.google_ads.failures import Refused
from sandbox.google_ads.fault_answers import GrpcFaults
from sandbox.google_ads.state import State

MAX_MESSAGE_BYTES = 64 * 1024 * 1024  # Google's own limit for a gRPC message
WORKERS = 16
_METHOD = re.compile(r"/google\.ads\.googleads\.(v\d+)\.services\.(\w+)/(\w+)")


class AdsService(grpc.GenericRpcHandler):
    """Finds version and method in the path; messages of every version are read with the classes of v26."""

    def __init__(self, requests: AdsRequests, faults: GrpcFaults) -> None:
        self._requests = requests
        self._faults = faults
        self._cache: dict[str, grpc.RpcMethodHandler[Any, Any] | None] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of a path; None for a path that is not ours."""
        path = handler_call_details.method
        if path not in self._cache:
            self._cache[path] = self._handler(path)
        return self._cache[path]

    def _handler(self, path: str) -> Any:
        match = _METHOD.fullmatch(path)
        method = None if match is None else self._requests.methods.get((match[2], match[3]))
        if match is None or method is None:
            return None
        serialize = method.response.SerializeToString
        if method.streams:
            return grpc.unary_stream_rpc_method_handler(
                partial(self._stream, match[1], match[3], method.answer), method.request.FromString, serialize
            )
        return grpc.unary_unary_rpc_method_handler(
            partial(self._unary, match[1], match[3], method.answer), method.request.FromString, serialize
        )

    def _unary(
        self, version: str, method: str, answer: Callable[..., Any], request: Any, context: grpc.ServicerContext
    ) -> Any:
        request_id = self._requests.state.new_request_id()
        headers = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        try:
            fault = self._faults.before(method, request.customer_id, context)
            response = answer(version, headers, request, request_id)
            self._faults.after(fault, context)
        except Refused as refused:
            self._requests.refuse(refused, request_id, version, context)
        context.set_trailing_metadata((("request-id", request_id),))
        return response

    def _stream(
        self, version: str, method: str, answer: Callable[..., Any], request: Any, context: grpc.ServicerContext
    ) -> Iterator[Any]:
        yield from self._unary(version, method, answer, request, context)


@dataclass
class GrpcServer:
    """A running server; `port` is the port it listens on."""

    server: grpc.Server
    port: int

    def stop(self) -> None:
        """Stop at once and wait until every thread has ended."""
        self.server.stop(grace=0).wait()


def start(state: State, certificates: Certificates, port: int, faults: GrpcFaults) -> GrpcServer:
    """Start the server on localhost; port 0 takes a free one. Raises RuntimeError when the port is taken."""
    server = grpc.server(
        ThreadPoolExecutor(WORKERS, thread_name_prefix="sandbox-google"),
        handlers=[AdsService(AdsRequests(state), faults), DataManagerService(state, faults)],
        options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)],
    )
    credentials = grpc.ssl_server_credentials(
        [(certificates.key_file.read_bytes(), certificates.certificate_file.read_bytes())]
    )
    bound = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    server.start()
    return GrpcServer(server, bound)
