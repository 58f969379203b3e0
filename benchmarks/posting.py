"""Stores that post to several receivers and keep to what they are answered: 2xx is done, 503 comes again after Retry-After, silence is tried elsewhere."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

ANSWER_LIMIT_S: Final = 5.0  # as Shopify waits
AGAIN_S: Final = 0.5  # after silence
BUSY: Final = 503


class Delivery(NamedTuple):
    """A webhook as it goes over the line, whichever receiver it goes to, and its body alone."""

    request: bytes
    body: bytes


class Posted(msgspec.Struct, kw_only=True):
    """What stores saw. `digests` are of bodies that were answered 2xx; `longest_wait_s` is the largest Retry-After."""

    answers: Counter[int] = msgspec.field(default_factory=Counter[int])
    silences: int = 0
    without_retry_after: int = 0
    longest_wait_s: float = 0.0
    digests: set[bytes] = msgspec.field(default_factory=set[bytes])
    answer_s: list[float] = msgspec.field(default_factory=list[float])
    seconds: float = 0.0


async def post_all(
    receivers: Sequence[tuple[str, int]],
    deliveries: Iterator[Delivery],
    *,
    connections: int,
    rate_per_s: float | None = None,
    posted: Posted | None = None,
) -> Posted:
    """Post every delivery until it is answered 2xx or refused for good, over so many connections, `rate_per_s` or as fast as they are answered.
    `posted`, where it is given, is counted in meanwhile."""
    posted, began = posted or Posted(), time.monotonic()
    numbered = enumerate(deliveries)
    async with asyncio.TaskGroup() as group:
        for place in range(connections):
            store = _Store(receivers, place, posted)
            group.create_task(store.work(numbered, began, rate_per_s))
    posted.seconds = time.monotonic() - began
    return posted


class _Store:
    """One connection at a time, to the receivers in turn."""

    def __init__(self, receivers: Sequence[tuple[str, int]], place: int, posted: Posted) -> None:
        self._receivers, self._place, self._posted = receivers, place, posted
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def work(self, numbered: Iterator[tuple[int, Delivery]], began: float, rate_per_s: float | None) -> None:
        for number, delivery in numbered:
            if rate_per_s is not None:
                await asyncio.sleep(began + number / rate_per_s - time.monotonic())
            await self._deliver(delivery)
        await self._close()

    async def _deliver(self, delivery: Delivery) -> None:
        while True:
            began = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_LIMIT_S):
                    status, wait_s = await self._ask(delivery.request)
            except (OSError, asyncio.IncompleteReadError):
                self._posted.silences += 1
                await self._close()
                self._place += 1
                await asyncio.sleep(AGAIN_S)
                continue
            self._posted.answers[status] += 1
            if status != BUSY:
                if status < 300:
                    self._posted.digests.add(sha256(delivery.body).digest())
                    self._posted.answer_s.append(time.monotonic() - began)
                return
            self._posted.without_retry_after += wait_s is None
            self._posted.longest_wait_s = max(self._posted.longest_wait_s, wait_s or 0.0)
            await asyncio.sleep(wait_s or AGAIN_S)

    async def _ask(self, request: bytes) -> tuple[int, float | None]:
        """The answer's status, and the seconds of its Retry-After."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._receivers[self._place % len(self._receivers)])
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            await self._close()
        wait = headers.get("retry-after")
        return int(head[0].split(" ")[1]), None if wait is None else float(wait)

    async def _close(self) -> None:
        if self._streams is not None:
            writer, self._streams = self._streams[1], None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
