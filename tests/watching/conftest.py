"""People's side of the channels: a mail server and a webhook that remember what they were sent."""

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.pipeline.conftest import in_world, order

__all__ = ["in_world", "order"]


class Mailbox:
    """A mail server for one message after the other: no encryption, one user, everything kept."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.logins: list[str] = []
        self.refuses = False
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 mailbox")
                while line := self.rfile.readline().decode().strip():
                    if not self.answer(line):
                        return

            def say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

            def answer(self, line: str) -> bool:
                verb = line.split(maxsplit=1)[0].upper()
                if verb == "EHLO":
                    self.say("250-mailbox")
                    self.say("250 AUTH PLAIN")
                elif verb == "AUTH":
                    mailbox.logins.append(line.split()[2])
                    self.say("235 welcome")
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
                    mailbox.messages.append("\n".join(lines))
                    self.say("250 kept")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return False
                else:
                    self.say("550 no" if verb == "RCPT" and mailbox.refuses else "250 fine")
                return True

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Hook:
    """An incoming webhook."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.status = 200
        self.location = ""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(hook.status)
                if hook.location:
                    self.send_header("Location", hook.location)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/services/T0/B0/very-secret"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.stop()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.stop()


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])
