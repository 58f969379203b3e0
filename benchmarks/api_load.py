"""The load of the API's benchmark: requests over keep-alive connections, each sent when the answer to the one before is there.

On asyncio protocols, since its cost counts: it shares the machine's cores with what it measures.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import uvloop

_LENGTH = b"content-length: "


class Load(NamedTuple):
    """What a round found: answers a second, and their milliseconds in order."""

    per_s: float
    latencies_ms: list[float]


def request(method: str, path: str, key: str, body: bytes = b"", **headers: str) -> bytes:
    """One request, whole."""
    lines = {
        "Host": "127.0.0.1",
        "Authorization": f"Bearer {key}",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    if body:
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def run(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Send these, one after the other, from so many clients for so long. Raises AssertionError for an answer that is no success."""
    return uvloop.run(_run(port, requests, clients, seconds))


def run_threads(work: Callable[[int], object], clients: int, seconds: float) -> Load:
    """The same of a function that is called in threads, with a number that counts up."""
    from concurrent.futures import ThreadPoolExecutor

    numbers, latencies = itertools.count(), list[float]()
    began = time.perf_counter()

    def client() -> None:
        while time.perf_counter() - began < seconds:
            at = time.perf_counter()
            work(next(numbers))
            latencies.append(1_000 * (time.perf_counter() - at))

    with ThreadPoolExecutor(clients) as pool:
        for running in [pool.submit(client) for _ in range(clients)]:
            running.result()
    return Load(len(latencies) / (time.perf_counter() - began), sorted(latencies))


async def _run(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    loop, following, latencies = asyncio.get_running_loop(), itertools.cycle(requests), list[float]()
    began = time.perf_counter()
    ends = began + seconds
    made = [
        await loop.create_connection(lambda: _Client(following, latencies, ends), "127.0.0.1", port)
        for _ in range(clients)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    took = time.perf_counter() - began
    for transport, _ in made:
        transport.close()
    return Load(len(latencies) / took, sorted(latencies))


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, following: "itertools.cycle[bytes]", latencies: list[float], ends: float) -> None:
        self._following, self._latencies, self._ends = following, latencies, ends
        self._answer, self._at = bytearray(), 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._at = time.perf_counter()
        if self._at > self._ends:
            self.done.set_result(None)
        else:
            self._transport.write(next(self._following))

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, separator, body = bytes(self._answer).partition(b"\r\n\r\n")
        if not separator:
            return
        _, _, after = head.lower().partition(_LENGTH)
        if len(body) < int(after.partition(b"\r\n")[0] or b"0"):
            return
        self._answer.clear()
        self._latencies.append(1_000 * (time.perf_counter() - self._at))
        if not head.startswith(b"HTTP/1.1 20"):
            if not self.done.done():
                self.done.set_exception(AssertionError(head.decode() + body[:500].decode()))
            return
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or AssertionError("the server closed the connection"))
