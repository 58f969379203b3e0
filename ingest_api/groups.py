"""One group of deliveries on its way into the database: sorted, packed, and told what became of it."""

import asyncio
from collections.abc import Iterable

from custom_events.queries.landing import Delivered, Refused
from ingest_api.metrics import Metrics

Answered = asyncio.Future[bool | None]  # True: landed; False: had landed before; None: not stored, or a refusal


class Waiting:
    """A delivery, verified or refused, that waits to be committed, with its compressed body."""

    __slots__ = ("body", "platform", "result", "row")

    def __init__(self, platform: str, row: Delivered | Refused, body: bytes | None, result: Answered) -> None:
        self.platform = platform
        self.row = row
        self.body = body
        self.result = result

    def tell(self, value: bool | None) -> None:
        """Answer the request, unless its client has gone."""
        if not self.result.done():
            self.result.set_result(value)


class Group:
    """Deliveries of distinct keys in an order that all processes share, repeats of them, and refusals."""

    def __init__(self, items: Iterable[Waiting]) -> None:
        first: dict[tuple[str, int], Waiting] = {}
        self.repeats: list[Waiting] = []
        self.refusals: list[Waiting] = []
        for item in items:
            row = item.row
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

    def bodies(self) -> bytes:
        """The compressed bodies one after the other; the rows learn where theirs is."""
        pieces: list[bytes] = []
        position = 1
        for item in (*self.deliveries, *self.refusals):
            if item.body is not None:
                item.row.body_from, item.row.body_size = position, len(item.body)
                position += len(item.body)
                pieces.append(item.body)
        return b"".join(pieces)

    def tell(self, known: set[int], metrics: Metrics) -> None:
        """Answer everybody after the commit; `known` are the places of deliveries that had landed before."""
        new: list[tuple[str, int]] = []
        again = [item.platform for item in self.repeats]
        for place, item in enumerate(self.deliveries):
            if place in known:
                again.append(item.platform)
            else:
                new.append((item.platform, item.row.body_bytes or 0))
            item.tell(place not in known)
        for item in self.repeats:
            item.tell(False)
        for item in self.refusals:
            item.tell(None)
        metrics.count_landed(new, again)
