"""The load of the receiver's benchmark: signed deliveries over keep-alive connections, from a process of its own.

Each connection sends the next delivery when the answer to the last one is there, as many stores do at once. Written on asyncio
protocols because its cost counts: it shares the machine's cores with what it measures (about 20 us a request).
"""

import asyncio
import itertools
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import uvloop

from benchmarks.bodies import shopify_order_bodies
from custom_events.platforms.shopify.delivery import WEBHOOK_ID, signed_headers

BODIES = 2_000
SITES = 1_000
SECRET = b"secret-of-every-site-in-the-benchmark"
OK = b"HTTP/1.1 200"
_EMPTY = b"content-length: 0\r\n"
_ID = "0" * 32  # replaced in each request; the signature covers the body only


class Order(NamedTuple):
    """What one measurement is to be."""

    port: int
    connections: int
    seconds: float
    warm_up_s: float


def site_key(number: int) -> str:
    """Key of one of the benchmark's sites."""
    return f"benchmark-site-{number:06d}"


def requests() -> list[tuple[bytes, bytes]]:
    """Each delivery as the bytes before and after its webhook id."""
    made: list[tuple[bytes, bytes]] = []
    for number, body in enumerate(shopify_order_bodies(BODIES, sites=SITES)):
        shop = f"benchmark-{number % SITES}.myshopify.com"
        lines = signed_headers(
            body,
            SECRET,
            topic="orders/paid",
            shop_domain=shop,
            webhook_id=_ID,
            event_id="e",
            triggered_at=datetime.now(UTC),
        )
        lines |= {"host": "receiver", "accept": "*/*", "content-length": str(len(body))}
        head = f"POST /webhooks/shopify/{site_key(number % SITES)} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
        before, separator, after = head.partition(f"{WEBHOOK_ID}: {_ID}")
        assert separator
        made.append((f"{before}{WEBHOOK_ID}: ".encode(), after.encode() + body))
    return made


class _Connection(asyncio.Protocol):
    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._answer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._answer.endswith((b"}", b"}\n")) and _EMPTY not in self._answer:  # one JSON object, or nothing
            return
        self._run.answered(self._answer.startswith(OK), time.perf_counter() - self._sent_at)
        self._answer = b""
        if not self._run.over:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._run.closed()

    def _send(self) -> None:
        number = next(self._run.numbers)
        before, after = self._run.requests[number % BODIES]
        self._sent_at = time.perf_counter()
        self._transport.write(b"%s%s%012x%s" % (before, self._run.name, number, after))


class _Run:
    def __init__(self, made: list[tuple[bytes, bytes]], name: bytes) -> None:
        self.requests = made
        self.name = name
        self.numbers = itertools.count()
        self.over = False
        self.counting = False
        self.seconds: list[float] = []
        self.failed = 0
        self._open = 0
        self._all_closed = asyncio.Event()

    def answered(self, fine: bool, seconds: float) -> None:
        if self.counting:
            if fine:
                self.seconds.append(seconds)
            else:
                self.failed += 1

    def closed(self) -> None:
        self._open -= 1
        if not self.over:
            self.failed += 1
        if not self._open:
            self._all_closed.set()

    async def go(self, order: Order) -> dict[str, float]:
        loop = asyncio.get_running_loop()
        self._open = order.connections
        for _ in range(order.connections):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", order.port)
        await asyncio.sleep(order.warm_up_s)
        started, self.counting = time.perf_counter(), True
        await asyncio.sleep(order.seconds)
        took, self.counting, self.over = time.perf_counter() - started, False, True
        await asyncio.wait_for(self._all_closed.wait(), 30)
        times = sorted(self.seconds) or [0.0]
        return {
            "per_second": len(self.seconds) / took,
            "p50_ms": times[len(times) // 2] * 1_000,
            "p99_ms": times[int(len(times) * 0.99)] * 1_000,
            "failed": self.failed,
        }


def serve(pipe: Connection) -> None:
    """Answer each Order that comes through the pipe with its figures, until None comes."""
    made = requests()
    pipe.send("ready")
    for turn in itertools.count():
        order = pipe.recv()
        if order is None:
            return
        pipe.send(uvloop.run(_Run(made, b"%020x" % (time.time_ns() + turn)).go(order)))
