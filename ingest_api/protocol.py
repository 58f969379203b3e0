"""uvicorn's HTTP protocol with a shorter way for deliveries: no ASGI scope, events and task, and one write for the whole answer.

That costs much less than the ASGI way does (decision 0002). It is taken by a POST to a webhook address that is there as a whole when its
connection is read, as nearly all are under load, and that `Receiver.take` accepts. Everything else, and whatever comes in pieces, goes on to
uvicorn's class as if it had just arrived, and so keeps every guarantee of `Receiver.__call__`: refusals, limits, slow bodies, look-ups.

Framing stays llhttp's. What is used of uvicorn's internals is named in `tests/ingest_api/test_uvicorn.py`, which fails when they change.
"""

import re
from asyncio import AbstractEventLoop, TimerHandle
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ingest_api.app import PREFIX, Receiver
from ingest_api.http_answers import HEAD_LIMIT_BYTES, HEAD_LIMIT_LINES, HEAD_TOO_LARGE

# Nothing to decode, no query: what anybody else writes is parsed by uvicorn.
_ADDRESS = re.compile(rb"%s[0-9A-Za-z_.~/-]*" % re.escape(PREFIX.encode()))
_NOT_SHORT = frozenset({"transfer-encoding", "expect", "upgrade"})
HEAD_LIMIT_S = 10.0  # from a connection's beginning, or a head's first byte, to its end; Shopify gives up after 5 s
KEPT_HEADS = 256  # lists of header names that are remembered: a store writes the same ones each time
KEPT_HEAD_BYTES = 1_024  # longest one; stores write a dozen names of 200 bytes together


_LONGER = ("",)  # in place of names among which one is of _NOT_SHORT
_HEADS: dict[bytes, tuple[str, ...]] = {}


def names_of(joined: bytes) -> tuple[str, ...]:
    """Header names in small letters, from all of a head's joined by line feeds; or _LONGER."""
    names = tuple(joined.decode("latin-1").lower().split("\n"))
    if not _NOT_SHORT.isdisjoint(names):
        names = _LONGER
    if len(joined) <= KEPT_HEAD_BYTES:
        if len(_HEADS) >= KEPT_HEADS:
            _HEADS.clear()
        _HEADS[joined] = names
    return names


class _Nobody:
    """In place of the event that wakes an ASGI task: nobody waits."""

    def set(self) -> None:
        """Nothing."""


class FastPathRequest:
    """A delivery on the shorter way, in the place of uvicorn's `RequestResponseCycle`, of which it has what the protocol uses."""

    __slots__ = ("_protocol", "disconnected", "keep_alive", "response_complete")

    message_event = _Nobody()

    def __init__(self, protocol: "DeliveryProtocol") -> None:
        self._protocol = protocol
        self.disconnected = False
        self.keep_alive = True  # until the server is told to stop
        self.response_complete = False

    def on_result(self, landed: bool | None) -> None:
        """Answer, unless the client has gone."""
        if not self.disconnected:
            self._protocol.answer(self, landed)


class DeliveryProtocol(HttpToolsProtocol):
    """Made by uvicorn, one for each connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        app = config.loaded_app
        usual = self.limit_concurrency is None and not self.access_log  # what only uvicorn's way does
        self._receiver = app if isinstance(app, Receiver) and usual else None
        self._names: list[bytes] = []
        self._values: list[bytes] = []
        self._held = False  # a request's head is complete, and uvicorn does not know of it yet
        self._body = b""
        self._rests = False  # answered here, and nothing has come since
        self._answered_at = 0.0
        self._rest: TimerHandle | None = None
        self._in_head = True  # nothing has come yet, or a head that is not whole
        self._head_bytes = 0  # of a head that comes in pieces
        self._head_began = 0.0
        self._head_timer: TimerHandle | None = None
        self._refused = False  # its head was too large: the connection closes

    def connection_made(self, transport: Any) -> None:
        """A client. It has HEAD_LIMIT_S to say what it wants."""
        super().connection_made(transport)
        if self._receiver is not None and len(self.server_state.connections) > self._receiver.connection_limit:
            self._receiver.count_closed("too_many_connections")
            self._refused = True
            transport.close()
            return
        self._head_began = self.loop.time()
        self._head_timer = self.loop.call_later(HEAD_LIMIT_S, self._look_at_head)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client. A request that is not whole by their end goes uvicorn's way."""
        if self._refused:
            return
        self._rests = False
        super().data_received(data)
        if self._held:
            self._go_on()
        if self._in_head:
            self._wait_for_head(len(data))

    def on_message_begin(self) -> None:
        """A request: only what its head needs; the scope is made when uvicorn takes it."""
        self._in_head = True
        self._head_bytes = 0
        self.url = b""
        self._names, self._values = [], []

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head. They are decoded together, in a few calls."""
        self._names.append(name)
        self._values.append(value)

    def on_headers_complete(self) -> None:
        """Hold back what may be a delivery; hand on everything else."""
        self._in_head = False
        cycle: Any = self.cycle  # None before the first request, which uvicorn does not declare
        parser: Any = self.parser
        self._held = (
            self._receiver is not None
            and (cycle is None or cycle.response_complete)
            and parser.get_method() == b"POST"
            and _ADDRESS.fullmatch(self.url) is not None
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self.flow.write_paused
        )
        self._body = b""
        if not self._held:
            self._open()

    def on_body(self, body: bytes) -> None:
        """A piece of the body; mostly all of it."""
        if self._held:
            self._body = self._body + body if self._body else body
        elif not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._held:
            if not self._refused:
                super().on_message_complete()
        elif self._take():
            self._held = False
        else:
            self._go_on()
            if not self._refused:
                super().on_message_complete()

    def answer(self, taken: FastPathRequest, landed: bool | None) -> None:
        """Head and body in one write. uvicorn's part follows: the next request of the connection, or the wait for one."""
        taken.response_complete = True
        transport = self.transport
        if transport.is_closing():
            return
        answer = self._receiver.stored(landed)  # type: ignore[union-attr]
        if taken.keep_alive:
            transport.write(answer.wire)
        else:
            transport.write(answer.last)
            transport.close()
        if self.pipeline or self.flow.read_paused:
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self._rests, self._answered_at = True, self.loop.time()
        if self._rest is None:
            self._rest = self.loop.call_later(self.timeout_keep_alive, self._look_at_rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was told to."""
        for timer in (self._rest, self._head_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _wait_for_head(self, size: int) -> None:
        """`size` more bytes came, and the head is not whole."""
        if not self._head_bytes:
            self._head_began = self.loop.time()
        self._head_bytes += size
        if self._head_bytes > HEAD_LIMIT_BYTES:
            self._refuse_head()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_LIMIT_S, self._look_at_head)

    def _look_at_head(self) -> None:
        """Close a connection whose head took too long. One timer for several heads: a later one has its own time."""
        self._head_timer = None
        if not self._in_head or self.transport.is_closing():
            return
        left = self._head_began + HEAD_LIMIT_S - self.loop.time()
        if left > 0:
            self._head_timer = self.loop.call_later(left, self._look_at_head)
            return
        if self._receiver is not None:
            self._receiver.count_closed("head_too_slow")
        self.transport.close()

    def _refuse_head(self) -> None:
        self._refused = True
        self._in_head = False
        if self._receiver is not None:
            self._receiver.count_closed("head_too_large")
        if not self.transport.is_closing():
            self.transport.write(HEAD_TOO_LARGE.last)
            self.transport.close()

    def _look_at_rest(self) -> None:
        """Close a connection that was silent for the time of keep-alive. One timer for many requests, where uvicorn sets and
        cancels one for each."""
        self._rest = None
        if self._rests:
            left = self._answered_at + self.timeout_keep_alive - self.loop.time()
            if left <= 0:
                self.timeout_keep_alive_handler()
            else:
                self._rest = self.loop.call_later(left, self._look_at_rest)

    def _take(self) -> bool:
        # no line of a head holds a line feed: llhttp refuses it
        joined, values = b"\n".join(self._names), b"\n".join(self._values)
        names = _HEADS.get(joined) or names_of(joined)
        if names is _LONGER or self.server_state.default_headers:
            return False
        if len(joined) + len(values) > HEAD_LIMIT_BYTES or len(self._names) > HEAD_LIMIT_LINES:
            return False
        headers = dict(zip(names, values.decode("latin-1").split("\n"), strict=True))
        before, self.cycle = self.cycle, FastPathRequest(self)  # type: ignore[assignment]
        try:
            taken = self._receiver.take(self.url.decode(), headers, self._body, self.cycle.on_result)  # type: ignore[union-attr]
        except Exception:  # noqa: BLE001  (uvicorn's way meets it again, logs it and answers 500)
            taken = False
        if not taken:
            self.cycle = before
        return taken

    def _go_on(self) -> None:
        """What was held goes uvicorn's way from its beginning."""
        self._held = False
        self._open()
        if self._body and not self._refused:
            super().on_body(self._body)

    def _open(self) -> None:
        size = len(self.url) + sum(map(len, self._names)) + sum(map(len, self._values))
        if size > HEAD_LIMIT_BYTES or len(self._names) > HEAD_LIMIT_LINES:
            self._refuse_head()
            return
        url, lines = self.url, zip(self._names, self._values, strict=True)
        super().on_message_begin()  # makes the scope
        self.url = url
        for line in lines:
            super().on_header(*line)
        super().on_headers_complete()
