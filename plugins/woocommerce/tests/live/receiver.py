"""A receiver for one drive: dead for a day of the shop's time, then alive; it loses its first answer. Keeps what it was given."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import msgspec

from custom_events.platforms import timestamped
from custom_events.platforms.base import Secret

PATH: Final = "/webhooks/woocommerce/shop-key-1"
SECRET: Final = Secret(value=b"golden-secret-of-the-tests", key_id="k1")  # as `class-shop.php` has it
DEAD_S: Final = 86_400  # of the shop's time
_WINDOW_S: Final = 300
_REFUSED_EVERY: Final = 2  # of the attempts while it is dead: the others get no answer at all


class Arrived(msgspec.Struct, frozen=True):
    """An event that was taken."""

    event_id: str
    topic: str
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """What came. `attempts`: posts while it was dead; `again`: posts of events that it had."""

    def __init__(self, alive_at: datetime) -> None:
        self.alive_at = alive_at
        self.url = ""
        self.events: dict[str, Arrived] = {}
        self.attempts = 0
        self.again = 0
        self.problems: list[str] = []
        self._has_lost_an_answer = False

    def take(self, headers: dict[str, str], body: bytes) -> int | None:
        """The status of the answer to a post; None: the connection ends without one."""
        sent = datetime.fromtimestamp(int(headers.get(timestamped.TIMESTAMP, "0")), UTC)
        if sent < self.alive_at:
            self.attempts += 1
            return 503 if self.attempts % _REFUSED_EVERY else None
        refusal = timestamped.check(headers, body, [SECRET], sent, _WINDOW_S)
        if refusal is not None:
            self.problems.append(f"A signature does not fit: {refusal}")
            return 401
        event = Arrived(headers[timestamped.EVENT_ID], headers[timestamped.TOPIC], body)
        known = self.events.setdefault(event.event_id, event)
        if known is not event:
            self.again += 1
            if known != event:
                self.problems.append(f"{event.topic} {event.event_id} came again with another body")
        if not self._has_lost_an_answer:
            self._has_lost_an_answer = True
            return None
        return 200


@contextmanager
def listening(alive_at: datetime, port: int = 0) -> Generator[Receiver]:
    """A receiver on this machine until the end of the block. `port` 0: any that is free."""
    receiver = Receiver(alive_at)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
            """Nothing: the drive prints what came of it."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}{PATH}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
