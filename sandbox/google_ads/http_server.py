"""One plain HTTP server for the token endpoint, the control endpoint and the Data Manager API's REST."""

import contextlib
import json
import socket
import struct
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, cast

from sandbox.google_ads.control import Control
from sandbox.google_ads.data_manager import DataManager
from sandbox.google_ads.data_manager_rest import Connection, DataManagerRest
from sandbox.google_ads.oauth import TOKEN_PATH, answer_token_request
from sandbox.google_ads.state import State

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: closing sends RST


class Server(ThreadingHTTPServer):
    """Keeps its open connections, so that `stop` leaves neither threads nor sockets behind."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, port: int, state: State, stopping: Event) -> None:
        self.state = state
        self.stopping = stopping
        self.control = Control(state)
        self.data_manager = DataManagerRest(DataManager(state))
        self._open: set[socket.socket] = set()
        self._open_lock = Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def stop(self) -> None:
        """Stop listening, break the open connections and wait for their threads."""
        self.shutdown()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Reads a request, asks who answers it, writes JSON."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Status and control reads."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Tokens, events, control orders."""
        self._answer("POST")

    def do_DELETE(self) -> None:
        """Disarming faults."""
        self._answer("DELETE")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Silent: uploads carry identifiers that do not belong in logs."""

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        status, document = self._find(method, body)
        if status == 0:  # a fault has broken the connection
            return
        answer = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _find(self, method: str, body: bytes) -> tuple[int, dict[str, object] | bytes]:
        server = cast("Server", self.server)
        path = self.path.partition("?")[0]
        if (method, path) == ("POST", TOKEN_PATH):
            return answer_token_request(server.state)
        headers = {key.lower(): value for key, value in self.headers.items()}
        connection = Connection(server.stopping.wait, self._reset)
        api = server.data_manager.answer(method, self.path, headers, body, connection)
        if self.close_connection and api is not None and self.connection.fileno() < 0:
            return 0, {}
        if api is not None:
            return api
        try:
            answer = server.control.answer(method, path, body)
        except ValueError as error:
            return 400, {"error": str(error)}
        if answer is None:
            return 404, {"error": f"nothing answers {method} {path}"}
        return 200, answer

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.rfile.close()
        self.wfile.close()
        self.connection.close()


@dataclass
class HttpServer:
    """A running server; `port` is the port it listens on."""

    server: Server
    thread: Thread
    port: int

    def stop(self) -> None:
        """Stop and wait until every thread has ended."""
        self.server.stop()
        self.thread.join()


def start(state: State, port: int, stopping: Event) -> HttpServer:
    """Start the server on 127.0.0.1; port 0 takes a free one. Raises OSError when the port is taken."""
    server = Server(port, state, stopping)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox-google-http")
    thread.start()
    return HttpServer(server, thread, server.server_address[1])
