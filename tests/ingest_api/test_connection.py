"""One connection without a network: when it is closed, and when it leaves a request to uvicorn."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from prometheus_client import generate_latest

from custom_events.settings import Settings
from ingest_api.app import create_app
from ingest_api.protocol import HEAD_LIMIT_BYTES, HEAD_LIMIT_LINES, HEAD_LIMIT_S, DeliveryProtocol
from tests.ingest_api.server import SITE, Holding

Wire = Callable[..., bytes]
Make = Callable[..., Settings]
BODY = b"{}"


class Clock:
    """As much of an event loop as keep-alive needs, with a time of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None], Clock]] = []
        self.cancelled = 0

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> "Clock":
        self.timers.append((self.now + delay, callback, self))
        return self

    def cancel(self) -> None:
        self.cancelled += 1

    def fire(self) -> None:
        """The next timer, at its time."""
        self.timers.sort(key=lambda timer: timer[0])
        self.now, callback, _ = self.timers.pop(0)
        callback()


class Pipe(asyncio.Transport):
    """A transport that only remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def test_a_silent_connection_is_closed_after_its_time(receiver_settings: Make, wire: Wire) -> None:
    app = create_app(receiver_settings(), kind=Holding)
    app._sites._known["shop-key"] = SITE
    clock, transport = Clock(), Pipe()
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, timeout_keep_alive=75)
    protocol = DeliveryProtocol(config, uvicorn.server.ServerState(), {}, clock)  # type: ignore[arg-type]
    protocol.connection_made(transport)

    def deliver(at: float, answered_at: float) -> None:
        clock.now = at
        protocol.data_received(wire(BODY, "w"))
        clock.now = answered_at
        app.tells.pop()(True)  # type: ignore[attr-defined]

    deliver(0.0, 1.0)
    deliver(50.0, 50.0)
    clock.fire()
    assert clock.now == 10.0, "the first head was whole in time"
    clock.fire()
    assert (clock.now, [at for at, *_ in clock.timers]) == (76.0, [125.0]), "75 s after the last answer"
    protocol.data_received(wire(BODY, "w"))
    clock.fire()
    assert (clock.timers, transport.closed) == ([], False), "a request is under way: its answer sets the timer again"
    clock.now = 140.0
    app.tells.pop()(True)  # type: ignore[attr-defined]
    clock.fire()
    assert (clock.now, transport.closed) == (215.0, True)


def test_the_end_of_a_connection_ends_its_timer(receiver_settings: Make, wire: Wire) -> None:
    app = create_app(receiver_settings(), kind=Holding)
    app._sites._known["shop-key"] = SITE
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False)
    clock = Clock()
    protocol = DeliveryProtocol(config, uvicorn.server.ServerState(), {}, clock)  # type: ignore[arg-type]
    protocol.connection_made(Pipe())
    protocol.data_received(wire(BODY, "w"))
    app.tells.pop()(True)  # type: ignore[attr-defined]
    protocol.connection_lost(None)
    assert (len(clock.timers), clock.cancelled) == (2, 2)


def test_nothing_is_written_to_a_connection_that_closes(receiver_settings: Make, wire: Wire) -> None:
    app = create_app(receiver_settings(), kind=Holding)
    app._sites._known["shop-key"] = SITE
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False)
    transport = Pipe()
    protocol = DeliveryProtocol(config, uvicorn.server.ServerState(), {}, Clock())  # type: ignore[arg-type]
    protocol.connection_made(transport)
    protocol.data_received(wire(BODY, "w"))
    transport.close()
    app.tells.pop()(True)  # type: ignore[attr-defined]
    assert transport.written == []


def test_who_does_not_read_its_answers_goes_uvicorns_way(receiver_settings: Make, wire: Wire) -> None:
    async def main() -> None:
        app = create_app(receiver_settings(), kind=Holding)
        app._sites._known["shop-key"] = SITE
        config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False)
        protocol = DeliveryProtocol(config, uvicorn.server.ServerState(), {})
        protocol.connection_made(Pipe())
        protocol.data_received(wire(BODY, "w1"))
        app.tells.pop()(True)  # type: ignore[attr-defined]
        protocol.pause_writing()
        protocol.data_received(wire(BODY, "w2"))
        assert app.tells == []  # type: ignore[attr-defined]
        (task,) = protocol.tasks
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())


def test_any_other_application_is_served_as_usual() -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive, send

    config = uvicorn.Config(other, http=DeliveryProtocol, log_config=None, access_log=False)
    assert DeliveryProtocol(config, uvicorn.server.ServerState(), {}, Clock())._receiver is None  # type: ignore[arg-type]


def _connection(receiver_settings: Make) -> tuple[DeliveryProtocol, Clock, Pipe, Holding]:
    app = create_app(receiver_settings(), kind=Holding)
    app._sites._known["shop-key"] = SITE
    clock, transport = Clock(), Pipe()
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, timeout_keep_alive=75)
    protocol = DeliveryProtocol(config, uvicorn.server.ServerState(), {}, clock)  # type: ignore[arg-type]
    protocol.connection_made(transport)
    return protocol, clock, transport, app  # type: ignore[return-value]


def _closed(app: Any, reason: str) -> float:
    return app._writer._metrics.closed.labels(reason)._value.get()


def test_who_says_nothing_is_not_waited_for(receiver_settings: Make) -> None:
    _, clock, transport, app = _connection(receiver_settings)
    clock.fire()
    assert (clock.now, transport.closed, _closed(app, "head_too_slow")) == (HEAD_LIMIT_S, True, 1.0)


def test_each_head_has_a_time_of_its_own(receiver_settings: Make, wire: Wire) -> None:
    protocol, clock, transport, app = _connection(receiver_settings)
    clock.now = 1.0
    protocol.data_received(wire(BODY, "w1"))
    app.tells.pop()(True)
    clock.now = 9.0
    head = wire(BODY, "w2")
    protocol.data_received(head[:20])
    clock.fire()
    assert (clock.now, transport.closed) == (10.0, False), "the second head began a second ago"
    for at, piece in ((12.0, head[20:21]), (18.0, head[21:22])):
        clock.now = at
        protocol.data_received(piece)
    clock.fire()
    assert (clock.now, transport.closed, _closed(app, "head_too_slow")) == (19.0, True, 1.0)


def test_a_head_that_grows_without_bound_is_refused(receiver_settings: Make) -> None:
    protocol, _, transport, app = _connection(receiver_settings)
    protocol.data_received(b"POST /webhooks/shopify/shop-key HTTP/1.1\r\n")
    for number in range(HEAD_LIMIT_BYTES // 1_000 + 1):
        protocol.data_received(f"x-{number}: {'v' * 1_000}\r\n".encode())
    assert (transport.closed, len(transport.written), _closed(app, "head_too_large")) == (True, 1, 1.0)
    assert transport.written[0].startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "extra",
    [
        {f"x-{number}": "v" for number in range(HEAD_LIMIT_LINES)},
        {"x-long": "v" * HEAD_LIMIT_BYTES},
        {"x-long": "v" * HEAD_LIMIT_BYTES, "transfer-encoding": None, "expect": "100-continue"},
    ],
    ids=["lines", "bytes", "bytes, uvicorn's way"],
)
def test_a_whole_delivery_with_too_large_a_head_is_refused(receiver_settings: Make, wire: Wire, extra: Any) -> None:
    protocol, _, transport, app = _connection(receiver_settings)
    protocol.data_received(wire(BODY, "w", **extra))
    protocol.data_received(wire(BODY, "w"))
    assert (transport.closed, len(transport.written), app.tells) == (True, 1, [])
    assert b"431 Request Header Fields Too Large" in transport.written[0]
    assert b"remedy" in transport.written[0]
    assert _closed(app, "head_too_large") == 1.0


def test_a_connection_beyond_the_limit_is_closed_at_once(receiver_settings: Make, wire: Wire) -> None:
    app = create_app(receiver_settings(receiver_connections=1), kind=Holding)
    app._sites._known["shop-key"] = SITE
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False)
    state, clock, pipes = uvicorn.server.ServerState(), Clock(), [Pipe(), Pipe(), Pipe()]
    protocols = [DeliveryProtocol(config, state, {}, clock) for _ in pipes]  # type: ignore[arg-type]
    for protocol, pipe in zip(protocols[:2], pipes, strict=False):
        protocol.connection_made(pipe)
    assert [pipe.closed for pipe in pipes[:2]] == [False, True]
    protocols[1].data_received(wire(BODY, "w"))
    assert not app.tells, "what it sends is not looked at"  # type: ignore[attr-defined]
    for protocol in protocols[:2]:
        protocol.connection_lost(None)
    protocols[2].connection_made(pipes[2])
    assert not pipes[2].closed, "there is room again"
    assert "too_many_connections" in generate_latest(app._writer._metrics.registry).decode()
