"""Connections to the console: uvicorn's own protocol, which waits for the head of a request for as long as it takes, within bounds.

Bodies have bounds of their own (`console/api/bodies.py`), and connections between two requests end after uvicorn's `timeout_keep_alive`.
"""

import asyncio
from typing import Any, Final

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT_S: Final = 10.0  # from a connection's beginning, or a head's first byte, to its end: as the receiver has it
HEAD_LIMIT_BYTES: Final = 64 * 1024  # of a head that is not there whole; browsers send cookies of 4 KiB at most each

_LOG = structlog.get_logger(__name__)


class ConsoleProtocol(HttpToolsProtocol):
    """Closes a connection whose request's head does not come in time, or has no end."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._heads = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client. It has HEAD_LIMIT_S to say what it wants."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request, or several of them."""
        heads = self._heads
        super().data_received(data)
        if self._head_timer is not None and heads == self._heads:  # all of it is of a head that goes on
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._give_up("head_too_large")

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._heads += 1
        self._head_is_there()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_is_there()
        self._head_timer = self.loop.call_later(HEAD_LIMIT_S, self._give_up, "head_too_slow")

    def _head_is_there(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self, why: str) -> None:
        """Without an answer: whoever sends so is not waiting for one."""
        self._head_is_there()
        _LOG.info("connection_closed", why=why)
        if not self.transport.is_closing():
            self.transport.close()
