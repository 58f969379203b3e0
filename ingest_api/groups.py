"""One group of deliveries on its way into the database: sorted, compressed, and answered."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import zstandard

from custom_events.platforms.base import StorePlatform
from custom_events.queries.landing import Delivered, Refused
from ingest_api import landing_rows
from ingest_api.metrics import Metrics

# Of a busy receiver: on order bodies a quarter larger than level 1 for two thirds of its time, a twelfth of the throughput (decision 0002).
ZSTD_LEVEL = -1
CALM_ZSTD_LEVEL = 1
BUSY_FROM = 32  # deliveries in a group: fewer wait together only while there is time (writer.GROUP_FLOOR)
THREAD_FROM_BYTES = 1024 * 1024  # 4 ms of compression; for less, waking a thread costs a commit more than it gives

_ZSTD = {level: zstandard.ZstdCompressor(level=level) for level in (ZSTD_LEVEL, CALM_ZSTD_LEVEL)}  # of the event loop

OnResult = Callable[[bool | None], None]  # True: landed; False: had landed before; None: not stored, or a refusal
Answered = asyncio.Future[bool | None]  # the same, for who waits


class Verified(msgspec.Struct):
    """A verified delivery as it came. Its row is made with its group's: one kind of work for many costs half of many kinds for one
    (decision 0002)."""

    site_id: int
    platform: StorePlatform
    headers: Mapping[str, str]


class Waiting(msgspec.Struct):
    """A delivery, verified or refused, that waits to be committed, with its body as received. `on_result` must not raise."""

    platform: str
    row: Verified | Delivered | Refused
    body: bytes | None
    on_result: OnResult


def described(item: Waiting) -> Delivered | Refused:
    """Its row, which is made when it is first asked for."""
    row, body = item.row, item.body or b""
    if isinstance(row, Verified):
        kept = landing_rows.kept_headers(row.headers, row.platform.kept_headers)
        row = item.row = landing_rows.delivered(row.site_id, row.platform.describe(row.headers, body), kept, body)
    return row


def on_result_of(answered: Answered) -> OnResult:
    """Gives a future its result, unless its client has gone."""

    def on_result(value: bool | None) -> None:
        if not answered.done():
            answered.set_result(value)

    return on_result


class Group:
    """Deliveries of distinct keys in an order that all processes share, repeats of them, and refusals."""

    def __init__(self, items: Iterable[Waiting]) -> None:
        first: dict[tuple[str, int], Waiting] = {}
        self.repeats: list[Waiting] = []
        self.refusals: list[Waiting] = []
        for item in items:
            row = described(item)
            if isinstance(row, Refused):
                self.refusals.append(item)
            elif first.setdefault((row.dedup_key, row.site_id), item) is not item:
                self.repeats.append(item)
        # sorted, so that two processes that land the same keys never wait for each other in a circle
        self.deliveries = [first[key] for key in sorted(first)]

    @property
    def rows(self) -> tuple[list[Delivered], list[Delivered], list[Refused]]:
        """What `queries.landing.land` takes."""
        return tuple([item.row for item in part] for part in (self.deliveries, self.repeats, self.refusals))  # type: ignore[return-value]

    async def bodies(self) -> bytes:
        """The compressed bodies one after the other; the rows learn where theirs is."""
        with_body = [item for item in (*self.deliveries, *self.refusals) if item.body is not None]
        raw = [item.body or b"" for item in with_body]
        level = ZSTD_LEVEL if len(raw) >= BUSY_FROM else CALM_ZSTD_LEVEL
        if sum(map(len, raw)) < THREAD_FROM_BYTES:
            compress = _ZSTD[level].compress
            pieces = [compress(body) for body in raw]
        else:
            pieces = await asyncio.get_running_loop().run_in_executor(None, _compressed, raw, level)
        position = 1
        for item, piece in zip(with_body, pieces, strict=True):
            row: Any = item.row
            row.body_from, row.body_size = position, len(piece)
            position += len(piece)
        return b"".join(pieces)

    def on_result(self, known: set[int], metrics: Metrics) -> None:
        """Answer everybody after the commit; `known` are the places of deliveries that had landed before."""
        for place, item in enumerate(self.deliveries):
            item.on_result(place not in known)
        for item in self.repeats:
            item.on_result(False)
        for item in self.refusals:
            item.on_result(None)
        metrics.count_landed(
            (
                (item.platform, len(item.body or b""))
                for place, item in enumerate(self.deliveries)
                if place not in known
            ),
            [self.deliveries[place].platform for place in known] + [item.platform for item in self.repeats],
        )


def _compressed(raw: list[bytes], level: int) -> list[bytes]:
    """In one call for all, which lets the event loop run meanwhile, by a compressor of their own: connections may do so side by side."""
    compressor = zstandard.ZstdCompressor(level=level)
    return [piece.tobytes() for piece in compressor.multi_compress_to_buffer(raw)]  # pyright: ignore[reportArgumentType]
